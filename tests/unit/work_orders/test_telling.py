"""What citizens and the city hotline are told: once, in order, again after a failure, and given up at last."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from hotline.city_hotline import CityRefused
from hotline.domain.work_orders import ChangeKind, OrderRefused, Source, State, Visit
from hotline.errors import TemporaryError
from hotline.services.work_orders import telling
from hotline.services.work_orders.telling import FIRST_PAUSE_S, LEASE_S, Telling, to_citizens
from hotline.work_order_store import PostTarget
from tests.work_order_kit import BOSS, DONE, HE, LI, OPENID, PHONE, OrderKit, opening

pytestmark = pytest.mark.anyio


async def test_the_citizen_is_told_what_came_of_his_order_once(kits: Sequence[OrderKit]) -> None:
    one, other = kits
    order = await one.concluded(await one.open())
    await asyncio.gather(*(kit.until_quiet() for kit in (one, other, one)))
    [(contact, text, key)] = one.citizens.told + other.citizens.told
    assert (contact, text.startswith(f"工单{order.number}已办结")) == (OPENID, True)
    assert key.startswith("work-order-")


async def test_a_rejection_is_told_with_its_reason(kit: OrderKit) -> None:
    order = await kit.open(contact=PHONE)
    await kit.services.desk.reject(order.number, version=1, by=LI, reason="属于社保业务，请拨打12333")
    await kit.until_quiet()
    assert [text for _, text, _ in kit.citizens.told] == [f"工单{order.number}未予受理：属于社保业务，请拨打12333"]


async def test_of_a_confidential_order_only_that_there_is_news(kit: OrderKit) -> None:
    await kit.concluded(await kit.open(confidential=True, person_id=HE), by=BOSS)
    await kit.until_quiet()
    [(_, text, _)] = kit.citizens.told
    assert "先验证身份" in text
    assert DONE.done not in text


async def test_everybody_whose_order_was_merged_is_told_under_his_own_number(kit: OrderKit) -> None:
    first, second, third = await kit.open(), await kit.open(contact=PHONE), await kit.open()
    kept = await kit.services.desk.merge(second.number, into=first.number, versions=(1, 1), by=LI)
    kept = await kit.services.desk.merge(third.number, into=first.number, versions=(1, kept.version), by=LI)
    await kit.concluded(kept)
    await kit.until_quiet()
    told = {contact: text for contact, text, _ in kit.citizens.told}
    assert len(kit.citizens.told) == 2
    assert first.number in told[OPENID]
    assert second.number in told[PHONE]


async def test_what_was_reopened_before_it_could_be_told_is_not_told(kit: OrderKit) -> None:
    done = await kit.concluded(await kit.open())
    bad = Visit(rating=1, reason="没有解决")
    await kit.services.desk.visit(done.number, version=done.version, by=LI, visit=bad)
    await kit.until_quiet()
    assert kit.citizens.told == []


async def test_what_was_closed_before_it_could_be_told_still_is(kit: OrderKit) -> None:
    done = await kit.concluded(await kit.open())
    await kit.services.desk.close(done.number, version=done.version, by=BOSS)
    await kit.until_quiet()
    assert len(kit.citizens.told) == 1


async def test_a_failure_is_tried_again_later_each_time_under_the_same_key(kit: OrderKit) -> None:
    kit.citizens.errors = [TemporaryError("away"), RuntimeError("a fault")]
    await kit.concluded(await kit.open())
    assert await kit.services.due.run_due() == 1
    kit.clock.forward(seconds=FIRST_PAUSE_S - 1)
    assert await kit.services.due.run_due() == 0
    kit.clock.forward(seconds=1)
    assert await kit.services.due.run_due() == 1
    kit.clock.forward(seconds=FIRST_PAUSE_S * 4 - 1)
    assert await kit.services.due.run_due() == 0
    kit.clock.forward(seconds=1)
    await kit.until_quiet()
    assert len(kit.citizens.told) == 1


async def test_what_was_tried_often_enough_is_given_up_and_the_supervisors_hear_of_it(kit: OrderKit) -> None:
    kit.city.errors = [TemporaryError("away") for _ in range(10)]
    delivered = await kit.services.city.deliver("C1", opening(contact=None))
    await kit.services.desk.accept(delivered.order.number, version=1, by=LI)
    for _ in range(12):
        await kit.services.due.run_due()
        kit.clock.forward(hours=1)
    [dead] = await kit.services.posts.dead_posts(limit=10)
    assert (dead.number, dead.target, dead.attempts) == (delivered.order.number, PostTarget.CITY, 10)
    last = [each for each in await kit.services.orders.events(delivered.order) if each.kind == ChangeKind.UNDELIVERED]
    assert [(each.note, each.data["target"]) for each in last] == [("away", "city")]
    assert await kit.services.desk.undelivered(by=BOSS) == [dead]
    await kit.services.desk.send_again(dead.id, by=BOSS)
    with pytest.raises(OrderRefused, match="not_found"):
        await kit.services.desk.send_again(dead.id, by=BOSS)
    await kit.until_quiet()
    assert [update.state for update in kit.city.told] == [State.ACCEPTED]
    looks = [action.removeprefix("work_order.") for _, action, _ in (await kit.trail())[-3:]]
    assert looks == ["undelivered_listed", "sent_again", "sent_again"]


async def test_a_refusal_of_the_city_hotline_is_given_up_at_once_and_what_follows_is_told(kit: OrderKit) -> None:
    kit.city.errors = [CityRefused("http 404")]
    delivered = await kit.services.city.deliver("C1", opening(contact=None))
    await kit.in_progress(delivered.order)
    await kit.until_quiet()
    assert [update.state for update in kit.city.told] == [State.IN_PROGRESS]
    assert len(await kit.services.posts.dead_posts(limit=10)) == 1


async def test_the_city_hotline_hears_of_every_state_in_order_and_of_the_conclusion(kit: OrderKit) -> None:
    delivered = await kit.services.city.deliver("C1", opening("噪音扰民", contact=None, source=Source.BOT))
    order = await kit.concluded(delivered.order)
    await kit.services.desk.note(order.number, by=LI, text="内部备注")
    await kit.until_quiet()
    states = [update.state for update in kit.city.told]
    assert states == [State.ACCEPTED, State.IN_PROGRESS, State.CONCLUDED]
    assert [update.sequence for update in kit.city.told] == sorted({update.sequence for update in kit.city.told})
    last = kit.city.told[-1]
    assert (last.city_id, last.number, last.conclusion) == ("C1", order.number, DONE)
    assert "内部备注" not in str(kit.city.told)
    assert kit.citizens.told == []


async def test_orders_of_our_own_are_not_told_to_the_city_hotline(kit: OrderKit) -> None:
    await kit.concluded(await kit.open())
    await kit.until_quiet()
    assert kit.city.told == []


async def test_a_merged_city_order_is_told_how_the_kept_one_stands(kit: OrderKit) -> None:
    delivered = (await kit.services.city.deliver("C1", opening(contact=None))).order
    kept = await kit.in_progress(await kit.open())
    merged = await kit.services.desk.merge(delivered.number, into=kept.number, versions=(1, kept.version), by=LI)
    await kit.services.desk.conclude(merged.number, version=merged.version, by=LI, conclusion=DONE)
    await kit.until_quiet()
    told = [(update.number, update.state) for update in kit.city.told]
    assert told == [(delivered.number, State.IN_PROGRESS), (delivered.number, State.CONCLUDED)]


async def test_who_lost_his_lease_neither_gives_up_nor_tries_later_what_another_has(kit: OrderKit) -> None:
    await kit.concluded(await kit.open())
    [lost] = await kit.services.posts.lease(PostTarget.CITIZEN, limit=5, lease_s=LEASE_S)
    kit.clock.forward(seconds=LEASE_S)
    [held] = await kit.services.posts.lease(PostTarget.CITIZEN, limit=5, lease_s=LEASE_S)
    assert not await kit.services.posts.dead(lost, error="late")
    assert not await kit.services.posts.later(lost, due_at=kit.clock(), error="late")
    assert not await kit.services.posts.dropped(lost)
    assert await kit.services.posts.sent(held)
    assert await kit.services.posts.dead_posts(limit=5) == []


async def test_one_citizen_who_cannot_be_told_keeps_nobody_else_waiting(kit: OrderKit) -> None:
    kit.citizens.errors = [RuntimeError("a fault")]
    for contact in (OPENID, PHONE):
        await kit.concluded(await kit.open(contact=contact))
    await kit.services.due.run_due()
    assert len(kit.citizens.told) == 1
    kit.clock.forward(seconds=FIRST_PAUSE_S)
    await kit.until_quiet()
    assert {contact for contact, _, _ in kit.citizens.told} == {OPENID, PHONE}


async def test_a_line_that_hangs_is_left_after_its_time(kit: OrderKit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "LIMIT_S", 0.05)
    await kit.concluded(await kit.open())

    async def hang(contact: object, text: str, *, key: str) -> None:
        await asyncio.sleep(60)

    slow = Telling(kit.services.posts, PostTarget.CITIZEN, to_citizens(hang), attempts=2, clock=kit.clock)
    assert await slow.run_due() == 1
    kit.clock.forward(seconds=FIRST_PAUSE_S)
    assert await slow.run_due() == 1
    [dead] = await kit.services.posts.dead_posts(limit=5)
    assert (dead.target, dead.error) == (PostTarget.CITIZEN, "TimeoutError")


async def test_a_process_that_died_while_telling_is_taken_over(kits: Sequence[OrderKit]) -> None:
    one, other = kits
    await one.concluded(await one.open())
    assert len(await one.services.posts.lease(PostTarget.CITIZEN, limit=5, lease_s=LEASE_S)) == 1
    assert await other.services.due.run_due() == 0
    one.clock.forward(seconds=LEASE_S)
    await other.until_quiet()
    assert len(other.citizens.told) == 1


async def test_a_city_order_is_delivered_once_and_repeats_get_the_first_answer(kit: OrderKit) -> None:
    first = await kit.services.city.deliver("C1", opening(contact=PHONE))
    await kit.in_progress(first.order)
    again = await kit.services.city.deliver("C1", opening(contact=PHONE))
    assert (first.again, again.again) == (False, True)
    assert first.receipt == again.receipt
    assert (again.receipt.state, again.order.state) == (State.NEW, State.IN_PROGRESS)
    assert again.order.source is Source.CITY_HOTLINE
    with pytest.raises(OrderRefused, match="key_reused"):
        await kit.services.city.deliver("C1", opening("别的内容", contact=PHONE))


async def test_a_reminder_makes_an_order_urgent_once(kit: OrderKit) -> None:
    order = (await kit.services.city.deliver("C1", opening(contact=None))).order
    first = await kit.services.city.remind("C1", "R1", "市民再次来电催办")
    again = await kit.services.city.remind("C1", "R1", "市民再次来电催办")
    other = await kit.services.city.remind("C1", "R2", "市民再次来电催办")
    assert (first.again, again.again, other.again) == (False, True, False)
    assert (other.order.priority, other.order.version) == ("urgent", 3)
    urged = [each for each in await kit.desk_heard() if each["what"] == "urged"]
    assert [(each["number"], each["to"]) for each in urged] == [(order.number, "supervisors")] * 2
    with pytest.raises(OrderRefused, match="key_reused"):
        await kit.services.city.remind("C1", "R1", "别的话")


async def test_a_reminder_of_a_merged_order_reaches_the_kept_one_and_names_their_own(kit: OrderKit) -> None:
    gone, kept = (await kit.services.city.deliver("C1", opening(contact=None))).order, await kit.open()
    await kit.services.desk.merge(gone.number, into=kept.number, versions=(1, 1), by=LI)
    done = await kit.services.city.remind("C1", "R1", "催办")
    assert (done.order.number, done.order.priority) == (kept.number, "urgent")
    assert done.receipt.number == gone.number
    with pytest.raises(OrderRefused, match="wrong_state"):
        await kit.services.city.cancel("C1", "市民撤单")


async def test_a_cancelled_order_is_over_and_cancelled_once(kit: OrderKit) -> None:
    await kit.services.city.deliver("C1", opening(contact=None))
    first = await kit.services.city.cancel("C1", "市民撤单")
    again = await kit.services.city.cancel("C1", "市民撤单")
    assert (first.order.state, again.again, again.receipt) == (State.CANCELLED, True, first.receipt)
    with pytest.raises(OrderRefused, match="wrong_state"):
        await kit.services.city.remind("C1", "R9", "催办")
    for step in (kit.services.city.cancel("C9", "撤单"), kit.services.city.remind("C9", "R1", "催办")):
        with pytest.raises(OrderRefused, match="not_found"):
            await step


async def test_a_reminder_and_a_change_at_once_both_count(kits: Sequence[OrderKit]) -> None:
    one, other = kits
    order = (await one.services.city.deliver("C1", opening(contact=None))).order
    reminded = await asyncio.gather(*(kits[at % 2].services.city.remind("C1", f"R{at}", "催办") for at in range(3)))
    await other.services.desk.accept(order.number, version=4, by=LI)
    assert sorted(each.order.version for each in reminded) == [2, 3, 4]


async def test_the_state_is_told_of_the_order_that_answers(kit: OrderKit) -> None:
    gone, kept = (await kit.services.city.deliver("C1", opening(contact=None))).order, await kit.open()
    await kit.services.desk.merge(gone.number, into=kept.number, versions=(1, 1), by=LI)
    number, standing = await kit.services.city.state("C1")
    assert (number, standing.number) == (gone.number, kept.number)
    assert (await kit.trail())[-1] == ("city_hotline", "work_order.state_told", gone.number)
