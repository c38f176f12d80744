"""An account's postings in order, with the balance after each and the interest of each year.

Interest (结息) is posted on 30 June for the days from the last 30 June (or the first posting) up to, not including,
that day: the sum over these days of the balance at their end, times the yearly rate, divided by 360, rounded half up
to the fen. What is posted on a day earns from that day. An account that is closed gets what has accrued on that day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from sandbox.fund.calendar import months_after, remit_on
from sandbox.fund.rules import Rules


class Move(NamedTuple):
    """Something to be posted. ``amount_fen`` None: all there is, with the interest of the running year."""

    on: date
    kind: str
    amount_fen: int | None
    month: date | None = None
    note: str = ""


class Line(NamedTuple):
    """A posting."""

    on: date
    kind: str
    amount_fen: int
    balance_fen: int
    month: date | None
    note: str


def monthly_part_fen(base_fen: int, percent: int) -> int:
    """One side's monthly contribution, rounded half up to whole yuan."""
    return (base_fen * percent + 5_000) // 10_000 * 100


def interest_fen(products: int, rules: Rules) -> int:
    """``products``: the sum over days of the balance in fen."""
    thousandths = int(rules.interest_percent * 1000)
    divisor = 100_000 * rules.interest_year_days
    return (2 * products * thousandths + divisor) // (2 * divisor)


def settlement_before(day: date, rules: Rules) -> date:
    """The newest settlement day that is not after ``day``."""
    on = date(day.year, rules.interest_month, rules.interest_day)
    return on if on <= day else on.replace(year=day.year - 1)


def accrued_fen(points: Iterable[tuple[date, int]], *, since: date, until: date, rules: Rules) -> int:
    """Interest from ``since`` up to, not including, ``until``. ``points``: days and the balance after a posting on
    them, oldest first."""
    balance, last, products = 0, since, 0
    for on, after in points:
        if on > last:
            products += balance * (on - last).days
            last = on
        balance = after
    return interest_fen(products + balance * (until - last).days, rules)


class _Book:
    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.lines: list[Line] = []
        self.balance = 0
        self._last: date | None = None
        self._products = 0

    def post(self, on: date, kind: str, amount: int, month: date | None = None, note: str = "") -> None:
        self._count_days(on)
        self.balance += amount
        self.lines.append(Line(on, kind, amount, self.balance, month, note))

    def settle(self, on: date) -> None:
        self._count_days(on)
        interest = interest_fen(self._products, self.rules)
        self._products = 0
        if interest:
            self.post(on, "interest", interest)

    def _count_days(self, on: date) -> None:
        if self._last is not None:
            self._products += self.balance * (on - self._last).days
        self._last = on


def write(moves: Sequence[Move], *, until: date, rules: Rules) -> list[Line]:
    """The postings of ``moves`` up to ``until`` with the interest between them. A withdrawal takes at most what is
    there; one that would take nothing is left out."""
    book = _Book(rules)
    ordered = sorted(moves, key=lambda move: move.on)
    if not ordered:
        return []
    settlement = settlement_before(ordered[0].on, rules)
    settlement = settlement.replace(year=settlement.year + 1)
    for move in ordered:
        while settlement <= move.on:
            book.settle(settlement)
            settlement = settlement.replace(year=settlement.year + 1)
        _apply(book, move)
    while settlement <= until and book.balance:
        book.settle(settlement)
        settlement = settlement.replace(year=settlement.year + 1)
    return book.lines


def _apply(book: _Book, move: Move) -> None:
    if move.amount_fen is None:
        book.settle(move.on)
    amount = -book.balance if move.amount_fen is None else max(move.amount_fen, -book.balance)
    if amount:
        book.post(move.on, move.kind, amount, move.month, move.note)


class Base(NamedTuple):
    """What monthly contributions are computed from."""

    now_fen: int
    personal: int
    unit: int
    growth_percent: int = 4
    """The base rises by so much each July."""

    @property
    def monthly_fen(self) -> int:
        return monthly_part_fen(self.now_fen, self.personal) + monthly_part_fen(self.now_fen, self.unit)

    def years_ago(self, years: int, limits: tuple[int, int]) -> Base:
        """The base so many Julys earlier, within that time's limits, in whole yuan."""
        base = self.now_fen
        for _ in range(years):
            base = base * 100 // (100 + self.growth_percent)
        return self._replace(now_fen=min(max(base // 100 * 100, limits[0]), limits[1]))


def base_year(month: date) -> int:
    """The year in whose July the base of ``month`` began."""
    return month.year - (month.month < 7)


def base_limits(year: int, rules: Rules) -> tuple[int, int]:
    fitting = [limit for limit in rules.base_limits if limit.since <= date(year, 7, 1)] or rules.base_limits[:1]
    return fitting[-1].min_fen, fitting[-1].max_fen


def remittances(
    first: date, last: date, base: Base, *, rules: Rules, without: frozenset[date] = frozenset()
) -> list[Move]:
    """The monthly contributions from one month to another, ``base`` being that of the last one."""
    moves: list[Move] = []
    month, year, monthly = first, 0, 0
    while month <= last:
        if base_year(month) != year:
            year = base_year(month)
            back = base_year(last) - year
            monthly = (base.years_ago(back, base_limits(year, rules)) if back else base).monthly_fen
        if month not in without:
            moves.append(Move(remit_on(month, rules.remit_day), "remit", monthly, month))
        month = months_after(month, 1)
    return moves
