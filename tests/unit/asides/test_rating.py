"""Satisfaction: asked for once and sparingly, answered by label, number or short word, never in a question's way."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from hotline.desk_store import Telling
from hotline.domain.conversations import DeliveryStatus
from hotline.domain.messages import ChannelName, InboundKind, Reply
from hotline.domain.ratings import Score, Subject, satisfaction
from hotline.domain.work_orders import OrderType, Source
from hotline.services.asides import words
from tests.unit.asides.kit import NOWHERE, Crash, Gateway, gateways

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 25)
BEST = words.label(Score.VERY_SATISFIED)


async def rated(gateway: Gateway, day: date = TODAY) -> list[Score | None]:
    """The scores on record; None for one that was asked for in vain."""
    counts = await gateway.ratings.counts(day, day)
    return [each.score for each in counts for _ in range(each.count)]


async def chat(gateway: Gateway, *, who: str = "o1", channel: ChannelName = ChannelName.WECHAT) -> list[Reply]:
    """Two questions and a goodbye: what the goodbye was answered with."""
    for text in ("租房能提多少", "要什么材料"):
        await gateway.hear(text, who=who, channel=channel)
    return await gateway.hear("再见", who=who, channel=channel)


async def test_a_goodbye_after_two_answers_ends_with_the_question_and_its_five_levels(gateway: Gateway) -> None:
    goodbye, question = await chat(gateway)
    assert goodbye.text == "祝您生活愉快"
    assert "满意吗" in question.text
    assert [choice.text for choice in question.choices] == ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]
    assert await rated(gateway) == [None]


async def test_nobody_is_asked_after_a_single_answer_or_by_the_telephone_that_hangs_up(gateway: Gateway) -> None:
    await gateway.hear("租房能提多少")
    assert len(await gateway.hear("再见")) == 1
    assert len(await chat(gateway, who="13800138000", channel=ChannelName.VOICE)) == 1
    assert await rated(gateway) == []


async def test_nobody_is_asked_twice_in_a_conversation_nor_twice_in_a_day(gateway: Gateway) -> None:
    assert len(await chat(gateway)) == 2
    assert len(await chat(gateway)) == 1
    gateway.world.clock.pass_(hours=2)
    assert len(await chat(gateway)) == 1
    gateway.world.clock.pass_(hours=23)
    assert len(await chat(gateway)) == 2


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("非常满意", Score.VERY_SATISFIED),
        ("1", Score.VERY_SATISFIED),
        ("２", Score.SATISFIED),
        ("②", Score.SATISFIED),
        ("三", Score.FAIR),
        ("按3", Score.FAIR),
        ("第一个", Score.VERY_SATISFIED),
        (" 满意。", Score.SATISFIED),
        ("很好！", Score.VERY_SATISFIED),
        ("还行", Score.FAIR),
        ("不满意", Score.DISSATISFIED),
        ("太差了", Score.VERY_DISSATISFIED),
        ("五", Score.VERY_DISSATISFIED),
    ],
)
async def test_a_level_is_heard_as_label_number_or_short_word(gateway: Gateway, text: str, score: Score) -> None:
    await chat(gateway)
    assert words.label(score) in await gateway.tell(text)
    assert await rated(gateway) == [score]
    assert text not in gateway.world.answered


@pytest.mark.parametrize(
    "text", ["满意？", "不，满意", "满意度怎么算", "6", "0", "12", "人工", "你们办事大厅的人太差了", "好的"]
)
async def test_anything_else_is_the_dialogues(gateway: Gateway, text: str) -> None:
    await chat(gateway)
    await gateway.hear(text)
    assert gateway.world.answered[-1] == text
    assert await rated(gateway) == [None]


async def test_after_something_else_a_number_is_the_dialogues_and_a_label_still_counts(gateway: Gateway) -> None:
    await chat(gateway)
    await gateway.hear("离职能提吗")
    await gateway.hear("2")
    assert gateway.world.answered[-2:] == ["离职能提吗", "2"]
    assert BEST in await gateway.tell("非常满意")
    assert await rated(gateway) == [Score.VERY_SATISFIED]


async def test_answering_again_in_time_corrects_it(gateway: Gateway) -> None:
    await chat(gateway)
    await gateway.hear("3")
    await gateway.hear("1")
    assert await rated(gateway) == [Score.VERY_SATISFIED]
    gateway.world.clock.pass_(minutes=29)
    await gateway.hear("满意")
    assert await rated(gateway) == [Score.SATISFIED]


async def test_after_half_an_hour_it_is_over(gateway: Gateway) -> None:
    await chat(gateway)
    gateway.world.clock.pass_(minutes=20)
    await gateway.hear("还有一个问题")
    gateway.world.clock.pass_(minutes=11)
    await gateway.hear("满意")
    assert gateway.world.answered[-1] == "满意"
    assert await rated(gateway) == [None]


async def test_the_same_message_delivered_twice_counts_once(gateway: Gateway) -> None:
    await chat(gateway)
    first = await gateway.hear("不满意", number="twice")
    assert await gateway.hear("不满意", number="twice") == first
    assert await rated(gateway) == [Score.DISSATISFIED]


# --- what a poor one leads to ----------------------------------------------------------------------------------------


async def test_a_poor_one_is_asked_why_and_followed_up_as_a_complaint(gateway: Gateway) -> None:
    await chat(gateway)
    (sorry,) = await gateway.hear("不满意")
    assert "一句话" in sorry.text
    assert "问题没解决" in [choice.text for choice in sorry.choices]
    told = await gateway.tell("没有回答我的问题")
    (order,) = gateway.world.orders.opened.values()
    assert (order.type, order.source) == (OrderType.COMPLAINT, Source.POOR_RATING)
    assert "没有回答我的问题" in order.text
    assert "GD20261125-000010" in told
    assert "11月26日" in told


async def test_the_number_of_a_reason_shown_is_that_reason(gateway: Gateway) -> None:
    await chat(gateway)
    await gateway.hear("5")
    await gateway.hear("3")
    assert "等得太久" in gateway.world.orders.texts[0]
    assert await rated(gateway) == [Score.VERY_DISSATISFIED]


async def test_a_question_instead_of_a_reason_gets_its_answer_and_the_rating_is_followed_up(gateway: Gateway) -> None:
    await chat(gateway)
    await gateway.hear("不满意")
    assert await gateway.tell("租房提取要什么材料") == "答：租房提取要什么材料"
    gateway.world.clock.pass_(minutes=31)
    await gateway.asides.run_once()
    await gateway.asides.run_once()
    (text,) = gateway.world.orders.texts
    assert "租房提取要什么材料" in text


async def test_who_would_rather_not_say_is_followed_up_without_a_reason(gateway: Gateway) -> None:
    await chat(gateway)
    await gateway.hear("不满意")
    await gateway.hear("不想说了")
    (text,) = gateway.world.orders.texts
    assert "没有说明原因" in text


async def test_a_poor_one_corrected_in_time_is_not_followed_up(gateway: Gateway) -> None:
    await chat(gateway)
    await gateway.hear("非常不满意")
    await gateway.hear("非常满意")
    gateway.world.clock.pass_(minutes=31)
    await gateway.asides.run_once()
    assert gateway.world.orders.opened == {}


async def test_a_reason_is_kept_and_followed_up_later_where_no_order_can_be_opened(gateway: Gateway) -> None:
    await chat(gateway)
    await gateway.hear("不满意")
    gateway.world.orders.is_away = True
    told = await gateway.tell("答非所问")
    assert "已经记下" in told
    assert "编号" not in told
    gateway.world.clock.pass_(minutes=31)
    await gateway.asides.run_once()
    gateway.world.orders.is_away = False
    await gateway.asides.run_once()
    assert "答非所问" in gateway.world.orders.texts[0]


async def test_what_cannot_become_an_order_is_not_tried_for_ever(gateway: Gateway) -> None:
    await chat(gateway)
    await gateway.hear("不满意")
    gateway.world.clock.pass_(days=3)
    await gateway.asides.run_once()
    assert gateway.world.orders.opened == {}


# --- agents ----------------------------------------------------------------------------------------------------------


async def test_an_agents_service_is_rated_once_for_a_hand_over(gateway: Gateway) -> None:
    await gateway.hear("你好")
    served = await gateway.serve()
    assert await gateway.ask_agent_rating(served)
    assert not await gateway.ask_agent_rating(served)
    assert "人工服务" in (await gateway.lines())[-1]
    assert gateway.world.told == ["o1"]
    await gateway.hear("满意")
    (count,) = await gateway.ratings.counts(TODAY, TODAY)
    assert (count.score, count.subject, count.staff_id) == (Score.SATISFIED, Subject.AGENT, "a1")


async def test_who_had_nothing_to_say_while_the_agent_worked_can_still_answer(gateway: Gateway) -> None:
    await gateway.hear("你好")
    handover = await gateway.wait_for_person()
    assert await gateway.queue.pick(handover, staff_id="a1", telling=NOWHERE)
    gateway.world.clock.pass_(minutes=50)
    ended = await gateway.held.end((await gateway.conversation()).id, staff_id="a1", telling=NOWHERE)
    assert ended is not None
    await gateway.ask_agent_rating(ended)
    gateway.world.clock.pass_(minutes=5)
    await gateway.hear("满意")
    assert await rated(gateway) == [Score.SATISFIED]


async def test_each_hand_over_of_a_conversation_is_asked_about(gateway: Gateway) -> None:
    await gateway.hear("你好")
    assert await gateway.ask_agent_rating(await gateway.serve())
    await gateway.hear("不满意")
    assert await gateway.ask_agent_rating(await gateway.serve()), "a new hand-over ends the older question"
    await gateway.hear("满意")
    assert await rated(gateway) == [Score.DISSATISFIED, Score.SATISFIED]


@pytest.mark.parametrize(("bubbles", "asked"), [(5, True), (2, True), (1, False), (0, False), (None, True)])
async def test_the_last_message_wechat_takes_is_not_spent_on_a_rating(
    gateway: Gateway, bubbles: int | None, asked: bool
) -> None:
    await gateway.hear("你好")
    served = await gateway.serve()
    gateway.world.bubbles = bubbles
    assert await gateway.ask_agent_rating(served) is asked


@pytest.mark.parametrize(("bubbles", "asked"), [(3, True), (2, False)])
async def test_a_goodbye_that_is_still_on_its_way_is_counted(gateway: Gateway, bubbles: int, asked: bool) -> None:
    await gateway.hear("你好")
    handover = await gateway.wait_for_person()
    assert await gateway.queue.pick(handover, staff_id="a1", telling=NOWHERE)
    goodbye = Telling(
        replies={ChannelName.WECHAT: (Reply(text="再见"),)},
        ways=dict.fromkeys(ChannelName, DeliveryStatus.PENDING),
    )
    ended = await gateway.held.end((await gateway.conversation()).id, staff_id="a1", telling=goodbye)
    assert ended is not None
    gateway.world.bubbles = bubbles
    assert await gateway.ask_agent_rating(ended) is asked


async def test_nobody_is_asked_while_a_person_has_the_conversation_or_when_it_is_closed(gateway: Gateway) -> None:
    await gateway.hear("你好")
    served = await gateway.serve()
    await gateway.held.take_over(served.id, staff_id="a2", telling=NOWHERE)
    assert not await gateway.ask_agent_rating(served)
    await gateway.hear("", who="o2", kind=InboundKind.TEXT)
    served = await gateway.serve("o2")
    await gateway.hear("", who="o2", kind=InboundKind.LEAVE)
    assert not await gateway.ask_agent_rating(served)


async def test_a_question_lapses_when_a_person_takes_the_conversation(gateway: Gateway) -> None:
    await gateway.hear("你好")
    served = await gateway.serve()
    await gateway.ask_agent_rating(served)
    await gateway.held.take_over(served.id, staff_id="a2", telling=NOWHERE)
    await gateway.hear("满意")
    assert await rated(gateway) == [None]


@pytest.mark.parametrize("channel", list(ChannelName))
async def test_every_channel_is_asked_in_its_own_form_and_takes_a_number(
    gateway: Gateway, channel: ChannelName
) -> None:
    who = "+8613800138000"
    await gateway.hear("你好", who=who, channel=channel)
    served = await gateway.serve(who)
    await gateway.ask_agent_rating(served)
    line = (await gateway.store.lines(channel, who, after=0, limit=99))[-1]
    assert bool(line.choices) is (channel in (ChannelName.WEB, ChannelName.WECHAT))
    assert ("1" in line.text) is (channel in (ChannelName.SMS, ChannelName.VOICE))
    await gateway.hear("2", who=who, channel=channel)
    assert await rated(gateway) == [Score.SATISFIED]


# --- restarts and several processes ----------------------------------------------------------------------------------


async def test_a_goodbye_whose_process_died_is_asked_about_once_by_the_next(tmp_path: Path) -> None:
    async with gateways(tmp_path, 2) as (first, second):
        await first.hear("租房能提多少")
        await first.hear("要什么材料")
        first.crashes = True
        with pytest.raises(Crash):
            await first.hear("再见", number="bye")
        await second.take_up()
        assert len(await second.hear("再见", number="bye")) == 2
        assert await rated(second) == [None]


@pytest.mark.parametrize("text", ["不满意", "1"])
async def test_an_answer_whose_process_died_is_heard_again_as_the_same(tmp_path: Path, text: str) -> None:
    async with gateways(tmp_path, 2) as (first, second):
        await chat(first)
        first.crashes = True
        with pytest.raises(Crash):
            await first.hear(text, number="m")
        await second.take_up()
        label = words.label(Score.DISSATISFIED if text == "不满意" else Score.VERY_SATISFIED)
        assert label in await second.tell(text, number="m")
        assert text not in second.world.answered


async def test_a_reason_whose_process_died_is_one_order(tmp_path: Path) -> None:
    async with gateways(tmp_path, 2) as (first, second):
        await chat(first)
        await first.hear("不满意")
        first.crashes = True
        with pytest.raises(Crash):
            await first.hear("答非所问", number="m")
        await second.take_up()
        assert "谢谢" in await second.tell("答非所问", number="m")
        assert len(second.world.orders.opened) == 1


async def test_two_processes_follow_a_poor_rating_up_once(tmp_path: Path) -> None:
    async with gateways(tmp_path, 2) as (first, second):
        await chat(first)
        await second.hear("不满意")
        first.world.clock.pass_(minutes=31)
        await first.asides.run_once()
        await second.asides.run_once()
        assert len(first.world.orders.opened) == 1


# --- counting --------------------------------------------------------------------------------------------------------


async def test_satisfaction_is_the_three_better_levels_among_those_who_rated(gateway: Gateway) -> None:
    for number, answer in enumerate(["非常满意", "满意", "基本满意", "不满意", "再说"]):
        await chat(gateway, who=f"o{number}")
        await gateway.hear(answer, who=f"o{number}")
    told = satisfaction(await gateway.ratings.counts(TODAY, TODAY))
    assert (told.asked, told.rated, told.satisfied) == (5, 4, 3)
    assert (told.share, told.answered) == (0.75, 0.8)
    assert satisfaction([]).share is None


async def test_a_day_is_one_of_china(gateway: Gateway) -> None:
    gateway.world.clock.now += timedelta(hours=13, minutes=59)  # 23:59
    await chat(gateway)
    assert await rated(gateway) == [None]
    assert await rated(gateway, TODAY + timedelta(days=1)) == []
