"""Everything that can be done with a work order: pure functions from an order to its change.

They raise `OrderRefused`; storage makes the change only where the order is still the one that was looked at.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from hotline.domain.desk import Group
from hotline.domain.work_order_time import Deadline
from hotline.domain.work_orders import (
    ALLOWED,
    DISSATISFIED,
    STOPPED,
    Actor,
    Alarm,
    Alert,
    By,
    Change,
    ChangeKind,
    Conclusion,
    OrderRefused,
    OrderType,
    Priority,
    Refusal,
    State,
    Timer,
    Visit,
    WorkOrder,
)

FINAL = frozenset({State.CLOSED, State.REJECTED, State.CANCELLED})
"""Nothing more will be done: these may be erased."""


def accept(order: WorkOrder, by: Actor) -> Change:
    """Somebody has taken note of it; where it has no owner it is his."""
    owner = order.owner or (by.id if by.by is By.STAFF else "")
    return _moved(order, State.ACCEPTED, ChangeKind.ACCEPTED, owner=owner)


def start(order: WorkOrder) -> Change:
    """It is worked on, for the first time or again."""
    return _moved(order, State.IN_PROGRESS, ChangeKind.STARTED)


def wait_for_citizen(order: WorkOrder, note: str) -> Change:
    """Something was asked of the citizen. The due day stays: the clock is not stopped by our own questions."""
    return _moved(order, State.WAITING_CITIZEN, ChangeKind.WAITING, note=note)


def reject(order: WorkOrder, reason: str) -> Change:
    """It is not for us, or cannot be worked on; the citizen is told why."""
    return _ended(order, State.REJECTED, ChangeKind.REJECTED, reason=reason)


def cancel(order: WorkOrder, reason: str) -> Change:
    """Whoever filed it has withdrawn it."""
    return _ended(order, State.CANCELLED, ChangeKind.CANCELLED, reason=reason)


def conclude(order: WorkOrder, conclusion: Conclusion, *, at: datetime, visit_due_at: datetime | None) -> Change:
    """It is done, the citizen is told what was found and done, and the return visit is planned (None: there is nobody
    to visit).

    Raises OrderRefused where a complaint's conclusion does not say whether it was true."""
    if order.type is OrderType.COMPLAINT and conclusion.upheld is None:
        raise OrderRefused(Refusal.UPHELD_MISSING)
    change = _moved(
        order,
        State.CONCLUDED,
        ChangeKind.CONCLUDED,
        conclusion=conclusion,
        concluded_at=at,
        visit_due_at=visit_due_at,
        visit_tries=0,
    )
    said = {"finding": conclusion.finding, "done": conclusion.done, "upheld": conclusion.upheld or ""}
    return replace(change, data=said, timer=_visit_timer(visit_due_at), tells_citizen=True)


def close(order: WorkOrder, by: Actor, *, at: datetime) -> Change:
    """It is put away. Only what has a conclusion can be, and only a supervisor does it while the return visit is still
    to be made."""
    if order.state is State.CONCLUDED and order.visit_due_at is not None and not by.supervises:
        raise OrderRefused(Refusal.VISIT_OPEN)
    return replace(_moved(order, State.CLOSED, ChangeKind.CLOSED, closed_at=at), timer=STOPPED)


def reopen(order: WorkOrder, reason: str, *, due: Deadline) -> Change:
    """It is worked on once more, with the full time again. Raises OrderRefused the second time."""
    if order.reopened:
        raise OrderRefused(Refusal.REOPENED_BEFORE)
    change = _moved(
        order,
        State.REOPENED,
        ChangeKind.REOPENED,
        note=reason,
        reopened=order.reopened + 1,
        conclusion=None,
        concluded_at=None,
        closed_at=None,
        visit_due_at=None,
        **_due(due),
    )
    return replace(change, timer=_watch(due), alert=Alert.SUPERVISORS)


def visit(order: WorkOrder, visited: Visit, *, due: Deadline, again_at: datetime | None) -> Change:
    """The return visit is on record. Who is not satisfied has his order reopened, once; the supervisors hear of it
    each time. Where nobody was reached it is tried again at ``again_at``, or given up (None)."""
    if order.state not in (State.CONCLUDED, State.CLOSED):
        raise OrderRefused(Refusal.WRONG_STATE, order.state)
    if visited.rating is None:
        return _not_reached(order, visited.reason, again_at)
    if not 1 <= visited.rating <= 5 or (visited.rating <= DISSATISFIED and not visited.reason):
        raise OrderRefused(Refusal.BAD_RATING)
    rated: dict[str, Any] = {"rating": visited.rating, "rating_reason": visited.reason}
    data = {"rating": str(visited.rating)}
    if visited.rating <= DISSATISFIED and not order.reopened:
        again = reopen(order, visited.reason, due=due)
        return replace(again, after=replace(again.after, **rated), data=data)
    alert = Alert.SUPERVISORS if visited.rating <= DISSATISFIED else Alert.NOBODY
    change = _changed(order, ChangeKind.VISITED, note=visited.reason, visit_due_at=None, **rated)
    return replace(change, timer=STOPPED, alert=alert, data=data)


def assign(order: WorkOrder, *, owner: str, group: Group) -> Change:
    """The group's, and within it the owner's where one is named."""
    _must_be_open(order)
    data = {"owner": owner, "group": group.value}
    change = _changed(order, ChangeKind.ASSIGNED, owner=owner, group=group)
    return replace(change, alert=Alert.OWNER, data=data)


def prioritise(order: WorkOrder, priority: Priority) -> Change:
    _must_be_open(order)
    return replace(_changed(order, ChangeKind.PRIORITY, priority=priority), data={"priority": priority.value})


def make_confidential(order: WorkOrder, by: Actor, *, on: bool) -> Change:
    """Anybody may make it confidential, a supervisor alone may lift that."""
    if not on and not by.supervises:
        raise OrderRefused(Refusal.NOT_ALLOWED)
    return replace(_changed(order, ChangeKind.CONFIDENTIAL, confidential=on), data={"on": "yes" if on else "no"})


def extend(order: WorkOrder, reason: str, *, by: Actor, due: Deadline) -> Change:
    """A supervisor gives it more time."""
    _must_be_open(order)
    if not by.supervises:
        raise OrderRefused(Refusal.NOT_ALLOWED)
    if due.due_at <= order.due_at:
        raise OrderRefused(Refusal.BAD_DAYS)
    data = {"due_from": order.due_at.isoformat(), "due_to": due.due_at.isoformat()}
    change = _changed(order, ChangeKind.EXTENDED, note=reason, **_due(due))
    return replace(change, timer=_watch(due), data=data)


def urge(order: WorkOrder, words: str) -> Change:
    """Somebody asks for it to be done sooner: it is urgent from now on, and the supervisors hear of it."""
    _must_be_open(order)
    change = _changed(order, ChangeKind.URGED, note=words, priority=Priority.URGENT)
    return replace(change, alert=Alert.SUPERVISORS)


def merge(order: WorkOrder, into: WorkOrder) -> tuple[Change, Change]:
    """``order`` is answered for by ``into``, which is due when the earlier of both was. Raises OrderRefused where one
    is not open, or both are the same."""
    if order.id == into.id or not (order.is_open and into.is_open):
        raise OrderRefused(Refusal.NOT_MERGEABLE)
    gone = _moved(order, State.MERGED, ChangeKind.MERGED, merged_into=into.id)
    earlier = min((order, into), key=lambda each: each.due_at)
    kept = _changed(
        into,
        ChangeKind.TAKEN_IN,
        confidential=order.confidential or into.confidential,
        priority=Priority.URGENT if Priority.URGENT in (order.priority, into.priority) else Priority.NORMAL,
        due_at=earlier.due_at,
        due_provisional=earlier.due_provisional,
        escalate_at=earlier.escalate_at,
    )
    timer = None if earlier is into else earlier.timer
    return (
        replace(gone, timer=STOPPED, data={"into": into.number}),
        replace(kept, timer=timer, data={"taken_in": order.number}),
    )


def erase(order: WorkOrder, reason: str, *, by: Actor, at: datetime) -> Change:
    """Nothing is left of it but number, kind and times. Raises OrderRefused while something is to be done."""
    if not by.supervises:
        raise OrderRefused(Refusal.NOT_ALLOWED)
    if order.state not in FINAL:
        raise OrderRefused(Refusal.WRONG_STATE, order.state)
    change = _changed(
        order,
        ChangeKind.ERASED,
        note=reason,
        text="",
        contact=None,
        conversation_id="",
        person_id="",
        reason="",
        conclusion=None,
        rating_reason="",
        erased_at=at,
    )
    return replace(change, timer=STOPPED)


def _moved(order: WorkOrder, to: State, kind: ChangeKind, *, note: str = "", **fields: Any) -> Change:
    if to not in ALLOWED[order.state]:
        raise OrderRefused(Refusal.WRONG_STATE, order.state)
    return _changed(order, kind, note=note, state=to, **fields)


def _changed(order: WorkOrder, kind: ChangeKind, *, note: str = "", **fields: Any) -> Change:
    if order.erased_at is not None:
        raise OrderRefused(Refusal.NOT_FOUND)
    return Change(before=order, after=replace(order, version=order.version + 1, **fields), kind=kind, note=note)


def _ended(order: WorkOrder, to: State, kind: ChangeKind, *, reason: str) -> Change:
    change = _moved(order, to, kind, note=reason, reason=reason)
    return replace(change, timer=STOPPED, tells_citizen=to is State.REJECTED)


def _must_be_open(order: WorkOrder) -> None:
    if not order.is_open:
        raise OrderRefused(Refusal.WRONG_STATE, order.state)


def _not_reached(order: WorkOrder, reason: str, again_at: datetime | None) -> Change:
    change = _changed(order, ChangeKind.VISITED, note=reason, visit_tries=order.visit_tries + 1, visit_due_at=again_at)
    return replace(change, timer=_visit_timer(again_at), data={"reached": "no"})


def _visit_timer(at: datetime | None) -> Timer:
    return STOPPED if at is None else Timer(alarm=Alarm.VISIT, at=at)


def _due(due: Deadline) -> dict[str, Any]:
    return {"due_at": due.due_at, "due_provisional": due.provisional, "escalate_at": due.escalate_at}


def _watch(due: Deadline) -> Timer:
    return Timer(alarm=Alarm.NEAR, at=due.remind_at)
