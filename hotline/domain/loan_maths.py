"""Repayment of a housing loan, exact to the fen: equal instalments (等额本息), equal principal (等额本金), prepayment.

The month's rate is the year's rate divided by 12 (人民银行: 月利率 = 年利率 ÷ 12). Every amount is reckoned as an exact
fraction and rounded half up to the fen once: the equal instalment, the equal share of principal, and each month's
interest on what is then owed. The last instalment takes what the rounding has left. A bank may round otherwise, so an
instalment may differ from its figure by a fen and the last one by a few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from hotline.domain.days import add_months
from hotline.domain.fund import Instalment, RepayMethod

MAX_MONTHS = 480


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A loan, or what is left of one: ``principal_fen`` owed now, ``months`` instalments to come.

    Raises:
        ValueError: not 1 to MAX_MONTHS months, no principal, or a rate below 0 or above 100.
    """

    principal_fen: int
    months: int
    rate_percent: Decimal
    """A year."""
    method: RepayMethod = RepayMethod.EQUAL_INSTALMENT

    def __post_init__(self) -> None:
        if not 1 <= self.months <= MAX_MONTHS:
            raise ValueError(f"{self.months} months, not 1 to {MAX_MONTHS}")
        if self.principal_fen <= 0:
            raise ValueError("no principal")
        if not 0 <= self.rate_percent <= 100:
            raise ValueError(f"{self.rate_percent} % a year")

    @property
    def month_rate(self) -> Fraction:
        return Fraction(self.rate_percent) / 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One instalment; ``balance_fen`` is owed after it."""

    principal_fen: int
    interest_fen: int
    balance_fen: int

    @property
    def total_fen(self) -> int:
        return self.principal_fen + self.interest_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All instalments of a loan, the first one first."""

    terms: Terms
    payments: tuple[Payment, ...]

    @property
    def first_fen(self) -> int:
        return self.payments[0].total_fen

    @property
    def last_fen(self) -> int:
        return self.payments[-1].total_fen

    @property
    def interest_fen(self) -> int:
        return sum(payment.interest_fen for payment in self.payments)

    @property
    def total_fen(self) -> int:
        return self.terms.principal_fen + self.interest_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChange:
    """From the day ``on`` the loan bears ``rate_percent`` a year."""

    rate_percent: Decimal
    on: date


def instalment(terms: Terms) -> int:
    """The equal instalment in fen: P·r·(1+r)^n / ((1+r)^n − 1), or P/n without interest."""
    rate, months = terms.month_rate, terms.months
    if not rate:
        return _half_up(Fraction(terms.principal_fen, months))
    over, under = rate.numerator, rate.denominator
    grown, whole = (over + under) ** months, under**months
    return _half_up(Fraction(terms.principal_fen * over * grown, under * (grown - whole)))


def plan(terms: Terms) -> Plan:
    """Every instalment at one rate."""
    return Plan(terms=terms, payments=tuple(_payments(terms, _fixed(terms))))


def schedule(terms: Terms, *, first_due_on: date, change: RateChange | None = None) -> tuple[Instalment, ...]:
    """Every instalment with its day, month by month from ``first_due_on``.

    With ``change``, interest of the month in which it falls is reckoned by days at either rate, and an equal instalment
    is set anew, on what is then owed and the months then left, with the first month that begins on its day or later.
    """
    payments = _payments(terms, _fixed(terms)) if change is None else _changing(terms, first_due_on, change)
    return tuple(
        Instalment(
            number=at + 1,
            due_on=add_months(first_due_on, at),
            principal_fen=payment.principal_fen,
            interest_fen=payment.interest_fen,
            balance_fen=payment.balance_fen,
        )
        for at, payment in enumerate(payments)
    )


def affordable(payment_fen: int, months: int, rate_percent: Decimal) -> int:
    """The largest principal in fen whose equal instalment is not above ``payment_fen``: A·(1 − (1+r)^−n) / r."""
    rate = Fraction(rate_percent) / 1200
    if not rate:
        return payment_fen * months
    over, under = rate.numerator, rate.denominator
    grown, whole = (over + under) ** months, under**months
    return int(payment_fen * under * (grown - whole) // (over * grown))


class Keep(StrEnum):
    """What stays as it was after a part of the loan is paid early."""

    TERM = "term"
    """The number of instalments: each becomes smaller (减月供)."""
    INSTALMENT = "instalment"
    """The monthly payment: it ends earlier (缩短年限)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepayment:
    """What paying ``paid_fen`` early, right after an instalment, comes to. ``after`` is None: all is paid."""

    paid_fen: int
    keep: Keep | None
    before: Plan
    after: Plan | None

    @property
    def saved_fen(self) -> int:
        """Interest that is not paid any more."""
        return self.before.interest_fen - (self.after.interest_fen if self.after else 0)

    @property
    def months_left(self) -> int:
        return len(self.after.payments) if self.after else 0

    @property
    def months_saved(self) -> int:
        return len(self.before.payments) - self.months_left


def prepay(terms: Terms, paid_fen: int, *, keep: Keep = Keep.TERM) -> Prepayment:
    """``paid_fen`` of what is left of a loan paid early; as much as is owed, or more, settles it.

    With `Keep.INSTALMENT` the equal instalment (or the equal share of principal) goes on unchanged until nothing is
    owed; the last one is smaller.

    Raises:
        ValueError: nothing is paid.
    """
    if paid_fen <= 0:
        raise ValueError("nothing is paid")
    before = plan(terms)
    left = terms.principal_fen - paid_fen
    if left <= 0:
        return Prepayment(paid_fen=terms.principal_fen, keep=None, before=before, after=None)
    rest = replace(terms, principal_fen=left)
    payments = tuple(_payments(rest, _fixed(terms) if keep is Keep.INSTALMENT else _fixed(rest)))
    rest = replace(rest, months=len(payments))
    return Prepayment(paid_fen=paid_fen, keep=keep, before=before, after=Plan(terms=rest, payments=payments))


def _fixed(terms: Terms) -> int:
    """What is the same every month: the instalment, or with equal principal the share of principal."""
    if terms.method is RepayMethod.EQUAL_INSTALMENT:
        return instalment(terms)
    return _half_up(Fraction(terms.principal_fen, terms.months))


def _payments(terms: Terms, fixed_fen: int) -> Iterator[Payment]:
    """At most ``months`` instalments; fewer where the fixed amount pays it all earlier."""
    over, under = terms.month_rate.numerator, terms.month_rate.denominator
    owed = terms.principal_fen
    for left in range(terms.months, 0, -1):
        interest = (2 * owed * over + under) // (2 * under)
        payment = _payment(owed, interest, _share(terms.method, fixed_fen, interest), last=left == 1)
        owed = payment.balance_fen
        yield payment
        if not owed:
            return


def _changing(terms: Terms, first_due_on: date, change: RateChange) -> Iterator[Payment]:
    """Instalments at two rates."""
    later = replace(terms, rate_percent=change.rate_percent)
    owed, fixed, settled = terms.principal_fen, _fixed(terms), False
    for at in range(terms.months):
        begun_on, due_on = add_months(first_due_on, at - 1), add_months(first_due_on, at)
        if not settled and begun_on >= change.on:
            fixed, settled = _fixed(replace(later, principal_fen=owed, months=terms.months - at)), True
        days = (due_on - begun_on).days
        new = Fraction(min(max((due_on - change.on).days, 0), days), days)
        interest = _half_up(owed * (terms.month_rate * (1 - new) + later.month_rate * new))
        # In the month of the change the principal is what it would have been without it.
        base = _half_up(owed * terms.month_rate) if new < 1 else interest
        share = _share(terms.method, fixed, base)
        payment = _payment(owed, interest, share, last=at == terms.months - 1)
        owed = payment.balance_fen
        yield payment
        if not owed:
            return


def _share(method: RepayMethod, fixed_fen: int, interest_fen: int) -> int:
    return fixed_fen - interest_fen if method is RepayMethod.EQUAL_INSTALMENT else fixed_fen


def _payment(owed_fen: int, interest_fen: int, share_fen: int, *, last: bool) -> Payment:
    principal = owed_fen if last else min(max(share_fen, 0), owed_fen)
    return Payment(principal_fen=principal, interest_fen=interest_fen, balance_fen=owed_fen - principal)


def _half_up(value: Fraction) -> int:
    """To a whole number, a half upward; for values that are not negative."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
