"""Whether contributions come in: the present month first, then the accounts, then gaps."""

from __future__ import annotations

from datetime import date

import pytest

from hotline.domain.fund import AccountKind, AccountState, Gap
from hotline.domain.messages import ChannelName, Outcome
from tests.fake_fund import an_account, contributions
from tests.own_kit import text_of
from tests.unit.own.kit import a_fund, at_counter, spoken_badly

pytestmark = pytest.mark.anyio

FLEXIBLE = an_account(account_no="A000002", unit_name="灵活就业", kind=AccountKind.FLEXIBLE, monthly_fen=500_00)


async def told(channel: ChannelName = ChannelName.WECHAT, **changes: object) -> str:
    result = await at_counter(a_fund(**changes), channel).says("缴存情况", "ask_contributions")
    return text_of(result)


async def test_paid_to_last_month_is_not_yet_paid_this_month() -> None:
    lines = (await told()).splitlines()
    assert lines[0] == "缴到2026年10月，之后的还没有到账。累计缴存24个月，最近一次连续24个月。"
    assert lines[1] == ("· 广州星河软件有限公司：单位缴存，正常缴存。每月2,400元，基数10,000元，个人12%、单位12%。")
    assert lines[2] == "中间没有断缴。"


async def test_this_month_is_said_to_be_there() -> None:
    text = await told(paid=contributions(last=date(2026, 11, 1), paid_months=25, consecutive_months=25))
    assert text.startswith("这个月（2026年11月）的已经到账。累计缴存25个月")


async def test_gaps_are_named() -> None:
    gaps = (Gap(first=date(2020, 3, 1), last=date(2020, 3, 1)), Gap(first=date(2021, 1, 1), last=date(2021, 4, 1)))
    text = await told(paid=contributions(gaps=gaps))
    assert text.endswith("中间断缴5个月：2020年3月、2021年1月到2021年4月。")


async def test_of_many_gaps_the_newest_are_named() -> None:
    gaps = tuple(Gap(first=date(year, 3, 1), last=date(year, 3, 1)) for year in range(2015, 2021))
    text = await told(paid=contributions(gaps=gaps))
    assert text.endswith("中间断缴共6个月，最近的是2017年3月、2018年3月、2019年3月、2020年3月。")


async def test_each_account_in_use_is_told_and_closed_ones_are_not() -> None:
    sealed = an_account(account_no="A000003", unit_name="旧单位", state=AccountState.SEALED, sealed_on=date(2024, 6, 1))
    closed = an_account(account_no="A000004", unit_name="更旧的", state=AccountState.CLOSED)
    text = await told(accounts=[an_account(), FLEXIBLE, sealed, closed])
    assert "· 灵活就业：灵活就业缴存，正常缴存。每月500元，基数10,000元，比例12%。" in text
    assert "· 旧单位：已封存（2024年6月1日起）" in text
    assert "更旧的" not in text


async def test_nothing_paid_yet_is_no_reproach() -> None:
    paid = contributions(first=None, last=None, paid_months=0, consecutive_months=0)
    counter = at_counter(a_fund(paid=paid))
    result = await counter.says("缴存情况", "ask_contributions")
    assert result.outcome is Outcome.CLARIFIED
    assert "刚开户的话，要等单位第一次汇缴到账才有" in text_of(result)


@pytest.mark.parametrize("accounts", [[an_account()], [FLEXIBLE], [an_account(), FLEXIBLE]])
async def test_a_caller_hears_it_in_two_sentences(accounts: list[object]) -> None:
    counter = at_counter(a_fund(accounts=accounts), ChannelName.VOICE)
    result = await counter.says("缴存情况", "ask_contributions")
    assert len(text_of(result).splitlines()) == 2
    assert not spoken_badly(result)
