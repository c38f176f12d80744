"""The contract of work orders in storage, on every database they run on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select

from hotline.domain.desk import Group
from hotline.domain.work_order_numbers import is_number
from hotline.domain.work_orders import Alarm, ChangeKind, OrderRefused, OrderType, Refusal, State, WorkOrder
from hotline.errors import TemporaryError
from hotline.storage.tables import contacts, metadata
from hotline.storage.work_order_log import whose_log
from hotline.storage.work_order_tables import work_order_days, work_order_events, work_orders
from hotline.work_order_store import OrderFilter, PostTarget
from tests.contract.storage.conftest import Migrated
from tests.databases import KINDS
from tests.work_order_kit import (
    BOSS,
    CALLER,
    DONE,
    HE,
    LI,
    OPENID,
    PHONE,
    SHE,
    WANG,
    OrderKit,
    as_stream,
    opening,
    order_kits,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(params=KINDS)
async def two(
    request: pytest.FixtureRequest, tmp_path: Path, migrated: Migrated
) -> AsyncIterator[tuple[OrderKit, OrderKit]]:
    """Two processes on one database."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(migrated(request.param, tmp_path))
        one, other = await stack.enter_async_context(order_kits(url, tmp_path, processes=2))
        yield one, other


@pytest.fixture
def kit(two: tuple[OrderKit, OrderKit]) -> OrderKit:
    return two[0]


async def test_the_migrated_tables_are_the_ones_the_statements_know(kit: OrderKit) -> None:
    def differences(connection: object) -> list[object]:
        context = MigrationContext.configure(connection)  # type: ignore[arg-type]
        return [each for each in compare_metadata(context, metadata) if "work_order" in str(each)]

    async with kit.database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_order_comes_back_as_it_was_opened(kit: OrderKit) -> None:
    opened = await kit.open("柜员让我跑了三趟", person_id=HE, confidential=True)
    assert await kit.services.orders.find(opened.number) == opened
    assert is_number(opened.number)
    assert opened.number.startswith("GD20261125-00001")
    assert (opened.title, opened.group, opened.state) == ("投诉：租房提取", Group.COMPLAINT, State.NEW)
    assert (opened.contact, opened.person_id, opened.version) == (OPENID, HE, 1)
    assert opened.timer.alarm is Alarm.NEAR
    assert "跑了三趟" not in repr(opened)


async def test_two_processes_give_every_order_a_number_of_its_own(two: tuple[OrderKit, OrderKit]) -> None:
    opened = await asyncio.gather(*(two[at % 2].open(f"第{at}件") for at in range(40)))
    numbers = sorted(order.number for order in opened)
    assert len(set(numbers)) == 40
    assert [number[11:16] for number in numbers] == [f"{at:05d}" for at in range(1, 41)]


async def test_numbers_begin_anew_with_the_day_in_china(kit: OrderKit) -> None:
    kit.clock.now = datetime(2026, 11, 25, 15, 59, tzinfo=UTC)
    late = await kit.open()
    kit.clock.forward(minutes=2)
    assert late.number.startswith("GD20261125-00001")
    assert (await kit.open()).number.startswith("GD20261126-00001")


async def test_a_day_without_numbers_left_opens_nothing(kit: OrderKit) -> None:
    async with kit.database.write() as tx:
        await tx.execute(work_order_days.insert().values(day="20261125", last=99_999))
    with pytest.raises(TemporaryError):
        await kit.open()
    async with kit.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(work_orders)) == 0


async def test_the_same_request_at_once_from_two_processes_opens_one_order(two: tuple[OrderKit, OrderKit]) -> None:
    opened = await asyncio.gather(*(two[at % 2].open("同一件事", key="inbox-7") for at in range(8)))
    assert len({order.number for order in opened}) == 1
    with pytest.raises(OrderRefused, match="key_reused"):
        await two[1].open("另一件事", key="inbox-7")


async def test_a_contact_is_kept_once_however_many_orders_it_has(kit: OrderKit) -> None:
    await asyncio.gather(*(kit.open(contact=PHONE) for _ in range(5)))
    async with kit.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(contacts)) == 1


async def test_two_members_of_staff_change_the_same_version_and_one_of_them_does(
    two: tuple[OrderKit, OrderKit],
) -> None:
    one, other = two
    order = await one.open()
    ended = await asyncio.gather(
        one.services.desk.accept(order.number, version=1, by=LI),
        other.services.desk.accept(order.number, version=1, by=WANG),
        return_exceptions=True,
    )
    done = [each for each in ended if isinstance(each, WorkOrder)]
    refused = [each for each in ended if isinstance(each, OrderRefused)]
    assert (len(done), [each.refusal for each in refused]) == (1, [Refusal.CHANGED])
    stands = await one.services.orders.find(order.number)
    assert stands == done[0]
    assert stands.version == 2


async def test_a_repeated_request_for_a_change_is_done_once(two: tuple[OrderKit, OrderKit]) -> None:
    one, other = two
    order = await one.open()
    first = await one.services.desk.accept(order.number, version=1, by=LI)
    again = await other.services.desk.accept(order.number, version=1, by=LI)
    assert first == again
    kinds = [event.kind for event in await one.services.orders.events(order)]
    assert kinds == [ChangeKind.OPENED, ChangeKind.ACCEPTED]


async def test_every_change_is_a_line_of_the_log_and_of_the_audit_trail(kit: OrderKit) -> None:
    order = await kit.concluded(await kit.open(person_id=HE))
    await kit.services.desk.note(order.number, by=WANG, text="客户电话 13800138000 没人接")
    events = await kit.services.orders.events(order)
    assert [(each.kind, each.state_from, each.state_to) for each in events] == [
        (ChangeKind.OPENED, State.NEW, State.NEW),
        (ChangeKind.ACCEPTED, State.NEW, State.ACCEPTED),
        (ChangeKind.STARTED, State.ACCEPTED, State.IN_PROGRESS),
        (ChangeKind.CONCLUDED, State.IN_PROGRESS, State.CONCLUDED),
        (ChangeKind.NOTE, None, None),
    ]
    assert [each.version for each in events] == [1, 2, 3, 4, None]
    assert {each.actor_name for each in events[:4]} == {LI.name}
    assert "13800138000" not in events[4].note
    done = [action for _, action, reference in await kit.trail() if reference == order.number]
    assert done == [f"work_order.{each}" for each in ("opened", "accepted", "started", "concluded", "note")]
    assert (await kit.audit.verify()).fault is None


async def test_timers_ring_once_over_two_processes_and_in_order(two: tuple[OrderKit, OrderKit]) -> None:
    one, order = two[0], await two[0].open()
    one.clock.forward(days=10)
    for _ in range(4):
        await asyncio.gather(*(kit.services.due.run_due() for kit in two))
    rung = [Alarm(each.data["alarm"]) for each in await one.services.orders.events(order) if each.kind == "rang"]
    assert rung == [Alarm.NEAR, Alarm.DUE, Alarm.LATE]
    told = [(each["what"], each["to"]) for each in await one.desk_heard() if each["what"] in set(Alarm) - {""}]
    assert told == [("near", "owner"), ("due", "owner"), ("late", "supervisors")]


async def test_a_timer_that_rings_while_the_order_changes_loses_neither(two: tuple[OrderKit, OrderKit]) -> None:
    one, other = two
    order = await one.open()
    one.clock.now = order.due_at - timedelta(hours=1)
    accepted, _ = await asyncio.gather(
        one.services.desk.accept(order.number, version=1, by=LI), other.services.due.run_due()
    )
    assert accepted.state is State.ACCEPTED
    stands = await one.services.orders.find(order.number)
    assert stands is not None
    assert (stands.version, stands.timer.alarm, stands.timer.at) == (2, Alarm.DUE, order.due_at)


async def test_an_extension_moves_the_timers_and_a_conclusion_stops_them(kit: OrderKit) -> None:
    order = await kit.in_progress(await kit.open())
    extended = await kit.services.desk.extend(
        order.number, version=order.version, by=BOSS, workdays=2, reason="等待银行回复"
    )
    assert extended.due_at > order.due_at
    assert (extended.timer.alarm, extended.escalate_at > extended.due_at) == (Alarm.NEAR, True)
    done = await kit.services.desk.conclude(order.number, version=extended.version, by=LI, conclusion=DONE)
    assert (done.timer.alarm, done.timer.at) == (Alarm.VISIT, done.visit_due_at)


async def test_merging_keeps_texts_and_moves_log_files_and_earlier_merges(kit: OrderKit) -> None:
    first, second, third = [await kit.open(f"第{at}次反映窗口慢", person_id=HE) for at in range(3)]
    await kit.services.evidence.add(first.number, "a.txt", as_stream("甲".encode()), by=LI)
    await kit.services.evidence.add(second.number, "a.txt", as_stream("甲".encode()), by=LI)
    await kit.services.evidence.add(first.number, "b.txt", as_stream("乙".encode()), by=LI)
    await kit.services.desk.merge(first.number, into=second.number, versions=(1, 1), by=LI)
    kept = await kit.services.desk.merge(second.number, into=third.number, versions=(2, 1), by=LI)
    view = await kit.services.desk.view(third.number, by=LI)
    assert [each.text for each in view.also] == ["第0次反映窗口慢", "第1次反映窗口慢"]
    assert sorted(each.name for each in view.files) == ["a.txt", "b.txt"]
    assert {each.number for each in view.events} == {first.number, second.number, third.number}
    assert (kept.number, kept.state) == (third.number, State.NEW)
    gone = await kit.services.orders.find(first.number)
    assert gone is not None
    assert (gone.state, (await kit.services.orders.standing(gone)).number) == (State.MERGED, third.number)
    assert (await kit.services.desk.view(first.number, by=LI)).answered_by == third.number


async def test_two_merges_in_opposite_directions_leave_one_order_open(two: tuple[OrderKit, OrderKit]) -> None:
    one, other = two
    for _ in range(8):
        a, b = await one.open("甲"), await one.open("乙")
        ended = await asyncio.gather(
            one.services.desk.merge(a.number, into=b.number, versions=(1, 1), by=LI),
            other.services.desk.merge(b.number, into=a.number, versions=(1, 1), by=WANG),
            return_exceptions=True,
        )
        refused = [each.refusal for each in ended if isinstance(each, OrderRefused)]
        assert len(refused) == 1, ended
        assert refused[0] in (Refusal.CHANGED, Refusal.NOT_MERGEABLE)
        states = [(await one.services.orders.find(each.number)).state for each in (a, b)]  # type: ignore[union-attr]
        assert sorted(states) == [State.MERGED, State.NEW]


async def test_an_order_is_not_merged_while_something_is_written_into_its_log(two: tuple[OrderKit, OrderKit]) -> None:
    one, other = two
    gone, kept = await one.open("甲"), await one.open("乙")
    async with one.database.write() as tx:
        assert await whose_log(tx, gone) == gone.id
        merging = asyncio.create_task(other.services.desk.merge(gone.number, into=kept.number, versions=(1, 1), by=LI))
        await asyncio.sleep(0.3)
        assert not merging.done()
    assert (await merging).number == kept.number
    async with one.database.write() as tx:
        assert await whose_log(tx, gone) == kept.id


async def test_a_post_is_leased_by_one_process_and_settled_by_who_has_it(two: tuple[OrderKit, OrderKit]) -> None:
    one, other = two
    await one.concluded(await one.open())
    leases = await asyncio.gather(
        *(kit.services.posts.lease(PostTarget.CITIZEN, limit=5, lease_s=60) for kit in (*two, *two))
    )
    [post] = [post for lease in leases for post in lease]
    one.clock.forward(seconds=61)
    [taken_over] = await other.services.posts.lease(PostTarget.CITIZEN, limit=5, lease_s=60)
    assert (taken_over.id, taken_over.attempts) == (post.id, 2)
    assert not await one.services.posts.sent(post)
    assert await other.services.posts.sent(taken_over)
    one.clock.forward(seconds=61)
    assert await one.services.posts.lease(PostTarget.CITIZEN, limit=5, lease_s=60) == []


async def test_posts_of_one_order_go_out_one_after_the_other(kit: OrderKit) -> None:
    for city_id in ("C1", "C2"):
        delivered = await kit.services.city.deliver(city_id, opening(contact=None))
        await kit.in_progress(delivered.order)
    first = await kit.services.posts.lease(PostTarget.CITY, limit=9, lease_s=60)
    assert [(post.order.city_id, post.state) for post in first] == [("C1", State.ACCEPTED), ("C2", State.ACCEPTED)]
    assert await kit.services.posts.sent(first[0])
    second = await kit.services.posts.lease(PostTarget.CITY, limit=9, lease_s=60)
    assert [(post.order.city_id, post.state) for post in second] == [("C1", State.IN_PROGRESS)]


async def test_what_was_given_up_is_in_the_log_and_can_be_tried_again(kit: OrderKit) -> None:
    order = await kit.concluded(await kit.open())
    [post] = await kit.services.posts.lease(PostTarget.CITIZEN, limit=5, lease_s=60)
    assert await kit.services.posts.dead(post, error="nobody there")
    [dead] = await kit.services.posts.dead_posts(limit=10)
    assert (dead.number, dead.target, dead.error) == (order.number, PostTarget.CITIZEN, "nobody there")
    assert (await kit.services.orders.events(order))[-1].kind is ChangeKind.UNDELIVERED
    assert (await kit.desk_heard())[-1]["to"] == "supervisors"
    assert await kit.services.posts.again(dead.id)
    assert not await kit.services.posts.again(dead.id)
    [retried] = await kit.services.posts.lease(PostTarget.CITIZEN, limit=5, lease_s=60)
    assert retried.attempts == 1


async def test_lists_narrow_by_every_filter(kit: OrderKit) -> None:
    rent = await kit.open("租房提取被退回", person_id=HE)
    loan = await kit.open("额度怎么算", type=OrderType.CONSULT, matter="loan-amount", contact=PHONE, person_id=SHE)
    await kit.services.desk.assign(loan.number, version=1, by=BOSS, owner=WANG.id, group=Group.LOAN)

    async def found(**which: object) -> list[str]:
        return [each.number for each in await kit.services.desk.orders(OrderFilter(viewer=LI, **which), by=LI)]  # type: ignore[arg-type]

    assert await found() == [loan.number, rent.number]
    assert await found(states=(State.NEW,), type=OrderType.CONSULT) == [loan.number]
    assert await found(group=Group.COMPLAINT) == [rent.number]
    assert await found(owner=WANG.id) == [loan.number]
    assert await found(owner="") == [rent.number]
    assert await found(text="被退回") == [rent.number]
    assert await found(text=loan.number.lower()) == [loan.number]
    assert await found(text="%") == []
    assert await found(person_id=SHE) == [loan.number]
    kit.clock.now = loan.due_at + timedelta(minutes=1)
    assert await found(overdue=True) == [loan.number]
    assert await found(visits=True) == []
    await kit.concluded(rent)
    assert await found(visits=True) == [rent.number]


async def test_pages_of_a_list_neither_repeat_nor_leave_out(kit: OrderKit) -> None:
    opened = [await kit.open(f"第{at}件") for at in range(7)]
    which, seen, before = OrderFilter(viewer=LI), [], None
    while page := await kit.services.desk.orders(which, by=LI, before=before, limit=3):
        seen += [each.number for each in page]
        before = page[-1].id
    assert seen == [each.number for each in reversed(opened)]


async def test_the_wall_counts_open_due_today_and_overdue_by_group(kit: OrderKit) -> None:
    for _ in range(2):
        await kit.open()
    await kit.open(type=OrderType.CONSULT, matter="loan-amount")
    ended = await kit.open(type=OrderType.CONSULT, matter="loan-amount")
    await kit.services.desk.reject(ended.number, version=1, by=LI, reason="不属于公积金业务")
    kit.clock.now = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)
    counts = await kit.services.desk.counts()
    assert (counts[Group.LOAN].open, counts[Group.LOAN].due_today, counts[Group.LOAN].overdue) == (1, 1, 0)
    assert (counts[Group.COMPLAINT].open, counts[Group.COMPLAINT].due_today) == (2, 0)
    kit.clock.forward(days=1)
    assert (await kit.services.desk.counts())[Group.LOAN].overdue == 1
    assert set(counts) == set(Group)


async def test_alike_are_open_orders_of_the_same_citizen_and_kind(kit: OrderKit) -> None:
    order = await kit.open("窗口办事太慢", person_id=HE)
    same_contact = await kit.open("窗口办事太慢了")
    same_person = await kit.open("窗口办事太慢", contact=CALLER, person_id=HE, matter="")
    await kit.open("窗口办事太慢", contact=PHONE, person_id=SHE)
    await kit.open("窗口办事太慢", type=OrderType.SUGGESTION)
    ended = await kit.open("窗口办事太慢")
    await kit.services.desk.cancel(ended.number, version=1, by=LI, reason="重复提交")
    since = kit.clock() - timedelta(days=30)
    found = await kit.services.orders.alike(order, since=since, limit=10)
    assert [each.number for each in found] == [same_person.number, same_contact.number]
    assert await kit.services.orders.alike(order, since=kit.clock() + timedelta(days=1), limit=10) == []


async def test_an_erased_order_and_what_was_merged_into_it_say_nothing_any_more(kit: OrderKit) -> None:
    gone, order = await kit.open("我叫陈某某，窗口慢"), await kit.open("窗口慢，陈某某", person_id=HE)
    await kit.services.evidence.add(order.number, "x.txt", as_stream(b"chen"), by=LI)
    kept = await kit.services.desk.merge(gone.number, into=order.number, versions=(1, 1), by=LI)
    done = await kit.concluded(kept)
    closed = await kit.services.desk.close(done.number, version=done.version, by=BOSS)
    await kit.services.desk.erase(order.number, version=closed.version, by=BOSS, reason="本人要求删除")
    async with kit.database.read() as connection:
        left = str((await connection.execute(select(work_orders))).all())
        left += str((await connection.execute(select(work_order_events))).all())
    for secret in ("陈某某", HE, DONE.done, "chen"):
        assert secret not in left
    assert await kit.services.evidence.sweep() == 0
    assert list(kit.settings.evidence_dir.glob("??/*")) == []
    for number in (gone.number, order.number):
        with pytest.raises(OrderRefused, match="not_found"):
            await kit.services.desk.view(number, by=BOSS)
    assert await kit.until_quiet() == 0


async def test_a_note_or_a_file_that_comes_after_the_erasing_is_refused(kit: OrderKit) -> None:
    order = await kit.concluded(await kit.open())
    closed = await kit.services.desk.close(order.number, version=order.version, by=BOSS)
    await kit.services.desk.erase(order.number, version=closed.version, by=BOSS, reason="本人要求删除")
    with pytest.raises(OrderRefused, match="not_found"):
        await kit.services.orders.add_note(closed, "晚到的备注", by=LI)


async def test_a_note_on_an_order_that_was_just_merged_is_in_the_log_that_is_read(kit: OrderKit) -> None:
    gone, kept = await kit.open("甲"), await kit.open("乙")
    await kit.services.desk.merge(gone.number, into=kept.number, versions=(1, 1), by=LI)
    await kit.services.orders.add_note(gone, "合并前写的备注", by=WANG)
    assert "合并前写的备注" in [each.note for each in (await kit.services.desk.view(kept.number, by=LI)).events]


async def test_the_same_file_at_once_is_one_file_and_the_eleventh_is_refused(two: tuple[OrderKit, OrderKit]) -> None:
    order = await two[0].open()
    same = await asyncio.gather(
        *(two[at % 2].services.evidence.add(order.number, "a.txt", as_stream("甲".encode()), by=LI) for at in range(6))
    )
    assert len({each.id for each in same}) == 1
    rest = await asyncio.gather(
        *(
            two[at % 2].services.evidence.add(order.number, f"{at}.txt", as_stream(f"第{at}".encode()), by=LI)
            for at in range(11)
        ),
        return_exceptions=True,
    )
    refused = [each.refusal for each in rest if isinstance(each, OrderRefused)]
    assert refused == [Refusal.FILE_COUNT, Refusal.FILE_COUNT]
    assert len((await two[0].services.desk.view(order.number, by=LI)).files) == 10
