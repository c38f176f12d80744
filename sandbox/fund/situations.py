"""The accounts of generated people: working, flexible, sealed, closed, several, with gaps and withdrawals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from sandbox.fund.calendar import last_posted_month, months_after, remit_on
from sandbox.fund.ledger import Base, Move, remittances
from sandbox.fund.numbers import account_no
from sandbox.fund.rules import Rules, names, wording
from sandbox.fund.specs import AccountSpec
from sandbox.fund.units import FLEXIBLE, unit

LONGEST_MONTHS = 48
"""So many months of contributions at most; what was saved before arrives as a transfer."""


def accounts_of(
    index: int, dice: Random, *, card: str, units: int, today: date, rules: Rules
) -> tuple[AccountSpec, ...]:
    """At least one account; the present one first."""
    kind = dice.choices(("normal", "flexible", "sealed", "closed", "several"), weights=(70, 6, 12, 5, 7))[0]
    last = last_posted_month(today, rules.remit_day)
    months = min(max(int(dice.expovariate(1 / 26)), 1), LONGEST_MONTHS)
    maker = _Maker(index, dice, card, rules)
    unit_no = FLEXIBLE if kind == "flexible" else dice.randrange(units)
    if kind in ("normal", "flexible"):
        return (maker.open(0, unit_no, months_after(last, 1 - months), last),)
    ended = months_after(last, -dice.randrange(1, 30))
    first = months_after(ended, 1 - min(months, LONGEST_MONTHS - 30))
    if kind == "several":
        present = maker.open(0, unit_no, months_after(ended, 1), last)
        return present, maker.sealed(1, dice.randrange(units), first, ended)
    if kind == "sealed":
        return (maker.sealed(0, unit_no, first, ended),)
    return (maker.closed(0, unit_no, first, ended),)


class _Maker:
    def __init__(self, index: int, dice: Random, card: str, rules: Rules) -> None:
        self._index, self._dice, self._card, self._rules = index, dice, card, rules

    def open(self, place: int, unit_number: int, first: date, last: date) -> AccountSpec:
        dice = self._dice
        flexible = unit_number == FLEXIBLE
        base = self._base(flexible)
        unit_no, unit_name = unit(unit_number)
        frozen = dice.random() < 0.006
        return AccountSpec(
            account_no=account_no(self._index, place),
            unit_no=unit_no,
            unit_name=unit_name,
            kind="flexible" if flexible else "employed",
            base=base,
            opened_on=first,
            moves=tuple(self._moves(first, last, base)),
            frozen_fen=base.monthly_fen // 2 if frozen else 0,
            frozen_by=dice.choice(names()["courts"]) if frozen else "",
            card_number=self._card,
        )

    def sealed(self, place: int, unit_number: int, first: date, last: date) -> AccountSpec:
        return replace(self.open(place, unit_number, first, last), sealed_on=months_after(last, 1) + timedelta(days=4))

    def closed(self, place: int, unit_number: int, first: date, last: date) -> AccountSpec:
        closed_on = months_after(last, 1) + timedelta(days=self._dice.randrange(10, 25))
        reason = self._dice.choice(("withdraw-leave", "withdraw-retire", "transfer_out"))
        kind = "transfer_out" if reason == "transfer_out" else "withdraw"
        made = self.sealed(place, unit_number, first, last)
        emptied = Move(closed_on, kind, None, None, wording()["notes"][reason])
        return replace(made, closed_on=closed_on, moves=(*made.moves, emptied), frozen_fen=0, frozen_by="")

    def _base(self, flexible: bool) -> Base:
        dice = self._dice
        limits = self._rules.base_limits[-1]
        wage = min(max(int(dice.lognormvariate(9.05, 0.5)), limits.min_fen // 100), limits.max_fen // 100)
        if flexible:
            return Base(wage * 100, dice.choice((10, 12, 16, 20, 24)), 0, dice.randrange(6))
        percent = dice.choices((5, 6, 7, 8, 10, 12), weights=(35, 6, 7, 17, 10, 25))[0]
        return Base(wage * 100, percent, percent, dice.randrange(8))

    def _moves(self, first: date, last: date, base: Base) -> list[Move]:
        dice, notes = self._dice, wording()["notes"]
        span = (last.year - first.year) * 12 + last.month - first.month + 1
        unpaid: list[date] = []
        if span >= 6 and dice.random() < 0.15:
            start = dice.randrange(1, span - 3)
            unpaid = [months_after(first, start + place) for place in range(dice.choice((1, 1, 2, 3)))]
        moves = remittances(first, last, base, rules=self._rules, without=frozenset(unpaid))
        if unpaid and dice.random() < 0.4:
            later = remit_on(months_after(unpaid[-1], 1), self._rules.remit_day)
            moves += [Move(later, "makeup", base.monthly_fen, month, notes["makeup"]) for month in unpaid]
        if span == LONGEST_MONTHS or dice.random() < 0.06:
            saved = dice.randrange(5_000_00, 150_000_00)
            moves.append(
                Move(first + timedelta(days=dice.randrange(3, 25)), "transfer_in", saved, None, notes["transfer_in"])
            )
        return moves + self._taken_out(first, span, base)

    def _taken_out(self, first: date, span: int, base: Base) -> list[Move]:
        dice, notes = self._dice, wording()["notes"]
        moves: list[Move] = []
        if span >= 8 and dice.random() < 0.2:
            for quarter in range(dice.randrange(1, 5)):
                on = months_after(first, span - 2 - 3 * quarter) + timedelta(days=dice.randrange(12, 27))
                if on > first + timedelta(days=60):
                    moves.append(Move(on, "withdraw", -dice.randrange(15, 61) * 100_00, None, notes["withdraw-rent"]))
        if span >= 12 and dice.random() < 0.05:
            on = months_after(first, span // 2) + timedelta(days=14)
            moves.append(Move(on, "withdraw", -base.monthly_fen * (span // 3), None, notes["withdraw-purchase"]))
        if span >= 4 and dice.random() < 0.02:
            on = months_after(first, span - 2) + timedelta(days=20)
            moves.append(Move(on, "refund", -base.monthly_fen, None, notes["refund"]))
        return moves
