from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hotline.domain.conversations import DeliveryStatus
from hotline.domain.messages import ChannelName, Inbound, InboundKind, Outcome, Reply, TurnRequest, TurnResult
from hotline.errors import TemporaryError
from hotline.ports import SendError, SendReason, Typing
from tests.core_kit import AGENT, Kit, core_kit

pytestmark = pytest.mark.anyio


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    async with core_kit(tmp_path) as made:
        yield made


def asked(text: str, external_id: str = "m1", **fields: object) -> Inbound:
    return Inbound(channel=ChannelName.WECHAT, external_id=external_id, contact_key="o1", text=text, **fields)  # type: ignore[arg-type]


async def test_an_answer_in_time_goes_back_with_the_webhook_and_is_not_sent_again(kit: Kit) -> None:
    answer = await kit.core.intake.answer(asked("租房提取"), wait_s=2)
    assert answer.replies == (Reply(text="答：租房提取"),)
    await kit.housekeep()
    assert kit.channels[ChannelName.WECHAT].sent == []


async def test_three_parallel_pushes_of_one_message_are_one_turn_and_one_answer(kit: Kit) -> None:
    kit.dialogue.delay_s = 0.2
    answers = await asyncio.gather(*(kit.core.intake.answer(asked("租房"), wait_s=2) for _ in range(3)))
    assert len(kit.dialogue.asked) == 1
    assert sum(bool(answer.replies) for answer in answers) == 1
    assert [answer.new for answer in answers].count(True) == 1


async def test_a_repetition_after_the_answer_gets_the_stored_answer(kit: Kit) -> None:
    first = await kit.core.intake.answer(asked("租房"), wait_s=2)
    again = await kit.core.intake.answer(asked("租房"), wait_s=2)
    assert again.replies == first.replies
    assert not again.new
    assert len(kit.dialogue.asked) == 1


async def test_a_late_answer_is_acknowledged_and_sent_afterwards_once(kit: Kit) -> None:
    kit.dialogue.delay_s = 0.3
    answer = await kit.core.intake.answer(asked("慢"), wait_s=0.05)
    assert answer.replies is None
    await kit.core.turns.idle()
    await kit.housekeep()
    await kit.housekeep()
    assert [d.replies[0].text for d in kit.channels[ChannelName.WECHAT].sent] == ["答：慢"]


async def test_a_retry_fetches_a_late_answer_before_it_is_pushed(kit: Kit) -> None:
    kit.dialogue.delay_s = 0.2
    assert (await kit.core.intake.answer(asked("慢"), wait_s=0.05)).replies is None
    assert (await kit.core.intake.answer(asked("慢"), wait_s=2)).replies == (Reply(text="答：慢"),)
    await kit.housekeep()
    assert kit.channels[ChannelName.WECHAT].sent == []


async def test_an_answer_too_long_for_the_webhook_is_acknowledged_and_sent_whole(kit: Kit) -> None:
    kit.channels[ChannelName.WECHAT].longest = 3
    first = await kit.core.intake.answer(asked("租房提取"), wait_s=2)
    again = await kit.core.intake.answer(asked("租房提取"), wait_s=2)
    assert first.replies is None
    assert again.replies is None
    await kit.housekeep()
    assert [d.replies[0].text for d in kit.channels[ChannelName.WECHAT].sent] == ["答：租房提取"]


async def test_messages_of_one_conversation_are_answered_in_their_order(kit: Kit) -> None:
    kit.dialogue.delay_s = 0.05
    await asyncio.gather(*(kit.core.intake.submit(asked(str(n), f"m{n}")) for n in range(5)))
    await kit.core.turns.idle()
    texts = [request.text for request in kit.dialogue.asked]
    assert sorted(texts) == ["0", "1", "2", "3", "4"]
    lines = await kit.storage.store.lines(ChannelName.WECHAT, "o1", after=0, limit=50)
    citizen = [line.text for line in lines if line.author == "citizen"]
    assert texts == citizen


async def test_different_citizens_do_not_wait_for_each_other(kit: Kit) -> None:
    kit.dialogue.delay_s = 0.2
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(
        *(kit.core.intake.answer(replace(asked("x", f"m{n}"), contact_key=f"o{n}"), wait_s=5) for n in range(6))
    )
    assert asyncio.get_running_loop().time() - begun < 1.0


async def test_personal_numbers_reach_neither_the_dialogue_nor_storage(kit: Kit) -> None:
    await kit.core.intake.answer(asked("身份证440106199001011234电话13800138000"), wait_s=2)
    lines = await kit.storage.store.lines(ChannelName.WECHAT, "o1", after=0, limit=50)
    everything = kit.dialogue.asked[0].text + "".join(line.text for line in lines)
    assert "440106199001011234" not in everything
    assert "13800138000" not in everything


async def test_an_answer_computed_before_a_person_took_over_is_dropped(kit: Kit) -> None:
    kit.dialogue.delay_s = 1.0
    waiting = asyncio.create_task(kit.core.intake.answer(asked("问"), wait_s=2))
    for _ in range(100):
        if kit.dialogue.asked:
            break
        await asyncio.sleep(0.02)
    conversation = kit.dialogue.asked[0].conversation_id
    await kit.take_over(conversation)
    assert not (await waiting).replies
    lines = await kit.storage.store.lines(ChannelName.WECHAT, "o1", after=0, limit=50)
    assert [line.author for line in lines] == ["citizen"]
    record = await kit.storage.store.record(ChannelName.WECHAT, "m1")
    assert record is not None
    assert record.delivery_status == DeliveryStatus.DROPPED


async def test_a_queued_delivery_dies_when_a_person_takes_over_before_it_is_sent(kit: Kit) -> None:
    kit.dialogue.delay_s = 0.1
    await kit.core.intake.answer(asked("问"), wait_s=0.01)
    await kit.core.turns.idle()
    conversation = kit.dialogue.asked[0].conversation_id
    await kit.take_over(conversation)
    await kit.housekeep()
    assert kit.channels[ChannelName.WECHAT].sent == []


async def test_while_a_person_holds_the_conversation_the_bot_is_silent_and_nothing_is_lost(kit: Kit) -> None:
    await kit.core.intake.answer(asked("一", "m1"), wait_s=2)
    conversation = kit.dialogue.asked[0].conversation_id
    await kit.take_over(conversation)
    answer = await kit.core.intake.answer(asked("二", "m2"), wait_s=2)
    assert not answer.replies
    assert len(kit.dialogue.asked) == 1
    lines = await kit.storage.store.lines(ChannelName.WECHAT, "o1", after=0, limit=50)
    assert lines[-1].text == "二"


@pytest.mark.parametrize("text", ["", " ", "\x00", "😀", "\ud800"])
async def test_nothing_to_understand_is_answered_with_a_sentence_and_never_reaches_the_dialogue(
    kit: Kit, text: str
) -> None:
    answer = await kit.core.intake.answer(asked(text), wait_s=2)
    assert answer.replies
    assert answer.replies[0].text
    assert kit.dialogue.asked == []


async def test_a_very_long_message_is_cut_for_the_dialogue_and_kept_longer_in_the_record(kit: Kit) -> None:
    await kit.core.intake.answer(asked("提" * 10_000), wait_s=2)
    assert len(kit.dialogue.asked[0].text) == 500
    lines = await kit.storage.store.lines(ChannelName.WECHAT, "o1", after=0, limit=50)
    assert len(lines[0].text) == 4000


@pytest.mark.parametrize("error", [RuntimeError("x"), TemporaryError("x"), KeyError("x")])
async def test_whatever_goes_wrong_the_citizen_gets_a_sentence_and_the_next_message_works(
    kit: Kit, error: Exception
) -> None:
    def fail(_: TurnRequest) -> TurnResult:
        raise error

    kit.dialogue.script = fail
    failed = await kit.core.intake.answer(asked("一", "m1"), wait_s=2)
    assert failed.replies
    assert "12329" in failed.replies[0].text
    kit.dialogue.script = None
    assert (await kit.core.intake.answer(asked("二", "m2"), wait_s=2)).replies == (Reply(text="答：二"),)


async def test_a_locked_database_gives_a_sentence_and_the_message_is_answered_later(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hotline.storage.database.BUSY_MS", 100)
    with closing(sqlite3.connect(kit.core.settings.state_dir / "hotline.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = await kit.core.intake.answer(asked("租房", "m9"), wait_s=1)
        assert answer.replies
        assert kit.dialogue.asked == []
        other.execute("ROLLBACK")
    await kit.housekeep(0.5)
    await kit.housekeep(0.5)
    assert [request.text for request in kit.dialogue.asked] == ["租房"]
    assert [d.replies[0].text for d in kit.channels[ChannelName.WECHAT].sent] == ["答：租房"]


async def test_a_message_left_behind_by_a_crash_is_taken_up_again(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotline.storage.store.CLAIM_S", -1)
    accepted = await kit.storage.store.accept(asked("问"), worker="a process that died")
    assert accepted.job is not None
    monkeypatch.undo()
    await kit.housekeep(0.4)
    assert [d.replies[0].text for d in kit.channels[ChannelName.WECHAT].sent] == ["答：问"]


async def test_who_asks_for_a_person_is_told_the_truth_with_a_number(kit: Kit) -> None:
    kit.dialogue.script = lambda _: TurnResult(
        replies=(Reply(text="好的"),), outcome=Outcome.HANDOFF, hand_over="requested"
    )
    first = await kit.core.intake.answer(asked("人工", "m1"), wait_s=2)
    again = await kit.core.intake.answer(asked("人工", "m2"), wait_s=2)
    assert first.replies is not None
    assert again.replies is not None
    assert "登记号1" in first.replies[0].text
    assert "登记号1" in again.replies[0].text
    assert (await kit.storage.store.counts())["handovers"] == 1


async def test_with_a_staffed_desk_the_conversation_is_queued_and_can_come_back(tmp_path: Path) -> None:
    async with core_kit(tmp_path, agent=AGENT) as kit:
        kit.dialogue.script = lambda _: TurnResult(replies=(), outcome=Outcome.HANDOFF, hand_over="requested")
        queued = await kit.core.intake.answer(asked("人工", "m1"), wait_s=2)
        assert queued.replies
        assert "第一位" in queued.replies[0].text
        held = await kit.core.intake.answer(asked("还在吗", "m2"), wait_s=2)
        assert held.replies
        assert len(kit.dialogue.asked) == 1
        kit.dialogue.script = None
        await kit.core.intake.answer(asked("不等了", "m3"), wait_s=2)
        assert (await kit.core.intake.answer(asked("租房", "m4"), wait_s=2)).replies == (Reply(text="答：租房"),)


async def test_a_conversation_silent_for_long_is_closed_and_a_new_one_opened(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kit.core.intake.answer(asked("一", "m1"), wait_s=2)
    clock = kit.storage.store._clock
    monkeypatch.setattr(kit.storage.store, "_clock", lambda: clock().replace(year=clock().year + 1))
    await kit.core.intake.answer(asked("二", "m2"), wait_s=2)
    first, second = kit.dialogue.asked
    assert first.conversation_id != second.conversation_id


async def test_leaving_closes_the_conversation_and_answers_nothing(kit: Kit) -> None:
    await kit.core.intake.answer(asked("一", "m1"), wait_s=2)
    left = await kit.core.intake.answer(asked("", "m2", kind=InboundKind.LEAVE), wait_s=2)
    assert not left.replies
    await kit.core.intake.answer(asked("二", "m3"), wait_s=2)
    assert kit.dialogue.asked[0].conversation_id != kit.dialogue.asked[1].conversation_id


async def test_who_leaves_gets_nothing_that_was_still_waiting(kit: Kit) -> None:
    kit.dialogue.delay_s = 0.1
    await kit.core.intake.answer(asked("慢", "m1"), wait_s=0.01)
    await kit.core.intake.submit(asked("", "m2", kind=InboundKind.LEAVE))
    await kit.core.turns.idle()
    await kit.housekeep()
    assert kit.channels[ChannelName.WECHAT].sent == []
    record = await kit.storage.store.record(ChannelName.WECHAT, "m1")
    assert record is not None
    assert record.delivery_status == DeliveryStatus.DROPPED


async def test_a_repetition_while_the_database_is_away_is_acknowledged(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kit.core.intake.answer(asked("租房"), wait_s=2)

    async def away(*_: object) -> None:
        raise TemporaryError("database")

    monkeypatch.setattr(kit.storage.store, "record", away)
    again = await kit.core.intake.answer(asked("租房"), wait_s=2)
    assert again.replies is None
    assert not again.new


@pytest.mark.parametrize(
    ("error", "status", "sent"),
    [
        (SendError(SendReason.THROTTLED, "45047", retryable=False), DeliveryStatus.FAILED, 0),
        (SendError(SendReason.CONNECTION, "time-out", retryable=False, unknown=True), DeliveryStatus.UNKNOWN, 0),
    ],
)
async def test_a_delivery_that_must_not_be_repeated_is_not(
    kit: Kit, error: SendError, status: DeliveryStatus, sent: int
) -> None:
    kit.dialogue.delay_s = 0.1
    kit.channels[ChannelName.WECHAT].errors = [error]
    await kit.core.intake.answer(asked("问"), wait_s=0.01)
    await kit.core.turns.idle()
    await kit.housekeep()
    await kit.housekeep()
    assert len(kit.channels[ChannelName.WECHAT].sent) == sent
    record = await kit.storage.store.record(ChannelName.WECHAT, "m1")
    assert record is not None
    assert record.delivery_status == status


async def test_a_retryable_failure_is_sent_again_with_the_same_delivery_id(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hotline.services.delivery.PAUSES_S", (0.0, 0.0))
    kit.dialogue.delay_s = 0.1
    channel = kit.channels[ChannelName.WECHAT]
    channel.errors = [SendError(SendReason.CONNECTION, "reset", retryable=True)]
    await kit.core.intake.answer(asked("问"), wait_s=0.01)
    await kit.core.turns.idle()
    await kit.housekeep()
    await kit.housekeep()
    assert len(channel.sent) == 1


async def test_a_live_page_sees_typing_then_the_lines_in_order_and_none_twice(kit: Kit) -> None:
    page = Inbound(channel=ChannelName.WEB, external_id="w1", contact_key="v1", text="租房")
    seen: list[object] = []

    async def follow() -> None:
        async for item in kit.core.chats.stream(ChannelName.WEB, "v1", after=0):
            seen.append(item)
            if getattr(item, "author", "") == "bot" and not isinstance(item, Typing):
                return

    kit.dialogue.delay_s = 0.1
    following = asyncio.create_task(follow())
    await asyncio.sleep(0.05)
    assert await kit.core.chats.submit(page)
    assert not await kit.core.chats.submit(page)
    await asyncio.wait_for(following, 3)
    texts = [item.text for item in seen if hasattr(item, "text")]
    assert texts == ["租房", "答：租房"]
    assert any(isinstance(item, Typing) and item.on for item in seen)
