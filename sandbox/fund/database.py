"""One connection to the core system's database, and what is read from it.

Queries are look-ups by index of well under a millisecond and run on the event loop's own thread: handing them to
another one takes longer than they do. So requests follow each other, and none sees half of another's write."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.fund.answers import Refused
from sandbox.fund.calendar import Clock, months_after
from sandbox.fund.loans import Prepayment, Standing, Terms, schedule, standing
from sandbox.fund.numbers import modern_id
from sandbox.fund.shapes import account_json, entry_json, instalment_json, loan_json, person_json

Json = dict[str, Any]
OPEN_ACCOUNTS_FIRST = "ORDER BY CASE state WHEN 'normal' THEN 0 WHEN 'sealed' THEN 1 ELSE 2 END, opened_on DESC"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFilter:
    since: date | None
    until: date | None
    cursor: int | None
    """Only postings before this one."""
    limit: int


class Database:
    """The people, their accounts and loans. Raises Refused ``not_found`` for what is not there or not theirs."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.clock = clock
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.row_factory = sqlite3.Row
        self.connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;"
        )

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or, when something is raised, nothing."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def all(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self.connection.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self.connection.execute(query, values).fetchone()
        return found

    def count_people(self) -> int:
        row = self.one("SELECT COUNT(*) FROM persons")
        return int(row[0]) if row else 0

    def person_row(self, person_no: str) -> sqlite3.Row:
        row = self.one("SELECT * FROM persons WHERE person_no = ?", person_no)
        if row is None:
            raise Refused("not_found", "person")
        return row

    def person(self, person_no: str) -> Json:
        return person_json(self.person_row(person_no))

    def identify(self, id_number: str, kind: str, value: str) -> Json | None:
        """Both parts are looked up in every case, and the answer does not tell them apart."""
        by_id = self.one("SELECT * FROM persons WHERE id_number = ?", modern_id(id_number))
        owner = by_id["person_no"] if by_id else ""
        if kind == "bank_card":
            cards = self.all("SELECT card_number FROM accounts WHERE person_no = ?", owner)
            known = any(card["card_number"] == value for card in cards)
        else:
            known = by_id is not None and by_id["password"] == value
        return person_json(by_id) if by_id is not None and known and value else None

    def account_rows(self, person_no: str) -> list[sqlite3.Row]:
        """Those in use first, closed ones last."""
        self.person_row(person_no)
        return self.all(f"SELECT * FROM accounts WHERE person_no = ? {OPEN_ACCOUNTS_FIRST}", person_no)  # noqa: S608

    def accounts(self, person_no: str) -> list[Json]:
        return [account_json(row) for row in self.account_rows(person_no)]

    def ledger(self, person_no: str, account_no: str, wanted: LedgerFilter) -> Json:
        """Newest first; the sums are over the whole period."""
        self.person_row(person_no)
        owned = self.one("SELECT 1 FROM accounts WHERE account_no = ? AND person_no = ?", account_no, person_no)
        if owned is None:
            raise Refused("not_found", "account")
        period = "account_no = ? AND posted_on BETWEEN ? AND ?"
        first, last = wanted.since or date.min, wanted.until or date.max
        values = (account_no, first.isoformat(), last.isoformat())
        summed = "COUNT(*) AS n, COALESCE(SUM(MAX(amount_fen, 0)), 0) AS came, COALESCE(SUM(amount_fen), 0) AS net"
        sums = self.one(f"SELECT {summed} FROM entries WHERE {period}", *values)  # noqa: S608 - our own text
        rows = self.all(
            f"SELECT * FROM entries WHERE {period} AND seq < ? ORDER BY seq DESC LIMIT ?",  # noqa: S608 - as above
            *values,
            wanted.cursor if wanted.cursor is not None else 2**62,
            wanted.limit + 1,
        )
        page = rows[: wanted.limit]
        return {
            "entries": [entry_json(row) for row in page],
            "cursor": str(page[-1]["seq"]) if len(rows) > wanted.limit else None,
            "count": sums["n"] if sums else 0,
            "in_fen": sums["came"] if sums else 0,
            "out_fen": sums["came"] - sums["net"] if sums else 0,
        }

    def paid_months(self, person_no: str) -> list[date]:
        """Months with a contribution to any account, oldest first."""
        rows = self.all(
            "SELECT DISTINCT month FROM accounts JOIN entries USING (account_no)"
            " WHERE person_no = ? AND entries.kind IN ('remit', 'makeup') ORDER BY month",
            person_no,
        )
        return [date.fromisoformat(row["month"]) for row in rows]

    def contributions(self, person_no: str) -> Json:
        self.person_row(person_no)
        return contributions_of(self.paid_months(person_no))

    def loan_rows(self, person_no: str) -> list[tuple[sqlite3.Row, Terms, Standing]]:
        """Unsettled ones first."""
        self.person_row(person_no)
        rows = self.all("SELECT * FROM loans WHERE person_no = ? ORDER BY granted_on DESC", person_no)
        found = [(row, *self._stands(row)) for row in rows]
        return sorted(found, key=lambda one: one[2].state == "settled")

    def loans(self, person_no: str) -> list[Json]:
        return [loan_json(row, terms, where) for row, terms, where in self.loan_rows(person_no)]

    def schedule(self, person_no: str, loan_no: str, *, first: int, limit: int) -> list[Json]:
        for row, terms, where in self.loan_rows(person_no):
            if row["loan_no"] == loan_no:
                lines = schedule(terms, self.clock.today())[first - 1 : first - 1 + limit]
                return [instalment_json(line, paid=line.number <= where.paid_instalments) for line in lines]
        raise Refused("not_found", "loan")

    def _stands(self, row: sqlite3.Row) -> tuple[Terms, Standing]:
        terms = terms_of(row)
        return terms, standing(terms, self.clock.today(), overdue=row["overdue"])


def terms_of(row: sqlite3.Row) -> Terms:
    payments = json.loads(row["prepayments"])
    return Terms(
        amount_fen=row["amount_fen"],
        granted_on=date.fromisoformat(row["granted_on"]),
        term_months=row["term_months"],
        method=row["method"],
        home_number=row["home_number"],
        prepayments=tuple(Prepayment(date.fromisoformat(on), amount, keep) for on, amount, keep in payments),
    )


def contributions_of(months: Sequence[date]) -> Json:
    """First and last month, how many, how many in a row up to the last, and the months missing between."""
    gaps: list[Json] = []
    consecutive = 0
    previous: date | None = None
    for month in months:
        if previous is not None and month != months_after(previous, 1):
            first, last = months_after(previous, 1), months_after(month, -1)
            gaps.append({"first": first.isoformat(), "last": last.isoformat()})
            consecutive = 0
        consecutive += 1
        previous = month
    return {
        "first": months[0].isoformat() if months else None,
        "last": months[-1].isoformat() if months else None,
        "paid_months": len(months),
        "consecutive_months": consecutive,
        "gaps": gaps,
    }
