"""Call-back: promised to a number that is known by its address or by proof, shown masked, and confirmed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotline.domain.conversations import Owner
from hotline.domain.desk import HandoverState, Reason
from hotline.domain.messages import ChannelName
from hotline.domain.work_orders import OrderType, Source
from tests.unit.asides.kit import MOBILE, NOWHERE, Crash, Gateway, gateways

pytestmark = pytest.mark.anyio

SMS = {"who": f"+86{MOBILE}", "channel": ChannelName.SMS}
NUMBER = "GD20261125-000010"


async def know(gateway: Gateway) -> None:
    """The citizen on WeChat has proven who he is."""
    await gateway.hear("你好")
    gateway.world.people.known_there[(await gateway.conversation()).id] = "p1"


async def test_the_number_a_citizen_writes_from_is_shown_masked_and_confirmed_by_a_key(gateway: Gateway) -> None:
    asked = await gateway.tell("回电", **SMS)
    assert "138****8000" in asked
    assert "回复1" in asked
    told = await gateway.tell("1", **SMS)
    assert NUMBER in told
    assert "11月26日" in told
    (order,) = gateway.world.orders.opened.values()
    assert (order.type, order.source) == (OrderType.CONSULT, Source.CALLBACK)
    assert "138****8000" in order.text
    assert MOBILE not in order.text + told + asked
    assert gateway.world.people.trail == []


async def test_the_number_on_record_is_looked_at_in_the_audit_trails_sight(gateway: Gateway) -> None:
    await know(gateway)
    (asked,) = await gateway.hear("给我回电话")
    assert "138****8000" in asked.text
    assert [choice.text for choice in asked.choices] == ["确认回电", "不用了"]
    (entry,) = gateway.world.people.trail
    assert (entry.action, entry.subject, entry.purpose) == ("callback.number_shown", "p1", "callback")
    assert NUMBER in await gateway.tell("确认回电")


@pytest.mark.parametrize("known", [False, True], ids=["nobody", "without a mobile"])
async def test_without_a_known_number_it_is_said_how_one_is_known_and_word_may_be_left(
    gateway: Gateway, known: bool
) -> None:
    await know(gateway)
    gateway.world.people.mobile = ""
    if not known:
        gateway.world.people.known_there.clear()
    (told,) = await gateway.hear("回电")
    assert "不要把号码发在对话里" in told.text
    assert [choice.text for choice in told.choices] == ["留言", "验证身份"]
    await gateway.hear("好的")
    assert gateway.world.orders.opened == {}


async def test_a_withheld_number_is_no_number(gateway: Gateway) -> None:
    who = "CA" + "0" * 32
    assert "没有显示" in await gateway.tell("回电", who=who, channel=ChannelName.VOICE)


async def test_who_says_no_is_not_called(gateway: Gateway) -> None:
    await gateway.tell("回电", **SMS)
    assert "不安排回电" in await gateway.tell("2", **SMS)
    await gateway.tell("1", **SMS)
    assert gateway.world.orders.opened == {}
    assert gateway.world.answered == ["1"]


async def test_a_question_instead_of_an_answer_gets_its_own_and_a_later_yes_is_not_for_this(gateway: Gateway) -> None:
    await gateway.tell("回电", **SMS)
    assert await gateway.tell("租房能提多少", **SMS) == "答：租房能提多少"
    await gateway.tell("好的", **SMS)
    assert gateway.world.orders.opened == {}


async def test_after_ten_minutes_it_has_to_be_asked_for_again(gateway: Gateway) -> None:
    await gateway.tell("回电", **SMS)
    gateway.world.clock.pass_(minutes=11)
    await gateway.tell("1", **SMS)
    assert gateway.world.orders.opened == {}


async def test_where_no_order_can_be_opened_that_is_told_and_confirming_again_works(gateway: Gateway) -> None:
    await gateway.tell("回电", **SMS)
    gateway.world.orders.is_away = True
    assert "没能登记上" in await gateway.tell("1", **SMS)
    gateway.world.orders.is_away = False
    assert NUMBER in await gateway.tell("是", **SMS)


async def test_who_is_called_back_waits_no_longer(gateway: Gateway) -> None:
    await know(gateway)
    wish = await gateway.wait_for_person(reason=Reason.COMPLAINT)
    await gateway.hear("回电")
    assert (await gateway.conversation()).owner is Owner.QUEUED, "he keeps his place until he has confirmed"
    assert NUMBER in await gateway.tell("是")
    conversation = await gateway.conversation()
    assert conversation.owner is Owner.BOT
    assert conversation.handover is not None
    assert (conversation.handover.id, conversation.handover.state) == (wish, HandoverState.LEFT)
    (order,) = gateway.world.orders.opened.values()
    assert order.type is OrderType.COMPLAINT


async def test_who_declines_waits_on(gateway: Gateway) -> None:
    await know(gateway)
    await gateway.wait_for_person()
    await gateway.hear("回电")
    assert "接着为您排队" in await gateway.tell("不用了")
    assert (await gateway.conversation()).owner is Owner.QUEUED
    assert await gateway.hear("我是问离职提取的") == [], "kept for whoever takes it"


async def test_a_person_who_has_just_taken_the_conversation_gets_the_message(gateway: Gateway) -> None:
    await know(gateway)
    wish = await gateway.wait_for_person()
    await gateway.hear("回电")
    assert await gateway.queue.pick(wish, staff_id="a1", telling=NOWHERE)
    assert await gateway.hear("是") == []
    assert gateway.world.orders.opened == {}


async def test_a_confirmation_whose_process_died_is_one_order(tmp_path: Path) -> None:
    async with gateways(tmp_path, 2) as (first, second):
        await know(first)
        await first.wait_for_person()
        await first.hear("回电")
        first.crashes = True
        with pytest.raises(Crash):
            await first.hear("是", number="m")
        await second.take_up()
        assert NUMBER in await second.tell("是", number="m")
        assert len(second.world.orders.opened) == 1


async def test_a_question_whose_process_died_is_asked_again(tmp_path: Path) -> None:
    async with gateways(tmp_path, 2) as (first, second):
        first.crashes = True
        with pytest.raises(Crash):
            await first.tell("回电", number="m", **SMS)
        await second.take_up()
        assert "138****8000" in await second.tell("回电", number="m", **SMS)
        assert NUMBER in await second.tell("1", **SMS)
