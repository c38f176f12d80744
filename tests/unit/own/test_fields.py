"""How answers in people's words are read, and how stored ones are shown again."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.messages import ChannelName
from hotline.services.own.fields import Field, FieldKind, Unread, fits, is_refused, read, shown
from hotline.services.own.skill import Ask
from tests.own_kit import NOW, catalogue

TODAY = date(2026, 11, 25)
AMOUNT = Field(name="amount", kind=FieldKind.AMOUNT, least=100, most=24_000_00)
MONTH = Field(name="month", kind=FieldKind.MONTH, earliest=date(2025, 11, 1), latest=date(2026, 11, 1))
PAST = Field(name="past", kind=FieldKind.DAY, latest=TODAY)
COMING = Field(name="coming", kind=FieldKind.DAY, earliest=date(2026, 11, 26), latest=date(2026, 12, 26))
SO = Field(name="so", kind=FieldKind.YES_NO, choices={"yes": "是", "no": "否"})
CHILDREN = Field(name="minor", kind=FieldKind.YES_NO, choices={"yes": "有未成年的孩子", "no": "孩子都成年了"})
KIND = Field(name="kind", kind=FieldKind.CHOICE, choices={"full": "全部还清", "partial": "还一部分"})
KEEP = Field(
    name="keep", kind=FieldKind.CHOICE, choices={"term": "月供减少，期限不变", "instalment": "月供不变，期限缩短"}
)
PEOPLE = Field(name="people", kind=FieldKind.NUMBER, least=1, most=500)
CITY = Field(name="city", kind=FieldKind.TEXT, least=2)
PROMISE = Field(name="promise", kind=FieldKind.PROMISE)
EVERY = (AMOUNT, MONTH, PAST, COMING, SO, CHILDREN, KIND, KEEP, PEOPLE, CITY, PROMISE)


def said(text: str, *, is_other: bool = False, channel: ChannelName = ChannelName.WECHAT) -> Ask:
    return Ask(
        text=text,
        channel=channel,
        now=NOW,
        today=TODAY,
        conversation_id="c1",
        catalogue=catalogue(),
        is_other=is_other,
    )


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (AMOUNT, "2000元", "200000"),
        (AMOUNT, "提2000块钱", "200000"),
        (AMOUNT, "两万三", "2300000"),
        (AMOUNT, "1.5万", "1500000"),
        (AMOUNT, "两千零五块五", "200550"),
        (AMOUNT, "全部", "2400000"),
        (AMOUNT, "能提多少提多少", "2400000"),
        (MONTH, "上个月", "2026-10-01"),
        (MONTH, "2026年9月", "2026-09-01"),
        (MONTH, "这个月", "2026-11-01"),
        (MONTH, "9月", "2026-09-01"),
        (MONTH, "12月", "2025-12-01"),
        (MONTH, "去年12月", "2025-12-01"),
        (PAST, "3月1日", "2026-03-01"),
        (PAST, "12月31号", "2025-12-31"),
        (PAST, "2026年3月1日", "2026-03-01"),
        (PAST, "昨天", "2026-11-24"),
        (PAST, "今天", "2026-11-25"),
        (COMING, "下周一", "2026-11-30"),
        (COMING, "12月1日", "2026-12-01"),
        (COMING, "明天", "2026-11-26"),
        (SO, "是", "yes"),
        (SO, "是的", "yes"),
        (SO, "有的", "yes"),
        (SO, "已经办了", "yes"),
        (SO, "不是", "no"),
        (SO, "不是的", "no"),
        (SO, "没有", "no"),
        (SO, "没有啊，刚退租", "no"),
        (SO, "否", "no"),
        (SO, "没错", "yes"),
        (SO, "2", "no"),
        (CHILDREN, "有", "yes"),
        (CHILDREN, "有一个未成年", "yes"),
        (CHILDREN, "都成年了", "no"),
        (KIND, "1", "full"),
        (KIND, "一次性还清", "full"),
        (KIND, "先还一部分", "partial"),
        (KIND, "部分", "partial"),
        (KEEP, "月供减少", "term"),
        (KEEP, "减月供", "term"),
        (KEEP, "缩短年限", "instalment"),
        (KEEP, "月供不变", "instalment"),
        (KEEP, "第二个，月供不变，期限缩短", "instalment"),
        (PEOPLE, "3", "3"),
        (PEOPLE, "三个人", "3"),
        (PEOPLE, "12人", "12"),
        (PEOPLE, "一共两百名员工。", "200"),
        (CITY, " 武汉 ", "武汉"),
        (CITY, "武汉\n光谷", "武汉 光谷"),
        (PROMISE, "确认属实", "yes"),
        (PROMISE, "好的", "yes"),
    ],
)
def test_a_good_answer_is_read(field: Field, text: str, value: str) -> None:
    assert read(field, said(text)) == value


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        (AMOUNT, "-500", "金额要大于零"),
        (AMOUNT, "0", "金额要大于零"),
        (AMOUNT, "3万", "太多了，最多24,000元。"),
        (AMOUNT, "五毛", "太少了，至少1元。"),
        (AMOUNT, "两三千", "请说一个确切的金额"),
        (AMOUNT, "2000到3000", "不止一个金额"),
        (AMOUNT, "2000元或3000元", "不止一个金额"),
        (AMOUNT, "九千亿", "这个金额太大了"),
        (AMOUNT, "1.234元", "金额最小到分"),
        (MONTH, "2026年12月", "太晚了，最晚到2026年11月。"),
        (MONTH, "2024年3月", "太早了，最早从2025年11月起。"),
        (PAST, "明天", "太晚了，最晚到2026年11月25日。"),
        (COMING, "今天", "太早了，最早从2026年11月26日起。"),
        (COMING, "明年3月1日", "太晚了，最晚到2026年12月26日。"),
        (PEOPLE, "501人", "请告诉我一个1到500之间的数。"),
        (PEOPLE, "0", "请告诉我一个1到500之间的数。"),
        (CITY, "武" * 61, "太长了，请写在60个字以内。"),
    ],
)
def test_a_bad_answer_is_told_what_is_wrong_with_it(field: Field, text: str, problem: str) -> None:
    found = read(field, said(text))
    assert isinstance(found, Unread)
    assert problem in str(found.problem)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (AMOUNT, "不知道"),
        (MONTH, "很久以前"),
        (PAST, "去年"),
        (COMING, "过几天"),
        (SO, "不清楚"),
        (SO, "不太确定"),
        (SO, "是啊，不过退租了"),
        (SO, "也许"),
        (SO, ""),
        (CHILDREN, "孩子"),
        (KIND, "不是全部"),
        (KIND, "随便"),
        (KIND, "3"),
        (KEEP, "不变"),
        (PEOPLE, "三五个人"),
        (PEOPLE, "好几个"),
        (PEOPLE, "-3"),
        (PEOPLE, "3.5"),
        (CITY, "武"),
        (CITY, "？？"),
        (PROMISE, "应该吧"),
        (PROMISE, "是不是"),
    ],
)
def test_what_is_no_answer_is_left_to_others(field: Field, text: str) -> None:
    assert read(field, said(text)) == Unread()


def test_another_wish_in_so_many_words_is_no_city() -> None:
    assert read(CITY, said("办理进度", is_other=True)) == Unread()


@pytest.mark.parametrize(("text", "refused"), [("不属实", True), ("不是", True), ("是", False), ("不清楚", False)])
def test_only_a_clear_no_refuses_a_promise(text: str, *, refused: bool) -> None:
    assert is_refused(PROMISE, said(text)) is refused
    assert not is_refused(SO, said(text))


def test_a_part_is_no_place_for_all_of_it() -> None:
    part = Field(name="part", kind=FieldKind.AMOUNT, most=100_00, may_be_all=False)
    assert read(part, said("全部")) == Unread()


@given(st.sampled_from(EVERY), st.text(max_size=30) | st.text("是不没有年月日号元万一二三0123456789-.", max_size=12))
def test_whatever_is_said_what_is_read_fits_the_field_and_can_be_shown(field: Field, text: str) -> None:
    value = read(field, said(text))
    if not isinstance(value, Unread):
        assert fits(field, value)
        assert shown(field, value, said(text))


@pytest.mark.parametrize(
    ("field", "value", "channel", "words"),
    [
        (AMOUNT, "350000", ChannelName.WECHAT, "3,500元"),
        (AMOUNT, "350000", ChannelName.VOICE, "三千五百元"),
        (MONTH, "2026-09-01", ChannelName.WECHAT, "2026年9月"),
        (PAST, "2026-03-01", ChannelName.WECHAT, "2026年3月1日"),
        (KIND, "full", ChannelName.WECHAT, "全部还清"),
        (PROMISE, "yes", ChannelName.WECHAT, "已确认属实"),
        (CITY, "{武汉}", ChannelName.WECHAT, "{武汉}"),
    ],
)
def test_a_stored_answer_is_shown_as_people_write_it(
    field: Field, value: str, channel: ChannelName, words: str
) -> None:
    assert shown(field, value, said("", channel=channel)) == words


@pytest.mark.parametrize(
    ("field", "value"),
    [(AMOUNT, "2500000"), (MONTH, "2024-01-01"), (COMING, "2026-11-25"), (KIND, "half"), (PEOPLE, "501")],
)
def test_what_lies_outside_the_bounds_no_longer_fits(field: Field, value: str) -> None:
    assert not fits(field, value)
