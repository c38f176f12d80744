"""What members of staff do with work orders. Every method takes who does it, and is in the audit trail.

A change takes the version the member of staff has seen. Doing the same again is done once; what somebody else has
changed meanwhile is refused with ``changed``.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

from hotline.domain import work_order_changes as changes
from hotline.domain.clock import SHANGHAI
from hotline.domain.desk import Group
from hotline.domain.work_order_time import Deadline, deadline, deadline_on, end_of_workday
from hotline.domain.work_orders import (
    Actor,
    Change,
    Conclusion,
    Event,
    OrderRefused,
    OrderType,
    Priority,
    Refusal,
    Visit,
    WorkOrder,
)
from hotline.domain.workdays import add_workdays
from hotline.services.work_orders.looking import Looking, reason_of
from hotline.services.work_orders.opening import Opening, checked

LONGEST_NOTE: Final = 1000


class WorkOrderDesk(Looking):
    """One object per process: doing; `hotline.services.work_orders.looking` has the reading."""

    async def open(self, opening: Opening, *, by: Actor, key: str = "") -> WorkOrder:
        """The new order; with the same ``key`` again the same one. Raises OrderRefused: ``empty``, ``too_long``,
        ``unknown_matter``, ``key_reused``."""
        return (await self._parts.openings.open(opening, by=by, key=key)).order

    async def accept(self, number: str, *, version: int, by: Actor) -> WorkOrder:
        """new → accepted; it is ``by``'s where nobody had it."""
        return await self._make(number, version, by, lambda order: changes.accept(order, by), "accept")

    async def start(self, number: str, *, version: int, by: Actor) -> WorkOrder:
        """accepted, waiting_citizen or reopened → in_progress."""
        return await self._make(number, version, by, changes.start, "start")

    async def wait_for_citizen(self, number: str, *, version: int, by: Actor, asked: str) -> WorkOrder:
        """in_progress → waiting_citizen; ``asked`` is what was asked of him. The due day stays."""
        said = checked(asked, most=LONGEST_NOTE)
        step = partial(changes.wait_for_citizen, note=said)
        return await self._make(number, version, by, step, "wait", said)

    async def reject(self, number: str, *, version: int, by: Actor, reason: str) -> WorkOrder:
        """Not for us: the citizen is told ``reason``."""
        said = checked(reason, most=LONGEST_NOTE)
        return await self._make(number, version, by, partial(changes.reject, reason=said), "reject", said)

    async def cancel(self, number: str, *, version: int, by: Actor, reason: str) -> WorkOrder:
        """The citizen has withdrawn it."""
        said = checked(reason, most=LONGEST_NOTE)
        return await self._make(number, version, by, partial(changes.cancel, reason=said), "cancel", said)

    async def assign(self, number: str, *, version: int, by: Actor, owner: str, group: Group) -> WorkOrder:
        """The group's, and ``owner``'s (staff id) unless it is empty. He hears of it on his page."""
        step = partial(changes.assign, owner=owner, group=group)
        return await self._make(number, version, by, step, "assign", owner, group)

    async def prioritise(self, number: str, *, version: int, by: Actor, priority: Priority) -> WorkOrder:
        step = partial(changes.prioritise, priority=priority)
        return await self._make(number, version, by, step, "priority", priority)

    async def set_confidential(self, number: str, *, version: int, by: Actor, on: bool) -> WorkOrder:
        """Anybody may set it, a supervisor alone may lift it."""
        step = partial(changes.make_confidential, by=by, on=on)
        return await self._make(number, version, by, step, "confidential", on)

    async def note(self, number: str, *, by: Actor, text: str) -> Event:
        """A note for colleagues; citizens never see it."""
        order = await self._found(number, by)
        return await self._parts.orders.add_note(order, checked(text, most=LONGEST_NOTE), by=by)

    async def extend(self, number: str, *, version: int, by: Actor, workdays: int, reason: str) -> WorkOrder:
        """A supervisor gives ``workdays`` more working days after the due day, with a reason."""
        said = reason_of(reason)
        if not 1 <= workdays <= self._parts.limits.extension_workdays:
            raise OrderRefused(Refusal.BAD_DAYS, str(self._parts.limits.extension_workdays))

        def step(order: WorkOrder) -> Change:
            return changes.extend(order, said, by=by, due=self._longer(order, workdays))

        return await self._make(number, version, by, step, "extend", workdays, said)

    async def conclude(self, number: str, *, version: int, by: Actor, conclusion: Conclusion) -> WorkOrder:
        """It is done: what was found and done is told to the citizen, and the return visit is planned. Of a complaint
        ``upheld`` has to be said."""
        said = Conclusion(
            finding=checked(conclusion.finding, most=LONGEST_NOTE),
            done=checked(conclusion.done, most=LONGEST_NOTE),
            upheld=conclusion.upheld,
        )

        def step(order: WorkOrder) -> Change:
            at = self._parts.clock()
            return changes.conclude(order, said, at=at, visit_due_at=self._visit_due(order))

        return await self._make(number, version, by, step, "conclude", said.finding, said.done, said.upheld)

    async def visit(self, number: str, *, version: int, by: Actor, visit: Visit) -> WorkOrder:
        """What the citizen said at the return visit, or (``rating`` None) that nobody was reached. Not satisfied (1 or
        2) reopens the order, once, and tells the supervisors."""
        said = Visit(rating=visit.rating, reason=checked(visit.reason, most=LONGEST_NOTE) if visit.reason else "")

        def step(order: WorkOrder) -> Change:
            tries = self._parts.limits.visit_tries
            again = self._after(1) if order.visit_tries + 1 < tries else None
            return changes.visit(order, said, due=self._due(order.type), again_at=again)

        return await self._make(number, version, by, step, "visit", said.rating, said.reason)

    async def close(self, number: str, *, version: int, by: Actor) -> WorkOrder:
        """concluded → closed, after the return visit; a supervisor may do without it."""
        return await self._make(
            number, version, by, lambda order: changes.close(order, by, at=self._parts.clock()), "close"
        )

    async def reopen(self, number: str, *, version: int, by: Actor, reason: str) -> WorkOrder:
        """A supervisor has it worked on again; an order is reopened once."""
        said = reason_of(reason)
        if not by.supervises:
            raise OrderRefused(Refusal.NOT_ALLOWED)

        def step(order: WorkOrder) -> Change:
            return changes.reopen(order, said, due=self._due(order.type))

        return await self._make(number, version, by, step, "reopen", said)

    async def merge(self, number: str, *, into: str, versions: tuple[int, int], by: Actor) -> WorkOrder:
        """``number`` is answered for by ``into`` (the order that is returned). ``versions``: of both, as seen. Texts
        stay, log and files go over, and the city hotline and the citizens of both hear what comes of it."""
        gone, kept = await self._found(number, by), await self._found(into, by)
        if gone.merged_into == kept.id:
            return kept
        if (gone.version, kept.version) != versions:
            raise OrderRefused(Refusal.CHANGED)
        leaving, taking = changes.merge(gone, kept)
        merged = await self._parts.orders.merge(leaving, taking, by=by)
        if merged is None:
            raise OrderRefused(Refusal.CHANGED)
        return merged

    async def send_again(self, post_id: int, *, by: Actor) -> None:
        """What was given up is tried from the beginning. Raises OrderRefused ``not_found`` where it was not."""
        await self._record("sent_again", by, post=post_id)
        if not await self._parts.posts.again(post_id):
            raise OrderRefused(Refusal.NOT_FOUND)

    async def erase(self, number: str, *, version: int, by: Actor, reason: str) -> None:
        """A supervisor deletes what an order that is over says and shows, files included, and those merged into it.
        Its number, kind and times stay for the counts. Doing it again changes nothing."""
        said = reason_of(reason)
        order = await self._found(number, by)
        if order.version != version:
            raise OrderRefused(Refusal.CHANGED)
        digests = await self._parts.orders.erase(changes.erase(order, said, by=by, at=self._parts.clock()), by=by)
        if digests is None:
            raise OrderRefused(Refusal.CHANGED)
        await self._parts.files.drop_unused(digests, remove=self._parts.folder.remove)

    def _due(self, order_type: OrderType) -> Deadline:
        limits = self._parts.limits
        return deadline(
            self._parts.clock(),
            limits.workdays[order_type],
            hours=limits.hours,
            share_percent=limits.remind_percent,
        )

    def _longer(self, order: WorkOrder, workdays: int) -> Deadline:
        """More working days after the due day, or from today on where that has passed."""
        limits, now = self._parts.limits, self._parts.clock()
        first = max(order.due_at, now).astimezone(SHANGHAI).date()
        due = add_workdays(first, workdays)
        return deadline_on(now, due, hours=limits.hours, share_percent=limits.remind_percent)

    def _visit_due(self, order: WorkOrder) -> datetime | None:
        """None where nobody left a way to be asked."""
        reachable = order.contact is not None or bool(order.person_id)
        return self._after(self._parts.limits.visit_workdays) if reachable else None

    def _after(self, workdays: int) -> datetime:
        return end_of_workday(self._parts.clock(), workdays, hours=self._parts.limits.hours)
