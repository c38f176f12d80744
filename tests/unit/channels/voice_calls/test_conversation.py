"""The telephone's side of a conversation, on the whole core."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from channels.voice.dialogue import parts, turns
from channels.voice.session import Final, Transferred
from hotline.call_store import CallEnding, CallMark
from hotline.domain.desk import AgentState
from hotline.domain.messages import Choice, Outcome, Reply, SourceNote, TurnRequest, TurnResult
from tests.core_kit import AGENT
from tests.unit.channels.voice_calls.call_kit import CallKit, a_call, until

pytestmark = pytest.mark.anyio
LONG = "租房提取每月最高两千元。" * 12


def answers(result: TurnResult) -> Any:
    return lambda request: result


def wants_person(request: TurnRequest) -> TurnResult:
    if "人工" in request.text:
        return TurnResult(replies=(Reply(text="好的"),), hand_over="requested", outcome=Outcome.HANDOFF)
    return TurnResult(replies=(Reply(text=f"答：{request.text}"),))


async def test_the_greeting_says_what_it_is_and_is_heard_out(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        greeting = call.line.said[0]
        assert "不是真人" in greeting
        assert "录音" in greeting
        assert "0" in greeting
        syllables = sum(char.isalnum() for char in greeting)
        assert syllables <= 40  # eight seconds
        assert not call.line.listenings[0].interruptible
        await until(lambda: call.line.recorded == [True])  # only after it has been said
        assert CallMark.CONNECTED in call.calls.names


async def test_a_question_is_answered(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        assert "租房能提取吗" in await call.says("租房能提取吗")
        assert call.listening.keys == 1
        assert call.listening.speech
        await call.hangs_up()
        assert call.calls.ending is CallEnding.CALLER


async def test_a_long_answer_is_told_in_pages_and_sent_by_sms(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        source = SourceNote(title="办法")
        call.kit.dialogue.script = answers(
            TurnResult(replies=(Reply(text=LONG),), matter="withdraw-rent", sources=(source,))
        )
        first = await call.says("租房提取")
        assert "要继续听" in first
        assert "短信" in first
        second = await call.presses("1")
        assert "要继续听" in second
        assert "短信" in second
        assert "已经发到" in await call.presses("2")
        assert call.texts == [("13800138000", LONG)]
        assert len(call.kit.dialogue.asked) == 1  # no key was taken for a question


async def test_an_answer_about_oneself_is_never_sent_by_sms(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        call.kit.dialogue.script = answers(TurnResult(replies=(Reply(text=LONG),), matter=None))
        assert "短信" not in await call.says("我的余额")
        await call.presses("1")
        await call.presses("2")
        assert call.texts == []


async def test_a_withheld_number_gets_no_sms(tmp_path: Path) -> None:
    async with a_call(tmp_path, caller="") as call:
        call.kit.dialogue.script = answers(TurnResult(replies=(Reply(text=LONG),), sources=(SourceNote(title="办法"),)))
        await call.says("租房提取")
        assert "短信" not in await call.presses("1")


async def test_zero_reaches_a_person_while_an_answer_is_awaited(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        call.kit.dialogue.delay_s = 1.0
        call.kit.dialogue.script = wants_person
        before = len(call.line.said)
        call.line.queue.put_nowait(_words("慢吞吞的问题"))
        await asyncio.sleep(0.2)
        await call.presses("0")
        await until(lambda: any("登记号" in said for said in call.line.said[before:]))
        assert not any("慢吞吞" in said for said in call.line.said[before:])  # nobody waits for that any more


async def test_patience_is_asked_for_and_a_lost_answer_admitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "FILLERS_S", (0.1, 0.2, 0.3))
    monkeypatch.setattr(turns, "GIVE_UP_S", 0.6)
    async with a_call(tmp_path) as call:
        call.kit.dialogue.delay_s = 1.5
        before = len(call.line.said)
        call.line.queue.put_nowait(_words("慢"))
        await until(lambda: len(call.line.said) >= before + 4)
        assert [said[:6] for said in call.line.said[before : before + 4]] == [
            "正在为您查询", "还在查询，请", "就快好了，请", "很抱歉，现在"
        ]  # fmt: skip


async def test_silence_is_met_three_times(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        assert "没有听到" in await call.is_silent()
        assert "提取按1" in await call.is_silent()
        assert "公积金提取" in await call.presses("1")  # the menu's key
        await call.is_silent()
        await call.is_silent()
        call.kit.dialogue.script = wants_person
        assert "登记号" in await call.is_silent()  # he was heard before: a person, not a goodbye


async def test_a_line_on_which_nobody_ever_speaks_is_ended(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await call.is_silent()
        await call.is_silent()
        assert "再见" in await call.is_silent()
        await asyncio.wait_for(call.task, 5)
        assert call.calls.ending is CallEnding.US


async def test_what_is_not_understood_ends_at_a_person(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        call.kit.dialogue.script = wants_person
        assert "没有听清" in await call.says("")
        assert "提取按1" in await call.says("")
        assert "登记号" in await call.says("")


async def test_keys_alone_where_nothing_is_recognised(tmp_path: Path) -> None:
    async with a_call(tmp_path, hears=False) as call:
        assert "提取按1" in call.line.said[0]
        assert "提取按1" in await call.is_silent()
        assert "公积金贷款" in await call.presses("2")
        assert "听不到语音" in await call.says("")


async def test_an_unsure_word_is_confirmed(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        assert "您说的是，租房提取，对吗" in await call.says("租房提取", 0.3)
        assert "答：租房提取" in await call.presses("1")
        await call.says("离职提取", 0.2)
        assert "对吗" in await call.says("对", 0.2)  # a yes that may have been a no
        assert "再说一遍" in await call.says("不对", 0.9)
        assert "答：购房提取" in await call.says("购房提取", 0.9)
        assert "对吗" not in await call.says("转人工", 0.1)  # never in the way of a person


async def test_it_can_speak_slowly(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        call.kit.dialogue.script = answers(TurnResult(replies=(Reply(text=LONG),)))
        quick = await call.says("租房提取")
        slow = await call.says("慢一点")
        assert slow.startswith("好的，我慢慢说。")
        assert len(slow) < len(quick)
        assert call.listening.speech_pause_s > 1


async def test_choices_are_keys(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        call.kit.dialogue.script = answers(
            TurnResult(replies=(Reply(text="哪一个？", choices=(Choice(label="租房", text="租房"),)),))
        )
        assert "租房请按1" in await call.says("提取")
        await call.presses("1")
        assert call.kit.dialogue.asked[-1].text == "1"


async def test_a_call_that_ends_is_a_conversation_that_ends(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await call.says("租房")
        await call.hangs_up()
        await call.kit.core.turns.idle()
        found = await call.kit.core.desk.conversation(call.calls.conversation_id)
        assert found.closed_at is not None


async def test_a_fault_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_call(tmp_path) as call:

        def broken(*_: Any, **__: Any) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr(turns, "plan", broken)
        assert "出了点问题" in await call.says("租房")
        monkeypatch.undo()
        assert "答：租房" in await call.says("租房")


# --- people ----------------------------------------------------------------------------------------------------------


async def queued(call: CallKit) -> None:
    call.kit.dialogue.script = wants_person
    assert "正在为您转人工" in await call.presses("0")
    await until(lambda: "waiting" in call.line.played)


async def taken(call: CallKit) -> None:
    waiting = await call.waiting()
    assert waiting.handover
    await call.kit.core.desk.pick(waiting.handover.id, staff_id=AGENT.staff_id)


async def test_a_caller_is_put_through(tmp_path: Path) -> None:
    async with a_call(tmp_path, agent=AGENT, phones={AGENT.staff_id: "8001"}) as call:
        await queued(call)
        await taken(call)
        await until(lambda: CallMark.AGENT_ANSWERED in call.calls.names)
        target = call.line.targets[0]
        assert target.extension == "8001"
        assert target.headers["X-Hotline-Conversation"] == call.calls.conversation_id
        assert "来电人" in target.whisper
        assert "13800138000" not in "".join([*target.headers.values(), target.whisper])
        before = len(call.line.said)
        await call.kit.core.desk.say(call.calls.conversation_id, "请看短信", agent=AGENT, client_id="1")
        await asyncio.sleep(0.5)
        assert call.line.said[before:] == []  # they talk: what is typed is not read into it
        call.agent_gone()
        await until(lambda: any("人工服务已结束" in said for said in call.line.said))
        found = await call.kit.core.desk.conversation(call.calls.conversation_id)
        assert found.owner == "wrap_up"


async def test_what_an_agent_without_a_telephone_types_is_read_out(tmp_path: Path) -> None:
    async with a_call(tmp_path, agent=AGENT) as call:
        await queued(call)
        await taken(call)
        await until(lambda: any("为您服务" in said for said in call.line.said))
        before = len(call.line.said)
        await call.kit.core.desk.say(call.calls.conversation_id, "每月最高两千元。", agent=AGENT, client_id="1")
        assert "每月最高两千元" in await call.hears(before)
        await call.hears_nothing_after("谢谢")
        await call.kit.core.desk.end(call.calls.conversation_id, staff_id=AGENT.staff_id)
        await until(lambda: any("人工服务已结束" in said for said in call.line.said))


@pytest.mark.parametrize("outcome", [Transferred.BUSY, Transferred.NO_ANSWER, Transferred.FAILED])
async def test_an_agent_who_does_not_pick_up_loses_the_call(tmp_path: Path, outcome: Transferred) -> None:
    async with a_call(tmp_path, agent=AGENT, phones={AGENT.staff_id: "8001"}, outcome=outcome) as call:
        await queued(call)
        await taken(call)
        await until(lambda: any("没有接起" in said for said in call.line.said))
        waiting = await call.waiting()
        assert waiting.owner == "queued"
        presence = next(each for each in await call.kit.storage.desks.presences())
        assert presence.state is AgentState.BUSY
        missed = [detail for mark, detail in call.calls.marks if mark is CallMark.AGENT_MISSED]
        assert missed == [{"why": str(outcome)}]


async def test_somebody_who_waits_may_leave_by_key(tmp_path: Path) -> None:
    async with a_call(tmp_path, agent=AGENT) as call:
        await queued(call)
        assert "取消排队" in await call.presses("1")
        await until(lambda: CallMark.QUEUE_LEFT in call.calls.names)
        assert "答：租房" in await call.says("租房")


async def test_somebody_who_waits_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "ANNOUNCE_S", 0.3)
    async with a_call(tmp_path, agent=AGENT) as call:
        await queued(call)
        await until(lambda: any("不想等请按1" in said for said in call.line.said))
        assert any("排在第一位" in said for said in call.line.said)


async def test_a_caller_who_hangs_up_while_it_rings_is_gone(tmp_path: Path) -> None:
    async with a_call(tmp_path, agent=AGENT, phones={AGENT.staff_id: "8001"}, rings_s=5.0) as call:
        await queued(call)
        await taken(call)
        await until(lambda: bool(call.line.targets))
        await call.hangs_up()
        await call.kit.core.turns.idle()
        assert call.calls.ending is CallEnding.CALLER
        assert CallMark.AGENT_ANSWERED not in call.calls.names


async def test_a_supervisor_takes_a_call_over_from_an_agent(tmp_path: Path) -> None:
    other = replace(AGENT, staff_id="s1", work_no="2001", supervises=True)
    async with a_call(tmp_path, agent=AGENT, phones={AGENT.staff_id: "8001", "s1": "8010"}) as call:
        await queued(call)
        await taken(call)
        await until(lambda: CallMark.AGENT_ANSWERED in call.calls.names)
        await call.kit.core.desk.take_over(call.calls.conversation_id, agent=other)
        await until(lambda: len(call.line.targets) == 2)
        assert call.line.targets[1].extension == "8010"
        assert call.line.parted == 1


async def test_the_limit_of_a_call_is_not_for_people(tmp_path: Path) -> None:
    async with a_call(tmp_path, agent=AGENT) as call:
        await queued(call)
        call.conversation._inbox.put_nowait(parts.TooLong())
        await asyncio.sleep(0.3)
        assert not call.line.hung_up
        await call.presses("1")  # back to the machine
        await until(lambda: CallMark.QUEUE_LEFT in call.calls.names)
        call.conversation._inbox.put_nowait(parts.TooLong())
        await until(lambda: any("感谢您的来电" in said for said in call.line.said))
        assert call.line.hung_up


async def test_a_supervisor_may_take_over_a_call_of_the_bot(tmp_path: Path) -> None:
    async with a_call(tmp_path, agent=AGENT, phones={"a1": "8001"}) as call:
        await call.says("租房")
        await call.kit.take_over(call.calls.conversation_id)
        await until(lambda: bool(call.line.targets))


def _words(text: str) -> Final:
    return Final(text=text)
