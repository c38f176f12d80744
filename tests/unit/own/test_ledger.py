"""What came in and went out: periods, pages, several accounts."""

from __future__ import annotations

from datetime import date

import pytest

from hotline.domain.fund import LedgerKind
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Outcome
from tests.fake_fund import a_ledger, an_account
from tests.own_kit import labels_of, text_of
from tests.unit.own.kit import a_fund, a_match, at_counter, said, spoken_badly

pytestmark = pytest.mark.anyio

SECOND = an_account(account_no="A000002", unit_name="南沙码头公司")


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("·")]


async def test_the_newest_postings_come_first_and_more_are_offered() -> None:
    result = await at_counter().says("缴存明细", "ask_ledger")
    assert text_of(result).startswith("广州星河软件有限公司的账户最近的明细（共9笔）：")
    assert lines(text_of(result))[0] == "· 2026年10月20日 汇缴（2026年10月） +2,400元，余额86,520.35元"
    assert len(lines(text_of(result))) == 6
    assert labels_of(result) == ["再看几笔"]


@pytest.mark.parametrize("words", ["再看几笔", "还有呢", "下一页"])
async def test_more_are_told_until_there_are_none(words: str) -> None:
    counter = at_counter()
    await counter.says("缴存明细", "ask_ledger")
    result = await counter.says(words, "more")
    assert text_of(result).startswith("接着是：")
    assert lines(text_of(result))[-1] == "· 2026年2月22日 提取 -1,400元，余额67,320.35元"
    assert labels_of(result) == []
    assert counter.context.task is None


async def test_a_period_is_summed_up() -> None:
    result = await at_counter().says("今年9月到10月的明细", "ask_ledger")
    assert text_of(result).startswith("2026年9月1日至2026年10月31日，广州星河软件有限公司的账户共2笔，存入4,800元")
    assert len(lines(text_of(result))) == 2


async def test_a_period_without_postings_says_what_can_be_done() -> None:
    result = await at_counter().says("2019年的明细", "ask_ledger")
    assert "没有记录。单位没有按时缴存的话" in text_of(result)


async def test_the_other_account_is_shown_from_its_beginning() -> None:
    fund = a_fund(accounts=[an_account(), SECOND])
    counter = at_counter(fund)
    first = await counter.says("缴存明细", "ask_ledger")
    assert labels_of(first) == ["再看几笔", "看另一个账户"]
    second = await counter.says("看另一个账户")
    assert text_of(second) == "南沙码头公司的账户还没有任何记录。"
    back = await counter.says("看另一个账户")
    assert text_of(back).startswith("广州星河软件有限公司的账户最近的明细")


async def test_the_other_account_is_shown_for_the_same_period() -> None:
    counter = at_counter(a_fund(accounts=[an_account(), SECOND]))
    await counter.says("2026年10月的明细", "ask_ledger")
    assert text_of(await counter.says("另一个账户")).startswith("2026年10月1日至2026年10月31日，南沙码头公司的账户没有")


async def test_where_there_are_no_more_postings_more_means_something_else() -> None:
    counter = at_counter(a_fund(accounts=[an_account(), SECOND], ledger=a_ledger(2_400_00)))
    assert labels_of(await counter.says("明细", "ask_ledger")) == ["看另一个账户"]
    assert "汇缴" not in text_of(await counter.says("还有呢", "more"))


async def test_a_caller_hears_one_posting_after_another_in_words() -> None:
    counter = at_counter(channel=ChannelName.VOICE)
    first = await counter.says("明细", "ask_ledger")
    second = await counter.says("还有呢", "more")
    assert text_of(first) == "一共9笔，最近一笔是：\n2026年10月20日汇缴两千四百元。"
    assert text_of(second) == "再往前一笔是：\n2026年9月20日汇缴两千四百元。"
    assert not spoken_badly(first)


async def test_interest_is_of_no_month() -> None:
    posting = a_ledger(100_00)[0]
    interest = type(posting)(
        entry_no="E1",
        posted_on=date(2026, 6, 30),
        kind=LedgerKind.INTEREST,
        amount_fen=1_234_56,
        balance_fen=86_520_35,
        month=date(2026, 6, 1),
    )
    result = await at_counter(a_fund(ledger=[interest])).says("明细", "ask_ledger")
    assert lines(text_of(result)) == ["· 2026年6月30日 结息 +1,234.56元，余额86,520.35元"]


async def test_without_an_account_there_is_nothing_to_show() -> None:
    result = await at_counter(a_fund(accounts=[])).says("明细", "ask_ledger")
    assert result.outcome is Outcome.CLARIFIED
    assert "没有查到您名下的公积金账户" in text_of(result)


async def test_an_offer_that_is_not_taken_up_costs_nothing_and_leaves_no_trace() -> None:
    counter = at_counter()
    await counter.says("明细", "ask_ledger")
    calls, looks = list(counter.fund.calls), list(counter.audit.actions)
    result = await counter.says("租房提取要什么材料？", match=a_match("租房提取要什么材料？", "withdraw-rent"))
    assert result.matter == "withdraw-rent"
    assert (counter.fund.calls, counter.audit.actions) == (calls, looks)


async def test_an_offer_does_not_hold_a_question_up_when_the_proof_or_the_core_system_is_gone() -> None:
    counter = at_counter(channel=ChannelName.WEB)
    await counter.says("明细", "ask_ledger")
    counter.knows("P000001", level=Level.BOUND)
    counter.fund.away = True
    result = await counter.says("租房提取要什么材料？", match=a_match("租房提取要什么材料？", "withdraw-rent"))
    assert result.outcome is Outcome.ANSWERED
    assert counter.context.task is None


async def test_more_is_not_told_when_the_proof_has_run_out() -> None:
    counter = at_counter(channel=ChannelName.WEB)
    await counter.says("明细", "ask_ledger")
    counter.knows("P000001", level=Level.BOUND)
    assert "汇缴" not in text_of(await counter.says("再看几笔", "more"))


async def test_an_account_that_is_gone_meanwhile_is_said_to_be_gone() -> None:
    counter = at_counter(a_fund(accounts=[an_account(), SECOND]))
    await said(counter, "明细")
    await counter.says("明细", "ask_ledger")
    await counter.says("另一个账户")
    counter.fund = a_fund(accounts=[an_account()])
    counter.context = type(counter.context)(
        task={**(counter.context.task or {}), "about": "1", "inputs": {"cursor": "6"}}
    )
    result = await counter.says("再看几笔", "more")
    assert "没有查到对应的记录" in text_of(result)
