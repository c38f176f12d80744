"""The loan: what is owed, what is due next, what is late."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from hotline.domain.fund import LoanState
from hotline.domain.messages import ChannelName, Outcome, TurnResult
from tests.fake_fund import a_loan
from tests.own_kit import text_of
from tests.unit.own.kit import a_fund, at_counter, spoken_badly

pytestmark = pytest.mark.anyio

OVERDUE = a_loan(state=LoanState.OVERDUE, overdue_instalments=2, overdue_fen=6_457_72)
SETTLED = a_loan(loan_no="L000002", state=LoanState.SETTLED, balance_fen=0, settled_on=date(2026, 1, 15))


async def told(*loans: object, channel: ChannelName = ChannelName.WECHAT) -> TurnResult:
    return await at_counter(a_fund(loans=list(loans)), channel).says("我的贷款", "ask_loan")


async def test_a_loan_is_told_with_its_next_instalment_and_rate() -> None:
    assert text_of(await told(a_loan())).splitlines() == [
        "贷款还剩532,410.62元没有还（贷款600,000元，已还41期，共240期）。",
        "下一期2026年12月18日还3,228.86元（本金2,075.30元，利息1,153.56元），请在卡里（尾号4569）存足。",
        "年利率2.6%，等额本息。",
    ]


async def test_what_is_late_comes_first_and_help_is_offered() -> None:
    text = text_of(await told(OVERDUE))
    assert text.startswith("您的贷款已逾期2期，共6,457.72元。请尽快把钱存进还款卡")
    assert "有困难请转人工说明情况" in text


async def test_a_change_of_rate_is_announced() -> None:
    changing = a_loan(next_rate_percent=Decimal("2.5"), next_rate_on=date(2027, 1, 1))
    assert "年利率2.6%，等额本息；2027年1月1日起改为2.5%。" in text_of(await told(changing))


async def test_an_account_that_pays_is_named_before_the_card() -> None:
    assert "先从公积金账户按月还贷，请在卡里（尾号4569）存足" in text_of(await told(a_loan(monthly_withdrawal=True)))
    assert "存足" not in text_of(await told(a_loan(monthly_withdrawal=True, card_tail="")))


async def test_several_loans_are_told_and_settled_ones_are_not() -> None:
    text = text_of(await told(a_loan(), OVERDUE, SETTLED))
    assert text.count("贷款还剩") == 2
    assert "结清" not in text


@pytest.mark.parametrize(("settled_on", "when"), [(date(2026, 1, 15), "（2026年1月15日）"), (None, "")])
async def test_a_settled_loan_leads_to_what_comes_after_it(settled_on: date | None, when: str) -> None:
    result = await told(a_loan(state=LoanState.SETTLED, balance_fen=0, settled_on=settled_on))
    assert text_of(result).startswith(f"您的公积金贷款已经结清{when}，现在没有欠款。")
    assert result.matter == "loan-settled"


async def test_no_loan_is_said_with_where_else_to_ask() -> None:
    result = await told()
    assert result.outcome is Outcome.CLARIFIED
    assert "请问放款的银行" in text_of(result)


@pytest.mark.parametrize(
    "loan", [a_loan(), OVERDUE, SETTLED, a_loan(monthly_withdrawal=True), a_loan(next_due_on=None)]
)
async def test_a_caller_hears_short_sentences_with_amounts_in_words(loan: object) -> None:
    assert not spoken_badly(await told(loan, channel=ChannelName.VOICE))
