"""Where an application is, and what its owner has to do."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from hotline.domain.fund import Application, ApplicationState
from hotline.domain.messages import ChannelName, Outcome
from hotline.private_store import SubmissionState
from tests.fake_fund import an_application
from tests.own_kit import NOW, labels_of, text_of
from tests.unit.own.kit import a_fund, a_match, at_counter, spoken_badly

pytestmark = pytest.mark.anyio

DONE = an_application(application_no="B000002", business="loan-prepay", state=ApplicationState.COMPLETED)


async def told(*applications: Application, channel: ChannelName = ChannelName.WECHAT) -> str:
    return text_of(await at_counter(a_fund(applications=applications), channel).says("办理进度", "ask_progress"))


async def test_state_comes_first_then_the_time_limit_in_working_days() -> None:
    assert (await told(an_application(due_on=date(2026, 11, 30)))).splitlines() == [
        "租房提取1,400元（编号B000001，2026年11月16日提交）：正在自动核验。",
        "最晚2026年11月30日前办结（还有3个工作日）。",
    ]


@pytest.mark.parametrize(
    ("due_on", "words"),
    [
        (date(2026, 11, 25), "今天（2026年11月25日）是办结期限。"),
        (date(2026, 11, 19), "已经超过办结期限（2026年11月19日），可以转人工催办。"),
        (date(2027, 11, 3), "那一年的放假安排还没公布，日期可能略有变动。"),
    ],
)
async def test_a_time_limit_that_is_near_past_or_unsure_is_said_so(due_on: date, words: str) -> None:
    assert words in await told(an_application(due_on=due_on))


async def test_without_a_time_limit_none_is_invented() -> None:
    assert "办结" not in await told(an_application(due_on=None))


async def test_what_is_missing_and_why_it_was_refused_are_told() -> None:
    missing = an_application(state=ApplicationState.SUPPLEMENT, missing=("租赁合同", "身份证"))
    assert "还缺：租赁合同、身份证。" in await told(missing)
    refused = an_application(state=ApplicationState.REFUSED, refusal="在本市有自有住房")
    assert "原因：在本市有自有住房。改好以后可以重新申请" in await told(refused)


@pytest.mark.parametrize("state", list(ApplicationState))
@pytest.mark.parametrize("channel", [ChannelName.VOICE, ChannelName.WECHAT])
async def test_every_state_has_its_words(state: ApplicationState, channel: ChannelName) -> None:
    application = an_application(state=state, missing=("租赁合同",), refusal="在本市有自有住房")
    counter = at_counter(a_fund(applications=[application]), channel)
    result = await counter.says("进度", "ask_progress")
    assert result.outcome is Outcome.ANSWERED
    assert str(state) not in text_of(result)
    if channel is ChannelName.VOICE:
        assert not spoken_badly(result)


async def test_open_ones_hide_what_is_over_and_another_business_can_be_asked_for() -> None:
    fund = a_fund(applications=[an_application(), DONE])
    assert "提前还款" not in text_of(await at_counter(fund).says("进度", "ask_progress"))
    text = text_of(await at_counter(fund).says("进度", "ask_progress", match=a_match("进度", "loan-prepay")))
    assert "公积金贷款提前还款" in text
    assert "租房" not in text


async def test_what_can_be_taken_back_is_offered_to_be() -> None:
    counter = at_counter(a_fund(applications=[an_application()]))
    assert labels_of(await counter.says("进度", "ask_progress")) == ["撤销申请"]
    fixed = at_counter(a_fund(applications=[an_application(cancellable=False)]))
    assert labels_of(await fixed.says("进度", "ask_progress")) == []


async def test_a_caller_hears_the_one_that_matters() -> None:
    second = an_application(application_no="B000009", business="withdraw-leave", submitted_at=NOW)
    text = await told(an_application(), second, channel=ChannelName.VOICE)
    assert text.startswith("离职提取一千四百元：正在自动核验。")
    assert "租房" not in text


async def test_a_business_nobody_knows_here_still_has_a_name() -> None:
    assert (await told(an_application(business="other-thing"))).startswith("业务申请1,400元")


async def test_nothing_filed_is_said_with_a_way_out() -> None:
    assert "也可以转人工核对" in await told()


async def test_a_filing_without_an_answer_is_told_for_a_day() -> None:
    counter = at_counter()
    await counter.submissions.begin("id-P000001", "withdraw-rent", key="k")
    await counter.submissions.settle("k", SubmissionState.UNKNOWN)
    text = text_of(await counter.says("进度", "ask_progress"))
    assert text == "租房提取：刚才提交时系统没有回应，正在核实是否收到，请不要重复提交。"
    counter.submissions.now = NOW - timedelta(days=2)
    await counter.submissions.settle("k", SubmissionState.UNKNOWN)
    assert "没有查到您的申请" in text_of(await counter.says("进度", "ask_progress"))
