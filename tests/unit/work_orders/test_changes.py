"""What can be done with an order in each state, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from hotline.domain import work_order_changes as changes
from hotline.domain.desk import Group
from hotline.domain.work_order_time import Deadline
from hotline.domain.work_orders import (
    ALLOWED,
    OPEN,
    STOPPED,
    Alarm,
    Alert,
    Change,
    Conclusion,
    OrderRefused,
    OrderType,
    Priority,
    Refusal,
    Source,
    State,
    Timer,
    Upheld,
    Visit,
    WorkOrder,
)
from tests.work_order_kit import BOSS, DONE, LI, OPENID, WANG, WEDNESDAY

LATER = WEDNESDAY + timedelta(days=5)
DUE = Deadline(
    due_at=LATER, provisional=False, remind_at=LATER - timedelta(days=1), escalate_at=LATER + timedelta(days=1)
)


def order(state: State = State.NEW, **changed: object) -> WorkOrder:
    made = WorkOrder(
        id=1,
        number="GD20261125-000018",
        version=3,
        type=OrderType.COMPLAINT,
        source=Source.BOT,
        matter="withdraw-rent",
        title="投诉：租房提取",
        text="柜员态度差",
        contact=OPENID,
        conversation_id="",
        person_id="",
        confidential=False,
        priority=Priority.NORMAL,
        group=Group.COMPLAINT,
        owner="",
        state=state,
        opened_at=WEDNESDAY,
        due_at=WEDNESDAY + timedelta(days=2),
        due_provisional=False,
        escalate_at=WEDNESDAY + timedelta(days=3),
        conclusion=DONE if state in (State.CONCLUDED, State.CLOSED) else None,
        timer=Timer(alarm=Alarm.NEAR, at=WEDNESDAY + timedelta(days=1)),
        updated_at=WEDNESDAY,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


MOVES: dict[State, Callable[[WorkOrder], Change]] = {
    State.ACCEPTED: lambda one: changes.accept(one, LI),
    State.IN_PROGRESS: changes.start,
    State.WAITING_CITIZEN: lambda one: changes.wait_for_citizen(one, "请补充受理编号"),
    State.CONCLUDED: lambda one: changes.conclude(one, DONE, at=LATER, visit_due_at=LATER),
    State.CLOSED: lambda one: changes.close(one, BOSS, at=LATER),
    State.REOPENED: lambda one: changes.reopen(one, "没有解决", due=DUE),
    State.REJECTED: lambda one: changes.reject(one, "不属于公积金业务"),
    State.CANCELLED: lambda one: changes.cancel(one, "本人撤回"),
    State.MERGED: lambda one: changes.merge(one, order(id=2))[0],
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("to", list(MOVES))
def test_the_table_alone_says_which_changes_of_state_there_are(state: State, to: State) -> None:
    before = order(state)
    if to in ALLOWED[state]:
        change = MOVES[to](before)
        assert (change.after.state, change.after.version, change.before) == (to, 4, before)
    else:
        with pytest.raises(OrderRefused) as refused:
            MOVES[to](before)
        assert refused.value.refusal in (Refusal.WRONG_STATE, Refusal.NOT_MERGEABLE)


def test_nothing_comes_back_from_where_it_ended() -> None:
    assert {state for state in State if not ALLOWED[state]} == {State.REJECTED, State.CANCELLED, State.MERGED}
    assert all(State.NEW not in targets for targets in ALLOWED.values())


@pytest.mark.parametrize("state", sorted(set(State) - OPEN))
def test_what_is_over_is_neither_assigned_nor_extended_nor_urged(state: State) -> None:
    for step in (
        lambda one: changes.assign(one, owner=LI.id, group=Group.LOAN),
        lambda one: changes.prioritise(one, Priority.URGENT),
        lambda one: changes.extend(one, "等待银行", by=BOSS, due=DUE),
        lambda one: changes.urge(one, "催办"),
    ):
        with pytest.raises(OrderRefused, match="wrong_state"):
            step(order(state))


def test_who_accepts_an_order_that_is_nobody_s_has_it() -> None:
    assert changes.accept(order(), LI).after.owner == LI.id
    assert changes.accept(order(owner=WANG.id), LI).after.owner == WANG.id


def test_waiting_for_the_citizen_moves_neither_the_due_day_nor_the_timer() -> None:
    before = order(State.IN_PROGRESS)
    change = changes.wait_for_citizen(before, "请补充")
    assert (change.after.due_at, change.timer) == (before.due_at, None)


def test_a_complaint_is_concluded_only_with_whether_it_was_true() -> None:
    bare = Conclusion(finding="查了", done="改了")
    with pytest.raises(OrderRefused, match="upheld_missing"):
        changes.conclude(order(State.IN_PROGRESS), bare, at=LATER, visit_due_at=None)
    consult = order(State.IN_PROGRESS, type=OrderType.CONSULT)
    assert changes.conclude(consult, bare, at=LATER, visit_due_at=None).timer == STOPPED


def test_a_conclusion_is_told_and_plans_the_return_visit() -> None:
    change = MOVES[State.CONCLUDED](order(State.IN_PROGRESS))
    assert change.tells_citizen
    assert change.timer == Timer(alarm=Alarm.VISIT, at=LATER)
    assert change.data == {"finding": DONE.finding, "done": DONE.done, "upheld": Upheld.YES}


def test_a_rejection_is_told_and_stops_the_clock_and_a_withdrawal_is_not_told() -> None:
    rejected, cancelled = MOVES[State.REJECTED](order()), MOVES[State.CANCELLED](order())
    assert (rejected.tells_citizen, rejected.timer, rejected.after.reason) == (True, STOPPED, "不属于公积金业务")
    assert (cancelled.tells_citizen, cancelled.timer) == (False, STOPPED)


def test_closing_before_the_return_visit_is_the_supervisor_s_alone() -> None:
    done = order(State.CONCLUDED, visit_due_at=LATER)
    with pytest.raises(OrderRefused, match="visit_open"):
        changes.close(done, LI, at=LATER)
    assert changes.close(done, BOSS, at=LATER).after.state is State.CLOSED
    assert changes.close(order(State.CONCLUDED), LI, at=LATER).after.closed_at == LATER


@pytest.mark.parametrize("state", [State.CONCLUDED, State.CLOSED])
@pytest.mark.parametrize("rating", [1, 2])
def test_not_satisfied_reopens_once_with_a_new_due_time_and_tells_the_supervisors(state: State, rating: int) -> None:
    before = order(state, visit_due_at=LATER, closed_at=LATER, concluded_at=LATER)
    change = changes.visit(before, Visit(rating=rating, reason="还是没退款"), due=DUE, again_at=None)
    after = change.after
    assert (after.state, after.reopened, after.due_at) == (State.REOPENED, 1, DUE.due_at)
    assert (after.rating, after.rating_reason, after.conclusion, after.closed_at) == (rating, "还是没退款", None, None)
    assert (change.alert, change.timer) == (Alert.SUPERVISORS, Timer(alarm=Alarm.NEAR, at=DUE.remind_at))


def test_not_satisfied_a_second_time_tells_the_supervisors_and_reopens_nothing() -> None:
    again = order(State.CONCLUDED, reopened=1, visit_due_at=LATER)
    change = changes.visit(again, Visit(rating=1, reason="还是不行"), due=DUE, again_at=None)
    assert (change.after.state, change.after.rating) == (State.CONCLUDED, 1)
    assert (change.alert, change.timer, change.after.visit_due_at) == (Alert.SUPERVISORS, STOPPED, None)
    with pytest.raises(OrderRefused, match="reopened_before"):
        changes.reopen(again, "再查一次", due=DUE)


@pytest.mark.parametrize("rating", [3, 4, 5])
def test_satisfied_ends_the_return_visit(rating: int) -> None:
    change = changes.visit(order(State.CONCLUDED), Visit(rating=rating), due=DUE, again_at=LATER)
    assert (change.after.state, change.after.rating, change.after.visit_due_at) == (State.CONCLUDED, rating, None)
    assert (change.alert, change.timer) == (Alert.NOBODY, STOPPED)


def test_a_visit_that_reaches_nobody_is_tried_again_or_given_up() -> None:
    again = changes.visit(order(State.CONCLUDED), Visit(rating=None, reason="没人接"), due=DUE, again_at=LATER)
    assert (again.after.visit_tries, again.timer) == (1, Timer(alarm=Alarm.VISIT, at=LATER))
    given_up = changes.visit(order(State.CONCLUDED), Visit(rating=None), due=DUE, again_at=None)
    assert (given_up.after.visit_due_at, given_up.timer, given_up.after.rating) == (None, STOPPED, None)


@pytest.mark.parametrize(
    "visit", [Visit(rating=0), Visit(rating=6), Visit(rating=-1), Visit(rating=2), Visit(rating=1)]
)
def test_a_rating_outside_the_scale_or_a_bad_one_without_a_reason_is_refused(visit: Visit) -> None:
    with pytest.raises(OrderRefused, match="bad_rating"):
        changes.visit(order(State.CONCLUDED), visit, due=DUE, again_at=None)


def test_an_order_that_was_not_concluded_has_no_return_visit() -> None:
    with pytest.raises(OrderRefused, match="wrong_state"):
        changes.visit(order(State.IN_PROGRESS), Visit(rating=5), due=DUE, again_at=None)


def test_only_a_supervisor_extends_and_only_to_later() -> None:
    with pytest.raises(OrderRefused, match="not_allowed"):
        changes.extend(order(), "等待银行", by=LI, due=DUE)
    with pytest.raises(OrderRefused, match="bad_days"):
        changes.extend(order(due_at=DUE.due_at), "等待银行", by=BOSS, due=DUE)
    change = changes.extend(order(), "等待银行", by=BOSS, due=DUE)
    assert (change.after.due_at, change.after.escalate_at) == (DUE.due_at, DUE.escalate_at)
    assert change.timer == Timer(alarm=Alarm.NEAR, at=DUE.remind_at)


def test_confidential_is_set_by_anybody_and_lifted_by_a_supervisor() -> None:
    assert changes.make_confidential(order(), LI, on=True).after.confidential
    with pytest.raises(OrderRefused, match="not_allowed"):
        changes.make_confidential(order(confidential=True), LI, on=False)
    assert not changes.make_confidential(order(confidential=True), BOSS, on=False).after.confidential


def test_a_confidential_order_is_seen_by_its_owner_and_supervisors() -> None:
    secret = order(confidential=True, owner=LI.id)
    assert [secret.may_be_seen_by(each) for each in (LI, WANG, BOSS)] == [True, False, True]
    nobodys = order(confidential=True)
    assert [nobodys.may_be_seen_by(each) for each in (LI, BOSS, replace(LI, id=""))] == [False, True, False]


def test_a_merged_order_hands_over_what_is_stricter() -> None:
    gone = order(
        confidential=True, priority=Priority.URGENT, due_at=WEDNESDAY, timer=Timer(alarm=Alarm.DUE, at=WEDNESDAY)
    )
    leaving, kept = changes.merge(gone, order(id=2, number="GD20261125-000026"))
    assert (leaving.after.state, leaving.after.merged_into, leaving.timer) == (State.MERGED, 2, STOPPED)
    assert (kept.after.confidential, kept.after.priority, kept.after.due_at) == (True, Priority.URGENT, WEDNESDAY)
    assert kept.timer == gone.timer
    later = order(due_at=LATER)
    assert changes.merge(later, order(id=2))[1].timer is None


@pytest.mark.parametrize("other", [order(id=1), order(State.CLOSED, id=2), order(State.MERGED, id=2)])
def test_only_two_different_open_orders_are_merged(other: WorkOrder) -> None:
    with pytest.raises(OrderRefused, match="not_mergeable"):
        changes.merge(order(), other)


def test_only_a_supervisor_erases_and_only_what_is_over() -> None:
    with pytest.raises(OrderRefused, match="not_allowed"):
        changes.erase(order(State.CLOSED), "本人要求", by=LI, at=LATER)
    for state in sorted(set(State) - changes.FINAL):
        with pytest.raises(OrderRefused, match="wrong_state"):
            changes.erase(order(state), "本人要求", by=BOSS, at=LATER)
    after = changes.erase(order(State.CLOSED, person_id="p"), "本人要求", by=BOSS, at=LATER).after
    assert (after.text, after.contact, after.person_id, after.conclusion) == ("", None, "", None)
    with pytest.raises(OrderRefused, match="not_found"):
        changes.make_confidential(after, LI, on=True)
