"""Who may file what: what is refused at once, and what the automatic check (核查) finds out later."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sandbox.fund.answers import Refused
from sandbox.fund.calendar import Clock, month_of, months_after, months_between
from sandbox.fund.database import Database
from sandbox.fund.forms import Form, Leave, Makeup, Prepay, Rent, Retire, Transfer
from sandbox.fund.ledger import accrued_fen, settlement_before
from sandbox.fund.loans import Standing
from sandbox.fund.rules import names, rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """A person who files something today."""

    database: Database
    person: sqlite3.Row
    today: date

    @property
    def person_no(self) -> str:
        number: str = self.person["person_no"]
        return number

    def accounts(self, *states: str) -> list[sqlite3.Row]:
        return [row for row in self.database.account_rows(self.person_no) if row["state"] in states]


def filing(database: Database, person_no: str, clock: Clock) -> Filing:
    return Filing(database=database, person=database.person_row(person_no), today=clock.today())


def with_interest_fen(database: Database, account: sqlite3.Row, on: date) -> int:
    """The balance and what it has earned since the last settlement day: what closing the account on ``on`` pays."""
    since = settlement_before(on, rules())
    rows = database.all(
        "SELECT posted_on, balance_fen FROM entries WHERE account_no = ? ORDER BY seq", account["account_no"]
    )
    points = [(date.fromisoformat(row["posted_on"]), row["balance_fen"]) for row in rows]
    balance: int = account["balance_fen"]
    return balance + accrued_fen(points, since=since, until=on, rules=rules())


def amount_of(filed: Filing, form: Form) -> int | None:
    """How much it is about; None where that is not known yet. Raises Refused when it may not be filed."""
    rule: Callable[[Filing, Any], int | None] = _RULES[type(form)]
    return rule(filed, form)


def _retire(filed: Filing, _form: Retire) -> int:
    if age_months(filed.person, filed.today) < retires_at_months(filed.person):
        raise Refused("not_eligible", "retirement age")
    return _whole_balance(filed, filed.accounts("normal", "sealed"))


def _leave(filed: Filing, form: Leave) -> int:
    if form.left_on > filed.today:
        raise Refused("invalid_field", "left_on")
    if filed.accounts("normal"):
        raise Refused("not_eligible", "account in use")
    accounts = filed.accounts("sealed")
    if not accounts or filed.person["household_city"] == home_city():
        raise Refused("not_eligible", "sealed account and household elsewhere")
    sealed = min(months_between(date.fromisoformat(row["sealed_on"]), filed.today) for row in accounts)
    if sealed < rules().leave_sealed_months:
        raise Refused("not_eligible", "months sealed")
    return _whole_balance(filed, accounts)


def _whole_balance(filed: Filing, accounts: Sequence[sqlite3.Row]) -> int:
    _need_card(accounts)
    if any(row["frozen_fen"] for row in accounts):
        raise Refused("frozen", "part of the balance")
    return sum(with_interest_fen(filed.database, row, filed.today) for row in accounts)


def _need_card(accounts: Sequence[sqlite3.Row]) -> None:
    if not accounts:
        raise Refused("not_eligible", "no account in use")
    if not any(row["card_number"] for row in accounts):
        raise Refused("no_card", "no bank card tied")


def _rent(filed: Filing, form: Rent) -> int:
    if form.last_month < form.first_month or form.last_month > month_of(filed.today):
        raise Refused("invalid_field", "last_month")
    accounts = filed.accounts("normal")
    _need_card(accounts)
    months = _months(form.first_month, form.last_month)
    if months & _rented_months(filed):
        raise Refused("not_eligible", "months already withdrawn for")
    if form.amount_fen > rules().rent_month_fen * len(months):
        raise Refused("amount_limit", "monthly limit")
    if form.amount_fen > sum(row["balance_fen"] for row in accounts):
        raise Refused("amount_limit", "balance")
    if form.amount_fen > sum(row["balance_fen"] - row["frozen_fen"] for row in accounts):
        raise Refused("frozen", "part of the balance")
    return form.amount_fen


def _rented_months(filed: Filing) -> set[date]:
    query = "SELECT fields FROM applications WHERE person_no = ? AND business = 'withdraw-rent' AND state = 'completed'"
    found: set[date] = set()
    for row in filed.database.all(query, filed.person_no):
        fields = json.loads(row["fields"])
        found |= _months(date.fromisoformat(fields["first_month"]), date.fromisoformat(fields["last_month"]))
    return found


def _months(first: date, last: date) -> set[date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return {months_after(first, place) for place in range(min(count, 1200))}


def _transfer(filed: Filing, _form: Transfer) -> None:
    if not filed.accounts("normal"):
        raise Refused("not_eligible", "no account in use")
    if len(filed.database.paid_months(filed.person_no)) < rules().transfer_paid_months:
        raise Refused("not_eligible", "months paid here")


def _prepay(filed: Filing, form: Prepay) -> int:
    where = loan_standing(filed.database, filed.person_no, form.loan_no)
    if not filed.today <= form.on <= filed.today + timedelta(days=rules().prepay_days_ahead):
        raise Refused("invalid_field", "on")
    if where.state != "repaying":
        raise Refused("not_eligible", f"loan {where.state}")
    if form.amount_fen is None:
        return where.balance_fen
    if not rules().prepay_min_fen <= form.amount_fen < where.balance_fen:
        raise Refused("amount_limit", "between the least part and what is owed")
    return form.amount_fen


def loan_standing(database: Database, person_no: str, loan_no: str) -> Standing:
    """Raises Refused ``not_found`` for a loan that is not this person's."""
    for row, _terms, where in database.loan_rows(person_no):
        if row["loan_no"] == loan_no:
            return where
    raise Refused("not_found", "loan")


def _makeup(filed: Filing, form: Makeup) -> int:
    if form.unit_no not in {unit["unit_no"] for unit in json.loads(filed.person["clerk_of"])}:
        raise Refused("not_eligible", "not a clerk of this unit")
    if form.last_month < form.first_month or form.last_month > month_of(filed.today):
        raise Refused("invalid_field", "last_month")
    return form.amount_fen


_RULES: Mapping[type[Form], Callable[[Filing, Any], int | None]] = {
    Retire: _retire,
    Leave: _leave,
    Rent: _rent,
    Transfer: _transfer,
    Prepay: _prepay,
    Makeup: _makeup,
}


def home_city() -> str:
    """The centre's own city."""
    from_names: str = names()["cities"][0]["name"]
    return from_names


def age_months(person: sqlite3.Row, today: date) -> int:
    return months_between(date.fromisoformat(person["birth_on"]), today)


def retires_at_months(person: sqlite3.Row) -> int:
    """The legal age in months: 60 for men, later by a month for every four months born after 1964; 50 for women (the
    core does not know who may retire at 55 only), later by a month for every two born after 1974; three and five
    years at most. 全国人大常委会 2024-09-13, in force since 2025-01-01."""
    born = date.fromisoformat(person["birth_on"])
    first, step, most = (date(1965, 1, 1), 4, 36) if person["sex"] == "male" else (date(1975, 1, 1), 2, 60)
    after = (born.year - first.year) * 12 + born.month - first.month
    later = 0 if after < 0 else min(after // step + 1, most)
    return rules().retire_age_months[person["sex"]] + later


def found_by_check(database: Database, application: sqlite3.Row) -> str | None:
    """The key of the reason the automatic check refuses for, or None: it passes."""
    person = database.person_row(application["person_no"])
    business = application["business"]
    if business in ("withdraw-retire", "withdraw-leave", "withdraw-rent"):
        if any(where.state == "overdue" for _, _, where in database.loan_rows(person["person_no"])):
            return "loan_overdue"
    if business == "withdraw-rent" and (person["homes_in_city"] or 0) > 0:
        return "home_in_city"
    if business == "withdraw-leave" and person["insured_elsewhere"]:
        return "insured_elsewhere"
    return None


def needs_papers(application: sqlite3.Row) -> bool:
    """A makeup for several employees comes with a list of them, which is brought later."""
    return application["business"] == "contribute-makeup" and bool(json.loads(application["fields"])["people"] != "1")
