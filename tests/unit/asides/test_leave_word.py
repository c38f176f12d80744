"""Leaving word: everything said is in the order, once, and its number is told; or the truth is."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotline.domain.conversations import Owner
from hotline.domain.desk import HandoverState, Reason
from hotline.domain.messages import ChannelName, InboundKind
from hotline.domain.text import MAX_STORED_CHARS
from hotline.domain.work_orders import OrderType, Source
from tests.unit.asides.kit import NOWHERE, Crash, Gateway, gateways

pytestmark = pytest.mark.anyio

NUMBER = "GD20261125-000010"


async def state_of(gateway: Gateway, handover: int) -> HandoverState:
    conversation = await gateway.conversation()
    (found,) = [
        each for each in await gateway.desks.handovers([conversation.contact_id], limit=9) if each.id == handover
    ]
    return found.state


async def leave(gateway: Gateway, *texts: str) -> str:
    """What was answered last."""
    told = ""
    for text in ("留言", *texts):
        told = await gateway.tell(text)
    return told


async def test_words_become_an_order_whose_number_and_day_are_told(gateway: Gateway) -> None:
    begun = await gateway.hear("留言")
    assert "好了" in begun[0].text
    more = await gateway.hear("我的提取申请一周了没人理")
    assert "补充" in more[0].text
    assert [choice.text for choice in more[0].choices] == ["好了", "取消留言"]
    await gateway.hear("在天河办的")
    told = await gateway.tell("好了")
    (order,) = gateway.world.orders.opened.values()
    assert order.text == "我的提取申请一周了没人理\n在天河办的"
    assert (order.type, order.source) == (OrderType.CONSULT, Source.LEAVE_WORD)
    assert NUMBER in told
    assert "11月26日" in told
    assert gateway.world.answered == []
    assert await gateway.tell("租房能提多少") == "答：租房能提多少"


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.COMPLAINT, OrderType.COMPLAINT),
        (Reason.ANGER, OrderType.COMPLAINT),
        (Reason.REQUESTED, OrderType.CONSULT),
        (Reason.FAILED, OrderType.CONSULT),
    ],
)
async def test_the_order_is_what_the_person_was_wanted_for_and_takes_the_wishs_place(
    gateway: Gateway, reason: Reason, kind: OrderType
) -> None:
    await gateway.hear("你好")
    wish = await gateway.note_wish(reason=reason)
    await leave(gateway, "窗口没人", "好了")
    (order,) = gateway.world.orders.opened.values()
    assert order.type is kind
    assert await state_of(gateway, wish) is HandoverState.DONE


@pytest.mark.parametrize("text", ["好了", "没有了", "没有", "结束。", "就这些", "好的", "谢谢", "不用了", "不说了"])
async def test_that_it_is_all_is_heard_in_many_words(gateway: Gateway, text: str) -> None:
    assert NUMBER in await leave(gateway, "请核对我的缴存月数", text)


async def test_before_the_first_word_there_is_nothing_to_end(gateway: Gateway) -> None:
    assert "还没有收到" in await leave(gateway, "好的")
    await leave(gateway, "请核对我的缴存月数", "好了")
    assert gateway.world.orders.texts == ["请核对我的缴存月数"]


async def test_never_mind_before_the_first_word_files_nothing(gateway: Gateway) -> None:
    assert "不留言了" in await leave(gateway, "不用了")
    assert await gateway.tell("租房能提多少") == "答：租房能提多少"


@pytest.mark.parametrize("text", ["取消", "算了", "取消留言", "不留了"])
async def test_who_thinks_better_of_it_files_nothing(gateway: Gateway, text: str) -> None:
    assert "不留言了" in await leave(gateway, "其实也没什么", text)
    gateway.world.clock.pass_(minutes=30)
    await gateway.asides.run_once()
    assert gateway.world.orders.opened == {}
    assert "其实也没什么" in await gateway.lines()


async def test_a_question_in_the_middle_is_part_of_the_word(gateway: Gateway) -> None:
    await leave(gateway, "我的贷款还没放", "租房提取要什么材料？", "好了")
    assert gateway.world.orders.texts == ["我的贷款还没放\n租房提取要什么材料？"]


async def test_silence_for_ten_minutes_ends_it_and_the_number_comes_by_itself(gateway: Gateway) -> None:
    await leave(gateway, "我的贷款还没放")
    gateway.world.clock.pass_(minutes=9)
    await gateway.hear("合同是三月签的")
    gateway.world.clock.pass_(minutes=9)
    await gateway.asides.run_once()
    assert gateway.world.orders.opened == {}
    gateway.world.clock.pass_(minutes=2)
    await gateway.asides.run_once()
    await gateway.asides.run_once()
    assert gateway.world.orders.texts == ["我的贷款还没放\n合同是三月签的"]
    assert sum(NUMBER in line for line in await gateway.lines()) == 1
    assert gateway.world.told == ["o1"]


async def test_what_is_said_after_ten_minutes_is_for_the_bot_and_the_word_is_registered_first(gateway: Gateway) -> None:
    await leave(gateway, "我的贷款还没放")
    gateway.world.clock.pass_(minutes=11)
    assert await gateway.tell("租房能提多少") == "答：租房能提多少"
    assert gateway.world.orders.texts == ["我的贷款还没放"]
    lines = await gateway.lines()
    assert [NUMBER in line for line in lines[-3:]] == [False, True, False]


async def test_who_said_he_would_leave_word_and_did_not_is_the_bots_again(gateway: Gateway) -> None:
    await leave(gateway)
    gateway.world.clock.pass_(minutes=11)
    assert await gateway.tell("租房能提多少") == "答：租房能提多少"
    await gateway.asides.run_once()
    assert gateway.world.orders.opened == {}


async def test_who_wants_a_person_after_all_is_heard_and_his_words_are_registered(gateway: Gateway) -> None:
    await leave(gateway, "我的贷款还没放", "转人工")
    assert gateway.world.answered == ["转人工"]
    assert gateway.world.orders.texts == ["我的贷款还没放"]
    await leave(gateway, "转人工")
    assert gateway.world.answered == ["转人工", "转人工"]


async def test_where_no_order_can_be_opened_the_truth_is_told_and_it_is_opened_later(gateway: Gateway) -> None:
    await gateway.hear("你好")
    wish = await gateway.note_wish()
    gateway.world.orders.is_away = True
    told = await leave(gateway, "我的贷款还没放", "好了")
    assert "都记下了" in told
    assert "GD" not in told
    assert await gateway.tell("租房能提多少") == "答：租房能提多少", "what is said now is none of it"
    assert "还在登记" in await gateway.tell("留言")
    assert await state_of(gateway, wish) is HandoverState.NOTED
    gateway.world.clock.pass_(minutes=2)
    await gateway.asides.run_once()
    assert await state_of(gateway, wish) is HandoverState.NOTED
    gateway.world.orders.is_away = False
    gateway.world.clock.pass_(minutes=2)
    await gateway.asides.run_once()
    assert gateway.world.orders.texts == ["我的贷款还没放"]
    assert NUMBER in (await gateway.lines())[-1]
    assert await state_of(gateway, wish) is HandoverState.DONE


async def test_the_next_message_tries_again_at_once(gateway: Gateway) -> None:
    gateway.world.orders.is_away = True
    await leave(gateway, "我的贷款还没放", "好了")
    gateway.world.orders.is_away = False
    await gateway.hear("租房能提多少")
    assert NUMBER in (await gateway.lines())[-2]


async def test_what_is_longer_than_an_order_says_where_the_rest_stands(gateway: Gateway) -> None:
    await leave(gateway, "长" * 3000, "话" * 3000, "好了")
    (text,) = gateway.world.orders.texts
    assert len(text) == MAX_STORED_CHARS
    assert text.endswith("（全文见对话记录）")


async def test_a_message_delivered_twice_is_in_it_once(gateway: Gateway) -> None:
    await gateway.hear("留言")
    first = await gateway.hear("我的贷款还没放", number="twice")
    assert await gateway.hear("我的贷款还没放", number="twice") == first
    await gateway.hear("好了", number="end")
    await gateway.hear("好了", number="end")
    assert gateway.world.orders.texts == ["我的贷款还没放"]


async def test_several_words_of_a_conversation_are_several_orders(gateway: Gateway) -> None:
    await leave(gateway, "我的贷款还没放", "好了")
    await leave(gateway, "还有租房的事", "好了")
    assert gateway.world.orders.texts == ["我的贷款还没放", "还有租房的事"]


# --- the queue, and people -------------------------------------------------------------------------------------------


async def test_who_waits_for_a_person_may_leave_word_instead(gateway: Gateway) -> None:
    await gateway.hear("你好")
    wish = await gateway.wait_for_person(reason=Reason.COMPLAINT)
    assert "好了" in await gateway.tell("留言")
    assert (await gateway.conversation()).owner is Owner.BOT
    assert await state_of(gateway, wish) is HandoverState.LEFT
    await gateway.hear("窗口没人")
    await gateway.hear("好了")
    (order,) = gateway.world.orders.opened.values()
    assert order.type is OrderType.COMPLAINT


async def test_a_supervisor_who_takes_over_gets_the_conversation_and_the_word_is_still_registered(
    gateway: Gateway,
) -> None:
    await leave(gateway, "我的贷款还没放")
    await gateway.held.take_over((await gateway.conversation()).id, staff_id="s1", telling=NOWHERE)
    await gateway.hear("合同是三月签的")
    gateway.world.clock.pass_(minutes=11)
    await gateway.asides.run_once()
    assert gateway.world.orders.texts == ["我的贷款还没放"]
    assert NUMBER in (await gateway.lines())[-1]


async def test_a_caller_who_hangs_up_has_left_what_he_said(gateway: Gateway) -> None:
    call = {"who": "13800138000", "channel": ChannelName.VOICE}
    for text in ("留言", "我的贷款还没放"):
        await gateway.tell(text, **call)
    await gateway.hear("", kind=InboundKind.LEAVE, who="13800138000", channel=ChannelName.VOICE)
    assert gateway.world.orders.texts == ["我的贷款还没放"]


async def test_a_caller_who_hangs_up_while_nothing_can_be_registered_has_still_left_it(gateway: Gateway) -> None:
    call = {"who": "13800138000", "channel": ChannelName.VOICE}
    for text in ("留言", "我的贷款还没放"):
        await gateway.tell(text, **call)
    gateway.world.orders.is_away = True
    await gateway.hear("", kind=InboundKind.LEAVE, who="13800138000", channel=ChannelName.VOICE)
    gateway.world.orders.is_away = False
    gateway.world.clock.pass_(minutes=2)
    before = await gateway.lines("13800138000", ChannelName.VOICE)
    await gateway.asides.run_once()
    assert gateway.world.orders.texts == ["我的贷款还没放"]
    assert await gateway.lines("13800138000", ChannelName.VOICE) == before, "nobody is there to be told"


async def test_a_callers_silence_ends_it(gateway: Gateway) -> None:
    call = {"who": "13800138000", "channel": ChannelName.VOICE}
    for text in ("留言", "我的贷款还没放"):
        await gateway.tell(text, **call)
    (told,) = await gateway.hear("", kind=InboundKind.SILENCE, who="13800138000", channel=ChannelName.VOICE)
    assert NUMBER.replace("-", "") in told.text


# --- restarts and several processes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 1, 2], ids=["begun", "said", "ended"])
async def test_a_turn_whose_process_died_is_done_again_by_the_next(tmp_path: Path, at: int) -> None:
    texts = ["留言", "我的贷款还没放", "好了"]
    async with gateways(tmp_path, 2) as (first, second):
        for text in texts[:at]:
            await first.hear(text)
        first.crashes = True
        with pytest.raises(Crash):
            await first.hear(texts[at], number="m")
        await second.take_up()
        told = await second.tell(texts[at], number="m")
        assert ["说完回复", "补充", NUMBER][at] in told
        for text in texts[at + 1 :]:
            told = await second.tell(text)
        assert NUMBER in told
        assert second.world.orders.texts == ["我的贷款还没放"]
        assert second.world.answered == []


async def test_two_processes_register_a_word_once_and_tell_its_number_once(tmp_path: Path) -> None:
    async with gateways(tmp_path, 2) as (first, second):
        await first.hear("留言")
        await second.hear("我的贷款还没放")
        first.world.clock.pass_(minutes=11)
        await first.asides.run_once()
        await second.asides.run_once()
        assert sum(NUMBER in line for line in await first.lines()) == 1


async def test_a_process_that_died_while_registering_leaves_it_to_the_other(tmp_path: Path) -> None:
    async with gateways(tmp_path, 2) as (first, second):
        await first.hear("留言")
        await first.hear("我的贷款还没放")
        first.world.clock.pass_(minutes=11)
        (pending,) = await first.prompts.claim_words(again_at=first.world.clock.now, limit=9)
        assert pending.address == "o1"
        first.world.clock.pass_(seconds=1)
        await second.asides.run_once()
        assert second.world.orders.texts == ["我的贷款还没放"]
