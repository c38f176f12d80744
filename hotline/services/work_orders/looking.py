"""What members of staff see of work orders. Every look is in the audit trail first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final

from rapidfuzz import fuzz

from hotline.domain.clock import SHANGHAI
from hotline.domain.desk import Group
from hotline.domain.identity import Contact
from hotline.domain.work_orders import Actor, Event, Evidence, OrderRefused, Refusal, WorkOrder
from hotline.services.work_orders.parts import WithParts
from hotline.services.work_orders.words import order_words
from hotline.work_order_store import DeadPost, GroupCounts, OrderFilter

MOST_LISTED: Final = 200
MOST_ALIKE: Final = 50
LONGEST_REASON: Final = 200
SHORTEST_REASON: Final = 4
LEAST_PART: Final = 12
"""Characters; a shorter text is found in nearly every other one."""
_END_OF_DAY = time(23, 59, 59, 999999)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order as a member of staff sees it. ``also``: orders merged into it, with their own texts. Of a confidential
    order neither person nor contact is in it."""

    order: WorkOrder
    person: str
    """What stands for who filed it where that must not be named, else empty."""
    answered_by: str
    """Number of the order this one was merged into, or empty."""
    also: Sequence[WorkOrder]
    events: Sequence[Event]
    files: Sequence[Evidence]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An order that may be about the same. ``percent``: how much the texts are alike."""

    order: WorkOrder
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """Who filed a confidential order, told to a supervisor."""

    person_id: str
    contact: Contact | None


class Looking(WithParts):
    """The reading half of `hotline.services.work_orders.desk.WorkOrderDesk`."""

    async def view(self, number: str, *, by: Actor) -> OrderView:
        """The order with its log and files. Raises OrderRefused."""
        order = await self._found(number, by)
        await self._record("shown", by, order)
        orders = self._parts.orders
        standing = await orders.standing(order)
        return OrderView(
            order=_shown(order),
            person=_person(order),
            answered_by=standing.number if standing.id != order.id else "",
            also=[_shown(each) for each in await orders.merged(order)],
            events=await orders.events(order),
            files=await self._parts.files.of(order),
        )

    async def orders(
        self, which: OrderFilter, *, by: Actor, before: int | None = None, limit: int = 50
    ) -> Sequence[WorkOrder]:
        """The newest first. ``before``: the id of the last one of the page before. What is confidential is listed for
        its owner and supervisors alone."""
        await self._record("listed", by, text="yes" if which.text else "no", group=which.group or "")
        which = replace(which, viewer=by)
        found = await self._parts.orders.listed(which, before=before, limit=min(limit, MOST_LISTED))
        return [_shown(each) for each in found]

    async def counts(self) -> Mapping[Group, GroupCounts]:
        """For the wall, every group in it. Counts name nobody, so no look is on record."""
        today = self._parts.clock().astimezone(SHANGHAI).date()
        found = await self._parts.orders.counts(day_ends=datetime.combine(today, _END_OF_DAY, SHANGHAI))
        nothing = GroupCounts(open=0, due_today=0, overdue=0)
        return {group: found.get(group, nothing) for group in Group}

    async def similar(self, number: str, *, by: Actor) -> Sequence[Candidate]:
        """Open orders of the same citizen that may be about the same, the most alike first."""
        order = await self._found(number, by)
        await self._record("compared", by, order)
        limits = self._parts.limits
        since = self._parts.clock() - timedelta(days=limits.alike_days)
        found = await self._parts.orders.alike(order, since=since, limit=MOST_ALIKE)
        seen = [each for each in found if each.may_be_seen_by(by)]
        alike = [Candidate(order=_shown(each), percent=_percent(order, each)) for each in seen]
        return sorted((each for each in alike if each.percent >= limits.alike_percent), key=lambda each: -each.percent)

    async def undelivered(self, *, by: Actor, limit: int = MOST_LISTED) -> Sequence[DeadPost]:
        """What could not be told to a citizen or the city hotline and was given up, oldest first."""
        await self._record("undelivered_listed", by)
        return await self._parts.posts.dead_posts(limit=limit)

    async def reveal(self, number: str, *, by: Actor, reason: str) -> Filed:
        """Who filed a confidential order, for a supervisor who has to reach him. The reason is on record first."""
        said = reason_of(reason)
        order = await self._found(number, by)
        if not by.supervises:
            raise OrderRefused(Refusal.NOT_ALLOWED)
        await self._record("revealed", by, order, reason=said)
        return Filed(person_id=order.person_id, contact=order.contact)


def reason_of(reason: str) -> str:
    """A reason as it is kept. Raises OrderRefused where it says nothing or too much."""
    said = " ".join(reason.split())
    if len(said) < SHORTEST_REASON:
        raise OrderRefused(Refusal.EMPTY)
    if len(said) > LONGEST_REASON:
        raise OrderRefused(Refusal.TOO_LONG, str(LONGEST_REASON))
    return said


def _shown(order: WorkOrder) -> WorkOrder:
    """Without a word on who filed it, where it is confidential."""
    if not order.confidential:
        return order
    return replace(order, person_id="", contact=None, conversation_id="")


def _person(order: WorkOrder) -> str:
    return str(order_words()["confidential_person"]) if order.confidential else ""


def _percent(one: WorkOrder, other: WorkOrder) -> int:
    """The better of how much the whole texts are alike, and how much of the shorter one is in the longer."""
    whole = fuzz.ratio(one.text, other.text)
    shorter = min(len(one.text), len(other.text))
    return round(max(whole, fuzz.partial_ratio(one.text, other.text) if shorter >= LEAST_PART else 0))
