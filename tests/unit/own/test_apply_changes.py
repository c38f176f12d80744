"""An application does not go straight: changes, refused promises, limits, resuming, several devices."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine

from hotline.domain.fund import ApplicationState
from hotline.domain.messages import ChannelName, Outcome
from hotline.settings import ChannelLimits
from tests.fake_fund import a_loan, an_account, an_application
from tests.own_kit import NOW, Counter, labels_of, text_of
from tests.unit.own.forms import CONFIRMED, IN_FULL, IN_PART, RENT, RETIRE, at_summary, begun
from tests.unit.own.kit import a_fund, at_counter, said

pytestmark = pytest.mark.anyio


def on_another_device(counter: Counter, channel: ChannelName = ChannelName.WEB) -> Counter:
    """The same person in another conversation, over the same records."""
    other = at_counter(counter.fund, channel)
    other.drafts, other.submissions, other.limits = counter.drafts, counter.submissions, counter.limits
    return other


# --- changing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["修改", "有错", "我要改"])
async def test_who_wants_to_change_something_says_what(words: str) -> None:
    counter = at_counter()
    await at_summary(counter)
    result = await counter.says(words)
    assert labels_of(result) == ["开始月份", "结束月份", "提取金额", "无房承诺"]
    choice = result.replies[-1].choices[2]
    assert text_of(await counter.says(choice.text)) == "提多少钱？最多6,000元。"


@pytest.mark.parametrize("words", ["修改提取金额", "提取金额不对", "金额改一下", "改金额"])
async def test_a_field_is_changed_by_its_name_and_the_rest_stays(words: str) -> None:
    counter = at_counter()
    await at_summary(counter)
    await counter.says(words)
    text = text_of(await counter.says("3000元"))
    assert text.startswith("请核对“租房提取”")
    assert "提取金额：3,000元" in text
    await counter.says(CONFIRMED)
    assert counter.fund.submitted[0].fields == {**RENT.fields, "amount_fen": "300000"}


async def test_an_answer_that_no_longer_fits_is_asked_for_again() -> None:
    counter = at_counter()
    await at_summary(counter)
    await counter.says("修改开始月份")
    assert text_of(await counter.says("这个月")) == "提多少钱？最多2,000元。"
    assert text_of(await counter.says("2000")).startswith("请核对“租房提取”")


async def test_answers_of_another_kind_are_dropped() -> None:
    counter = at_counter(a_fund(loans=[a_loan(balance_fen=150_000_00)]))
    await at_summary(counter, IN_PART)
    await counter.says("修改还款方式")
    text = text_of(await counter.says("全部还清"))
    assert text.startswith("请核对“公积金贷款提前还款”")
    assert "还款金额" not in text
    await counter.says(CONFIRMED)
    assert counter.fund.submitted[0].fields == {"loan_no": "L000001", "kind": "full", "on": "2026-12-10"}


async def test_a_change_that_is_not_carried_out_changes_nothing() -> None:
    counter = at_counter()
    await at_summary(counter)
    await said(counter, "修改提取金额", "取消")
    other = on_another_device(counter)
    text = text_of(await other.says("接着办", "apply"))
    assert "提取金额：5,500元" in text


# --- promises and leaving -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["不属实", "不是", "没有", "不同意"])
async def test_who_does_not_promise_is_let_go_kindly_and_offered_a_person(words: str) -> None:
    counter = at_counter()
    await begun(counter, RENT)
    result = await said(counter, *RENT.answers[:-1], words)
    assert text_of(result).startswith("好的，那就不提交了。")
    assert labels_of(result) == ["转人工"]
    assert (result.outcome, counter.context.task) == (Outcome.CLARIFIED, None)


@pytest.mark.parametrize("words", ["取消", "先不提交", "不办了", "下次再办"])
async def test_who_leaves_finds_everything_again(words: str) -> None:
    counter = at_counter()
    await at_summary(counter)
    result = await counter.says(words)
    assert text_of(result) == "好的，先停在这里。“租房提取”已填的内容保留30天，想接着办，随时说“接着办”。"
    assert counter.context.task is None
    assert text_of(await counter.says("接着办", "apply")).startswith("请核对“租房提取”")


async def test_who_has_not_said_what_he_wants_leaves_nothing_behind() -> None:
    counter = at_counter()
    await counter.says("我要提交申请", "apply")
    assert text_of(await counter.says("算了")) == "好的，需要时再告诉我。"


# --- resuming -------------------------------------------------------------------------------------------------------


async def test_what_was_begun_on_one_channel_goes_on_on_another() -> None:
    counter = at_counter()
    await begun(counter, RENT)
    await said(counter, "9月", "这个月")
    other = on_another_device(counter, ChannelName.VOICE)
    asked = await begun(other, RENT)
    assert text_of(asked) == "您有一份没填完的“租房提取”申请，接着填，还是重新填？"
    assert text_of(await other.says("接着填")) == "提多少钱？最多六千元。"


async def test_beginning_anew_forgets_the_old_answers() -> None:
    counter = at_counter()
    await begun(counter, RENT)
    await said(counter, "9月", "取消")
    result = await begun(counter, RENT)
    assert labels_of(result) == ["接着填", "重新填写"]
    assert text_of(await counter.says("重新填写")).startswith("可以办。")
    assert "first_month" not in counter.drafts.kept["id-P000001", "withdraw-rent"].fields


async def test_choosing_from_the_list_does_not_throw_a_draft_away() -> None:
    counter = at_counter()
    await begun(counter, RENT)
    await said(counter, "9月")
    other = on_another_device(counter)
    await other.says("我要提交申请", "apply")
    assert text_of(await other.says("租房提取")).startswith("您有一份没填完的“租房提取”申请")


async def test_a_form_without_an_answer_is_not_spoken_of() -> None:
    counter = at_counter()
    await begun(counter, RENT)
    other = on_another_device(counter)
    assert text_of(await begun(other, RENT)).startswith("可以办。")


async def test_what_does_not_fit_any_more_is_asked_for_when_it_goes_on_days_later() -> None:
    counter = at_counter(a_fund(loans=[a_loan(balance_fen=150_000_00)]))
    await begun(counter, IN_FULL)
    await said(counter, "全部还清", "明天", "取消")
    with time_machine.travel(NOW + timedelta(days=3)):
        later = on_another_device(counter)
        later.today = (NOW + timedelta(days=3)).date()
        assert text_of(await later.says("接着办", "apply")).startswith("哪一天还？")


async def test_what_is_known_is_looked_up_again_when_it_goes_on() -> None:
    counter = at_counter()
    await begun(counter, RENT)
    await said(counter, "9月", "这个月", "5500元", "取消")
    counter.fund = a_fund(accounts=[an_account(balance_fen=1_000_00)])
    assert text_of(await counter.says("接着办", "apply")) == "提多少钱？最多1,000元。"


async def test_a_condition_lost_meanwhile_stops_what_goes_on() -> None:
    counter = at_counter()
    await begun(counter, RENT)
    await said(counter, "9月", "取消")
    counter.fund = a_fund(applications=[an_application()])
    assert text_of(await counter.says("接着办", "apply")).startswith("不能重复提交")


async def test_nothing_begun_is_nothing_to_go_on_with() -> None:
    result = await at_counter().says("接着办", "apply")
    assert text_of(result).startswith("可以在这里办下面这些业务")


async def test_a_draft_that_is_gone_is_said_to_be() -> None:
    counter = at_counter()
    await at_summary(counter)
    counter.drafts.kept.clear()
    result = await counter.says(CONFIRMED)
    assert text_of(result) == "这份申请已经提交或者过期了。要重新办的话，告诉我办什么就行。"
    assert (counter.context.task, counter.fund.submitted) == (None, [])


# --- limits ---------------------------------------------------------------------------------------------------------


def limited(single_yuan: int, daily_yuan: int, **record: object) -> Counter:
    counter = at_counter(a_fund(**record))
    limits = ChannelLimits(single_yuan=single_yuan, daily_yuan=daily_yuan)
    counter.limits = counter.limits.model_copy(update={"wechat": limits})
    return counter


async def test_too_much_at_once_is_not_filed_and_can_be_made_less() -> None:
    counter = limited(3_000, 10_000)
    result = await at_summary(counter)
    assert text_of(result).startswith("不能提交：这里一次最多办3,000元。")
    assert labels_of(result) == ["修改", "先不提交"]
    assert text_of(await counter.says(CONFIRMED)).startswith("不能提交：这里一次最多办3,000元。")
    assert text_of(await said(counter, "修改金额", "3000")).startswith("请核对“租房提取”")
    await counter.says(CONFIRMED)
    assert len(counter.fund.submitted) == 1


async def test_what_was_filed_today_counts_and_what_was_refused_does_not() -> None:
    today = an_application(application_no="B000007", business="loan-prepay", submitted_at=NOW, amount_fen=5_000_00)
    counter = limited(6_000, 10_000, applications=[today])
    assert "今天还能办5,000元" in text_of(await at_summary(counter))
    yesterday = an_application(business="loan-prepay", submitted_at=NOW - timedelta(days=1), amount_fen=9_000_00)
    refused = replace(today, state=ApplicationState.REFUSED, cancellable=False)
    for before in ([yesterday], [refused]):
        assert text_of(await at_summary(limited(6_000, 10_000, applications=before))).startswith("请核对")


async def test_more_than_a_whole_day_allows_is_not_put_off_to_tomorrow() -> None:
    assert "明天" not in text_of(await at_summary(limited(10_000, 5_000)))


async def test_limits_are_looked_at_again_when_it_is_confirmed() -> None:
    counter = limited(6_000, 10_000)
    await at_summary(counter)
    busy = an_application(application_no="B000007", business="loan-prepay", submitted_at=NOW, amount_fen=9_000_00)
    counter.fund = a_fund(applications=[busy])
    assert text_of(await counter.says(CONFIRMED)).startswith("今天不能再提交")
    assert counter.fund.submitted == []


async def test_all_of_an_account_counts_against_the_limit() -> None:
    counter = at_counter(RETIRE.fund())
    counter.limits = counter.limits.model_copy(update={"wechat": ChannelLimits(single_yuan=50_000)})
    assert text_of(await at_summary(counter, RETIRE)).startswith("不能提交：这里一次最多办50,000元。")


# --- several devices ------------------------------------------------------------------------------------------------


async def test_two_devices_that_confirm_at_once_file_once() -> None:
    counter = at_counter()
    await at_summary(counter)
    other = on_another_device(counter)
    await other.says("接着办", "apply")
    await counter.says("再说一遍", "repeat")
    counter.fund.slow_s = 0.02
    texts = [text_of(each) for each in await asyncio.gather(counter.says(CONFIRMED), other.says(CONFIRMED))]
    assert len(counter.fund.submitted) == 1
    assert sorted(text[:4] for text in texts) == ["“租房提", "已提交。"]


async def test_confirming_again_files_nothing_more() -> None:
    counter = at_counter()
    await at_summary(counter)
    before = counter.context
    first = text_of(await counter.says(CONFIRMED))
    counter.context = before
    again = text_of(await counter.says(CONFIRMED))
    assert first.startswith("已提交。")
    assert again == "这份申请已经提交或者过期了。要重新办的话，告诉我办什么就行。"
    assert len(counter.fund.submitted) == 1


async def test_only_what_was_seen_is_confirmed() -> None:
    counter = at_counter()
    await at_summary(counter)
    other = on_another_device(counter)
    await other.says("接着办", "apply")
    await said(other, "修改金额", "100元")
    result = await counter.says(CONFIRMED)
    assert text_of(result).startswith("请再核对一遍。\n请核对“租房提取”")
    assert "提取金额：100元" in text_of(result)
    assert counter.fund.submitted == []
    await counter.says(CONFIRMED)
    assert counter.fund.submitted[0].fields["amount_fen"] == "10000"


async def test_a_day_that_has_passed_at_the_summary_is_not_filed() -> None:
    counter = at_counter(a_fund(loans=[a_loan(balance_fen=150_000_00)]))
    await begun(counter, IN_FULL)
    await said(counter, "全部还清", "明天")
    counter.today = (NOW + timedelta(days=1)).date()
    assert "哪一天还？" in text_of(await counter.says(CONFIRMED))
    assert counter.fund.submitted == []
