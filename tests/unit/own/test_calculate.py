"""Sums at the counter: what is asked for, what is known, and what is kept of it."""

from __future__ import annotations

from datetime import date

import pytest

from hotline.domain.fund import LoanState, Sex
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Outcome
from hotline.services.own.calculate import MATTERS, _choices, _field
from hotline.services.own.words import words
from hotline.services.reckoning.needs import Need
from hotline.services.reckoning.saying import ask as ask_for
from tests.fake_fund import a_loan, a_person
from tests.own_kit import labels_of, text_of
from tests.unit.own.kit import PAGES, a_fund, a_match, at_counter, said, spoken_badly

pytestmark = pytest.mark.anyio


def nobody(channel: ChannelName = ChannelName.WEB) -> object:
    return at_counter(channel=channel, level=None)


@pytest.mark.parametrize("channel", list(ChannelName))
async def test_anybody_may_reckon_what_a_loan_costs(channel: ChannelName) -> None:
    counter = at_counter(channel=channel, level=None)
    assert text_of(await counter.says("算月供", "calculate")) == "您打算贷多少钱？"
    assert text_of(await counter.says("50万")) == "打算贷多少年？"
    result = await counter.says("30年")
    assert result.outcome is Outcome.ANSWERED
    assert ("两千零一元七角" if channel is ChannelName.VOICE else "2,001.70元") in text_of(result)
    assert counter.context.task is None
    assert counter.fund.calls == []
    assert channel is not ChannelName.VOICE or not spoken_badly(result)


@pytest.mark.parametrize(
    "words", ["贷50万30年月供多少", "月供多少，50万，分360期", "贷款五十万，三十年，每月还多少", "50万 30年 等额本息"]
)
async def test_what_the_message_says_is_not_asked_for(words: str) -> None:
    assert "2,001.70元" in text_of(await at_counter(level=None).says(words, "calculate"))


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("几十万", "请说一个确切的金额"),
        ("40万到50万", "不止一个金额"),
        ("-5万", "金额要大于零"),
        ("0元", "金额要大于零"),
        ("九千亿", "金额太大了"),
    ],
)
async def test_an_amount_that_cannot_be_taken_is_asked_for_again(words: str, problem: str) -> None:
    counter = at_counter(level=None)
    await counter.says("算月供", "calculate")
    text = text_of(await counter.says(words))
    assert problem in text
    assert text.endswith("您打算贷多少钱？")


@pytest.mark.parametrize(
    ("words", "months"), [("30", 360), ("三十年", 360), ("两年半", 30), ("18个月", 18), ("十", 120), ("2.5年", 30)]
)
async def test_a_term_is_read_in_years_unless_it_says_months(words: str, months: int) -> None:
    result = await said(at_counter(level=None), "x")
    counter = at_counter(level=None)
    await counter.says("算月供", "calculate")
    result = await said(counter, "50万", words)
    assert f"、{months}个月，" in text_of(result)


@pytest.mark.parametrize("words", ["60年", "0年", "500个月"])
async def test_a_term_nobody_grants_is_asked_for_again(words: str) -> None:
    counter = at_counter(level=None)
    await counter.says("算月供", "calculate")
    text = text_of(await said(counter, "50万", words))
    assert text == "期限要在1个月到40年之间。\n打算贷多少年？"


@pytest.mark.parametrize(("words", "left"), [("199", 199), ("还剩199期", 199), ("十五年", 180)])
async def test_what_is_left_is_read_in_instalments_unless_it_says_years(words: str, left: int) -> None:
    counter = at_counter(level=None)
    await counter.says("提前还款能省多少利息", "calculate")
    assert text_of(await counter.says("53万")) == "还剩多少期没还？"
    result = await said(counter, words, "5万")
    assert f"还剩{left}期" in text_of(result)


@pytest.mark.parametrize("words", ["全部还清", "一次还清", "全部结清吧"])
async def test_paying_all_of_it_is_an_answer_to_how_much(words: str) -> None:
    counter = at_counter()
    await counter.says("提前还款能省多少", "calculate")
    assert text_of(await counter.says(words)).startswith("一次还清532,410.62元")


async def test_more_than_is_owed_is_all_of_it() -> None:
    counter = at_counter()
    await counter.says("提前还款能省多少", "calculate")
    assert text_of(await counter.says("90万")).startswith("一次还清532,410.62元")


async def test_figures_that_cannot_be_true_together_are_said_to_be_so() -> None:
    counter = at_counter(a_fund(loans=[a_loan(paid_instalments=240)]))
    await counter.says("提前还款能省多少", "calculate")
    result = await counter.says("5万")
    assert text_of(result).startswith("算不了：给的数对不上。")
    assert labels_of(result) == ["转人工"]


@pytest.mark.parametrize(
    "words", ["1980年3月7日", "80年3月7号", "1980-03-07", "19800307", "一九八零年三月七日", "1980.3.7"]
)
async def test_a_day_of_birth_is_read_however_it_is_written(words: str) -> None:
    counter = at_counter(level=None)
    await counter.says("我能贷多少", "calculate")
    result = await said(counter, "10万", "2400", words, "男")
    assert "退休时间按2043年3月7日" in text_of(result)


@pytest.mark.parametrize("words", ["2030年1月1日", "1980年13月7日", "1900年1月1日", "三月", "不记得"])
async def test_no_day_of_birth_is_asked_for_again(words: str) -> None:
    counter = at_counter(level=None)
    await counter.says("我能贷多少", "calculate")
    assert text_of(await said(counter, "10万", "2400", words)).endswith("您的出生年月日是哪天？")


@pytest.mark.parametrize(
    ("channel", "level", "known"),
    [
        (ChannelName.WECHAT, Level.BOUND, True),
        (ChannelName.WEB, Level.PROVEN, True),
        (ChannelName.VOICE, Level.PROVEN, True),
        (ChannelName.WEB, Level.BOUND, False),
        (ChannelName.VOICE, Level.BOUND, False),
        (ChannelName.SMS, Level.PROVEN, False),
        (ChannelName.WECHAT, None, False),
    ],
)
@pytest.mark.parametrize("words", ["提前还款能省多少", "我能贷多少", "租房能提多少"])
async def test_own_figures_are_used_only_for_who_may_see_them(
    words: str, channel: ChannelName, level: Level | None, *, known: bool
) -> None:
    counter = at_counter(channel=channel, level=level)
    await counter.says(words, "calculate")
    assert bool(counter.fund.calls) is known


async def test_own_figures_are_looked_up_and_never_kept_in_the_conversation() -> None:
    fund = a_fund(person=a_person(sex=Sex.FEMALE, birth_on=date(1980, 3, 7), children=None))
    counter = at_counter(fund)
    assert text_of(await counter.says("我能贷多少", "calculate")) == "您是工人岗位，还是管理、技术岗位？"
    task = counter.context.task or {}
    assert task["inputs"] == {}
    result = await counter.says("管理岗")
    assert text_of(result).startswith("估算能贷约")
    assert "8652035" not in str(counter.context.task)


async def test_figures_of_a_person_who_is_unbound_meanwhile_are_asked_for() -> None:
    counter = at_counter()
    await counter.says("提前还款能省多少", "calculate")
    counter.identification.known_person = None
    assert text_of(await counter.says("5万")) == "贷款还剩多少本金没还？"


async def test_a_settled_loan_is_not_reckoned_with() -> None:
    fund = a_fund(loans=[a_loan(state=LoanState.SETTLED, balance_fen=0)])
    assert text_of(await at_counter(fund).says("提前还款能省多少", "calculate")) == "贷款还剩多少本金没还？"


@pytest.mark.parametrize("channel", list(ChannelName))
async def test_where_no_sum_is_named_the_four_are_offered(channel: ChannelName) -> None:
    counter = at_counter(channel=channel, level=None)
    result = await counter.says("帮我算一下", "calculate")
    labels = labels_of(result)
    assert len(labels) == (4 if channel in PAGES else 0)
    assert "哪一样" in text_of(result)
    if channel not in PAGES:
        assert "租房能提多少" in text_of(result)
    unread = await counter.says("嗯嗯")
    assert text_of(unread).startswith("抱歉，没看懂您的回答。")
    assert text_of(await counter.says("算月供多少")) == "您打算贷多少钱？"


@pytest.mark.parametrize("kind", ["loanable", "payment", "prepay", "rent"])
async def test_every_offered_sum_is_begun_by_its_label(kind: str) -> None:
    counter = at_counter(level=None)
    await counter.says("帮我算一下", "calculate")
    result = await counter.says(words("calculate")["kinds"][kind])
    assert result.matter == MATTERS[kind]


async def test_the_matter_says_which_sum_is_meant() -> None:
    result = await at_counter(level=None).says("算一下", "calculate", match=a_match("算一下", "loan-repay"))
    assert text_of(result) == "您打算贷多少钱？"


async def test_another_sum_may_be_wished_in_between() -> None:
    counter = at_counter(level=None)
    await counter.says("算月供", "calculate")
    assert text_of(await counter.says("算租房能提多少")).startswith("租房提取每月最多")


async def test_who_has_had_enough_leaves() -> None:
    counter = at_counter(level=None)
    await counter.says("算月供", "calculate")
    assert text_of(await counter.says("不算了")) == "好的，不算了，需要时再问我。"
    assert counter.context.task is None


@pytest.mark.parametrize("need", list(Need))
def test_every_need_can_be_asked_for_and_its_answers_chosen(need: Need) -> None:
    assert ask_for(need)
    assert _field(need).name == need.value
    assert all(choice.label for choice in _choices(need))


@pytest.mark.parametrize(
    ("answers", "begins"),
    [
        (["10万", "2400", "1990年3月7日", "男"], "估算能贷约"),
        (["10万", "2400", "1980年3月7日", "女的", "工人"], "估算能贷约"),
        (["10万", "2400", "1980年3月7日", "女", "技术岗"], "估算能贷约"),
    ],
)
async def test_somebody_unknown_is_asked_for_all_that_is_needed(answers: list[str], begins: str) -> None:
    counter = at_counter(level=None)
    await counter.says("我能贷多少", "calculate")
    assert text_of(await said(counter, *answers)).startswith(begins)


@pytest.mark.parametrize(("words", "limit"), [("有", "2,"), ("没有", "2,000元"), ("都成年了", "2,000元")])
async def test_children_are_asked_about_where_they_count(words: str, limit: str) -> None:
    counter = at_counter(a_fund(person=a_person(children=2)))
    assert text_of(await counter.says("租房能提多少", "calculate")) == "孩子里有没有未成年的？"
    assert f"每月最多{limit}" in text_of(await counter.says(words))
