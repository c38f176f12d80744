"""The citizen asks how his order stands, by its number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hotline.audit_store import ActorKind, Audit, AuditEntry
from hotline.domain.identity import Contact, Known, Level
from hotline.domain.work_orders import WorkOrder
from hotline.privacy.hashes import LookupHash
from hotline.services.identity_locks import contact_hash
from hotline.services.own.skill import by_channel
from hotline.services.work_orders.numbers import mentioned
from hotline.services.work_orders.words import progress_words, say
from hotline.work_order_store import WorkOrders


class Progress:
    """Answers messages that name a work order."""

    def __init__(self, orders: WorkOrders, *, audit: Audit, hashes: LookupHash, clock: Callable[[], datetime]) -> None:
        self._orders = orders
        self._audit = audit
        self._hashes = hashes
        self._clock = clock

    async def progress(
        self, text: str, *, contact: Contact, known: Known | None, conversation_id: str = ""
    ) -> str | None:
        """What the citizen is told, in his channel's form; None where ``text`` names no work order.

        Told is the contact the order came from, and the person who filed it, wherever he has proven himself; anybody
        else hears that there is no such order here, as for a number that was never given. A confidential one needs a
        proof of identity now. The look is in the audit trail first."""
        mention = mentioned(text)
        if mention is None:
            return None
        if not mention.number:
            return say("mistyped", contact.channel)
        order = await self._orders.find(mention.number)
        if order is None or order.erased_at is not None or not _is_his(order, contact, known):
            return say("not_found", contact.channel)
        standing = await self._orders.standing(order)
        if (order.confidential or standing.confidential) and not _is_proven(known):
            return say("prove", contact.channel)
        await self._audit.record(self._entry(order, contact, known, conversation_id))
        return progress_words(standing, order.number, contact.channel, now=self._clock())

    def _entry(self, order: WorkOrder, contact: Contact, known: Known | None, conversation_id: str) -> AuditEntry:
        return AuditEntry(
            actor_kind=ActorKind.PERSON if known else ActorKind.CONTACT,
            actor_id=known.person_id if known else contact_hash(self._hashes, contact),
            action="work_order.progress_told",
            subject=order.person_id,
            purpose="work_order",
            channel=contact.channel,
            conversation_id=conversation_id,
            detail={"reference": order.number},
        )


def _is_his(order: WorkOrder, contact: Contact, known: Known | None) -> bool:
    """Whether it came from this contact, unless somebody else is known here by now; or was filed by the person who is
    known here as surely as own data on this channel needs."""
    is_somebody_else = known is not None and order.person_id not in ("", known.person_id)
    if order.contact == contact:
        return not is_somebody_else
    if known is None or not order.person_id or is_somebody_else:
        return False
    return known.level >= by_channel(contact.channel)


def _is_proven(known: Known | None) -> bool:
    return known is not None and known.level >= Level.PROVEN
