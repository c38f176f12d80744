"""What runs out of time at the desk: offers, requests, agents who are gone."""

from __future__ import annotations

import asyncio

import pytest

from hotline.domain.conversations import Owner
from hotline.domain.desk import WAIT_LIMIT, AgentState, Group, HandoverState
from hotline.domain.messages import ChannelName
from hotline.storage.desk_queue import GRACE, OFFER_S
from tests.contract.storage.desk_kit import START, Desk

pytestmark = pytest.mark.anyio

ROUNDS = 50


async def test_an_offer_rings_out_and_its_agent_is_busy(desk: Desk) -> None:
    await desk.ready("a1")
    _, handover_id = await desk.queued()
    await desk.route()
    desk.clock.later(OFFER_S)
    assert await desk.sweep() == (0, 0, (), [])
    desk.clock.later(1)
    assert await desk.sweep() == (1, 0, (), [])
    assert await desk.state_of(handover_id) is HandoverState.WAITING
    assert (await desk.presence("a1")).state is AgentState.BUSY
    assert await desk.route() == 0
    assert await desk.queue.position(handover_id) == 1


@pytest.mark.parametrize("state", [AgentState.BREAK, AgentState.OFFLINE])
async def test_who_has_gone_meanwhile_does_not_come_back_by_an_offer_that_rings_out(
    desk: Desk, state: AgentState
) -> None:
    await desk.ready("a1")
    await desk.queued()
    await desk.route()
    await desk.desks.set_state("a1", state)
    desk.clock.later(OFFER_S + 1)
    assert (await desk.sweep())[0] == 1
    assert (await desk.presence("a1")).state is state


async def test_who_waited_too_long_goes_back_to_the_bot_and_is_told_once(desk: Desk, other: Desk) -> None:
    conversation_id, handover_id = await desk.queued()
    desk.clock.later(WAIT_LIMIT.total_seconds())
    assert await desk.sweep() == (0, 0, (), [])
    desk.clock.later(1)
    swept = await asyncio.gather(*(each.sweep() for each in (desk, other) * 3))
    assert sorted(each[1] for each in swept) == [0, 0, 0, 0, 0, 1]
    assert [told for each in swept for told in each[3]] == [conversation_id]
    assert await desk.state_of(handover_id) is HandoverState.EXPIRED
    assert await desk.at(conversation_id) == (Owner.BOT, "", 2)
    assert (await desk.texts(conversation_id)).count("暂时无人接听。") == 1


async def test_what_rings_when_its_time_is_over_may_still_be_accepted(desk: Desk) -> None:
    _, handover_id = await desk.queued()
    desk.clock.later(WAIT_LIMIT.total_seconds() - 1)
    await desk.ready("a1")
    await desk.route()
    desk.clock.later(10)
    assert await desk.sweep() == (0, 0, (), [])
    assert await desk.take(handover_id, "a1") is not None


async def test_an_agent_accepts_as_the_time_runs_out_and_one_of_both_happens(desk: Desk, other: Desk) -> None:
    for round_no in range(ROUNDS):
        conversation_id, handover_id = await desk.queued(f"o{round_no}")
        desk.clock.later(WAIT_LIMIT.total_seconds() + 1)
        held, swept = await asyncio.gather(desk.pick(handover_id, "a1"), other.sweep())
        assert swept[1] == (held is None)
        assert (await desk.at(conversation_id))[:2] == ((Owner.AGENT, "a1") if held else (Owner.BOT, ""))


async def test_who_left_and_asked_again_waits_his_whole_time(desk: Desk) -> None:
    conversation_id, _ = await desk.queued()
    desk.clock.later(WAIT_LIMIT.total_seconds() - 1)
    await desk.queue.leave(conversation_id, expected_version=1)
    await desk.queue.enqueue(desk.request(conversation_id), expected_version=2)
    desk.clock.later(60)
    assert await desk.sweep() == (0, 0, (), [])


async def test_a_lost_agents_citizens_wait_in_front_and_are_told_once(desk: Desk, other: Desk) -> None:
    await desk.ready("a1", "a2")
    mine, handover_id = await desk.held_by("a1", "o1")
    theirs, _ = await desk.held_by("a2", "o2")
    desk.clock.later(30)
    _, later = await desk.queued("o3")
    await desk.seen("a2")
    desk.clock.later(GRACE.total_seconds() - 29)
    swept = await asyncio.gather(*(each.sweep() for each in (desk, other) * 3))
    assert [each[2] for each in swept if each[2]] == [("a1",)]
    assert [told for each in swept for told in each[3]] == [mine]
    assert (await desk.texts(mine)).count("请稍候。") == 1
    assert await desk.at(mine) == (Owner.QUEUED, "", 3)
    assert await desk.at(theirs) == (Owner.AGENT, "a2", 2)
    assert (await desk.presence("a1")).state is AgentState.OFFLINE
    assert [await desk.queue.position(each) for each in (handover_id, later)] == [1, 2]
    assert await desk.route() == 2
    offered = {each.handover.id for each in await desk.desks.held_by("a2") if each.handover}
    assert {handover_id, later} < offered


async def test_a_lost_agents_request_has_a_whole_time_to_wait_again(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, _ = await desk.held_by("a1")
    desk.clock.later(600)
    assert (await desk.sweep())[2] == ("a1",)
    (waiting,) = await desk.desks.queue()
    assert waiting.handover is not None
    assert waiting.handover.expires_at == desk.clock.now + WAIT_LIMIT
    assert (waiting.handover.queued_at, waiting.handover.accepted_at) == (START, None)
    assert await desk.sweep() == (0, 0, (), [])
    desk.clock.later(WAIT_LIMIT.total_seconds() + 1)
    assert await desk.sweep() == (0, 1, (), [conversation_id])
    day = await desk.desks.day(since=START, within_s=20)
    assert (day.taken, day.expired) == (0, 1)


async def test_who_takes_something_after_he_was_lost_is_lost_again_and_nobody_stays_with_him(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, handover_id = await desk.queued()
    desk.clock.later(GRACE.total_seconds() + 1)
    assert (await desk.sweep())[2] == ("a1",)
    assert await desk.pick(handover_id, "a1") is not None
    assert await desk.sweep() == (0, 0, ("a1",), [conversation_id])
    assert await desk.sweep() == (0, 0, (), [])
    assert await desk.at(conversation_id) == (Owner.QUEUED, "", 3)


async def test_an_agent_ends_as_he_is_lost_and_nothing_hangs(desk: Desk, other: Desk) -> None:
    for round_no in range(ROUNDS):
        await desk.ready("a1")
        conversation_id, handover_id = await desk.held_by("a1", f"o{round_no}")
        desk.clock.later(GRACE.total_seconds() + 1)
        ended, swept = await asyncio.gather(desk.end(conversation_id, "a1"), other.sweep())
        assert swept[2] == ("a1",)
        assert (conversation_id in swept[3]) == (ended is None)
        if ended is None:
            await desk.queue.leave(conversation_id, expected_version=3)
        else:
            assert await desk.file(handover_id, "a1")


async def test_an_agent_who_is_heard_of_as_he_is_looked_for_stays(desk: Desk) -> None:
    await desk.ready("a1")
    await desk.held_by("a1")
    desk.clock.later(GRACE.total_seconds())
    assert await desk.sweep() == (0, 0, (), [])
    await desk.seen("a1")
    desk.clock.later(GRACE.total_seconds())
    assert await desk.sweep() == (0, 0, (), [])


async def test_a_mean_handling_time_is_given_from_three_on(desk: Desk) -> None:
    for number, seconds in enumerate((60, 120, 600)):
        assert await desk.queue.handling_s(Group.LOAN, last=2) is None
        conversation_id, _ = await desk.held_by("a1", f"o{number}", channel=ChannelName.WEB)
        desk.clock.later(seconds)
        await desk.end(conversation_id, "a1")
    assert await desk.queue.handling_s(Group.LOAN, last=10) == pytest.approx(260)
    assert await desk.queue.handling_s(Group.DEPOSIT, last=10) is None
    _, unheld = await desk.queued("o9")
    assert unheld
    desk.clock.later(WAIT_LIMIT.total_seconds() + 1)
    await desk.sweep()
    assert await desk.queue.handling_s(Group.LOAN, last=10) == pytest.approx(260)
