"""The formulas against numpy-financial and against a second reckoning in decimals."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from random import Random

import numpy_financial as npf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.fund import RepayMethod
from hotline.domain.loan_maths import (
    Keep,
    Plan,
    RateChange,
    Terms,
    affordable,
    instalment,
    plan,
    prepay,
    schedule,
)

CASES = 10_000
FEN = Decimal(1)
RATES = st.decimals(min_value=0, max_value=8, places=3)
TERMS = st.builds(
    Terms,
    principal_fen=st.integers(min_value=1, max_value=200_000_000),
    months=st.integers(min_value=1, max_value=360),
    rate_percent=RATES,
    method=st.sampled_from(RepayMethod),
)


def terms(**changes: object) -> Terms:
    given: dict[str, object] = {"principal_fen": 800_000_00, "months": 360, "rate_percent": Decimal("2.6")}
    return Terms(**(given | changes))  # type: ignore[arg-type]


def decimal_instalment(one: Terms) -> int:
    """The equal instalment from its definition, in 40 digits."""
    with localcontext() as context:
        context.prec = 40
        rate = one.rate_percent / 1200
        paid = one.principal_fen * rate / (1 - (1 + rate) ** -one.months)
        return int(paid.quantize(FEN, ROUND_HALF_UP))


def decimal_interest(one: Terms) -> int:
    """The interest of the whole term, month by month."""
    equal, owed, interest = decimal_instalment(one), Decimal(one.principal_fen), Decimal(0)
    for _ in range(one.months):
        this = (owed * one.rate_percent / 1200).quantize(FEN, ROUND_HALF_UP)
        interest += this
        owed -= min(max(equal - this, Decimal(0)), owed)
    return int(interest)


def test_ten_thousand_random_loans_agree_to_the_fen_with_numpy_financial_and_with_decimals() -> None:
    random = Random(20261125)  # noqa: S311 - cases, no secrets
    for at in range(CASES):
        one = Terms(
            principal_fen=random.randint(1_000_00, 2_240_000_00),
            months=random.randint(1, 360),
            rate_percent=Decimal(random.randint(1, 8000)) / 1000,
        )
        rate = float(one.rate_percent) / 1200
        assert abs(instalment(one) + npf.pmt(rate, one.months, one.principal_fen)) <= 0.5 + 1e-5, one
        assert instalment(one) == decimal_instalment(one), one
        if at % 20 == 0:
            found = plan(one)
            interest = -npf.ipmt(rate, 1, one.months, one.principal_fen)
            assert abs(found.payments[0].interest_fen - interest) <= 0.5 + 1e-5, one
            assert found.interest_fen == decimal_interest(one), one


def test_a_known_loan_has_the_figures_of_its_formula() -> None:
    """1,000,000 over 30 years: 4135.57 a month at 2.85 %, 133 less (rounded) at 2.6 %, as published with the change."""
    before, after = (terms(principal_fen=1_000_000_00, rate_percent=Decimal(rate)) for rate in ("2.85", "2.6"))
    assert instalment(before) == 4_135_57
    assert 132_00 <= instalment(before) - instalment(after) <= 133_00
    assert plan(terms(principal_fen=1_000_000_00, method=RepayMethod.EQUAL_PRINCIPAL)).first_fen == 4_944_45


@given(TERMS)
def test_the_principal_is_repaid_to_the_fen_and_the_last_instalment_takes_the_rest(one: Terms) -> None:
    found = plan(one)
    assert sum(payment.principal_fen for payment in found.payments) == one.principal_fen
    assert found.payments[-1].balance_fen == 0
    assert all(payment.principal_fen >= 0 and payment.interest_fen >= 0 for payment in found.payments)
    assert found.total_fen == sum(payment.total_fen for payment in found.payments)


@given(TERMS)
def test_equal_principal_never_costs_more_interest(one: Terms) -> None:
    equal = plan(Terms(principal_fen=one.principal_fen, months=one.months, rate_percent=one.rate_percent))
    method = RepayMethod.EQUAL_PRINCIPAL
    falling = plan(
        Terms(principal_fen=one.principal_fen, months=one.months, rate_percent=one.rate_percent, method=method)
    )
    assert falling.interest_fen <= equal.interest_fen + one.months


@given(st.integers(min_value=100, max_value=5_000_000), st.integers(min_value=1, max_value=360), RATES)
def test_the_affordable_principal_is_the_largest_with_that_instalment(payment: int, months: int, rate: Decimal) -> None:
    most = affordable(payment, months, rate)
    assert instalment(Terms(principal_fen=most, months=months, rate_percent=rate)) <= payment
    more = Terms(principal_fen=most + months + 1, months=months, rate_percent=rate)
    assert instalment(more) > payment - 1


@given(TERMS, st.integers(min_value=1, max_value=99))
def test_paying_early_saves_and_ending_earlier_saves_more(one: Terms, percent: int) -> None:
    paid = max(1, one.principal_fen * percent // 100)
    term, end = (prepay(one, paid, keep=keep) for keep in (Keep.TERM, Keep.INSTALMENT))
    slack = one.months  # each month's rounding may be a fen the other way
    assert term.saved_fen >= -slack
    assert end.saved_fen >= term.saved_fen - slack
    assert term.months_left <= one.months
    assert end.months_left <= term.months_left
    for found in (term, end):
        after = found.after
        assert after is None or sum(payment.principal_fen for payment in after.payments) == one.principal_fen - paid


def test_what_is_kept_stays_the_same() -> None:
    one = terms()
    before = plan(one)
    smaller, shorter = prepay(one, 200_000_00), prepay(one, 200_000_00, keep=Keep.INSTALMENT)
    assert smaller.after is not None
    assert shorter.after is not None
    assert smaller.months_saved == 0
    assert smaller.after.first_fen == instalment(terms(principal_fen=600_000_00)) < before.first_fen
    assert shorter.after.first_fen == before.first_fen
    assert shorter.after.last_fen <= before.first_fen
    assert shorter.months_saved > 0


def test_paying_all_of_it_saves_all_interest_to_come() -> None:
    one = terms()
    found = prepay(one, 10_000_000_00)
    assert (found.after, found.paid_fen, found.months_left) == (None, one.principal_fen, 0)
    assert found.saved_fen == plan(one).interest_fen


def test_a_schedule_keeps_its_day_of_the_month() -> None:
    lines = schedule(terms(months=13), first_due_on=date(2027, 12, 31))
    assert [line.due_on for line in lines[:4]] == [
        date(2027, 12, 31),
        date(2028, 1, 31),
        date(2028, 2, 29),
        date(2028, 3, 31),
    ]
    assert [line.number for line in lines] == list(range(1, 14))
    assert lines[-1].balance_fen == 0


def test_a_month_with_two_rates_is_reckoned_by_days() -> None:
    """From 20 December to 20 January are 31 days, 12 of them before the new year."""
    one, change = terms(), RateChange(rate_percent=Decimal("2.1"), on=date(2026, 1, 1))
    lines = schedule(one, first_due_on=date(2025, 12, 20), change=change)
    owed = lines[0].balance_fen
    expected = Decimal(owed) * (Decimal("2.6") * 12 + Decimal("2.1") * 19) / 31 / 1200
    assert lines[1].interest_fen == int(expected.quantize(FEN, ROUND_HALF_UP))
    left = Terms(principal_fen=lines[1].balance_fen, months=358, rate_percent=Decimal("2.1"))
    assert lines[2].principal_fen + lines[2].interest_fen == instalment(left)
    assert sum(line.principal_fen for line in lines) == one.principal_fen


@given(TERMS, st.dates(min_value=date(2020, 1, 1), max_value=date(2040, 1, 1)))
def test_a_change_to_the_same_rate_changes_nothing_but_rounding(one: Terms, on: date) -> None:
    first_due_on = date(2025, 1, 15)
    plain = schedule(one, first_due_on=first_due_on)
    changed = schedule(one, first_due_on=first_due_on, change=RateChange(rate_percent=one.rate_percent, on=on))
    assert sum(line.principal_fen for line in changed) == one.principal_fen
    difference = sum(line.interest_fen for line in plain) - sum(line.interest_fen for line in changed)
    assert abs(difference) <= one.months * 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"months": 0},
        {"months": 481},
        {"principal_fen": 0},
        {"rate_percent": Decimal(-1)},
        {"rate_percent": Decimal(101)},
    ],
)
def test_terms_no_loan_has_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"months|principal|%"):
        terms(**wrong)


def test_paying_nothing_early_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        prepay(terms(), 0)


def test_a_plan_of_no_interest_is_the_principal_in_parts() -> None:
    found: Plan = plan(terms(principal_fen=100_00, months=3, rate_percent=Decimal(0)))
    assert [payment.total_fen for payment in found.payments] == [33_33, 33_33, 33_34]
