"""What members of staff do with orders: rights, required words, repetition, and what the trail keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hotline.domain.desk import Group
from hotline.domain.work_orders import (
    Alarm,
    ChangeKind,
    Conclusion,
    OrderRefused,
    OrderType,
    Priority,
    Refusal,
    State,
    Upheld,
    Visit,
    WorkOrder,
)
from hotline.services.work_orders.words import order_words, refusal_words
from hotline.work_order_store import OrderFilter
from tests.work_order_kit import BOSS, DONE, HE, LI, OPENID, PHONE, WANG, OrderKit, opening

pytestmark = pytest.mark.anyio


async def test_an_order_is_opened_without_personal_numbers(kit: OrderKit) -> None:
    order = await kit.open(
        "我是440106199001011233，电话１３８００１３８０００，卡6217003320001234569，柜员骂人\x00\u202e"
    )
    for secret in ("440106199001011233", "13800138000", "6217003320001234569", "\x00"):
        assert secret not in order.text
    assert "柜员骂人" in order.text


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"text": ""}, Refusal.EMPTY),
        ({"text": " \n\x00 "}, Refusal.EMPTY),
        ({"text": "长" * 4001}, Refusal.TOO_LONG),
        ({"matter": "no-such-matter"}, Refusal.UNKNOWN_MATTER),
    ],
)
async def test_what_cannot_be_opened_is_refused_and_leaves_nothing(
    kit: OrderKit, changes: dict[str, str], refusal: Refusal
) -> None:
    with pytest.raises(OrderRefused) as refused:
        await kit.open(**changes)
    assert refused.value.refusal is refusal
    assert await kit.services.desk.orders(OrderFilter(viewer=BOSS), by=BOSS) == []


@pytest.mark.parametrize(
    ("changes", "group"),
    [
        ({"type": OrderType.COMPLAINT}, Group.COMPLAINT),
        ({"type": OrderType.FRAUD_REPORT}, Group.COMPLAINT),
        ({"type": OrderType.APPEAL}, Group.COMPLAINT),
        ({"type": OrderType.CONSULT}, Group.WITHDRAWAL),
        ({"type": OrderType.CONSULT, "matter": "loan-amount"}, Group.LOAN),
        ({"type": OrderType.CONSULT, "matter": ""}, Group.DEPOSIT),
        ({"type": OrderType.CONSULT, "employer": True}, Group.EMPLOYER),
    ],
)
async def test_an_order_goes_to_the_group_of_its_kind_and_matter(
    kit: OrderKit, changes: dict[str, object], group: Group
) -> None:
    assert (await kit.open(**changes)).group is group


async def test_an_order_without_a_matter_is_titled_by_its_type(kit: OrderKit) -> None:
    assert (await kit.open(matter="", type=OrderType.PRAISE)).title == "表扬"


async def test_script_tags_and_huge_words_are_kept_as_words(kit: OrderKit) -> None:
    order = await kit.open("<script>alert(1)</script>" + "很" * 3900)
    assert order.text.startswith("<script>")
    with pytest.raises(OrderRefused, match="too_long"):
        await kit.services.desk.note(order.number, by=LI, text="长" * 1001)


async def test_a_whole_life_from_new_to_closed(kit: OrderKit) -> None:
    order = await kit.in_progress(await kit.open())
    asked = await kit.services.desk.wait_for_citizen(order.number, version=3, by=LI, asked="请补充受理编号")
    assert asked.due_at == order.due_at
    back = await kit.services.desk.start(order.number, version=4, by=LI)
    done = await kit.services.desk.conclude(order.number, version=back.version, by=LI, conclusion=DONE)
    rated = await kit.services.desk.visit(order.number, version=done.version, by=WANG, visit=Visit(rating=5))
    closed = await kit.services.desk.close(order.number, version=rated.version, by=LI)
    assert (closed.state, closed.version, closed.rating) == (State.CLOSED, 8, 5)
    assert (closed.owner, closed.closed_at) == (LI.id, kit.clock())


async def test_who_looks_at_an_older_version_is_told_so_and_changes_nothing(kit: OrderKit) -> None:
    order = await kit.in_progress(await kit.open())
    for step in (
        kit.services.desk.reject(order.number, version=2, by=WANG, reason="不归我们管"),
        kit.services.desk.conclude(order.number, version=2, by=WANG, conclusion=DONE),
        kit.services.desk.assign(order.number, version=1, by=WANG, owner=WANG.id, group=Group.LOAN),
        kit.services.desk.close(order.number, version=99, by=WANG),
    ):
        with pytest.raises(OrderRefused, match="changed"):
            await step
    assert (await kit.services.desk.view(order.number, by=LI)).order.state is State.IN_PROGRESS


async def test_the_same_words_again_are_one_change_and_other_words_are_another(kit: OrderKit) -> None:
    order = await kit.in_progress(await kit.open())
    first = await kit.services.desk.conclude(order.number, version=3, by=LI, conclusion=DONE)
    assert await kit.services.desk.conclude(order.number, version=3, by=LI, conclusion=DONE) == first
    with pytest.raises(OrderRefused, match="changed"):
        await kit.services.desk.conclude(order.number, version=3, by=LI, conclusion=replace(DONE, done="别的处理"))
    with pytest.raises(OrderRefused, match="changed"):
        await kit.services.desk.conclude(order.number, version=3, by=WANG, conclusion=DONE)
    await kit.until_quiet()
    assert len(kit.citizens.told) == 1


async def test_a_conclusion_needs_both_words_and_has_no_personal_numbers(kit: OrderKit) -> None:
    order = await kit.in_progress(await kit.open())
    for bare in (replace(DONE, finding=" "), replace(DONE, done="")):
        with pytest.raises(OrderRefused, match="empty"):
            await kit.services.desk.conclude(order.number, version=3, by=LI, conclusion=bare)
    with pytest.raises(OrderRefused, match="upheld_missing"):
        await kit.services.desk.conclude(order.number, version=3, by=LI, conclusion=replace(DONE, upheld=None))
    said = Conclusion(finding="联系了13800138000", done="已处理", upheld=Upheld.NO)
    done = await kit.services.desk.conclude(order.number, version=3, by=LI, conclusion=said)
    assert "13800138000" not in str(done.conclusion)


async def test_a_conclusion_without_a_way_back_plans_no_visit(kit: OrderKit) -> None:
    done = await kit.concluded(await kit.open(contact=None))
    assert (done.visit_due_at, done.timer.alarm) == (None, Alarm.NONE)
    assert (await kit.services.desk.close(done.number, version=done.version, by=LI)).state is State.CLOSED


async def test_the_return_visit_rings_once_and_is_given_up_after_the_tries(kit: OrderKit) -> None:
    order = await kit.concluded(await kit.open())
    await kit.until_quiet()
    for tries in (1, 2, 3):
        assert order.visit_due_at is not None
        kit.clock.now = order.visit_due_at
        await kit.until_quiet()
        unreached = Visit(rating=None, reason="没人接")
        order = await kit.services.desk.visit(order.number, version=order.version, by=LI, visit=unreached)
        assert order.visit_tries == tries
    assert order.visit_due_at is None
    events = await kit.services.orders.events(order)
    assert [each.data["alarm"] for each in events if each.kind is ChangeKind.RANG] == ["visit"] * 3
    assert (await kit.services.desk.close(order.number, version=order.version, by=LI)).state is State.CLOSED


async def test_a_bad_rating_reopens_once_and_the_second_one_does_not(kit: OrderKit) -> None:
    bad = Visit(rating=1, reason="问题没有解决")
    done = await kit.concluded(await kit.open())
    kit.clock.forward(days=1)
    again = await kit.services.desk.visit(done.number, version=done.version, by=LI, visit=bad)
    assert (again.state, again.reopened, again.conclusion) == (State.REOPENED, 1, None)
    assert again.due_at > kit.clock() + timedelta(days=1)
    begun = await kit.services.desk.start(again.number, version=again.version, by=LI)
    second = await kit.services.desk.conclude(again.number, version=begun.version, by=LI, conclusion=DONE)
    ended = await kit.services.desk.visit(second.number, version=second.version, by=LI, visit=bad)
    assert (ended.state, ended.rating, ended.reopened) == (State.CONCLUDED, 1, 1)
    told = [each["what"] for each in await kit.desk_heard() if each["to"] == "supervisors"]
    assert told == ["reopened", "visited"]


async def test_only_a_supervisor_reopens_by_hand_and_with_a_reason(kit: OrderKit) -> None:
    done = await kit.concluded(await kit.open())
    with pytest.raises(OrderRefused, match="not_allowed"):
        await kit.services.desk.reopen(done.number, version=done.version, by=LI, reason="市民来电补充")
    with pytest.raises(OrderRefused, match="empty"):
        await kit.services.desk.reopen(done.number, version=done.version, by=BOSS, reason="  x ")
    again = await kit.services.desk.reopen(done.number, version=done.version, by=BOSS, reason="市民来电补充")
    assert again.state is State.REOPENED


@pytest.mark.parametrize("workdays", [0, -1, 6])
async def test_an_extension_keeps_within_the_limit(kit: OrderKit, workdays: int) -> None:
    order = await kit.open()
    with pytest.raises(OrderRefused, match="bad_days"):
        await kit.services.desk.extend(order.number, version=1, by=BOSS, workdays=workdays, reason="等待银行回复")


async def test_an_extension_of_an_overdue_order_counts_from_today(kit: OrderKit) -> None:
    order = await kit.open()
    kit.clock.forward(days=14)
    longer = await kit.services.desk.extend(order.number, version=1, by=BOSS, workdays=1, reason="等待银行回复")
    assert longer.due_at == datetime(2026, 12, 10, 9, 0, tzinfo=UTC)
    events = await kit.services.orders.events(order)
    assert events[-1].data["due_from"] == order.due_at.isoformat()


async def test_an_extension_over_new_year_is_provisional(kit: OrderKit) -> None:
    kit.clock.now = datetime(2026, 12, 28, 2, 0, tzinfo=UTC)
    order = await kit.open()
    assert not order.due_provisional
    longer = await kit.services.desk.extend(order.number, version=1, by=BOSS, workdays=2, reason="等待银行回复")
    assert longer.due_provisional


async def test_reminders_go_to_the_owner_then_the_supervisors(kit: OrderKit) -> None:
    order = await kit.open()
    await kit.services.desk.assign(order.number, version=1, by=BOSS, owner=WANG.id, group=Group.COMPLAINT)
    kit.clock.now = order.due_at
    await kit.until_quiet()
    kit.clock.now = order.escalate_at
    await kit.until_quiet()
    assert await kit.services.due.run_due() == 0
    told = [(each["what"], each["staff_id"], each["to"]) for each in await kit.desk_heard()][1:]
    assert told == [
        ("assigned", WANG.id, "owner"),
        ("near", WANG.id, "owner"),
        ("due", WANG.id, "owner"),
        ("late", "", "supervisors"),
    ]


async def test_what_was_concluded_in_time_reminds_nobody(kit: OrderKit) -> None:
    done = await kit.concluded(await kit.open())
    await kit.services.desk.visit(done.number, version=done.version, by=LI, visit=Visit(rating=4))
    kit.clock.forward(days=60)
    await kit.until_quiet()
    assert not [each for each in await kit.services.orders.events(done) if each.kind is ChangeKind.RANG]


async def test_a_confidential_order_is_closed_to_others_and_names_nobody(kit: OrderKit) -> None:
    order = await kit.open("举报我的单位", person_id=HE, confidential=True)
    await kit.services.desk.assign(order.number, version=1, by=BOSS, owner=LI.id, group=Group.COMPLAINT)
    for step in (
        kit.services.desk.view(order.number, by=WANG),
        kit.services.desk.note(order.number, by=WANG, text="看看"),
        kit.services.desk.accept(order.number, version=2, by=WANG),
        kit.services.desk.similar(order.number, by=WANG),
        kit.services.desk.reveal(order.number, by=WANG, reason="想知道是谁"),
        kit.services.desk.reveal(order.number, by=LI, reason="需要回电给他"),
    ):
        with pytest.raises(OrderRefused, match="not_allowed"):
            await step
    for who in (LI, BOSS):
        view = await kit.services.desk.view(order.number, by=who)
        assert (view.person, view.order.person_id, view.order.contact) == ("保密", "", None)
        assert view.order.text == "举报我的单位"
        [listed] = await kit.services.desk.orders(OrderFilter(viewer=who), by=who)
        assert (listed.person_id, listed.contact) == ("", None)
    assert await kit.services.desk.orders(OrderFilter(viewer=BOSS, text="举报"), by=WANG) == []
    assert await kit.services.desk.orders(OrderFilter(viewer=BOSS, person_id=HE), by=BOSS) == []
    filed = await kit.services.desk.reveal(order.number, by=BOSS, reason="需要回电给他")
    assert (filed.person_id, filed.contact) == (HE, OPENID)


async def test_lifting_confidentiality_is_the_supervisor_s(kit: OrderKit) -> None:
    order = await kit.open()
    await kit.services.desk.set_confidential(order.number, version=1, by=BOSS, on=True)
    with pytest.raises(OrderRefused, match="not_allowed"):
        await kit.services.desk.set_confidential(order.number, version=2, by=LI, on=False)
    open_again = await kit.services.desk.set_confidential(order.number, version=2, by=BOSS, on=False)
    assert not open_again.confidential


async def test_every_look_is_in_the_trail_before_anything_is_shown(kit: OrderKit) -> None:
    order = await kit.open(confidential=True, person_id=HE)
    with pytest.raises(OrderRefused):
        await kit.services.desk.view(order.number, by=WANG)
    await kit.services.desk.view(order.number, by=BOSS)
    await kit.services.desk.similar(order.number, by=BOSS)
    await kit.services.desk.reveal(order.number, by=BOSS, reason="需要回电给他")
    await kit.services.desk.orders(OrderFilter(viewer=BOSS), by=BOSS)
    looked = [(who, action.removeprefix("work_order."), number) for who, action, number in await kit.trail()][1:]
    assert looked == [
        (WANG.id, "refused", order.number),
        (BOSS.id, "shown", order.number),
        (BOSS.id, "compared", order.number),
        (BOSS.id, "revealed", order.number),
        (BOSS.id, "listed", ""),
    ]
    assert "需要回电给他" in await kit.trail_text()


async def test_a_look_that_cannot_be_recorded_does_not_happen(kit: OrderKit) -> None:
    order = await kit.open()
    async with kit.database.write() as tx:
        await tx.exec_driver_sql("ALTER TABLE audit_log RENAME TO audit_log_gone")
    with pytest.raises(Exception, match=r"audit_log|database"):
        await kit.services.desk.view(order.number, by=LI)


async def test_likely_duplicates_are_found_by_their_words(kit: OrderKit) -> None:
    order = await kit.open("窗口办事太慢，等了三个小时没人管", person_id=HE)
    again = await kit.open("你们窗口办事太慢，我等了三个小时都没人管！", contact=PHONE, person_id=HE)
    await kit.open("银行网点不给办租房提取，让我去找中心", person_id=HE)
    found = await kit.services.desk.similar(order.number, by=LI)
    assert [each.order.number for each in found] == [again.number]
    assert found[0].percent >= 60
    kit.clock.forward(days=31)
    late = await kit.open("窗口办事太慢，等了三个小时没人管", person_id=HE)
    assert await kit.services.desk.similar(late.number, by=LI) == []


async def test_merging_twice_is_merging_once(kit: OrderKit) -> None:
    gone, kept = await kit.open("甲"), await kit.open("乙")
    first = await kit.services.desk.merge(gone.number, into=kept.number, versions=(1, 1), by=LI)
    again = await kit.services.desk.merge(gone.number, into=kept.number, versions=(1, 1), by=LI)
    assert first == again
    with pytest.raises(OrderRefused, match="changed"):
        await kit.services.desk.merge(kept.number, into=(await kit.open("丙")).number, versions=(1, 1), by=LI)


async def test_an_order_is_not_merged_with_itself_or_with_one_that_is_over(kit: OrderKit) -> None:
    order, ended = await kit.open("甲"), await kit.open("乙")
    await kit.services.desk.cancel(ended.number, version=1, by=LI, reason="本人撤回")
    for into, versions in ((order.number, (1, 1)), (ended.number, (1, 2))):
        with pytest.raises(OrderRefused, match="not_mergeable"):
            await kit.services.desk.merge(order.number, into=into, versions=versions, by=LI)


async def test_what_changed_since_it_was_seen_is_neither_erased_nor_merged(kits: Sequence[OrderKit]) -> None:
    one, other = kits
    done = await one.concluded(await one.open())
    closed = await one.services.desk.close(done.number, version=done.version, by=BOSS)
    with pytest.raises(OrderRefused, match="changed"):
        await one.services.desk.erase(done.number, version=closed.version - 1, by=BOSS, reason="本人要求删除")
    ended = await asyncio.gather(
        *(kit.services.desk.erase(done.number, version=closed.version, by=BOSS, reason="本人要求删除") for kit in kits),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in ended) == ["NoneType", "OrderRefused"]
    gone, kept = await one.open("甲"), await other.open("乙")
    merged = await asyncio.gather(
        *(kit.services.desk.merge(gone.number, into=kept.number, versions=(1, 1), by=LI) for kit in kits),
        return_exceptions=True,
    )
    assert [each.number for each in merged if isinstance(each, WorkOrder)]
    assert len([each for each in await one.services.orders.events(kept) if each.kind is ChangeKind.TAKEN_IN]) == 1


async def test_a_reason_says_something_and_not_too_much(kit: OrderKit) -> None:
    done = await kit.concluded(await kit.open())
    for reason, refusal in (("", "empty"), ("好的", "empty"), ("长" * 201, "too_long")):
        with pytest.raises(OrderRefused, match=refusal):
            await kit.services.desk.reopen(done.number, version=done.version, by=BOSS, reason=reason)
        with pytest.raises(OrderRefused, match=refusal):
            await kit.services.desk.reveal(done.number, by=BOSS, reason=reason)


async def test_priority_and_numbers_nobody_has(kit: OrderKit) -> None:
    order = await kit.open()
    urgent = await kit.services.desk.prioritise(order.number, version=1, by=LI, priority=Priority.URGENT)
    assert urgent.priority is Priority.URGENT
    for number in ("GD20261125-999997", "", "';--"):
        with pytest.raises(OrderRefused, match="not_found"):
            await kit.services.desk.view(number, by=LI)


async def test_openings_from_anywhere_take_the_same_way(kit: OrderKit) -> None:
    done = await kit.services.openings.open(opening("留言：帮我查一下"), by=replace(LI, id="bot"), key="inbox-1")
    again = await kit.services.openings.open(opening("留言：帮我查一下"), by=replace(LI, id="bot"), key="inbox-1")
    assert (done.again, again.again, again.order) == (False, True, done.order)


def test_every_word_that_may_be_shown_is_worded() -> None:
    words = order_words()
    assert {refusal for refusal in Refusal if not refusal_words(refusal)} == set()
    assert set(words["types"]) == set(OrderType)
    assert set(words["states"]) == set(State)
    assert set(words["upheld"]) == set(Upheld)
    assert set(words["ratings"]) == {1, 2, 3, 4, 5}
