"""What the core system tells an agent, side by side and in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from hotline.domain.fund import Account, AccountState, Application, ApplicationState, LoanState
from hotline.fund_system import FundRefused
from hotline.services.desk.core_facts import CoreFacts, Facts
from tests.fake_fund import FakeFundSystem, a_loan, a_person, an_account, an_application

pytestmark = pytest.mark.anyio

NAMES = {"withdraw-rent": "租房提取"}


def names(code: str) -> str:
    return NAMES.get(code, "其他业务")


async def told(fund: FakeFundSystem | None = None, **held: Any) -> dict[str, str]:
    fund = fund or FakeFundSystem()
    fund.add(a_person(), **held)
    facts = await CoreFacts(fund, names=names).of("P000001")
    assert not facts.missing
    return dict(facts.found)


async def test_a_whole_record() -> None:
    found = await told(accounts=[an_account()], loans=[a_loan()], applications=[an_application()])
    assert found == {
        "余额": "86,520.35元",
        "账户状态": "正常缴存",
        "缴至": "2026年10月",
        "公积金贷款": "还款中，余额532,410.62元",
        "在办业务": "租房提取正在自动核验",
    }


async def test_an_empty_record_says_so() -> None:
    assert await told(accounts=[an_account(state=AccountState.CLOSED)]) == {
        "账户状态": "名下没有在用的账户",
        "公积金贷款": "没有未还清的贷款",
        "在办业务": "没有在办的业务",
    }


async def test_several_accounts_are_one_sum_with_what_is_frozen_in_it() -> None:
    sealed = an_account(
        account_no="A2", state=AccountState.SEALED, balance_fen=1_000_00, frozen_fen=200_00, paid_to=date(2020, 5, 1)
    )
    found = await told(accounts=[an_account(balance_fen=500_00), sealed])
    assert (found["余额"], found["账户状态"]) == ("1,500元（其中200元被冻结）", "正常缴存；已封存")
    assert found["缴至"] == "2026年10月"


async def test_what_was_never_paid_has_no_last_month() -> None:
    assert "缴至" not in await told(accounts=[an_account(paid_to=None)])


async def test_an_overdue_loan_says_how_far_and_a_settled_one_is_left_out() -> None:
    overdue = a_loan(state=LoanState.OVERDUE, overdue_instalments=2, overdue_fen=6_457_72)
    found = await told(loans=[overdue, a_loan(loan_no="L2", state=LoanState.SETTLED)])
    assert found["公积金贷款"] == "逾期2期、欠6,457.72元，余额532,410.62元"


async def test_open_applications_are_named_and_the_rest_counted() -> None:
    done = an_application(application_no="B0", state=ApplicationState.COMPLETED)
    many = [an_application(application_no=f"B{number}", business=f"x{number}") for number in range(1, 6)]
    found = await told(applications=[*many, done])
    assert found["在办业务"] == "；".join(["其他业务正在自动核验"] * 3) + "等5项"


async def test_no_account_or_loan_number_is_told() -> None:
    found = await told(accounts=[an_account()], loans=[a_loan()], applications=[an_application()])
    assert not any(number in repr(found) for number in ("A000001", "L000001", "B000001", "4569"))


async def test_a_core_system_that_is_away_tells_nothing() -> None:
    assert await CoreFacts(FakeFundSystem(away=True), names=names).of("P000001") == Facts(found=(), missing=True)


class HalfAsleep(FakeFundSystem):
    """Accounts take their time, and applications are refused."""

    async def accounts(self, person_no: str) -> Sequence[Account]:
        await asyncio.sleep(5)
        return []

    async def applications(self, person_no: str) -> Sequence[Application]:
        raise FundRefused("not_found")


async def test_what_is_told_in_time_is_shown_without_the_rest() -> None:
    fund = HalfAsleep()
    fund.add(a_person(), loans=[a_loan()])
    began = time.monotonic()
    facts = await CoreFacts(fund, names=names, limit_s=0.1).of("P000001")
    assert time.monotonic() - began < 1
    assert ([label for label, _ in facts.found], facts.missing) == (["公积金贷款"], True)
