"""The telephone number somebody may be called back at: never one that was typed into a conversation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hotline.audit_store import ActorKind, AuditEntry
from hotline.domain.conversations import Job
from hotline.domain.masking import mask_mobile
from hotline.domain.messages import ChannelName
from hotline.services.asides.parts import Parts

OWN_NUMBER: Final = (ChannelName.SMS, ChannelName.VOICE)
"""Channels on which the address is a telephone number, unless it is withheld or a name."""
_NUMBER: Final = re.compile(r"\+?\d{7,15}", re.ASCII)
_CHINA: Final = re.compile(r"(?:\+|00)?86(?=1\d{10}$)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTo:
    """``masked`` as he is shown it; ``known_by``: ``own`` (he writes or calls from it) or ``recorded``."""

    masked: str
    known_by: str


class Numbers:
    """Finds the number. A look at one on record is in the audit trail first."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def of(self, job: Job) -> CallTo | None:
        """None where no number is known by its address or by proof of identity."""
        if job.channel in OWN_NUMBER and _NUMBER.fullmatch(job.contact_key):
            return CallTo(masked=_masked(job.contact_key), known_by="own")
        known = await self._parts.identification.known_in(job.conversation_id)
        if known is None:
            return None
        entry = AuditEntry(
            actor_kind=ActorKind.PERSON,
            actor_id=known.person_id,
            action="callback.number_shown",
            subject=known.person_id,
            purpose="callback",
            channel=job.channel.value,
            conversation_id=job.conversation_id,
        )
        await self._parts.audit.record(entry)
        person = await self._parts.bindings.registered(known.person_id)
        return CallTo(masked=_masked(person.mobile), known_by="recorded") if person and person.mobile else None


def _masked(number: str) -> str:
    return mask_mobile(_CHINA.sub("", number))
