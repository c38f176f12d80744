"""Orders the city hotline (12345) gives us, and what it asks about them later.

Every request is done once: theirs is the id, and what was answered the first time is answered again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hotline.audit_store import ActorKind, Audit, AuditEntry
from hotline.domain import work_order_changes as changes
from hotline.domain.work_orders import Actor, By, Change, OrderRefused, Refusal, Source, WorkOrder
from hotline.errors import TemporaryError
from hotline.services.work_orders.opening import Opening, Openings, checked, digest_of
from hotline.work_order_store import Done, Once, WorkOrders

CITY: Final = Actor(by=By.CITY, id="city_hotline")
LONGEST_WORDS: Final = 1000
_TRIES: Final = 5
"""Between reading an order and changing it somebody else may have changed it, though hardly so often."""


class CityOrders:
    """What the city hotline's requests do."""

    def __init__(self, orders: WorkOrders, openings: Openings, *, audit: Audit) -> None:
        self._orders = orders
        self._openings = openings
        self._audit = audit

    async def deliver(self, city_id: str, opening: Opening) -> Done:
        """The order is here. Raises OrderRefused: ``key_reused`` where it was delivered before with other content, and
        what `Openings.open` raises."""
        opening = replace(opening, source=Source.CITY_HOTLINE)
        return await self._openings.open(opening, by=CITY, key=f"city:{city_id}", city_id=city_id)

    async def remind(self, city_id: str, reminder_id: str, words: str) -> Done:
        """催办: the order is urgent and the supervisors know. Raises OrderRefused: ``not_found``, ``wrong_state`` where
        there is nothing left to be done."""
        once = Once(key=f"remind:{city_id}:{reminder_id}", digest=digest_of(words))
        said = checked(words, most=LONGEST_WORDS)
        return await self._make(city_id, once, lambda order: changes.urge(order, said), standing=True)

    async def cancel(self, city_id: str, reason: str) -> Done:
        """撤单: whoever filed it has withdrawn it. Raises OrderRefused: ``not_found``, ``wrong_state`` where it is over
        or was merged with another one."""
        once = Once(key=f"cancel:{city_id}", digest=digest_of(reason))
        said = checked(reason, most=LONGEST_WORDS)
        return await self._make(city_id, once, lambda order: changes.cancel(order, said), standing=False)

    async def state(self, city_id: str) -> tuple[str, WorkOrder]:
        """Our number of the order, and the order that answers for it. The look is in the audit trail first. Raises
        OrderRefused ``not_found``."""
        order = await self._of(city_id)
        entry = AuditEntry(
            actor_kind=ActorKind.SYSTEM,
            actor_id=CITY.id,
            action="work_order.state_told",
            subject=order.person_id,
            purpose="work_order",
            detail={"reference": order.number},
        )
        await self._audit.record(entry)
        return order.number, await self._orders.standing(order)

    async def _make(self, city_id: str, once: Once, step: Callable[[WorkOrder], Change], *, standing: bool) -> Done:
        for _ in range(_TRIES):
            own = await self._of(city_id)
            done = await self._orders.done(once)
            if done is None:
                order = await self._orders.standing(own) if standing else own
                done = await self._orders.save(step(order), by=CITY, once=once)
            if done is not None:  # under the number the city hotline knows it by
                return replace(done, receipt=replace(done.receipt, number=own.number))
        raise TemporaryError("the order keeps changing")

    async def _of(self, city_id: str) -> WorkOrder:
        order = await self._orders.find_city(city_id)
        if order is None or order.erased_at is not None:
            raise OrderRefused(Refusal.NOT_FOUND)
        return order
