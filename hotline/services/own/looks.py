"""What the audit trail keeps of a citizen's look at his own data, or of what he does with it."""

from __future__ import annotations

from hotline.audit_store import ActorKind, AuditEntry, Detail
from hotline.services.own.skill import Ask


def look(skill: str, ask: Ask) -> AuditEntry:
    """He sees what ``skill`` tells."""
    return did(f"{skill}.shown", ask, purpose=skill)


def did(action: str, ask: Ask, *, purpose: str, detail: Detail | None = None) -> AuditEntry:
    """He did ``action`` for ``purpose`` (a skill or a business)."""
    return AuditEntry(
        actor_kind=ActorKind.PERSON,
        actor_id=ask.person_id,
        action=action,
        subject=ask.person_id,
        purpose=purpose,
        channel=ask.channel,
        conversation_id=ask.conversation_id,
        detail=detail or {},
    )
