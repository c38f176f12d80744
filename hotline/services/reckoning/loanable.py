"""How much of a housing loan a citizen can expect: the lowest of what the rules allow.

The most an application may ask for, a formula of balance and monthly contributions, what the income carries, and the
price less the down payment. Every figure is a parameter of the centre; where a centre has not published one, there is
no estimate (`NotInForce`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from hotline.domain.days import add_months, whole_months
from hotline.domain.fund import Sex
from hotline.domain.loan_maths import affordable
from hotline.services.reckoning.figures import Figures, Used
from hotline.services.reckoning.needs import Missing, missing
from hotline.services.reckoning.rates import year_rate
from hotline.services.reckoning.retirement import Post, Retirement, retirement
from knowledge_base.model import Catalogue


class Green(StrEnum):
    """A new home's standard that raises the cap."""

    NONE = "none"
    ONE_STAR = "one_star"
    """One star, or prefabricated (装配式)."""
    TWO_STAR = "two_star"
    """Two stars or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """One who borrows. What is None is asked for."""

    balance_fen: int | None = None
    monthly_fen: int | None = None
    birth_on: date | None = None
    sex: Sex | None = None
    post: Post | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanWish:
    """``children`` None: no bonus is reckoned. ``income_fen``: of all applicants a month. ``months``: the longest term
    the age allows where it is None. ``subsidised``: 保障性住房. ``home_number``: 1 or 2."""

    applicants: tuple[Applicant, ...]
    children: int | None = None
    green: Green = Green.NONE
    price_fen: int | None = None
    subsidised: bool = False
    home_number: int = 1
    income_fen: int | None = None
    months: int | None = None


class LimitKind(StrEnum):
    CAP = "cap"
    DEPOSITS = "deposits"
    INCOME = "income"
    PRICE = "price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    kind: LimitKind
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanableAmount:
    """The estimate: the lowest of ``limits``. ``months``: the term it is reckoned with, at most what the first
    applicant's age allows; 0: too old for any."""

    wish: LoanWish
    limits: tuple[Limit, ...]
    months: int
    rate_percent: Decimal
    retirements: tuple[Retirement, ...]
    used: tuple[Used, ...]

    @property
    def binding(self) -> Limit:
        return min(self.limits, key=lambda limit: limit.amount_fen)

    @property
    def amount_fen(self) -> int:
        return self.binding.amount_fen if self.months else 0


def loanable(catalogue: Catalogue, wish: LoanWish, today: date) -> LoanableAmount | Missing:
    """The estimate as of ``today``, or what has to be asked first.

    Raises:
        NotInForce: the centre has not published a figure this needs.
        ValueError: no applicant.
    """
    if not wish.applicants:
        raise ValueError("no applicant")
    figures = Figures(catalogue, today)
    retirements: list[Retirement] = []
    deposits = 0
    for applicant in wish.applicants:
        found = _of_one(figures, applicant)
        if isinstance(found, Missing):
            return found
        retirements.append(found)
        deposits += _by_deposits(figures, applicant, found)
    months = _term(figures, wish, retirements[0])
    rate = year_rate(figures, months=max(months, 1), home_number=wish.home_number)
    limits = [Limit(kind=LimitKind.CAP, amount_fen=_cap(figures, wish))]
    limits.append(Limit(kind=LimitKind.DEPOSITS, amount_fen=deposits))
    if wish.income_fen is not None and months:
        payment = int(wish.income_fen * figures.value("loan_income_share") / 100)
        limits.append(Limit(kind=LimitKind.INCOME, amount_fen=affordable(payment, months, rate)))
    if wish.price_fen is not None:
        down = figures.value(_down_payment(wish))
        limits.append(Limit(kind=LimitKind.PRICE, amount_fen=int(wish.price_fen * (100 - down) / 100)))
    return LoanableAmount(
        wish=wish,
        limits=tuple(limits),
        months=months,
        rate_percent=rate,
        retirements=tuple(retirements),
        used=figures.used,
    )


def _of_one(figures: Figures, one: Applicant) -> Retirement | Missing:
    if one.balance_fen is None or one.monthly_fen is None or one.birth_on is None or one.sex is None:
        return missing(balance=one.balance_fen, monthly=one.monthly_fen, birth=one.birth_on, sex=one.sex)
    return retirement(figures, birth_on=one.birth_on, sex=one.sex, post=one.post)


def _by_deposits(figures: Figures, one: Applicant, found: Retirement) -> int:
    """Balance times a multiple, and what will be paid in until retirement."""
    to_come = max(0, whole_months(figures.on, found.reached_on)) * (one.monthly_fen or 0)
    return int((one.balance_fen or 0) * figures.value("loan_balance_multiple")) + to_come


def _term(figures: Figures, wish: LoanWish, first: Retirement) -> int:
    """Months, at most until some years after retirement, until the highest age, and what is common."""
    extra = 12 * figures.whole("loan_term_extra_years")
    oldest = add_months(first.birth_on, 12 * figures.whole("loan_term_age_max"))
    longest = min(
        whole_months(figures.on, add_months(first.reached_on, extra)),
        whole_months(figures.on, oldest),
        12 * figures.whole("loan_term_years_common"),
    )
    return max(0, longest if wish.months is None else min(longest, wish.months))


def _cap(figures: Figures, wish: LoanWish) -> int:
    """The highest that applies: the bonuses for children and green homes do not add up."""
    base = "loan_cap_single" if len(wish.applicants) == 1 else "loan_cap_family"
    names = [base]
    if wish.children is not None and wish.children >= figures.whole("loan_children_min"):
        names.append(f"{base}_children")
    if wish.green is not Green.NONE:
        names.append(f"{base}_green" if wish.green is Green.ONE_STAR else f"{base}_green_high")
    return max(figures.fen(name) for name in names)


def _down_payment(wish: LoanWish) -> str:
    if wish.subsidised:
        return "loan_down_payment_affordable"
    return "loan_down_payment_first" if wish.home_number == 1 else "loan_down_payment_second"
