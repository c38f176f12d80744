"""The citizen asks by number: who is told what, on which channel."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.codec import parts
from channels.voice.speech import pages
from hotline.domain.identity import Contact, Level
from hotline.domain.messages import ChannelName
from hotline.domain.work_order_numbers import number_of
from hotline.domain.work_orders import Conclusion, State, Upheld, Visit
from hotline.services.work_orders.words import (
    conclusion_words,
    confidential_words,
    progress_words,
    rejection_words,
    say,
)
from tests.unit.work_orders.test_changes import order as made
from tests.work_order_kit import (
    BOSS,
    CALLER,
    DONE,
    HE,
    LI,
    OPENID,
    PHONE,
    SHE,
    VISITOR,
    WEDNESDAY,
    OrderKit,
    known,
)

pytestmark = pytest.mark.anyio

SIGNATURE = "【广州住房公积金】"
texts = st.text(alphabet=st.sampled_from("您反映的窗口服务问题已核实，。！？；：12 \n😀a"), min_size=1, max_size=1000)
NUMBER = "GD20261125-000018"


async def ask(kit: OrderKit, text: str, *, contact: Contact = OPENID, who: object = None) -> str | None:
    return await kit.services.progress.progress(text, contact=contact, known=who, conversation_id="")  # type: ignore[arg-type]


async def test_the_contact_an_order_came_from_is_told_how_it_stands(kit: OrderKit) -> None:
    order = await kit.open()
    assert await ask(kit, f"我的工单{order.number.lower()}到哪了") == (
        f"工单{order.number}已登记，正在安排人员受理。最晚11月30日办结。"
    )
    await kit.in_progress(order)
    assert await ask(kit, order.number) == f"工单{order.number}正在办理。最晚11月30日办结。"
    kit.clock.forward(days=6)
    assert "已经超过办理时限" in str(await ask(kit, order.number))


async def test_what_came_of_it_is_told_and_notes_are_not(kit: OrderKit) -> None:
    order = await kit.open()
    await kit.services.desk.note(order.number, by=LI, text="此人常投诉")
    await kit.concluded(order)
    told = str(await ask(kit, order.number))
    assert told == (
        f"工单{order.number}已办结。经核实，反映的情况属实。\n核实情况：{DONE.finding}\n处理结果：{DONE.done}"
    )
    assert "此人常投诉" not in told


async def test_a_message_without_a_number_is_somebody_else_s_to_answer(kit: OrderKit) -> None:
    assert await ask(kit, "我的工单办得怎么样了") is None


async def test_anybody_else_hears_what_he_hears_of_a_number_nobody_has(kit: OrderKit) -> None:
    order = await kit.open(person_id=HE)
    unknown = await ask(kit, number_of(date(2026, 11, 25), 99_999), contact=VISITOR)
    assert unknown is not None
    assert await ask(kit, order.number, contact=VISITOR) == unknown
    assert await ask(kit, order.number, contact=VISITOR, who=known(SHE)) == unknown
    assert await ask(kit, order.number, contact=OPENID, who=known(SHE)) == unknown
    assert await ask(kit, order.number) != unknown


async def test_the_person_is_told_wherever_he_is_known_surely_enough(kit: OrderKit) -> None:
    order = await kit.open(person_id=HE)
    other_wechat = Contact(channel=ChannelName.WECHAT, address="o-other")
    for contact, level, told in (
        (other_wechat, Level.BOUND, True),
        (other_wechat, Level.ANONYMOUS, False),
        (VISITOR, Level.BOUND, False),
        (VISITOR, Level.PROVEN, True),
        (CALLER, Level.BOUND, False),
    ):
        answer = str(await ask(kit, order.number, contact=contact, who=known(HE, level)))
        assert ("没有" not in answer) == told, (contact, level)


async def test_an_order_without_a_person_belongs_to_its_contact_whoever_is_known_there(kit: OrderKit) -> None:
    order = await kit.open()
    assert "已登记" in str(await ask(kit, order.number, who=known(HE)))
    assert "没有" in str(await ask(kit, order.number, contact=VISITOR, who=known(HE)))


async def test_a_confidential_order_needs_a_proof_now(kit: OrderKit) -> None:
    order = await kit.open(person_id=HE, confidential=True)
    for who in (None, known(HE, Level.BOUND)):
        assert "先验证身份" in str(await ask(kit, order.number, who=who))
    assert "已登记" in str(await ask(kit, order.number, who=known(HE)))
    assert "没有" in str(await ask(kit, order.number, contact=VISITOR))


async def test_an_order_merged_into_a_confidential_one_needs_a_proof_too(kit: OrderKit) -> None:
    gone, kept = await kit.open(), await kit.open(person_id=HE, contact=PHONE, confidential=True)
    await kit.services.desk.merge(gone.number, into=kept.number, versions=(1, 1), by=BOSS)
    assert "先验证身份" in str(await ask(kit, gone.number))


async def test_the_number_of_a_merged_order_answers_with_the_kept_one_s_progress(kit: OrderKit) -> None:
    gone, kept = await kit.open(), await kit.open(contact=PHONE)
    merged = await kit.services.desk.merge(gone.number, into=kept.number, versions=(1, 1), by=LI)
    await kit.concluded(merged)
    told = str(await ask(kit, gone.number))
    assert told.startswith(f"工单{gone.number}已办结")
    assert kept.number not in told
    assert "没有" in str(await ask(kit, kept.number))


async def test_a_mistyped_number_is_said_to_be_mistyped(kit: OrderKit) -> None:
    order = await kit.open()
    wrong = order.number[:-1] + str((int(order.number[-1]) + 1) % 10)
    assert "好像有误" in str(await ask(kit, wrong))
    assert "好像有误" in str(await ask(kit, "GD2026112-0001"))


async def test_a_citizen_s_look_is_in_the_trail_without_his_address(kit: OrderKit) -> None:
    order = await kit.open(contact=PHONE, person_id=HE)
    await ask(kit, order.number, contact=PHONE)
    await ask(kit, order.number, contact=VISITOR, who=known(HE))
    await ask(kit, order.number, contact=VISITOR)
    looks = [(who, number) for who, action, number in await kit.trail() if action.endswith("progress_told")]
    assert [number for _, number in looks] == [order.number, order.number]
    assert looks[1][0] == HE
    assert PHONE.address not in await kit.trail_text()


@pytest.mark.parametrize("state", [each for each in State if each is not State.MERGED])
@pytest.mark.parametrize("channel", list(ChannelName))
def test_every_state_is_told_on_every_channel_within_its_room(state: State, channel: ChannelName) -> None:
    order = made(state, due_at=datetime(2027, 1, 4, 9, 0, tzinfo=UTC), due_provisional=True, reason="不属于公积金业务")
    text = progress_words(order, NUMBER, channel, now=WEDNESDAY)
    assert text
    assert "{" not in text
    _fits(text, channel)


@given(finding=texts, done=texts, upheld=st.sampled_from([None, *Upheld]))
def test_a_conclusion_of_any_length_fits_every_channel(finding: str, done: str, upheld: Upheld | None) -> None:
    conclusion = Conclusion(finding=finding, done=done, upheld=upheld)
    for channel in ChannelName:
        _fits(conclusion_words(conclusion, NUMBER, channel), channel)
        _fits(rejection_words(done, NUMBER, channel), channel)
    assert done in conclusion_words(conclusion, NUMBER, ChannelName.WEB)


def test_a_long_conclusion_says_where_the_rest_is() -> None:
    long = Conclusion(finding="查明", done="经核查，网点确有排队过长的情况。" * 20, upheld=Upheld.YES)
    assert conclusion_words(long, NUMBER, ChannelName.SMS).endswith("…全文可拨打12329查询。")
    assert conclusion_words(long, NUMBER, ChannelName.VOICE).endswith("想听全部请转人工。")
    short = Conclusion(finding="查明", done="已办好。", upheld=None)
    assert conclusion_words(short, NUMBER, ChannelName.SMS) == f"工单{NUMBER}已办结：已办好。"


@pytest.mark.parametrize(
    ("done", "sentences"),
    [
        ("经核查" * 30, ["经核查" * 19 + "经核" + "。", "查" + "经核查" * 10 + "。"]),
        ("甲" * 50 + "，" + "乙" * 50, ["甲" * 50 + "。", "乙" * 50 + "。"]),
        ("甲" * 60, ["甲" * 59 + "。", "甲。"]),
        ("甲" * 59 + "。", ["甲" * 59 + "。"]),
        ("好！行？", ["好！", "行？"]),
    ],
)
def test_long_sentences_are_cut_at_clauses_and_else_where_they_must_be(done: str, sentences: list[str]) -> None:
    told = conclusion_words(Conclusion(finding="查明", done=done), NUMBER, ChannelName.VOICE)
    said = re.findall("[^。！？]+[。！？]", told.partition("已办结。")[2])
    assert said == sentences


def test_the_telephone_reads_the_number_in_groups_digit_by_digit() -> None:
    told = progress_words(made(State.IN_PROGRESS), NUMBER, ChannelName.VOICE, now=WEDNESDAY)
    assert told.startswith("您的工单，编号GD，二零二六，一一二五，零零零，零一八，正在办理。")
    assert pages([told])[0].startswith("您的工单，编号GD，二零二六，一一二五，零零零，零一八，正在办理。")


@pytest.mark.parametrize("channel", list(ChannelName))
def test_what_is_said_instead_of_progress_fits_every_channel(channel: ChannelName) -> None:
    for text in (
        say("mistyped", channel),
        say("not_found", channel),
        say("prove", channel),
        confidential_words(NUMBER, channel),
        rejection_words("属于社会保险业务，请拨打12333咨询。", NUMBER, channel),
    ):
        assert "{" not in text
        _fits(text, channel)


async def test_a_reopened_order_is_told_to_be_worked_on_again(kit: OrderKit) -> None:
    done = await kit.concluded(await kit.open())
    bad = Visit(rating=2, reason="没有解决")
    await kit.services.desk.visit(done.number, version=done.version, by=LI, visit=bad)
    told = str(await ask(kit, done.number))
    assert "正在重新办理" in told
    assert DONE.done not in told


def test_a_due_day_of_another_year_is_told_with_its_year() -> None:
    order = replace(made(State.NEW), due_at=datetime(2027, 1, 4, 9, 0, tzinfo=UTC))
    assert "最晚2027年1月4日办结。" in progress_words(order, NUMBER, ChannelName.WEB, now=WEDNESDAY)


def _fits(text: str, channel: ChannelName) -> None:
    if channel is ChannelName.SMS:
        assert parts(SIGNATURE + text) <= 2
    if channel is ChannelName.VOICE:
        assert max(len(sentence) for sentence in re.findall("[^。！？]+[。！？]?", text)) <= 60
