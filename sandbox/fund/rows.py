"""From a `PersonSpec` to rows of the tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sandbox.fund.calendar import as_text, day_of, workdays_after
from sandbox.fund.ledger import Line, write
from sandbox.fund.numbers import application_no, person_no
from sandbox.fund.rules import Rules, wording
from sandbox.fund.specs import AccountSpec, ApplicationSpec, PersonSpec

Row = tuple[Any, ...]
WAY = ("accepted", "checking", "reviewing", "paying", "completed")
OPEN = ("accepted", "checking", "reviewing", "supplement", "paying")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What is inserted, by table."""

    persons: list[Row] = field(default_factory=list)
    accounts: list[Row] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)
    loans: list[Row] = field(default_factory=list)
    applications: list[Row] = field(default_factory=list)

    def insert(self, database: sqlite3.Connection) -> None:
        """All rows are in the database; the transaction is the caller's."""
        for table in ("persons", "accounts", "entries", "loans", "applications"):
            rows: list[Row] = getattr(self, table)
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own names


def rows_of(people: Iterable[PersonSpec], *, today: date, rules: Rules) -> Rows:
    rows = Rows()
    for spec in people:
        number = person_no(spec.index)
        rows.persons.append(_person(spec, number))
        for account in spec.accounts:
            lines = write(account.moves, until=today, rules=rules)
            rows.entries.extend(_entries(account.account_no, lines))
            rows.accounts.append(_account(account, number, lines))
        rows.loans.extend(_loans(spec, number))
        for place, application in enumerate(spec.applications):
            rows.applications.append(_application(application, spec.index, place, rules=rules))
    return rows


def _person(spec: PersonSpec, number: str) -> Row:
    clerk_of = [{"unit_no": unit_no, "name": name} for unit_no, name in spec.clerk_of]
    return (
        number,
        spec.id_number,
        spec.name,
        spec.mobile,
        spec.birth_on.isoformat(),
        spec.sex,
        spec.household_city,
        spec.marriage,
        spec.children,
        spec.homes_in_city,
        spec.insured_elsewhere,
        spec.insurance_stopped_months,
        json.dumps(clerk_of, ensure_ascii=False),
        spec.password,
        spec.cast_key,
    )


def _account(spec: AccountSpec, person: str, lines: list[Line]) -> Row:
    months = [line.month for line in lines if line.month is not None]
    balance = lines[-1].balance_fen if lines else 0
    return (
        spec.account_no,
        person,
        spec.unit_no,
        spec.unit_name,
        spec.kind,
        spec.state,
        spec.opened_on.isoformat(),
        _text(spec.sealed_on),
        _text(spec.closed_on),
        spec.base.now_fen,
        str(spec.base.personal),
        str(spec.base.unit),
        spec.base.monthly_fen,
        balance,
        min(spec.frozen_fen, balance),
        spec.frozen_by,
        _text(max(months, default=None)),
        spec.card_number,
    )


def _entries(account_no: str, lines: list[Line]) -> Iterable[Row]:
    for seq, line in enumerate(lines, start=1):
        month = None if line.month is None else line.month.isoformat()
        yield account_no, seq, line.on.isoformat(), line.kind, line.amount_fen, line.balance_fen, month, line.note


def _loans(spec: PersonSpec, person: str) -> Iterable[Row]:
    for loan in spec.loans:
        terms = loan.terms
        prepayments = [[one.on.isoformat(), one.amount_fen, one.keep] for one in terms.prepayments]
        yield (
            loan.loan_no,
            person,
            terms.amount_fen,
            terms.granted_on.isoformat(),
            terms.term_months,
            terms.method,
            terms.home_number,
            json.dumps(prepayments),
            loan.overdue,
            loan.card_number,
            loan.monthly_withdrawal,
        )


def _application(spec: ApplicationSpec, index: int, place: int, *, rules: Rules) -> Row:
    day = day_of(spec.submitted_at)
    missing = wording()["missing"][spec.business] if spec.state == "supplement" else []
    due_on = workdays_after(day, rules.businesses[spec.business].working_days)
    return (
        application_no(day, index * 10 + place),
        person_no(index),
        spec.business,
        spec.state,
        spec.state in OPEN,
        as_text(spec.submitted_at),
        None if missing else due_on.isoformat(),
        spec.amount_fen,
        json.dumps(missing, ensure_ascii=False),
        spec.refusal,
        json.dumps(_stages(spec), ensure_ascii=False),
        json.dumps(spec.fields, ensure_ascii=False),
        as_text(spec.submitted_at - timedelta(seconds=20)),
        "web",
        None,
    )


def _stages(spec: ApplicationSpec) -> list[dict[str, str]]:
    """The states up to the present one, some hours apart."""
    ends = {"refused": ("accepted", "checking"), "cancelled": ("accepted",), "supplement": ("accepted", "checking")}
    before = ends.get(spec.state) or WAY[: WAY.index(spec.state)]
    notes = wording()["stages"]
    return [
        {"state": state, "at": as_text(spec.submitted_at + timedelta(hours=2 * place)), "note": notes[state]}
        for place, state in enumerate([*before, spec.state])
    ]


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
