"""How much is in the accounts: told to whom, and how."""

from __future__ import annotations

from datetime import date

import pytest

from hotline.domain.fund import AccountState
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Outcome
from tests.fake_fund import an_account
from tests.own_kit import labels_of, text_of
from tests.unit.own.kit import PAGES, a_fund, at_counter, spoken_badly

pytestmark = pytest.mark.anyio

SECOND = an_account(account_no="A000002", unit_name="南沙码头公司", balance_fen=1_000_00, state=AccountState.SEALED)


@pytest.mark.parametrize("channel", PAGES)
async def test_a_page_shows_the_sum_and_each_account(channel: ChannelName) -> None:
    counter = at_counter(a_fund(accounts=[an_account(), SECOND]), channel)
    text = text_of(await counter.says("我的余额", "ask_balance"))
    assert text.splitlines() == [
        "您的公积金余额是87,520.35元。",
        "· 广州星河软件有限公司：86,520.35元，正常缴存，缴至2026年10月",
        "· 南沙码头公司：1,000元，已封存，缴至2026年10月",
    ]


async def test_a_caller_hears_the_sum_in_words() -> None:
    result = await at_counter(a_fund(accounts=[an_account(), SECOND]), ChannelName.VOICE).says("余额", "ask_balance")
    assert text_of(result) == "您的公积金余额是八万七千五百二十元三角五分。"
    assert not spoken_badly(result)


async def test_a_text_message_never_shows_an_amount_even_to_a_proven_person() -> None:
    counter = at_counter(channel=ChannelName.SMS)
    text = text_of(await counter.says("余额", "ask_balance"))
    assert text.startswith("短信里不显示个人账户信息")
    assert counter.fund.calls == []


@pytest.mark.parametrize(
    ("channel", "level", "shown"),
    [
        (ChannelName.WECHAT, Level.BOUND, True),
        (ChannelName.WEB, Level.BOUND, False),
        (ChannelName.VOICE, Level.BOUND, False),
        (ChannelName.WEB, Level.PROVEN, True),
        (ChannelName.VOICE, Level.PROVEN, True),
        (ChannelName.WECHAT, None, False),
        (ChannelName.WEB, None, False),
        (ChannelName.VOICE, None, False),
    ],
)
async def test_a_bound_wechat_account_is_enough_and_everybody_else_proves_himself(
    channel: ChannelName, level: Level | None, *, shown: bool
) -> None:
    counter = at_counter(channel=channel, level=level)
    result = await counter.says("我的余额", "ask_balance")
    assert ("余额是" in text_of(result)) is shown
    assert bool(counter.fund.calls) is shown
    if not shown and channel in PAGES:
        assert "验证身份" in labels_of(result)


async def test_what_is_frozen_is_said_with_who_froze_it() -> None:
    frozen = an_account(frozen_fen=5_000_00, frozen_by="广州市中级人民法院")
    text = text_of(await at_counter(a_fund(accounts=[frozen])).says("余额", "ask_balance"))
    assert "其中5,000元被广州市中级人民法院冻结，暂时不能动用。" in text
    spoken = await at_counter(a_fund(accounts=[frozen]), ChannelName.VOICE).says("余额", "ask_balance")
    assert "其中五千元被冻结" in text_of(spoken)
    assert not spoken_badly(spoken)


async def test_a_closed_account_counts_for_nothing() -> None:
    closed = an_account(state=AccountState.CLOSED, closed_on=date(2020, 1, 1), balance_fen=0)
    result = await at_counter(a_fund(accounts=[closed])).says("余额", "ask_balance")
    assert result.outcome is Outcome.CLARIFIED
    assert "没有查到您名下在用的公积金账户" in text_of(result)
