"""Who is at the desk, what the desk reads, and what its pages are told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import insert, text

from hotline.desk_store import DeskEvent, Tried
from hotline.domain.conversations import DeliveryStatus, Owner
from hotline.domain.desk import Agent, AgentState, Group, HandoverState, Lane, Reason
from hotline.domain.messages import ChannelName, Choice, Reply, TurnResult
from hotline.storage.desk_events import KEPT
from hotline.storage.desk_queue import GRACE
from hotline.storage.desk_tables import desk_events
from tests.contract.storage.desk_kit import START, Desk

pytestmark = pytest.mark.anyio

MAIN = Agent(staff_id="a1", display_name="李梅", work_no="1024", groups=frozenset({Group.LOAN}), supervises=True)


# --- who is there ----------------------------------------------------------------------------------------------------


async def test_who_comes_to_the_desk_is_on_record_and_on_a_break_until_he_says_so(desk: Desk) -> None:
    assert await desk.desks.connect(MAIN) is AgentState.BREAK
    presence = await desk.presence("a1")
    assert (presence.agent, presence.state, presence.load) == (MAIN, AgentState.BREAK, {})
    changed = Agent(staff_id="a1", display_name="李梅", work_no="7", groups=frozenset(), capacity={Lane.VOICE: 1})
    assert await desk.desks.connect(changed) is AgentState.BREAK
    assert (await desk.presence("a1")).agent == changed


async def test_two_pages_of_one_agent_open_at_once(desk: Desk, other: Desk) -> None:
    states = await asyncio.gather(*(each.desks.connect(MAIN) for each in (desk, other) * 5))
    assert set(states) == {AgentState.BREAK}
    assert [each.agent.staff_id for each in await desk.desks.presences()] == ["a1"]


@pytest.mark.parametrize("state", [AgentState.READY, AgentState.BUSY, AgentState.BREAK])
async def test_who_was_cut_off_goes_on_as_he_was_within_the_grace_time(desk: Desk, state: AgentState) -> None:
    await desk.ready("a1", state=state)
    assert await desk.desks.connect(MAIN) is state
    desk.clock.later(GRACE.total_seconds() + 1)
    await desk.sweep()
    assert (await desk.presence("a1")).state is AgentState.OFFLINE
    desk.clock.later(GRACE.total_seconds() - 1)
    assert await desk.desks.connect(MAIN) is state


async def test_who_was_away_for_longer_takes_nothing_until_he_says_so(desk: Desk) -> None:
    await desk.ready("a1")
    desk.clock.later(GRACE.total_seconds() + 1)
    await desk.sweep()
    desk.clock.later(GRACE.total_seconds())
    assert await desk.desks.connect(MAIN) is AgentState.BREAK


async def test_who_went_himself_is_not_back_at_work_because_his_page_connects_again(desk: Desk) -> None:
    await desk.ready("a1")
    await desk.desks.set_state("a1", AgentState.OFFLINE)
    assert await desk.desks.connect(MAIN) is AgentState.BREAK


async def test_a_state_of_somebody_unknown_changes_nothing(desk: Desk) -> None:
    await desk.desks.set_state("nobody", AgentState.READY)
    await desk.desks.seen("nobody")
    assert await desk.desks.presences() == []


async def test_the_times_in_each_state_add_up_to_the_time_at_the_desk(desk: Desk) -> None:
    await desk.desks.connect(MAIN)
    for state, seconds in (
        (AgentState.READY, 60),
        (AgentState.BUSY, 30),
        (AgentState.READY, 10),
        (AgentState.BREAK, 100),
        (AgentState.READY, 5),
    ):
        await desk.desks.set_state("a1", state)
        await desk.desks.set_state("a1", state)
        desk.clock.later(seconds)
    times = (await desk.desks.state_times(since=START))["a1"]
    assert times == {AgentState.READY: 75, AgentState.BUSY: 30, AgentState.BREAK: 100}
    assert sum(times.values()) == (desk.clock.now - START).total_seconds()
    part = (await desk.desks.state_times(since=START + timedelta(seconds=80)))["a1"]
    assert part == {AgentState.BUSY: 10, AgentState.READY: 15, AgentState.BREAK: 100}


async def test_time_away_is_nobodys_and_begins_when_he_was_last_seen(desk: Desk) -> None:
    await desk.ready("a1")
    desk.clock.later(100)
    await desk.seen("a1")
    desk.clock.later(50000)
    await desk.sweep()
    desk.clock.later(1000)
    await desk.desks.connect(MAIN)
    desk.clock.later(7)
    times = (await desk.desks.state_times(since=START))["a1"]
    assert times == {AgentState.BREAK: 7, AgentState.READY: 100}


async def test_states_set_at_once_leave_a_ledger_without_gap_or_overlap(desk: Desk, other: Desk) -> None:
    await desk.ready("a1")
    wanted = (AgentState.READY, AgentState.BUSY, AgentState.BREAK)
    for _ in range(15):
        desk.clock.later(1)
        await asyncio.gather(*(each.desks.set_state("a1", state) for each in (desk, other) for state in wanted))
    times = (await desk.desks.state_times(since=START))["a1"]
    assert sum(times.values()) == 15
    spans = await desk.rows("SELECT since, until FROM agent_times ORDER BY id")
    assert all(until == since for (_, until), (since, _) in itertools.pairwise(spans))


async def test_room_is_counted_by_lane_over_offers_conversations_and_wrap_ups(desk: Desk) -> None:
    await desk.ready("a1")
    first, _ = await desk.held_by("a1", "o1")
    await desk.end(first, "a1")
    await desk.held_by("a1", "o2", channel=ChannelName.WEB)
    await desk.held_by("a1", "o3", channel=ChannelName.SMS)
    await desk.queued("o4", channel=ChannelName.VOICE)
    await desk.desks.set_state("a1", AgentState.READY)
    await desk.route()
    assert (await desk.presence("a1")).load == {Lane.CHAT: 2, Lane.SMS: 1, Lane.VOICE: 1}


# --- what the desk reads ---------------------------------------------------------------------------------------------


async def test_a_conversation_shows_what_was_said_last_and_since_when_nobody_answers(desk: Desk) -> None:
    conversation_id, _ = await desk.held_by("a1")
    desk.clock.later(5)
    await desk.finish(await desk.said("在吗"))
    found = await desk.conversation(conversation_id)
    assert (found.last_text, found.unanswered_since) == ("在吗", START)
    await desk.say(conversation_id, "a1", "请讲")
    desk.clock.later(5)
    await desk.finish(await desk.said("请问"))
    found = await desk.conversation(conversation_id)
    assert (found.last_text, found.unanswered_since) == ("请问", desk.clock.now)
    assert (found.address, found.channel) == ("o1", ChannelName.WECHAT)
    await desk.say(conversation_id, "a1", "在的")
    found = await desk.conversation(conversation_id)
    assert (found.last_text, found.unanswered_since) == ("在的", None)
    assert await desk.desks.conversation("nowhere") is None


async def test_a_conversation_without_words_or_request_is_listed_too(desk: Desk) -> None:
    await desk.gone()
    job = await desk.said("你好")
    (live,) = await desk.desks.live(limit=10)
    assert (live.id, live.handover, live.owner) == (job.conversation_id, None, Owner.BOT)


async def test_the_live_ones_come_with_the_last_active_first(desk: Desk) -> None:
    ids = []
    for number in range(3):
        desk.clock.later(1)
        job = await desk.said(who=f"o{number}")
        await desk.finish(job)
        ids.append(job.conversation_id)
    desk.clock.later(1)
    await desk.take_over(ids[0], "s1")
    await desk.say(ids[0], "s1")
    await desk.gone("o1")
    assert [each.id for each in await desk.desks.live(limit=10)] == [ids[0], ids[2]]
    assert [each.id for each in await desk.desks.live(limit=1)] == [ids[0]]


async def test_what_is_an_agents_to_do_comes_oldest_first(desk: Desk) -> None:
    await desk.ready("a1")
    first, _ = await desk.held_by("a1", "o1")
    second, _ = await desk.held_by("a1", "o2")
    await desk.end(first, "a1")
    await desk.desks.set_state("a1", AgentState.READY)
    third, _ = await desk.queued("o3")
    await desk.route()
    await desk.held_by("a2", "o4")
    mine = await desk.desks.held_by("a1")
    assert [each.id for each in mine] == [first, second, third]
    assert [each.handover.state for each in mine if each.handover] == [
        HandoverState.WRAP_UP,
        HandoverState.HELD,
        HandoverState.OFFERED,
    ]


async def test_a_transcript_has_every_line_once_with_its_delivery(desk: Desk) -> None:
    job = await desk.said("租房")
    reply = Reply(text="能提。", choices=(Choice(label="材料", text="要什么材料"),))
    result = TurnResult(replies=(reply,), matter="withdraw-rent", aspect="overview", intent="ask_knowledge")
    await desk.store.finish(
        job, result, status="done", delivery=DeliveryStatus.INLINE, worker="w", due_at=desk.clock.now
    )
    conversation_id = job.conversation_id
    await desk.take_over(conversation_id, "a1")
    await desk.say(conversation_id, "a1", "您好")
    lines = await desk.lines(conversation_id)
    assert [(line.author, line.by, line.text, line.delivery) for line in lines] == [
        ("citizen", "", "租房", ""),
        ("bot", "", "能提。", "inline"),
        ("system", "", "坐席为您服务。", "pending"),
        ("agent", "a1", "您好", "pending"),
    ]
    assert lines[1].choices == reply.choices
    assert [line.seq for line in lines] == sorted({line.seq for line in lines})
    assert await desk.desks.lines(conversation_id, after=lines[1].seq, limit=1) == [lines[2]]
    assert await desk.desks.turns(conversation_id) == [
        Tried(matter="withdraw-rent", aspect="overview", outcome="answered", intent="ask_knowledge")
    ]


async def test_history_goes_back_page_by_page_over_all_contacts(desk: Desk) -> None:
    for number in range(5):
        who = "o1" if number % 2 else "p1"
        job = await desk.said(str(number), who=who, channel=ChannelName.WEB if number % 2 else ChannelName.WECHAT)
        await desk.finish(job)
    await desk.said("别人的", who="x")
    contacts = [1, 2]
    newest = await desk.desks.history(contacts, before=None, limit=3)
    assert [line.text for line in newest] == ["2", "3", "4"]
    older = await desk.desks.history(contacts, before=newest[0].seq, limit=3)
    assert [line.text for line in older] == ["0", "1"]
    assert await desk.desks.history([], before=None, limit=3) == []


async def test_earlier_requests_come_newest_first(desk: Desk) -> None:
    _, first = await desk.held_by("a1")
    await desk.gone()
    _, second = await desk.queued(reason=Reason.COMPLAINT)
    await desk.queued("o2")
    found = await desk.desks.handovers([1], limit=5)
    assert [(each.id, each.state) for each in found] == [
        (second, HandoverState.WAITING),
        (first, HandoverState.WRAP_UP),
    ]
    assert await desk.desks.handovers([1], limit=1) == found[:1]


async def test_a_day_counts_who_was_taken_in_time_and_who_was_not(desk: Desk) -> None:
    _, first = await desk.queued("o1")
    left, _ = await desk.queued("o2")
    _, third = await desk.queued("o3")
    await desk.queued("o4")
    desk.clock.later(10)
    await desk.pick(first, "a1")
    await desk.queue.leave(left, expected_version=1)
    desk.clock.later(20)
    await desk.pick(third, "a1")
    desk.clock.later(300)
    await desk.sweep()
    day = await desk.desks.day(since=START, within_s=20)
    assert (day.taken, day.within, day.left, day.expired) == (2, 1, 1, 1)
    assert day.held == {Group.LOAN: 2}
    assert day.with_bot == 2


# --- events ----------------------------------------------------------------------------------------------------------


def kinds(events: Sequence[DeskEvent]) -> list[str]:
    return [each.kind for each in events]


async def test_every_change_tells_the_desk(desk: Desk) -> None:
    async def told() -> list[str]:
        nonlocal seq
        found = await desk.told(seq)
        seq = await desk.events.last_seq()
        return kinds(found)

    seq = 0
    await desk.ready("a1")
    assert await told() == ["state", "state"]
    conversation_id, handover_id = await desk.queued()
    assert await told() == ["owner", "queue"]
    await desk.route()
    assert await told() == ["offer"]
    await desk.queue.decline(handover_id, staff_id="a1")
    assert await told() == ["offer_gone"]
    await desk.route()
    await desk.take(handover_id, "a1")
    assert await told() == ["offer", "owner", "queue"]
    await desk.finish(await desk.said("在吗"))
    await desk.say(conversation_id, "a1")
    assert await told() == ["line", "line"]
    await desk.transfer(conversation_id, "a1")
    assert await told() == ["owner", "queue"]
    await desk.take_over(conversation_id, "s1")
    assert await told() == ["owner", "queue"]
    await desk.end(conversation_id, "s1")
    assert await told() == ["owner"]
    await desk.held.resume_bot(conversation_id, expected_version=5)
    assert await told() == ["owner"]
    await desk.gone()
    assert await told() == ["closed"]


async def test_lines_are_told_to_who_holds_the_conversation_and_changes_to_everybody(desk: Desk) -> None:
    conversation_id, _ = await desk.held_by("a1")
    await desk.finish(await desk.said("在吗"))
    await desk.take_over(conversation_id, "s1")
    await desk.finish(await desk.said("还在吗"))
    events = await desk.told()
    assert [each.staff_id for each in events if each.kind == "line"] == ["a1", "s1"]
    assert {each.staff_id for each in events if each.kind in ("owner", "queue")} == {""}
    owners = [(each.data["owner"], each.data["holder"]) for each in events if each.kind == "owner"]
    assert owners == [("queued", ""), ("agent", "a1"), ("agent", "s1")]


async def test_nothing_is_told_of_what_did_not_happen(desk: Desk) -> None:
    conversation_id, handover_id = await desk.held_by("a1")
    seq = await desk.events.last_seq()
    assert await desk.pick(handover_id, "a2") is None
    assert await desk.end(conversation_id, "a2") is None
    assert await desk.say(conversation_id, "a2") is None
    assert await desk.queue.leave(conversation_id, expected_version=2) is None
    assert await desk.told(seq) == []


async def test_the_feed_is_read_on_in_pages_and_forgotten_after_a_while(desk: Desk) -> None:
    for number in range(4):
        await desk.queued(f"o{number}")
    everything = await desk.told()
    assert await desk.events.last_seq() == everything[-1].seq
    assert await desk.events.after(everything[2].seq, limit=2) == everything[3:5]
    assert await desk.events.among([everything[0].seq, 999]) == everything[:1]
    assert await desk.events.among([]) == []
    desk.clock.later(KEPT.total_seconds() + 1)
    await desk.queued("late")
    assert await desk.events.purge() == len(everything)
    assert kinds(await desk.told()) == ["owner", "queue"]


async def test_an_event_of_a_slower_transaction_is_found_by_its_number_later(desk: Desk, other: Desk) -> None:
    if desk.database.is_sqlite:
        pytest.skip("SQLite has one writer: numbers are committed in order")
    row = {"kind": "queue", "conversation_id": "", "staff_id": "", "data": {}, "created_at": desk.clock.now}
    async with other.database.write() as slow:
        await slow.execute(insert(desk_events), row)
        first = int(str(await slow.scalar(text("SELECT max(seq) FROM desk_events"))))
        await desk.queued()
        beyond = await desk.events.after(first - 1, limit=10)
        assert [each.seq for each in beyond] == [first + 1, first + 2]
        assert await desk.events.among([first]) == []
    assert [each.seq for each in await desk.events.among([first])] == [first]
