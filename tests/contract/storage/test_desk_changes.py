"""A conversation changes hands while others are at it: supervisors, the bot, the citizen who goes."""

from __future__ import annotations

import asyncio

import pytest

from hotline.domain.conversations import DeliveryStatus, Owner
from hotline.domain.desk import AgentState, Group, HandoverState, Reason
from hotline.domain.messages import InboundKind
from tests.contract.storage.desk_kit import Desk

pytestmark = pytest.mark.anyio

ROUNDS = 50
DELIVERIES = "SELECT status FROM outbox WHERE conversation_id = :id AND author = 'agent'"


# --- take-over -------------------------------------------------------------------------------------------------------


async def test_a_supervisor_takes_over_from_the_bot(desk: Desk) -> None:
    job = await desk.said("租房")
    await desk.finish(job, "能提。")
    held = await desk.take_over(job.conversation_id, "s1")
    assert held is not None
    assert (held.owner, held.holder, held.owner_version) == (Owner.AGENT, "s1", 1)
    assert held.handover is not None
    assert (held.handover.reason, held.handover.state, held.handover.agent_id) == (
        Reason.TAKE_OVER,
        HandoverState.HELD,
        "s1",
    )
    assert (await desk.texts(job.conversation_id))[-1] == "坐席为您服务。"


async def test_a_supervisor_takes_over_from_the_queue_and_the_offer_is_withdrawn(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, handover_id = await desk.queued(matter="loan-rate", packet={"turns": 1})
    await desk.route()
    held = await desk.take_over(conversation_id, "s1")
    assert held is not None
    assert held.handover is not None
    assert (held.handover.matter, held.handover.packet, held.handover.group) == ("loan-rate", {"turns": 1}, Group.LOAN)
    assert await desk.state_of(handover_id) is HandoverState.DONE
    assert await desk.take(handover_id, "a1") is None
    assert "offer_gone" in [each.kind for each in await desk.told() if each.staff_id == "a1"]
    assert await desk.desks.queue() == []


async def test_a_supervisor_takes_over_from_an_agent_who_is_free_again(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, handover_id = await desk.held_by("a1")
    held = await desk.take_over(conversation_id, "s1")
    assert held is not None
    assert (held.holder, held.owner_version) == ("s1", 3)
    assert await desk.state_of(handover_id) is HandoverState.DONE
    assert (await desk.presence("a1")).load == {}
    assert await desk.end(conversation_id, "a1") is None
    assert await desk.transfer(conversation_id, "a1") is None


async def test_a_supervisor_takes_over_from_wrap_up_and_the_agent_still_files_his(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, handover_id = await desk.held_by("a1")
    await desk.end(conversation_id, "a1")
    assert await desk.take_over(conversation_id, "s1") is not None
    assert await desk.state_of(handover_id) is HandoverState.WRAP_UP
    (his,) = await desk.desks.held_by("a1")
    assert his.handover is not None
    assert his.handover.id == handover_id
    assert await desk.file(handover_id, "a1")
    assert await desk.at(conversation_id) == (Owner.AGENT, "s1", 4)
    assert (await desk.presence("a1")).state is AgentState.READY


async def test_taking_over_twice_is_taking_over(desk: Desk) -> None:
    job = await desk.said()
    first = await desk.take_over(job.conversation_id, "s1")
    seq = await desk.events.last_seq()
    assert await desk.take_over(job.conversation_id, "s1") == first
    assert await desk.told(seq) == []
    assert (await desk.texts(job.conversation_id)).count("坐席为您服务。") == 1


async def test_a_closed_conversation_cannot_be_taken_over(desk: Desk) -> None:
    conversation_id, _ = await desk.queued()
    await desk.gone()
    assert await desk.take_over(conversation_id, "s1") is None
    assert await desk.take_over("nowhere", "s1") is None


async def test_two_supervisors_take_over_at_once_and_one_after_the_other_has_it(desk: Desk, other: Desk) -> None:
    for round_no in range(ROUNDS):
        job = await desk.said(who=f"o{round_no}")
        await asyncio.gather(desk.take_over(job.conversation_id, "s1"), other.take_over(job.conversation_id, "s2"))
        owner, holder, version = await desk.at(job.conversation_id)
        assert (owner, version) == (Owner.AGENT, 2)
        held = await desk.desks.held_by(holder)
        assert [each.id for each in held].count(job.conversation_id) == 1


# --- the bot and people ----------------------------------------------------------------------------------------------


async def test_an_answer_of_the_bot_made_before_a_take_over_is_never_said_nor_sent(desk: Desk) -> None:
    job = await desk.said("租房")
    await desk.take_over(job.conversation_id, "s1")
    done = await desk.finish(job, "能提。")
    assert (done.dropped, done.lines) == (True, [])
    assert "能提。" not in await desk.texts(job.conversation_id)
    due = await desk.store.lease_due(limit=10, lease_s=60)
    assert [reply.text for each in due for reply in each.replies] == ["坐席为您服务。"]


async def test_a_take_over_while_a_turn_is_stored_is_before_or_after_the_answer_never_within(
    desk: Desk, other: Desk
) -> None:
    for round_no in range(ROUNDS):
        job = await desk.said("租房", who=f"o{round_no}")
        done, _ = await asyncio.gather(desk.finish(job, "能提。"), other.take_over(job.conversation_id, "s1"))
        texts = await desk.texts(job.conversation_id)
        assert texts == (["租房", "坐席为您服务。"] if done.dropped else ["租房", "能提。", "坐席为您服务。"])


async def test_an_answer_on_its_way_is_dropped_by_a_take_over_and_stops_nothing_behind_it(desk: Desk) -> None:
    job = await desk.said("租房")
    await desk.finish(job, "能提。")
    (due,) = await desk.store.lease_due(limit=10, lease_s=60)
    later = desk.clock.now.replace(hour=23)
    await desk.store.retry_later(due.delivery_id, due_at=later, error="connection")
    await desk.take_over(job.conversation_id, "s1")
    (first,) = await desk.store.lease_due(limit=10, lease_s=60)
    assert first.replies[0].text == "坐席为您服务。"
    assert await desk.rows("SELECT status FROM outbox WHERE author = 'bot'") == [("dropped",)]


async def test_what_an_agent_said_is_sent_whoever_has_the_conversation_then(desk: Desk) -> None:
    conversation_id, handover_id = await desk.held_by("a1")
    await desk.say(conversation_id, "a1", "您好")
    await desk.end(conversation_id, "a1")
    await desk.file(handover_id, "a1")
    sent = []
    while due := await desk.store.lease_due(limit=10, lease_s=60):
        (each,) = due
        assert not each.is_void
        sent.append(each.replies[0].text)
        await desk.store.settle(each.delivery_id, DeliveryStatus.SENT, expected=DeliveryStatus.SENDING)
    assert sent == ["坐席为您服务。", "您好", "再见。"]


async def test_what_was_said_to_an_agent_who_has_just_ended_is_answered_by_the_bot(desk: Desk) -> None:
    conversation_id, _ = await desk.held_by("a1")
    job = await desk.said("那怎么提取")
    assert job.owner is Owner.AGENT
    await desk.end(conversation_id, "a1")
    done = await desk.finish(job)
    assert done.dropped
    assert done.next_job is not None
    assert (done.next_job.inbox_id, done.next_job.owner) == (job.inbox_id, Owner.WRAP_UP)
    version = await desk.held.resume_bot(conversation_id, expected_version=done.next_job.owner_version)
    assert version == 4


async def test_what_was_said_while_waiting_is_answered_by_the_bot_when_the_time_is_over(desk: Desk) -> None:
    conversation_id, _ = await desk.queued()
    job = await desk.said("那怎么提取")
    desk.clock.later(301)
    await desk.sweep()
    done = await desk.finish(job, "您前面还有1位。")
    assert done.next_job is not None
    assert (done.next_job.inbox_id, done.next_job.owner) == (job.inbox_id, Owner.BOT)
    assert not (await desk.finish(done.next_job, "能提。")).dropped
    assert (await desk.texts(conversation_id))[-2:] == ["暂时无人接听。", "能提。"]


async def test_a_turn_is_stored_once_however_many_workers_have_it(desk: Desk, other: Desk) -> None:
    job = await desk.said("租房")
    desk.clock.later(31)
    (taken,) = await other.store.claim_waiting(worker="w2", limit=10)
    assert not (await other.finish(taken, "能提。")).dropped
    late = await desk.finish(job, "能提。")
    assert (late.dropped, late.next_job, late.delivery_id) == (True, None, None)
    assert (await desk.texts(job.conversation_id)).count("能提。") == 1


# --- the citizen goes ------------------------------------------------------------------------------------------------


async def test_who_leaves_for_good_waits_no_more_and_the_desk_hears_of_it(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, handover_id = await desk.queued()
    await desk.route()
    seq = await desk.events.last_seq()
    await desk.gone()
    assert await desk.state_of(handover_id) is HandoverState.LEFT
    assert (await desk.conversation(conversation_id)).closed_at == desk.clock.now
    kinds = {each.kind for each in await desk.told(seq) if each.conversation_id == conversation_id}
    assert {"closed", "offer_gone", "queue"} <= kinds
    assert await desk.take(handover_id, "a1") is None
    assert await desk.desks.queue() == []
    assert await desk.desks.live(limit=10) == []


async def test_who_hangs_up_on_an_agent_leaves_him_with_the_wrap_up(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, handover_id = await desk.held_by("a1")
    await desk.say(conversation_id, "a1", "您好")
    await desk.gone()
    assert await desk.at(conversation_id) == (Owner.BOT, "", 3)
    assert await desk.state_of(handover_id) is HandoverState.WRAP_UP
    assert (await desk.presence("a1")).state is AgentState.WRAP_UP
    assert [each.id for each in await desk.desks.held_by("a1")] == [conversation_id]
    assert await desk.rows(DELIVERIES, id=conversation_id) == [("dropped",)]
    assert await desk.file(handover_id, "a1")
    assert await desk.desks.held_by("a1") == []
    assert (await desk.presence("a1")).state is AgentState.READY


async def test_a_wrap_up_is_filed_after_its_citizen_has_left_for_good(desk: Desk) -> None:
    conversation_id, handover_id = await desk.held_by("a1")
    await desk.end(conversation_id, "a1")
    await desk.gone()
    assert await desk.file(handover_id, "a1")
    assert (await desk.conversation(conversation_id)).closed_at is not None


async def test_who_comes_back_after_that_has_a_new_conversation_with_the_bot(desk: Desk) -> None:
    conversation_id, _ = await desk.held_by("a1")
    await desk.gone()
    job = await desk.said("我又来了")
    assert job.conversation_id != conversation_id
    assert (job.owner, job.owner_version) == (Owner.BOT, 0)


async def test_what_was_said_before_the_close_was_stored_is_the_bots_to_answer(desk: Desk) -> None:
    conversation_id, _ = await desk.held_by("a1")
    leaving = (await desk.accept("", kind=InboundKind.LEAVE)).job
    assert leaving is not None
    await desk.accept("我又来了")
    done = await desk.finish(leaving)
    assert done.next_job is not None
    assert (done.next_job.text, done.next_job.owner) == ("我又来了", Owner.BOT)
    assert done.next_job.conversation_id == conversation_id
    assert not (await desk.finish(done.next_job, "欢迎回来。")).dropped
    due = await desk.store.lease_due(limit=10, lease_s=60)
    assert [each.replies[0].text for each in due] == ["欢迎回来。"]


async def test_a_message_as_the_conversation_closes_is_worked_in_one_of_both(desk: Desk, other: Desk) -> None:
    for round_no in range(ROUNDS):
        who = f"o{round_no}"
        await desk.held_by("a1", who)
        leaving = (await desk.accept("", who=who, kind=InboundKind.LEAVE)).job
        assert leaving is not None
        done, again = await asyncio.gather(desk.finish(leaving), other.accept("我又来了", who=who))
        job = done.next_job or again.job
        assert job is not None
        assert (job.text, job.owner) == ("我又来了", Owner.BOT)


async def test_silence_after_the_wrap_up_began_closes_it_at_the_next_message(desk: Desk) -> None:
    conversation_id, handover_id = await desk.held_by("a1")
    await desk.end(conversation_id, "a1")
    desk.clock.later(1801)
    job = await desk.said("您好")
    assert job.conversation_id != conversation_id
    assert await desk.at(conversation_id) == (Owner.BOT, "", 4)
    assert [each.kind for each in await desk.told() if each.conversation_id == conversation_id][-1] == "closed"
    assert await desk.file(handover_id, "a1")


async def test_who_waits_or_is_talked_to_is_never_closed_by_silence(desk: Desk) -> None:
    conversation_id, _ = await desk.queued()
    desk.clock.later(10**6)
    assert (await desk.said("还在")).conversation_id == conversation_id
    await desk.take_over(conversation_id, "s1")
    desk.clock.later(10**6)
    assert (await desk.accept("还在")).inbox_id
    assert (await desk.conversation(conversation_id)).closed_at is None
