"""What happens to accounts and loans when an application is completed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import date
from random import Random

from sandbox.fund.database import Database
from sandbox.fund.eligibility import loan_standing, with_interest_fen
from sandbox.fund.rules import wording


class NotPossible(Exception):
    """The money cannot move any more, and none has. ``args[0]`` is the key of the reason, worded in wording.yml."""


def take_effect(database: Database, application: sqlite3.Row, today: date) -> int | None:
    """The postings are made; the amount that moved. Runs inside the caller's transaction. Raises NotPossible."""
    effect = _EFFECTS.get(application["business"])
    return effect(database, application, today) if effect else application["amount_fen"]


def _accounts(database: Database, application: sqlite3.Row, *states: str) -> list[sqlite3.Row]:
    return [row for row in database.account_rows(application["person_no"]) if row["state"] in states]


def _pay_rent(database: Database, application: sqlite3.Row, today: date) -> int:
    amount: int = application["amount_fen"]
    accounts = _accounts(database, application, "normal")
    free = [account["balance_fen"] - account["frozen_fen"] for account in accounts]
    if sum(free) < amount:
        raise NotPossible("balance_gone")
    left = amount
    for account, most in zip(accounts, free, strict=True):
        part = min(left, most)
        if part:
            _post(database, account, today, ("withdraw", -part, wording()["notes"]["withdraw-rent"]))
        left -= part
    return amount


def _pay_all(database: Database, application: sqlite3.Row, today: date) -> int:
    """Everything is paid with its interest, and the accounts are closed."""
    states = ("normal", "sealed") if application["business"] == "withdraw-retire" else ("sealed",)
    accounts = _accounts(database, application, *states)
    if not accounts or any(account["frozen_fen"] for account in accounts):
        raise NotPossible("balance_gone")
    note = wording()["notes"][application["business"]]
    total = 0
    for account in accounts:
        whole = with_interest_fen(database, account, today)
        interest = whole - account["balance_fen"]
        if interest:
            _post(database, account, today, ("interest", interest, ""))
        if whole:
            _post(database, account, today, ("withdraw", -whole, note))
        database.connection.execute(
            "UPDATE accounts SET state = 'closed', closed_on = ? WHERE account_no = ?",
            [today.isoformat(), account["account_no"]],
        )
        total += whole
    return total


def _transfer_in(database: Database, application: sqlite3.Row, today: date) -> int:
    accounts = _accounts(database, application, "normal")
    if not accounts:
        raise NotPossible("balance_gone")
    # What the other centre sends: some amount, the same for the same application.
    amount = Random(application["application_no"]).randrange(3_000_00, 80_000_00)  # noqa: S311
    _post(database, accounts[0], today, ("transfer_in", amount, wording()["notes"]["transfer_in"]))
    return amount


def _prepay(database: Database, application: sqlite3.Row, today: date) -> int:
    """The principal is paid today, from the tied bank card and not from the account."""
    fields = json.loads(application["fields"])
    where = loan_standing(database, application["person_no"], fields["loan_no"])
    amount = where.balance_fen if fields["kind"] == "full" else int(fields["amount_fen"])
    if where.state != "repaying" or amount > where.balance_fen:
        raise NotPossible("loan_changed")
    row = database.one("SELECT * FROM loans WHERE loan_no = ?", fields["loan_no"])
    paid = json.loads(row["prepayments"]) if row else []
    paid.append([today.isoformat(), amount, fields.get("keep", "term")])
    database.connection.execute(
        "UPDATE loans SET prepayments = ? WHERE loan_no = ?", [json.dumps(paid), fields["loan_no"]]
    )
    return amount


def _post(database: Database, account: sqlite3.Row, on: date, what: tuple[str, int, str]) -> None:
    """``what``: kind, amount and note. The ledger has one entry more, and the account its new balance."""
    kind, amount, note = what
    number = account["account_no"]
    last = database.one("SELECT seq, balance_fen FROM entries WHERE account_no = ? ORDER BY seq DESC LIMIT 1", number)
    seq, balance = (last["seq"] + 1, last["balance_fen"] + amount) if last else (1, amount)
    database.connection.execute(
        "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, NULL, ?)",
        [number, seq, on.isoformat(), kind, amount, balance, note],
    )
    database.connection.execute("UPDATE accounts SET balance_fen = ? WHERE account_no = ?", [balance, number])


_EFFECTS: Mapping[str, Callable[[Database, sqlite3.Row, date], int]] = {
    "withdraw-rent": _pay_rent,
    "withdraw-retire": _pay_all,
    "withdraw-leave": _pay_all,
    "transfer-other-city": _transfer_in,
    "loan-prepay": _prepay,
}
