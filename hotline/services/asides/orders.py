"""Opens the work orders that asides lead to, in the name of the citizen of their conversation."""

from __future__ import annotations

from dataclasses import replace

from hotline.domain.work_orders import Actor, By, OrderRefused, Refusal
from hotline.identification import Identification
from hotline.identity_store import Bindings
from hotline.services.asides.parts import NewOrder, Opened
from hotline.services.work_orders.opening import Opening, Openings
from hotline.work_order_store import Done


class ConversationOrders:
    """Implements `hotline.services.asides.parts.OpenOrder`."""

    def __init__(self, openings: Openings, identification: Identification, bindings: Bindings) -> None:
        self._openings = openings
        self._identification = identification
        self._bindings = bindings

    async def open_order(self, order: NewOrder) -> Opened:
        known = await self._identification.known_in(order.conversation_id)
        person_id = known.person_id if known else ""
        opening = Opening(
            type=order.type,
            source=order.source,
            text=order.text,
            matter=order.matter,
            contact=await self._bindings.contact_of(order.conversation_id),
            conversation_id=order.conversation_id,
            person_id=person_id,
        )
        # Who has proven himself since the last try files it anew: better twice than refused for ever.
        done = await self._open(opening, Actor(by=By.CITIZEN, id=person_id), key=f"{order.key}:{person_id}")
        return Opened(number=done.receipt.number, due_at=done.receipt.due_at, provisional=done.receipt.provisional)

    async def _open(self, opening: Opening, by: Actor, *, key: str) -> Done:
        """Raises OrderRefused and TemporaryError. A matter that is not in the catalogue any more is left out."""
        try:
            return await self._openings.open(opening, by=by, key=key)
        except OrderRefused as refused:
            if refused.refusal is not Refusal.UNKNOWN_MATTER:
                raise
            return await self._openings.open(replace(opening, matter=""), by=by, key=key)
