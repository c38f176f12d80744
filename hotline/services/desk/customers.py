"""Who the citizen is, as far as he has proven it, and what his agent may see of him."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hotline.agent_desk import Customer, DeskRefused, Refusal
from hotline.audit_store import ActorKind, Audit, AuditEntry
from hotline.desk_store import DeskConversation
from hotline.domain.identity import Contact, Known, Level
from hotline.domain.masking import mask_mobile
from hotline.domain.messages import ChannelName
from hotline.identification import Identification
from hotline.identity_store import Bindings
from hotline.services.customer_cards import LONGEST_REASON, SHORTEST_REASON, CustomerCards, Field, NoCard
from hotline.services.desk.core_facts import CoreFacts, Facts
from hotline.services.own.skill import by_channel

SHOWN_FOR: Final = timedelta(seconds=60)
"""A page that is put together again within this time shows the same look."""
ASKED_AGAIN_AFTER: Final = timedelta(seconds=10)
"""The same where the core system did not answer."""
SHORT_ID: Final = 6

_NOTHING: Final = Facts(found=(), missing=False)
_Key = tuple[str, str, str, Level]


@dataclass(slots=True)
class _Look:
    """What one member of staff sees in one conversation. Who comes while it is read waits for it."""

    until: datetime
    customer: Customer | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Customers:
    """Cards of who is in conversation. Every look is in the audit trail before anything is shown; one that is repeated
    within a minute is the same look."""

    def __init__(
        self,
        identification: Identification,
        bindings: Bindings,
        *,
        core: CoreFacts,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._identification = identification
        self._bindings = bindings
        self._cards = CustomerCards(bindings, audit=audit)
        self._core = core
        self._audit = audit
        self._clock = clock
        self._looks: dict[_Key, _Look] = {}

    async def customer(self, conversation: DeskConversation, *, staff_id: str) -> Customer:
        """The card of the person the citizen is known to be, with what the core system tells of him where the citizen
        himself would be told it here. Who is known, and how surely, is read every time."""
        known = await self._identification.known_in(conversation.id)
        if known is None:
            return Customer(level=int(Level.ANONYMOUS))
        look = self._look((conversation.id, staff_id, known.person_id, known.level))
        async with look.lock:
            if look.customer is None or look.until <= self._clock():
                look.customer = await self._seen(conversation, known, staff_id=staff_id)
                again_after = ASKED_AGAIN_AFTER if look.customer.facts_missing else SHOWN_FOR
                look.until = self._clock() + again_after
            return look.customer

    async def reveal(self, conversation: DeskConversation, *, staff_id: str, field: str, reason: str) -> str:
        """``id_number`` or ``mobile`` in full, with the reason on record first.

        Raises:
            DeskRefused: nobody is known here, there is no such field, or the reason says nothing or too much.
        """
        said = " ".join(reason.split())
        if len(said) < SHORTEST_REASON:
            raise DeskRefused(Refusal.EMPTY)
        if len(said) > LONGEST_REASON:
            raise DeskRefused(Refusal.TOO_LONG)
        known = await self._identification.known_in(conversation.id)
        if known is None or field not in list(Field):
            raise DeskRefused(Refusal.NOT_ALLOWED)
        try:
            return await self._cards.reveal(known.person_id, Field(field), staff=staff_id, reason=said)
        except NoCard as gone:
            raise DeskRefused(Refusal.GONE) from gone

    async def contact_ids(self, conversation: DeskConversation) -> list[int]:
        """Every contact of the person, so that his whole transcript can be read; of somebody unknown this one."""
        known = await self._identification.known_in(conversation.id)
        of_person = await self._bindings.contact_ids_of(known.person_id) if known else ()
        return sorted({conversation.contact_id, *of_person})

    def _look(self, key: _Key) -> _Look:
        """The look that still holds, or an empty one. What is over is not kept in memory."""
        now = self._clock()
        over = [old for old, look in self._looks.items() if look.until <= now and not look.lock.locked()]
        for old in over:
            del self._looks[old]
        return self._looks.setdefault(key, _Look(until=now))

    async def _seen(self, conversation: DeskConversation, known: Known, *, staff_id: str) -> Customer:
        try:
            card = await self._cards.card(known.person_id, staff=staff_id)
        except NoCard:  # erased a moment ago
            return Customer(level=int(Level.ANONYMOUS))
        facts = await self._facts(conversation, known, staff_id=staff_id)
        return Customer(
            level=int(known.level),
            person_id=known.person_id,
            name_masked=card.name_masked,
            id_number_masked=card.id_number_masked,
            mobile_masked=card.mobile_masked,
            contacts=tuple((each.channel.value, shown_address(each)) for each in card.contacts),
            facts=facts.found,
            facts_missing=facts.missing,
        )

    async def _facts(self, conversation: DeskConversation, known: Known, *, staff_id: str) -> Facts:
        """Nothing where the citizen himself would not be told it: by SMS, or without the proof his channel needs."""
        channel = conversation.channel
        if channel is ChannelName.SMS or known.level < by_channel(channel):
            return _NOTHING
        entry = AuditEntry(
            actor_kind=ActorKind.STAFF,
            actor_id=staff_id,
            action="facts.shown",
            subject=known.person_id,
            purpose="desk",
            channel=channel.value,
            conversation_id=conversation.id,
        )
        await self._audit.record(entry)
        return await self._core.of(known.person_no)


def shown_address(contact: Contact) -> str:
    """A telephone number masked; of an openid or a visitor's id the end, which tells contacts apart."""
    number = contact.address.removeprefix("+86")
    if contact.channel in (ChannelName.SMS, ChannelName.VOICE):
        return mask_mobile(number)
    return contact.address[-SHORT_ID:]
