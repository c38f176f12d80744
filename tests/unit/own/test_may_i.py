"""Conditions checked one by one: questions, verdicts, and what is asked in between."""

from __future__ import annotations

from datetime import date

import pytest

from hotline.domain.fund import AccountState
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Outcome
from hotline.services import eligibility
from hotline.services.own.may_i import ASKED_AT_MOST, _field
from knowledge_base.eligibility import QUESTIONS
from tests.fake_fund import a_person, an_account
from tests.own_kit import Counter, catalogue, labels_of, text_of
from tests.unit.own.kit import PAGES, a_fund, a_match, at_counter, said, spoken_badly

pytestmark = pytest.mark.anyio

UNCERTAIN = a_person(marriage=None, children=None, homes_in_city=None, insured_elsewhere=None, household_city="")


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ("是", "能办租房提取"),
        ("是的，在天河租的", "能办租房提取"),
        ("在租", "能办租房提取"),
        ("不是", "现在还不能办租房提取"),
        ("没有租", "现在还不能办租房提取"),
        ("不租了", "现在还不能办租房提取"),
        ("不知道", "多半能办租房提取"),
        ("不太清楚", "多半能办租房提取"),
    ],
)
async def test_an_answer_is_read_as_it_is_meant(words: str, begins: str) -> None:
    counter = at_counter()
    asked = await counter.says("我能不能租房提取", "may_i")
    assert (text_of(asked), labels_of(asked)) == ("您现在在广州租房住吗？", ["是", "否"])
    assert text_of(await counter.says(words)).startswith(begins)


@pytest.mark.parametrize("words", ["是啊，不过上个月退租了", "可能吧", "两千块"])
async def test_an_answer_that_may_mean_either_is_asked_for_again(words: str) -> None:
    counter = at_counter()
    await counter.says("我能不能租房提取", "may_i")
    assert text_of(await counter.says(words)) == "抱歉，没看懂您的回答。\n您现在在广州租房住吗？"


async def test_filing_is_offered_where_nothing_speaks_against_it() -> None:
    counter = at_counter()
    await counter.says("我能不能租房提取", "may_i")
    assert labels_of(await counter.says("是")) == ["我要办租房提取"]
    await counter.says("我能不能租房提取", "may_i")
    assert labels_of(await counter.says("否")) == []


async def test_a_clear_no_needs_no_question() -> None:
    result = await at_counter().says("我能退休提取吗", "may_i")
    assert text_of(result).startswith("现在还不能办退休提取，2053年3月7日起可以办。")


async def test_what_was_said_before_is_not_asked_and_costs_no_question() -> None:
    counter = at_counter(a_fund(person=UNCERTAIN, accounts=[_sealed()], loans=[]))
    counter.context = type(counter.context)(facts={"hukou": "outside"})
    asked = await _questions(counter, "我能离职提取吗")
    assert "您是广州户籍吗？" not in asked
    assert len(asked) > 1


def _sealed() -> object:
    return an_account(state=AccountState.SEALED, sealed_on=date(2026, 1, 5))


async def _questions(counter: Counter, words: str) -> list[str]:
    """What is asked until the verdict, where the citizen never knows."""
    asked, result = [], await counter.says(words, "may_i")
    while result.outcome is Outcome.CLARIFIED:
        asked.append(text_of(result))
        assert len(asked) <= ASKED_AT_MOST
        result = await counter.says("不清楚")
    return asked


@pytest.mark.parametrize("code", sorted(catalogue().eligibility))
@pytest.mark.parametrize("answer", ["是", "否", "不清楚", "佛山"])
@pytest.mark.parametrize("channel", [ChannelName.VOICE, ChannelName.WECHAT])
async def test_every_business_comes_to_a_verdict(code: str, answer: str, channel: ChannelName) -> None:
    counter = at_counter(a_fund(person=UNCERTAIN), channel)
    result = await counter.says("我符合条件吗", "may_i", match=a_match("我符合条件吗", code))
    for _ in range(ASKED_AT_MOST + 5):
        if counter.context.task is None:
            break
        options = labels_of(result)
        text = options[-1] if options and answer == "否" and answer not in options else answer
        result = await counter.says(text)
        if "没看懂" in text_of(result):
            result = await counter.says("不清楚")
    assert counter.context.task is None
    assert result.matter == code
    if channel is ChannelName.VOICE:
        assert not spoken_badly(result)


@pytest.mark.parametrize("question", sorted(QUESTIONS))
def test_every_question_can_be_asked_and_its_answers_read(question: str) -> None:
    assert eligibility.ask(question, catalogue())
    assert list(_field(question).choices or {}) == list(QUESTIONS[question])
    assert all((_field(question).choices or {}).values())


@pytest.mark.parametrize("channel", [*PAGES, ChannelName.VOICE])
async def test_where_no_business_is_named_all_are_offered(channel: ChannelName) -> None:
    counter = at_counter(channel=channel)
    result = await counter.says("我符合条件吗", "may_i")
    names = [catalogue().matters[code].name for code in catalogue().eligibility]
    assert (labels_of(result) == names) is (channel in PAGES)
    assert channel in PAGES or all(name in text_of(result) for name in names)
    assert text_of(await counter.says("租房提取")) == "您现在在广州租房住吗？"


@pytest.mark.parametrize("code", sorted(catalogue().eligibility))
async def test_every_business_offered_is_begun_by_its_name(code: str) -> None:
    counter = at_counter()
    await counter.says("我符合条件吗", "may_i")
    name = catalogue().matters[code].name
    assert (await counter.says(name, match=a_match(name, code))).matter == code


@pytest.mark.parametrize(
    ("channel", "level", "checked"),
    [
        (ChannelName.WECHAT, Level.BOUND, True),
        (ChannelName.WEB, Level.BOUND, False),
        (ChannelName.WEB, Level.PROVEN, True),
        (ChannelName.SMS, Level.PROVEN, False),
    ],
)
async def test_the_check_looks_at_own_data_and_needs_the_same_proof(
    channel: ChannelName, level: Level, *, checked: bool
) -> None:
    counter = at_counter(channel=channel, level=level)
    await counter.says("我能不能租房提取", "may_i")
    assert bool(counter.fund.calls) is checked


async def test_a_question_about_the_rules_is_answered_and_the_check_goes_on() -> None:
    counter = at_counter()
    await counter.says("我能不能租房提取", "may_i")
    text = "租房提取要什么材料？"
    result = await counter.says(text, match=a_match(text, "withdraw-rent", aspect="materials"))
    assert text_of(result).endswith("接着办刚才的条件核对：您现在在广州租房住吗？")
    assert text_of(await counter.says("是")).startswith("能办租房提取")


async def test_leaving_the_check_is_easy() -> None:
    counter = at_counter()
    assert text_of(await said(counter, "x")) is not None
    await counter.says("我能不能租房提取", "may_i")
    assert text_of(await counter.says("算了")) == "好的，不核对了，需要时再问我。"
