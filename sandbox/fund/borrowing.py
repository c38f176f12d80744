"""Loans of generated people."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random

from sandbox.fund.calendar import month_of, months_after
from sandbox.fund.ledger import Move
from sandbox.fund.loans import Prepayment, Terms, schedule
from sandbox.fund.numbers import loan_no
from sandbox.fund.rules import wording
from sandbox.fund.specs import AccountSpec, LoanSpec, PersonSpec


def loan_of(spec: PersonSpec, dice: Random, today: date) -> LoanSpec | None:
    """About one in five of those with a year of contributions has had a loan."""
    account = spec.accounts[0]
    age = (today.year - account.opened_on.year) * 12 + today.month - account.opened_on.month
    if age < 12 or account.closed_on or dice.random() >= 0.2:
        return None
    fate = dice.choices(("repaying", "overdue", "settled", "prepaid"), weights=(74, 8, 9, 9))[0]
    granted_on = months_after(month_of(today), -dice.randrange(1, age - 5)).replace(day=dice.randrange(1, 29))
    terms = Terms(
        amount_fen=dice.randrange(10, 101) * 1_000_000,
        granted_on=granted_on,
        term_months=dice.choice((60, 120, 180, 240, 300, 360, 360)),
        method=dice.choices(("equal_instalment", "equal_principal"), weights=(65, 35))[0],
        home_number=dice.choices((1, 2), weights=(90, 10))[0],
    )
    if fate in ("settled", "prepaid"):
        terms = _prepaid(terms, dice, today, in_full=fate == "settled")
    due = sum(line.due_on <= today for line in schedule(terms, today))
    return LoanSpec(
        loan_no=loan_no(spec.index, 0),
        terms=terms,
        overdue=min(dice.randrange(1, 4), due) if fate == "overdue" else 0,
        card_number=account.card_number,
        monthly_withdrawal=fate == "repaying" and dice.random() < 0.25,
    )


def _prepaid(terms: Terms, dice: Random, today: date, *, in_full: bool) -> Terms:
    """With a repayment before its time some days after an instalment that has been paid."""
    paid = [line for line in schedule(terms, today) if line.due_on < months_after(month_of(today), -1)]
    if not paid:
        return terms
    line = dice.choice(paid)
    on = line.due_on if line.due_on.day == 28 else line.due_on.replace(day=28)
    owed = line.balance_fen
    amount = owed if in_full else owed // 1_000_000 // 3 * 1_000_000
    keep = dice.choice(("term", "instalment"))
    return replace(terms, prepayments=(Prepayment(on, amount, keep),)) if amount else terms


def repayments(account: AccountSpec, loans: tuple[LoanSpec, ...], today: date) -> AccountSpec:
    """The account with the withdrawals that pay the instalments of loans repaid from it (按月还贷)."""
    note = wording()["notes"]["repay"]
    moves = [
        Move(line.due_on, "withdraw", -(line.principal_fen + line.interest_fen), None, note)
        for loan in loans
        if loan.monthly_withdrawal
        for line in schedule(loan.terms, today)
        if account.opened_on < line.due_on <= today
    ]
    return replace(account, moves=account.moves + tuple(moves)) if moves else account
