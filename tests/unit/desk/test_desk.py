"""What members of staff do at the desk, on the whole core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hotline.agent_desk import DeskRefused, Refusal
from hotline.desk_store import DeskConversation, WrapUp
from hotline.domain.conversations import Owner
from hotline.domain.desk import AgentState, Group, HandoverState, Reason
from hotline.domain.messages import ChannelName, Inbound, InboundKind, Outcome, Reply, TurnRequest, TurnResult
from tests.core_kit import AGENT, Kit, core_kit

pytestmark = pytest.mark.anyio

OTHER = replace(AGENT, staff_id="a2", work_no="1025", display_name="陈默")
BOSS = replace(AGENT, staff_id="s1", work_no="2001", display_name="周敏", supervises=True)
FILED = WrapUp(reason="other", solved=True, note="", summary="已说明")


def script(request: TurnRequest) -> TurnResult:
    if "人工" in request.text:
        return TurnResult(replies=(Reply(text="好"),), outcome=Outcome.HANDOFF, hand_over="requested")
    return TurnResult(replies=(Reply(text=f"答：{request.text}"),), intent="ask_knowledge")


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    async with core_kit(tmp_path, agent=AGENT) as kit:
        kit.dialogue.script = script
        yield kit


async def says(kit: Kit, text: str, *, who: str = "o1", channel: ChannelName = ChannelName.WECHAT) -> str:
    number = f"{who}-{text}-{len(kit.dialogue.asked)}-{asyncio.get_running_loop().time()}"
    inbound = Inbound(channel=channel, external_id=number, contact_key=who, text=text)
    answer = await kit.core.intake.answer(inbound, wait_s=3)
    await kit.core.turns.idle()
    return "\n".join(reply.text for reply in answer.replies or ())


async def held(kit: Kit, *, who: str = "o1", channel: ChannelName = ChannelName.WECHAT) -> DeskConversation:
    """Somebody has asked for a person and a1 has taken it."""
    await says(kit, "转人工", who=who, channel=channel)
    waiting = next(each for each in await kit.core.desk.queue() if each.address == who)
    assert waiting.handover is not None
    return await kit.core.desk.pick(waiting.handover.id, staff_id="a1")


async def texts(kit: Kit, who: str = "o1", channel: ChannelName = ChannelName.WECHAT) -> list[tuple[str, str]]:
    return [(line.author, line.text) for line in await kit.storage.store.lines(channel, who, after=0, limit=99)]


async def sent(kit: Kit, channel: ChannelName = ChannelName.WECHAT, *, count: int = 0) -> list[str]:
    """What was pushed; ``count`` deliveries are waited for."""
    kit.core.turns.deliveries_due.set()
    await kit.housekeep(until=lambda: len(kit.channels[channel].sent) >= count)
    return [reply.text for each in kit.channels[channel].sent for reply in each.replies]


async def refused(call: object, refusal: Refusal) -> DeskRefused:
    with pytest.raises(DeskRefused) as caught:
        await call  # type: ignore[misc]
    assert caught.value.refusal is refusal
    return caught.value


async def test_a_conversation_from_the_wish_to_the_goodbye(kit: Kit) -> None:
    await says(kit, "租房能提多少")
    conversation = await held(kit)
    assert (conversation.owner, conversation.holder) == (Owner.AGENT, "a1")
    await kit.core.desk.say(conversation.id, "每月最高两千元。", agent=AGENT, client_id="l1")
    assert await says(kit, "好的谢谢") == ""
    await kit.core.desk.say(conversation.id, "不客气。", agent=AGENT, client_id="l2")
    ended = await kit.core.desk.end(conversation.id, staff_id="a1")
    assert ended.owner is Owner.WRAP_UP
    assert ended.handover is not None
    await kit.core.desk.wrap_up(ended.handover.id, staff_id="a1", wrap_up=FILED)
    assert (await kit.core.desk.conversation(conversation.id)).owner is Owner.BOT
    assert [author for author, _ in await texts(kit)] == [
        *("citizen", "bot"),
        *("citizen", "bot"),
        *("system", "agent", "citizen", "agent", "system", "system"),
    ]
    order = [text[:5] for text in await sent(kit, count=6) if not text.startswith(("答", "正在为您"))]
    assert order == ["您好，坐席", "每月最高两", "不客气。", "本次人工服", "刚才的人工"]


async def test_the_same_line_sent_twice_is_said_once(kit: Kit) -> None:
    conversation = await held(kit)
    first = await kit.core.desk.say(conversation.id, "您好", agent=AGENT, client_id="l1")
    again = await kit.core.desk.say(conversation.id, "您好", agent=AGENT, client_id="l1")
    assert (first.again, again.again, again.line.seq) == (False, True, first.line.seq)
    assert [text for _, text in await texts(kit)].count("您好") == 1
    assert (await sent(kit)).count("您好") == 1


async def test_a_repetition_after_the_goodbye_is_still_the_same_line(kit: Kit) -> None:
    conversation = await held(kit)
    await kit.core.desk.say(conversation.id, "您好", agent=AGENT, client_id="l1")
    await kit.core.desk.end(conversation.id, staff_id="a1")
    assert (await kit.core.desk.say(conversation.id, "您好", agent=AGENT, client_id="l1")).again
    await refused(kit.core.desk.say(conversation.id, "还有", agent=AGENT, client_id="l2"), Refusal.NOT_YOURS)


async def test_only_who_holds_it_speaks_ends_and_passes_on(kit: Kit) -> None:
    conversation = await held(kit)
    await kit.core.desk.connect(OTHER)
    await refused(kit.core.desk.say(conversation.id, "您好", agent=OTHER, client_id="x"), Refusal.NOT_YOURS)
    await refused(kit.core.desk.end(conversation.id, staff_id="a2"), Refusal.NOT_YOURS)
    passed = kit.core.desk.transfer(conversation.id, staff_id="a2", to_group=Group.LOAN, to_staff="", note="贷款问题")
    await refused(passed, Refusal.NOT_YOURS)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", Refusal.EMPTY),
        (" \n ", Refusal.EMPTY),
        ("您的身份证440106199001011234收到", Refusal.PERSONAL),
        ("长" * 5000, Refusal.TOO_LONG),
        ("保证能批，放心吧", Refusal.SENSITIVE),
    ],
)
async def test_what_may_not_be_said_is_not_said(kit: Kit, text: str, refusal: Refusal) -> None:
    conversation = await held(kit)
    before = await texts(kit)
    await refused(kit.core.desk.say(conversation.id, text, agent=AGENT, client_id="x"), refusal)
    assert await texts(kit) == before


async def test_two_who_accept_at_once_and_one_has_it(kit: Kit) -> None:
    await kit.core.desk.connect(OTHER)
    await says(kit, "转人工")
    (waiting,) = await kit.core.desk.queue()
    assert waiting.handover is not None
    picks = (kit.core.desk.pick(waiting.handover.id, staff_id=each) for each in ("a1", "a2"))
    both = await asyncio.gather(*picks, return_exceptions=True)
    assert sorted(type(each).__name__ for each in both) == ["DeskConversation", "DeskRefused"]
    greetings = [text for _, text in await texts(kit) if text.startswith("您好，坐席")]
    assert len(greetings) == 1


async def test_passing_on_to_a_colleague_keeps_the_wait_and_the_reason(kit: Kit) -> None:
    conversation = await held(kit)
    await kit.core.desk.connect(OTHER)
    await kit.core.desk.set_state("a2", AgentState.READY)
    await kit.core.desk.transfer(conversation.id, staff_id="a1", to_group=None, to_staff="a2", note="贷款问题请接")
    (waiting,) = await kit.core.desk.queue()
    assert waiting.handover is not None
    assert conversation.handover is not None
    assert waiting.handover.queued_at == conversation.handover.queued_at
    assert (waiting.handover.reason, waiting.handover.transferred_from) == (Reason.REQUESTED, "a1")
    assert waiting.handover.transfer_note == "贷款问题请接"
    taken = await kit.core.desk.pick(waiting.handover.id, staff_id="a2")
    assert taken.holder == "a2"


@pytest.mark.parametrize(("group", "staff"), [(None, "a1"), (None, "nobody"), (None, "")])
async def test_passing_on_to_nobody_is_refused(kit: Kit, group: Group | None, staff: str) -> None:
    conversation = await held(kit)
    passed = kit.core.desk.transfer(conversation.id, staff_id="a1", to_group=group, to_staff=staff, note="")
    await refused(passed, Refusal.UNKNOWN_TARGET)
    assert (await kit.core.desk.conversation(conversation.id)).holder == "a1"


async def test_a_supervisor_takes_over_while_the_bot_is_answering_and_the_answer_dies(kit: Kit) -> None:
    await says(kit, "你好")
    (conversation,) = await kit.core.desk.live(limit=9)
    kit.dialogue.delay_s = 0.3
    asking = asyncio.create_task(says(kit, "租房"))
    await asyncio.sleep(0.1)
    await kit.core.desk.connect(BOSS)
    taken = await kit.core.desk.take_over(conversation.id, agent=BOSS)
    await asking
    assert (taken.owner, taken.holder) == (Owner.AGENT, "s1")
    assert "答：租房" not in [text for _, text in await texts(kit)]
    assert "答：租房" not in await sent(kit)


async def test_only_supervisors_take_over_whisper_and_look_on(kit: Kit) -> None:
    conversation = await held(kit)
    await refused(kit.core.desk.take_over(conversation.id, agent=OTHER), Refusal.NOT_ALLOWED)
    await refused(kit.core.desk.whisper(conversation.id, agent=OTHER, text="提醒"), Refusal.NOT_ALLOWED)
    await refused(kit.core.desk.watch(conversation.id, agent=OTHER, on=True), Refusal.NOT_ALLOWED)


async def test_notes_and_whispers_never_reach_the_citizen(kit: Kit) -> None:
    conversation = await held(kit)
    await kit.core.desk.add_note(conversation.id, staff_id="a1", text="电话13800138000要回访")
    await kit.core.desk.whisper(conversation.id, agent=BOSS, text="先安抚")
    notes = await kit.core.desk.notes(conversation.id)
    assert [(note.kind, "13800138000" in note.text) for note in notes] == [("note", False), ("whisper", False)]
    assert not any("安抚" in text or "回访" in text for _, text in await texts(kit))


async def test_who_holds_a_conversation_cannot_just_leave(kit: Kit) -> None:
    conversation = await held(kit)
    await refused(kit.core.desk.set_state("a1", AgentState.OFFLINE), Refusal.NOT_ALLOWED)
    await kit.core.desk.end(conversation.id, staff_id="a1")
    await kit.core.desk.set_state("a1", AgentState.OFFLINE)


async def test_after_the_last_goodbye_comes_wrap_up_and_then_the_next(kit: Kit) -> None:
    conversation = await held(kit)
    ended = await kit.core.desk.end(conversation.id, staff_id="a1")
    (one,) = [each for each in await kit.core.desk.colleagues() if each.agent.staff_id == "a1"]
    assert one.state is AgentState.WRAP_UP
    assert ended.handover is not None
    await kit.core.desk.wrap_up(ended.handover.id, staff_id="a1", wrap_up=FILED)
    (one,) = [each for each in await kit.core.desk.colleagues() if each.agent.staff_id == "a1"]
    assert one.state is AgentState.READY


async def test_the_page_gets_the_transcript_the_packet_and_a_summary(kit: Kit) -> None:
    await says(kit, "租房能提多少")
    conversation = await held(kit)
    view = await kit.core.desk.view(conversation.id, staff_id="a1")
    assert [line.text for line in view.lines][:2] == ["租房能提多少", "答：租房能提多少"]
    assert view.customer.level == 0
    assert view.conversation.handover is not None
    assert view.conversation.handover.packet["said"] == "转人工"
    assert "租房能提多少" in await kit.core.desk.summary(conversation.id)
    assert not view.has_more


async def test_the_wall_counts_what_happened_today(kit: Kit) -> None:
    await held(kit, who="o1")
    await says(kit, "转人工", who="o2")
    await says(kit, "转人工", who="o3")
    await says(kit, "不等了", who="o3")
    wall = await kit.core.desk.wall()
    assert (len(wall.waiting), wall.held, wall.taken_today, wall.left_today) == (1, 1, 1, 1)
    assert wall.service_level == 1.0
    assert dict((group, (waiting, held)) for group, waiting, held in wall.by_group)[Group.DEPOSIT] == (1, 1)


async def test_a_closed_conversation_that_gets_a_new_message_is_a_new_one(kit: Kit) -> None:
    conversation = await held(kit)
    left = Inbound(channel=ChannelName.WECHAT, external_id="leave", contact_key="o1", kind=InboundKind.LEAVE, text="")
    await kit.core.intake.answer(left, wait_s=2)
    await refused(kit.core.desk.say(conversation.id, "在吗", agent=AGENT, client_id="x"), Refusal.NOT_YOURS)
    assert await says(kit, "租房") == "答：租房"
    (mine,) = await kit.core.desk.mine("a1")
    assert mine.handover is not None
    assert mine.handover.state is HandoverState.WRAP_UP


async def test_the_feed_tells_the_agent_and_not_his_colleague(kit: Kit) -> None:
    conversation = await held(kit)
    seq = await kit.core.desk.last_seq()
    await says(kit, "还有一个问题")
    await kit.core.desk.say(conversation.id, "请讲", agent=AGENT, client_id="l1")
    heard: dict[str, list[str]] = {"a1": [], "a2": []}

    async def follow(staff_id: str) -> None:
        async for event in kit.core.desk.follow(staff_id, after=seq):
            heard[staff_id].append(event.kind)

    tasks = [asyncio.create_task(follow(each)) for each in heard]
    await asyncio.sleep(0.2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert heard["a1"] == ["line", "line"]
    assert heard["a2"] == []
