"""What a loan costs a month, and what paying early saves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from hotline.domain.fund import Loan, RepayMethod
from hotline.domain.loan_maths import Keep, Plan, Prepayment, Terms, plan, prepay
from hotline.services.reckoning.figures import Figures, Used
from hotline.services.reckoning.needs import Missing, missing
from hotline.services.reckoning.rates import year_rate
from knowledge_base.model import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class RepaymentWish:
    """``rate_percent`` None: the rate in force for a first or second home."""

    amount_fen: int | None = None
    months: int | None = None
    home_number: int = 1
    rate_percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyPayment:
    """Both ways of repaying, side by side."""

    wish: RepaymentWish
    equal_instalment: Plan
    equal_principal: Plan
    used: tuple[Used, ...]


def monthly_payment(catalogue: Catalogue, wish: RepaymentWish, today: date) -> MonthlyPayment | Missing:
    """The plans as of ``today``, or what has to be asked first.

    Raises:
        NotInForce: no rate on that day.
        ValueError: an amount or term that no loan has (`Terms`).
    """
    if wish.amount_fen is None or wish.months is None:
        return missing(amount=wish.amount_fen, term=wish.months)
    figures = Figures(catalogue, today)
    rate = wish.rate_percent
    if rate is None:
        rate = year_rate(figures, months=wish.months, home_number=wish.home_number)
    terms = Terms(principal_fen=wish.amount_fen, months=wish.months, rate_percent=rate)
    return MonthlyPayment(
        wish=wish,
        equal_instalment=plan(terms),
        equal_principal=plan(replace(terms, method=RepayMethod.EQUAL_PRINCIPAL)),
        used=figures.used,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepayWish:
    """What is left of a loan, and how much of it is paid early. ``in_full``: all of it, whatever it is."""

    owed_fen: int | None = None
    months: int | None = None
    """Instalments still to come."""
    rate_percent: Decimal | None = None
    method: RepayMethod = RepayMethod.EQUAL_INSTALMENT
    home_number: int = 1
    paid_fen: int | None = None
    in_full: bool = False

    @classmethod
    def of(cls, loan: Loan, *, paid_fen: int | None = None, in_full: bool = False) -> PrepayWish:
        """From the core system's loan."""
        return cls(
            owed_fen=loan.balance_fen,
            months=loan.term_months - loan.paid_instalments,
            rate_percent=loan.rate_percent,
            method=loan.method,
            home_number=loan.home_number,
            paid_fen=paid_fen,
            in_full=in_full,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepaymentSaving:
    """``keep_term`` (smaller instalments) and ``keep_instalment`` (an earlier end) side by side; settling in full they
    are one. ``too_little_fen``: the least the centre lets pay early, where that is more."""

    wish: PrepayWish
    keep_term: Prepayment
    keep_instalment: Prepayment
    too_little_fen: int | None
    used: tuple[Used, ...]


def prepayment(catalogue: Catalogue, wish: PrepayWish, today: date) -> PrepaymentSaving | Missing:
    """What paying early, right after an instalment, saves; or what has to be asked first.

    The rate is taken to stay as it is.

    Raises:
        NotInForce: the rate was not given and none is in force.
        ValueError: nothing is owed or paid, or no instalment is left.
    """
    paid = wish.owed_fen if wish.in_full else wish.paid_fen
    if wish.owed_fen is None or wish.months is None or paid is None:
        return missing(owed=wish.owed_fen, left=wish.months, paid=0 if wish.in_full else paid)
    figures = Figures(catalogue, today)
    rate = wish.rate_percent
    if rate is None:
        rate = year_rate(figures, months=wish.months, home_number=wish.home_number)
    terms = Terms(principal_fen=wish.owed_fen, months=wish.months, rate_percent=rate, method=wish.method)
    least = figures.fen("loan_prepay_min") if figures.has("loan_prepay_min") and paid < wish.owed_fen else 0
    return PrepaymentSaving(
        wish=wish,
        keep_term=prepay(terms, paid, keep=Keep.TERM),
        keep_instalment=prepay(terms, paid, keep=Keep.INSTALMENT),
        too_little_fen=least if paid < least else None,
        used=figures.used,
    )
