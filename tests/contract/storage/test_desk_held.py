"""What is said in a conversation that somebody holds, how it ends, and how it is passed on."""

from __future__ import annotations

import asyncio

import pytest

from hotline.domain.conversations import DeliveryStatus, Owner
from hotline.domain.desk import AgentState, Group, HandoverState, Reason
from tests.contract.storage.desk_kit import START, Desk

pytestmark = pytest.mark.anyio

ROUNDS = 50
DELIVERIES = "SELECT status FROM outbox WHERE conversation_id = :id AND author = 'agent'"


# --- saying ----------------------------------------------------------------------------------------------------------


async def test_a_line_is_said_once_however_often_its_page_sends_it(desk: Desk, other: Desk) -> None:
    conversation_id, _ = await desk.held_by("a1")
    said = await asyncio.gather(
        *(each.say(conversation_id, "a1", "您好", client_id="d1") for each in (desk, other) * 5)
    )
    lines = [each.line for each in said if each is not None]
    assert len(lines) == 10
    assert len({line.seq for line in lines}) == 1
    assert sorted(each.again for each in said if each) == [False] + [True] * 9
    assert (await desk.texts(conversation_id)).count("您好") == 1
    assert await desk.rows(DELIVERIES, id=conversation_id) == [("pending",)]
    assert await desk.held.said(conversation_id, "d1") == lines[0]
    assert await desk.held.said(conversation_id, "d2") is None


async def test_a_line_says_who_wrote_it_and_how_its_delivery_stands(desk: Desk) -> None:
    conversation_id, _ = await desk.held_by("a1")
    said = await desk.say(conversation_id, "a1", "您好", client_id="d1")
    assert said is not None
    assert (said.line.author, said.line.by, said.line.message_id) == ("agent", "a1", "d1")
    assert said.line.delivery == DeliveryStatus.PENDING
    assert said.delivery_id is not None
    (shown,) = await desk.store.lines(said.line.channel, "o1", after=said.line.seq - 1, limit=10)
    assert (shown.text, shown.author, shown.signed) == ("您好", "agent", "坐席a1")


async def test_another_agents_line_with_the_same_client_id_is_refused(desk: Desk) -> None:
    conversation_id, _ = await desk.held_by("a1")
    await desk.say(conversation_id, "a1", "您好", client_id="d1")
    await desk.take_over(conversation_id, "a2")
    assert await desk.say(conversation_id, "a2", "我来", client_id="d1") is None
    assert await desk.say(conversation_id, "a2", "我来", client_id="d2") is not None
    assert "我来" in await desk.texts(conversation_id)


async def test_the_same_client_id_in_two_conversations_is_two_lines(desk: Desk) -> None:
    for who in ("o1", "o2"):
        conversation_id, _ = await desk.held_by("a1", who)
        said = await desk.say(conversation_id, "a1", "您好", client_id="d1")
        assert said is not None
        assert not said.again


@pytest.mark.parametrize("way", ["ended", "transferred", "taken over", "closed", "queued", "bot"])
async def test_only_who_holds_a_conversation_says_something_in_it(desk: Desk, way: str) -> None:
    if way in ("queued", "bot"):
        conversation_id = (await desk.said()).conversation_id if way == "bot" else (await desk.queued())[0]
    else:
        conversation_id, _ = await desk.held_by("a1")
        await desk.say(conversation_id, "a1", "您好", client_id="d1")
    if way == "ended":
        await desk.end(conversation_id, "a1")
    elif way == "transferred":
        await desk.transfer(conversation_id, "a1")
    elif way == "taken over":
        await desk.take_over(conversation_id, "s1")
    elif way == "closed":
        await desk.gone()
    before = await desk.texts(conversation_id)
    assert await desk.say(conversation_id, "a1", "还在吗") is None
    assert await desk.texts(conversation_id) == before
    assert await desk.say("nowhere", "a1") is None


async def test_a_line_said_again_after_the_end_is_still_the_same_line(desk: Desk) -> None:
    conversation_id, _ = await desk.held_by("a1")
    first = await desk.say(conversation_id, "a1", "您好", client_id="d1")
    await desk.end(conversation_id, "a1")
    again = await desk.say(conversation_id, "a1", "您好", client_id="d1")
    assert first is not None
    assert again is not None
    assert (again.again, again.line) == (True, first.line)


async def test_talking_keeps_a_conversation_alive(desk: Desk) -> None:
    conversation_id, _ = await desk.held_by("a1")
    desk.clock.later(3000)
    await desk.say(conversation_id, "a1")
    await desk.end(conversation_id, "a1")
    assert (await desk.conversation(conversation_id)).last_at == desk.clock.now
    assert (await desk.said("还有一个问题")).conversation_id == conversation_id


# --- ending and wrapping up ------------------------------------------------------------------------------------------


async def test_the_end_opens_the_wrap_up_and_the_agent_rests_until_he_has_filed_it(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, handover_id = await desk.held_by("a1")
    desk.clock.later(100)
    ended = await desk.end(conversation_id, "a1")
    assert ended is not None
    assert (ended.owner, ended.holder) == (Owner.WRAP_UP, "a1")
    assert ended.handover is not None
    assert (ended.handover.state, ended.handover.ended_at) == (HandoverState.WRAP_UP, desk.clock.now)
    assert (await desk.texts(conversation_id))[-1] == "再见。"
    assert (await desk.presence("a1")).state is AgentState.WRAP_UP
    assert await desk.end(conversation_id, "a1") is None
    assert await desk.file(handover_id, "a1")
    assert (await desk.presence("a1")).state is AgentState.READY
    assert await desk.at(conversation_id) == (Owner.BOT, "", 4)


async def test_who_holds_another_conversation_goes_on_and_rests_after_the_last_one(desk: Desk) -> None:
    await desk.ready("a1")
    first, one = await desk.held_by("a1", "o1")
    second, two = await desk.held_by("a1", "o2")
    await desk.end(first, "a1")
    assert (await desk.presence("a1")).state is AgentState.READY
    await desk.end(second, "a1")
    assert (await desk.presence("a1")).state is AgentState.WRAP_UP
    await desk.file(one, "a1")
    assert (await desk.presence("a1")).state is AgentState.WRAP_UP
    await desk.file(two, "a1")
    assert (await desk.presence("a1")).state is AgentState.READY


async def test_two_ends_at_once_leave_the_agent_in_wrap_up(desk: Desk, other: Desk) -> None:
    for round_no in range(10):
        await desk.ready("a1")
        first, one = await desk.held_by("a1", f"o{round_no}")
        second, two = await desk.held_by("a1", f"p{round_no}")
        await asyncio.gather(desk.end(first, "a1"), other.end(second, "a1"))
        assert (await desk.presence("a1")).state is AgentState.WRAP_UP
        await asyncio.gather(desk.file(one, "a1"), other.file(two, "a1"))
        assert (await desk.presence("a1")).state is AgentState.READY


@pytest.mark.parametrize("state", [AgentState.BUSY, AgentState.BREAK])
async def test_who_is_busy_or_on_a_break_stays_so(desk: Desk, state: AgentState) -> None:
    await desk.ready("a1", state=state)
    conversation_id, handover_id = await desk.held_by("a1")
    await desk.end(conversation_id, "a1")
    await desk.file(handover_id, "a1")
    assert (await desk.presence("a1")).state is state


async def test_a_wrap_up_filed_again_is_corrected(desk: Desk) -> None:
    conversation_id, handover_id = await desk.held_by("a1")
    assert not await desk.file(handover_id, "a1")
    await desk.end(conversation_id, "a1")
    assert not await desk.file(handover_id, "a2")
    assert not await desk.file(999, "a1")
    assert await desk.file(handover_id, "a1", note="先这样", solved=False)
    assert await desk.file(handover_id, "a1", note="更正")
    (filed,) = await desk.desks.handovers([1], limit=5)
    assert (filed.wrap_reason, filed.solved, filed.wrap_note) == ("loan-rate", True, "更正")
    assert filed.state is HandoverState.DONE
    assert (await desk.at(conversation_id))[2] == 4


async def test_correcting_an_earlier_wrap_up_leaves_the_present_one_open(desk: Desk) -> None:
    conversation_id, first = await desk.held_by("a1")
    await desk.end(conversation_id, "a1")
    await desk.file(first, "a1")
    _, second = await desk.held_by("a1")
    await desk.end(conversation_id, "a1")
    assert await desk.file(first, "a1", note="更正")
    assert (await desk.at(conversation_id))[:2] == (Owner.WRAP_UP, "a1")
    assert await desk.file(second, "a1")
    assert (await desk.at(conversation_id))[0] is Owner.BOT


async def test_who_goes_on_talking_after_the_end_is_the_bots_and_the_wrap_up_stays_open(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, handover_id = await desk.held_by("a1")
    await desk.end(conversation_id, "a1")
    job = await desk.said("还有一个问题")
    assert (job.owner, job.conversation_id) == (Owner.WRAP_UP, conversation_id)
    assert await desk.held.resume_bot(conversation_id, expected_version=job.owner_version) == 4
    assert await desk.at(conversation_id) == (Owner.BOT, "", 4)
    assert await desk.state_of(handover_id) is HandoverState.WRAP_UP
    assert [each.id for each in await desk.desks.held_by("a1")] == [conversation_id]
    assert await desk.file(handover_id, "a1")
    assert await desk.at(conversation_id) == (Owner.BOT, "", 4)


async def test_the_bot_resumes_what_is_its_own_already(desk: Desk) -> None:
    conversation_id, handover_id = await desk.held_by("a1")
    await desk.end(conversation_id, "a1")
    await desk.file(handover_id, "a1")
    assert await desk.held.resume_bot(conversation_id, expected_version=3) == 4
    assert (await desk.at(conversation_id))[2] == 4


@pytest.mark.parametrize("owner", [Owner.QUEUED, Owner.AGENT])
async def test_the_bot_does_not_resume_what_people_have(desk: Desk, owner: Owner) -> None:
    conversation_id, version = (await desk.queued())[0], 1
    if owner is Owner.AGENT:
        await desk.take_over(conversation_id, "s1")
        version = 2
    assert await desk.held.resume_bot(conversation_id, expected_version=version) is None
    assert await desk.held.resume_bot("nowhere", expected_version=0) is None
    assert (await desk.at(conversation_id))[0] is owner


async def test_an_open_wrap_up_is_listed_and_filed_whatever_became_of_the_conversation(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, first = await desk.held_by("a1")
    await desk.end(conversation_id, "a1")
    await desk.held.resume_bot(conversation_id, expected_version=3)
    await desk.queued()
    (his,) = await desk.desks.held_by("a1")
    assert his.handover is not None
    assert (his.handover.id, his.handover.state) == (first, HandoverState.WRAP_UP)
    assert await desk.file(first, "a1")
    assert await desk.at(conversation_id) == (Owner.QUEUED, "", 5)


# --- passing on ------------------------------------------------------------------------------------------------------


async def test_a_transfer_to_a_group_keeps_reason_packet_and_waiting_time(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, first = await desk.held_by(
        "a1", reason=Reason.COMPLAINT, matter="loan-rate", packet={"turns": 2}, group=Group.COMPLAINT
    )
    desk.clock.later(90)
    passed = await desk.transfer(conversation_id, "a1", group=Group.DEPOSIT, note="问缴存")
    assert passed is not None
    assert (passed.owner, passed.holder) == (Owner.QUEUED, "")
    new = passed.handover
    assert new is not None
    assert new.id != first
    assert (new.reason, new.group, new.matter, new.packet) == (
        Reason.COMPLAINT,
        Group.DEPOSIT,
        "loan-rate",
        {"turns": 2},
    )
    assert (new.transferred_from, new.transfer_note, new.queued_at) == ("a1", "问缴存", START)
    assert new.expires_at is not None
    assert new.expires_at > desk.clock.now
    assert await desk.state_of(first) is HandoverState.DONE
    assert (await desk.texts(conversation_id))[-1] == "正在转接。"
    assert await desk.transfer(conversation_id, "a1") is None


async def test_a_transfer_goes_to_somebody_else_first(desk: Desk) -> None:
    await desk.ready("a1", "a2")
    conversation_id, _ = await desk.held_by("a1")
    await desk.say(conversation_id, "a1")
    await desk.held_by("a2", "o2")
    await desk.held_by("a2", "o3")
    await desk.transfer(conversation_id, "a1")
    await desk.route()
    assert conversation_id in [each.id for each in await desk.desks.held_by("a2")]


async def test_a_transfer_to_a_colleague_is_offered_to_him_or_waits_for_him(desk: Desk) -> None:
    await desk.ready("a1", "a3")
    await desk.ready("a2", groups=(), state=AgentState.BUSY)
    conversation_id, _ = await desk.held_by("a1")
    desk.clock.later(600)
    await desk.seen("a1", "a2", "a3")
    await desk.transfer(conversation_id, "a1", to="a2")
    desk.clock.later(10)
    assert await desk.route() == 0
    await desk.desks.set_state("a2", AgentState.READY)
    assert await desk.route() == 1
    assert [each.id for each in await desk.desks.held_by("a2")] == [conversation_id]


async def test_a_transfer_as_a_supervisor_takes_over_ends_with_one_owner(desk: Desk, other: Desk) -> None:
    for round_no in range(ROUNDS):
        conversation_id, _ = await desk.held_by("a1", f"o{round_no}")
        await asyncio.gather(desk.transfer(conversation_id, "a1"), other.take_over(conversation_id, "s1"))
        assert (await desk.at(conversation_id))[:2] == (Owner.AGENT, "s1")
        open_ones = await desk.rows(
            "SELECT agent_id FROM handovers WHERE conversation_id = :id AND state IN ('waiting', 'offered', 'held')",
            id=conversation_id,
        )
        assert open_ones == [("s1",)]


# --- notes -----------------------------------------------------------------------------------------------------------


async def test_notes_are_kept_for_staff_and_never_shown_to_the_citizen(desk: Desk) -> None:
    conversation_id, _ = await desk.held_by("a1")
    before = await desk.texts(conversation_id)
    note = await desk.held.add_note(conversation_id, staff_id="a1", kind="note", text="客户着急")
    whisper = await desk.held.add_note(conversation_id, staff_id="s1", kind="whisper", text="先安抚")
    assert await desk.desks.notes([conversation_id, "nowhere"]) == [note, whisper]
    assert await desk.desks.notes([]) == []
    assert await desk.texts(conversation_id) == before
    told = [each for each in await desk.told() if each.kind == "note"]
    assert [each.data["note_kind"] for each in told] == ["note", "whisper"]
