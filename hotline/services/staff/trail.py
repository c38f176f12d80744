"""What of the staff's accounts stands in the audit trail."""

from __future__ import annotations

from hotline.audit_store import ActorKind, AuditEntry
from hotline.domain.staff import Staff


def by_member(action: str, staff: Staff, **detail: str | int) -> AuditEntry:
    """What a member has done with his own account."""
    return AuditEntry(
        actor_kind=ActorKind.STAFF, actor_id=staff.name, action=action, subject=staff.id, detail={**detail}
    )


def by_nobody(action: str, name_hash: str, **detail: str | int) -> AuditEntry:
    """What somebody tried under a name that no member has. The name may be a password typed into the wrong field, so
    only its hash is kept."""
    return AuditEntry(actor_kind=ActorKind.CONTACT, actor_id=name_hash, action=action, detail={**detail})
