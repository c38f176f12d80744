"""Schedules of loans (还款计划) and where a loan stands on a day.

Equal instalments (等额本息): payment = P·i·(1+i)^n / ((1+i)^n − 1), i being a twelfth of the yearly rate, rounded half
up to the fen and computed anew whenever the rate changes. Equal principal (等额本金): P / n each month. Interest of a
month is balance · i, rounded half up, by the rate in force on the first day of that month of the loan. The last
instalment takes the rest, so that the principal parts add up to the amount. The rate of a loan that is older than the
year it was granted in is that for new loans on 1 January (不超过一年的按合同利率); 人民银行 2025-05-08.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple

from sandbox.fund.rules import rules


class Prepayment(NamedTuple):
    """Principal paid before its time. ``keep``: ``term`` or ``instalment``."""

    on: date
    amount_fen: int
    keep: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a schedule follows from. A repayment in full is a prepayment of all that is owed."""

    amount_fen: int
    granted_on: date
    term_months: int
    method: str
    home_number: int
    prepayments: tuple[Prepayment, ...] = ()

    @property
    def due_day(self) -> int:
        return min(self.granted_on.day, 28)

    def due_on(self, number: int) -> date:
        month = self.granted_on.year * 12 + self.granted_on.month - 1 + number
        return date(month // 12, month % 12 + 1, self.due_day)

    def begins_on(self, number: int) -> date:
        """The first day of the month that instalment ``number`` pays interest for."""
        return self.granted_on if number == 1 else self.due_on(number - 1)


class Instalment(NamedTuple):
    number: int
    due_on: date
    principal_fen: int
    interest_fen: int
    balance_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A loan on a day."""

    state: str
    rate_percent: Decimal
    next_rate_percent: Decimal | None
    next_rate_on: date | None
    balance_fen: int
    paid_instalments: int
    upcoming: Instalment | None
    overdue_fen: int
    settled_on: date | None


@lru_cache(maxsize=4096)
def rate_for_new(day: date, *, term_months: int, home_number: int) -> Decimal:
    """A year, per cent, for a loan granted on ``day``."""
    figures = rules()
    name = ("first_" if home_number == 1 else "second_") + (
        "short" if term_months <= figures.loan_short_months else "long"
    )
    return [rates for since, rates in figures.loan_rates if since <= day or since == figures.loan_rates[0][0]][-1][name]


def rate_on(terms: Terms, day: date, *, known_on: date) -> Decimal:
    """The loan's rate on ``day``, by what had been fixed on ``known_on``."""
    follows = terms.term_months > rules().loan_fixed_months and day.year > terms.granted_on.year
    anchor = min(date(day.year, 1, 1), known_on) if follows else terms.granted_on
    return rate_for_new(anchor, term_months=terms.term_months, home_number=terms.home_number)


def monthly_interest_fen(balance_fen: int, rate: Decimal) -> int:
    """A twelfth of the year's interest, rounded half up. Rates have three decimals at most."""
    thousandths = int(rate * 1000)
    return (2 * balance_fen * thousandths + 1_200_000) // 2_400_000


def level_payment_fen(balance_fen: int, rate: Decimal, months: int) -> int:
    """The equal instalment that repays ``balance_fen`` in ``months``."""
    with localcontext() as context:
        context.prec = 40
        i = rate / 1200
        grown = (1 + i) ** months
        return _half_up(balance_fen * i * grown / (grown - 1))


@lru_cache(maxsize=4096)
def schedule(terms: Terms, known_on: date) -> tuple[Instalment, ...]:
    """All instalments, by the rates fixed on ``known_on``."""
    lines: list[Instalment] = []
    run = _Run(terms, known_on)
    waiting = list(terms.prepayments)
    number = 1
    while run.balance:
        due_on = terms.due_on(number)
        while waiting and waiting[0].on < due_on:
            run.prepay(waiting.pop(0))
        if not run.balance:
            break
        principal, interest = run.pay(terms.begins_on(number))
        lines.append(Instalment(number, due_on, principal, interest, run.balance))
        number += 1
    return tuple(lines)


class _Run:
    """The balance while instalments are paid."""

    def __init__(self, terms: Terms, known_on: date) -> None:
        self._terms, self._known_on = terms, known_on
        self.balance, self._left = terms.amount_fen, terms.term_months
        self._rate = Decimal(0)
        self._part = 0

    def pay(self, begins_on: date) -> tuple[int, int]:
        rate = rate_on(self._terms, begins_on, known_on=self._known_on)
        if rate != self._rate:
            self._rate = rate
            if self._level or not self._part:
                self._part = self._fitting_part()
        interest = monthly_interest_fen(self.balance, rate)
        principal = self._part - interest if self._level else self._part
        principal = self.balance if self._left == 1 else min(max(principal, 0), self.balance)
        self.balance -= principal
        self._left -= 1
        return principal, interest

    def prepay(self, payment: Prepayment) -> None:
        self.balance -= min(payment.amount_fen, self.balance)
        if not self.balance:
            return
        if payment.keep == "instalment" and self._part:
            while self._left > 1 and self._fitting_part(self._left - 1) <= self._part:
                self._left -= 1
        elif self._part:
            self._part = self._fitting_part()

    @property
    def _level(self) -> bool:
        return self._terms.method == "equal_instalment"

    def _fitting_part(self, months: int | None = None) -> int:
        """The payment, or the principal in it, that repays the balance in the months left."""
        months = months or self._left
        if self._level:
            return level_payment_fen(self.balance, self._rate, months)
        return _half_up(Decimal(self.balance) / months)


def standing(terms: Terms, today: date, *, overdue: int = 0) -> Standing:
    """Where the loan stands at the end of ``today``; the newest ``overdue`` instalments that fell due are unpaid."""
    lines = schedule(terms, today)
    due = sum(line.due_on <= today for line in lines)
    paid = max(due - overdue, 0)
    balance = lines[paid].principal_fen + lines[paid].balance_fen if paid < len(lines) else 0
    rate, change, change_on = _rates(terms, today)
    return Standing(
        state="settled" if not balance else "overdue" if due > paid else "repaying",
        rate_percent=rate,
        next_rate_percent=change if balance else None,
        next_rate_on=change_on if balance else None,
        balance_fen=balance,
        paid_instalments=paid,
        upcoming=lines[due] if due < len(lines) else None,
        overdue_fen=sum(line.principal_fen + line.interest_fen for line in lines[paid:due]),
        settled_on=None if balance else _ended_on(terms, lines),
    )


def _rates(terms: Terms, today: date) -> tuple[Decimal, Decimal | None, date | None]:
    change_on = date(today.year + 1, 1, 1)
    now = rate_on(terms, today, known_on=today)
    then = rate_on(terms, change_on, known_on=today)
    return (now, None, None) if now == then else (now, then, change_on)


def _ended_on(terms: Terms, lines: tuple[Instalment, ...]) -> date:
    last_due = lines[-1].due_on if lines else terms.granted_on
    return max([last_due, *(payment.on for payment in terms.prepayments)])


def _half_up(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))
