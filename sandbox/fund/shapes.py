"""The JSON forms of docs/fund-core-api.yaml."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from sandbox.fund.loans import Instalment, Standing, Terms

Json = dict[str, Any]
CANCELLABLE = ("accepted", "checking", "reviewing", "supplement")


def person_json(row: sqlite3.Row) -> Json:
    names = (
        "person_no",
        "name",
        "id_number",
        "mobile",
        "birth_on",
        "sex",
        "household_city",
        "marriage",
        "children",
        "homes_in_city",
        "insurance_stopped_months",
    )
    elsewhere = row["insured_elsewhere"]
    return {
        **{name: row[name] for name in names},
        "insured_elsewhere": None if elsewhere is None else bool(elsewhere),
        "clerk_of": json.loads(row["clerk_of"]),
    }


def account_json(row: sqlite3.Row) -> Json:
    hidden = ("person_no", "card_number")
    shown = {name: row[name] for name in row.keys() if name not in hidden}
    return {**shown, "card_tail": row["card_number"][-4:]}


def entry_json(row: sqlite3.Row) -> Json:
    names = ("posted_on", "kind", "amount_fen", "balance_fen", "month", "note")
    number = row["posted_on"].replace("-", "") + f"{row['seq']:05d}"
    return {"entry_no": number, **{name: row[name] for name in names}}


def loan_json(row: sqlite3.Row, terms: Terms, where: Standing) -> Json:
    upcoming = where.upcoming
    return {
        "loan_no": row["loan_no"],
        "state": where.state,
        "amount_fen": terms.amount_fen,
        "granted_on": terms.granted_on.isoformat(),
        "term_months": terms.term_months,
        "method": terms.method,
        "rate_percent": str(where.rate_percent),
        "next_rate_percent": None if where.next_rate_percent is None else str(where.next_rate_percent),
        "next_rate_on": None if where.next_rate_on is None else where.next_rate_on.isoformat(),
        "balance_fen": where.balance_fen,
        "paid_instalments": where.paid_instalments,
        "next_due_on": upcoming.due_on.isoformat() if upcoming else None,
        "next_principal_fen": upcoming.principal_fen if upcoming else 0,
        "next_interest_fen": upcoming.interest_fen if upcoming else 0,
        "overdue_instalments": row["overdue"] if where.state == "overdue" else 0,
        "overdue_fen": where.overdue_fen,
        "home_number": terms.home_number,
        "card_tail": row["card_number"][-4:],
        "settled_on": None if where.settled_on is None else where.settled_on.isoformat(),
        "monthly_withdrawal": bool(row["monthly_withdrawal"]),
    }


def instalment_json(line: Instalment, *, paid: bool) -> Json:
    return {
        "number": line.number,
        "due_on": line.due_on.isoformat(),
        "principal_fen": line.principal_fen,
        "interest_fen": line.interest_fen,
        "balance_fen": line.balance_fen,
        "paid_on": line.due_on.isoformat() if paid else None,
    }


def application_json(row: sqlite3.Row) -> Json:
    names = ("application_no", "business", "state", "submitted_at", "due_on", "amount_fen", "refusal")
    return {
        **{name: row[name] for name in names},
        "missing": json.loads(row["missing"]),
        "stages": json.loads(row["stages"]),
        "cancellable": row["state"] in CANCELLABLE,
    }
