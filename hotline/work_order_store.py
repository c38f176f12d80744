"""The storage port of work orders: the orders, their log, their files, and what has to be told outside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from hotline.domain.desk import Group
from hotline.domain.identity import Contact
from hotline.domain.work_order_time import Deadline
from hotline.domain.work_orders import (
    Actor,
    Alarm,
    Change,
    Conclusion,
    Event,
    Evidence,
    OrderType,
    Priority,
    Source,
    State,
    WorkOrder,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order about to be opened. ``day``: the day in China its number names."""

    type: OrderType
    source: Source
    matter: str
    title: str
    text: str = field(repr=False)
    contact: Contact | None = field(repr=False)
    conversation_id: str
    person_id: str
    confidential: bool
    priority: Priority
    group: Group
    due: Deadline
    day: date
    city_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """A request that is done once: ``key`` names it for ever, ``digest`` is of its content."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was answered the first time."""

    number: str
    state: State
    due_at: datetime
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The order after a request. ``again``: it had been done before, ``receipt`` is what was answered then."""

    order: WorkOrder
    receipt: Receipt
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders are listed; what is empty or None does not narrow. ``viewer`` sees no confidential order that is not
    his to see."""

    viewer: Actor
    states: Collection[State] = ()
    type: OrderType | None = None
    group: Group | None = None
    owner: str | None = None
    """Staff id; empty: those without an owner."""
    overdue: bool = False
    visits: bool = False
    """Those whose return visit is to be made."""
    text: str = ""
    """In number, title or text."""
    person_id: str = ""
    contact: Contact | None = None
    """Whose orders nobody has proven to be a person's: those that came from this address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCounts:
    """Open orders of a group: all, those due until the end of the day, those past their time."""

    open: int
    due_today: int
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """An order whose timer has just rung."""

    number: str
    alarm: Alarm
    owner: str
    group: Group


class PostTarget(StrEnum):
    """Who is told outside."""

    CITIZEN = "citizen"
    CITY = "city"


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePost:
    """Something to tell, leased for one attempt. ``order`` is the one the receiver knows by its number, ``standing``
    the one that answers for it (the same, unless it was merged). The rest is as it was when the post was written."""

    id: int
    target: PostTarget
    attempts: int
    order: WorkOrder
    standing: WorkOrder
    state: State
    at: datetime
    reason: str
    conclusion: Conclusion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadPost:
    """Something that was given up."""

    id: int
    number: str
    target: PostTarget
    attempts: int
    error: str
    at: datetime


class WorkOrders(Protocol):
    """Every method is one transaction. All raise TemporaryError when the database does not answer in time."""

    async def open(self, new: NewOrder, *, by: Actor, once: Once) -> Done:
        """The order is there, with a number nobody else has. Raises OrderRefused ``key_reused``. Audited."""
        ...

    async def save(self, change: Change, *, by: Actor, once: Once | None = None) -> Done | None:
        """The change is made if the order has the version it started from, and is in the log; None where it has not.
        Who has to be told outside gets a post. Raises OrderRefused ``key_reused``. Audited."""
        ...

    async def merge(self, gone: Change, kept: Change, *, by: Actor) -> WorkOrder | None:
        """Both changes or neither. The log and files of the one that is gone are the kept one's. The kept order."""
        ...

    async def erase(self, change: Change, *, by: Actor) -> Sequence[str] | None:
        """The order and those merged into it have no texts, notes, files and people any more; the digests of the files
        they had. None as for `save`."""
        ...

    async def done(self, once: Once) -> Done | None:
        """What this request was answered, where it was made before. Raises OrderRefused ``key_reused``."""
        ...

    async def was_made(self, order: WorkOrder, *, version: int, fingerprint: str) -> bool:
        """Whether the change that made ``version`` came from this very request."""
        ...

    async def find(self, number: str) -> WorkOrder | None: ...

    async def find_city(self, city_id: str) -> WorkOrder | None: ...

    async def standing(self, order: WorkOrder) -> WorkOrder:
        """The order that answers for it: itself, unless it was merged."""
        ...

    async def merged(self, order: WorkOrder) -> Sequence[WorkOrder]:
        """The orders it answers for, oldest first."""
        ...

    async def listed(self, which: OrderFilter, *, before: int | None, limit: int) -> Sequence[WorkOrder]:
        """The newest first, with an id below ``before``."""
        ...

    async def counts(self, *, day_ends: datetime) -> Mapping[Group, GroupCounts]: ...

    async def alike(self, order: WorkOrder, *, since: datetime, limit: int) -> Sequence[WorkOrder]:
        """Other open orders of the same contact or person and the same kind and matter, opened since then."""
        ...

    async def events(self, order: WorkOrder) -> Sequence[Event]:
        """Oldest first, those of orders merged into it included."""
        ...

    async def add_note(self, order: WorkOrder, text: str, *, by: Actor) -> Event:
        """Audited."""
        ...


class Timers(Protocol):
    """The orders' timers, over all processes."""

    async def ring(self, *, limit: int) -> Sequence[Rung]:
        """Those whose time has come ring, each once: the log has it, the desk is told, and the next one is set."""
        ...


class Posts(Protocol):
    """What has to be told outside. A post is leased by one process at a time; posts of one order go out one after the
    other."""

    async def lease(self, target: PostTarget, *, limit: int, lease_s: int) -> Sequence[DuePost]: ...

    async def sent(self, post: DuePost) -> bool:
        """False where the lease had run out and somebody else has it."""
        ...

    async def later(self, post: DuePost, *, due_at: datetime, error: str) -> bool: ...

    async def dropped(self, post: DuePost) -> bool:
        """There is nothing to tell any more."""
        ...

    async def dead(self, post: DuePost, *, error: str) -> bool:
        """Given up: the order's log has it and the supervisors are told."""
        ...

    async def dead_posts(self, *, limit: int) -> Sequence[DeadPost]: ...

    async def again(self, post_id: int) -> bool:
        """What was given up is tried from the beginning. False where it was not given up."""
        ...


class EvidenceRows(Protocol):
    """Which files belong to which order. ``place`` and ``remove`` touch the files themselves, while nobody else may."""

    async def add(
        self, order: WorkOrder, file: Evidence, *, by: Actor, most: int, place: Callable[[], None]
    ) -> Evidence:
        """The file belongs to the order; one with the same content stays as it was. Raises OrderRefused
        ``file_count``. Audited."""
        ...

    async def of(self, order: WorkOrder) -> Sequence[Evidence]: ...

    async def drop_unused(self, digests: Sequence[str], *, remove: Callable[[str], None]) -> int:
        """Those of ``digests`` that no order has are removed; how many."""
        ...
