"""What is written, each once for its key: applications, cancellations, certificates.

A key belongs to a person. It is stored with a digest of what was asked, in the transaction of the write itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.fund.answers import Refused
from sandbox.fund.calendar import as_text, workdays_after
from sandbox.fund.config import FundConfig
from sandbox.fund.database import Database
from sandbox.fund.eligibility import amount_of, filing
from sandbox.fund.forms import Form, read_form
from sandbox.fund.numbers import application_no, certificate_no
from sandbox.fund.progress import Progress
from sandbox.fund.rules import rules, wording
from sandbox.fund.shapes import Json, application_json

_NEWEST = 50
_GRACE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is filed; ``confirmed_at`` is aware."""

    business: str
    fields: Mapping[str, str]
    confirmed_at: datetime
    channel: str


class Writes:
    """The core system's books, from the outside."""

    def __init__(self, database: Database, progress: Progress, config: FundConfig) -> None:
        self._database, self._progress, self._config = database, progress, config

    def applications(self, person_no: str) -> list[Json]:
        """Open ones first, each group newest first."""
        self._database.person_row(person_no)
        query = (
            "SELECT * FROM applications WHERE person_no = ?"
            " ORDER BY open DESC, submitted_at DESC, application_no DESC LIMIT ?"
        )
        return [application_json(row) for row in self._database.all(query, person_no, _NEWEST)]

    def application(self, person_no: str, number: str) -> Json:
        """Raises Refused ``not_found``, also for another person's."""
        return application_json(self._own(person_no, number))

    def submit(self, person_no: str, key: str, new: Submission) -> tuple[Json, bool]:
        """The application, and whether it was filed just now."""
        form = read_form(new.business, new.fields)
        asked = ["submit", new.business, dict(sorted(new.fields.items())), as_text(new.confirmed_at), new.channel]
        number, fresh = self._once(person_no, key, asked, lambda: self._file(person_no, new, form))
        return self.application(person_no, number), fresh

    def submission(self, person_no: str, key: str) -> Json | None:
        self._database.person_row(person_no)
        row = self._database.one(
            "SELECT a.* FROM writes w JOIN applications a ON a.application_no = w.number"
            " WHERE w.person_no = ? AND w.key = ? AND w.content LIKE 'submit:%'",
            person_no,
            key,
        )
        return None if row is None else application_json(row)

    def cancel(self, person_no: str, number: str, key: str) -> Json:
        def done() -> str:
            self._progress.cancel(self._own(person_no, number))
            return number

        self._once(person_no, key, ["cancel", number], done)
        return self.application(person_no, number)

    def issue(self, person_no: str, kind: str, key: str) -> tuple[Json, bool]:
        """The certificate, and whether it was issued just now."""
        number, fresh = self._once(person_no, key, ["certificate", kind], lambda: self._issue(person_no, kind))
        row = self._database.one("SELECT content FROM certificates WHERE number = ?", number)
        if row is None:
            raise Refused("not_found", "certificate")
        return json.loads(row["content"]), fresh

    def certificate(self, number: str, check_code: str) -> Json | None:
        row = self._database.one("SELECT content, check_code FROM certificates WHERE number = ?", number)
        known = row["check_code"] if row else ""
        right = hmac.compare_digest(known.encode(), check_code.encode())
        return json.loads(row["content"]) if row and right else None

    def _own(self, person_no: str, number: str) -> sqlite3.Row:
        row = self._progress.row(number)
        if row["person_no"] != person_no:
            raise Refused("not_found", "application")
        return row

    def _once(self, person_no: str, key: str, asked: list[Any], write: Callable[[], str]) -> tuple[str, bool]:
        """The number of what was written under this key, now or before. Raises Refused ``key_reused``."""
        self._database.person_row(person_no)
        text = json.dumps(asked, ensure_ascii=True)
        content = f"{asked[0]}:{hashlib.sha256(text.encode()).hexdigest()}"
        with self._database.transaction() as connection:
            query = "SELECT content, number FROM writes WHERE person_no = ? AND key = ?"
            if known := self._database.one(query, person_no, key):
                if known["content"] != content:
                    raise Refused("key_reused", "this key was used for something else")
                return known["number"], False
            number = write()
            connection.execute("INSERT INTO writes VALUES (?, ?, ?, ?)", [person_no, key, content, number])
        return number, True

    def _file(self, person_no: str, new: Submission, form: Form) -> str:
        if new.confirmed_at > datetime.now(UTC) + _GRACE:
            raise Refused("invalid_field", "confirmed_at")
        filed = filing(self._database, person_no, self._database.clock)
        self._refuse_second(person_no, new.business)
        amount = amount_of(filed, form)
        now = self._database.clock.now()
        number = application_no(filed.today, self._next_serial())
        due_on = workdays_after(filed.today, rules().businesses[new.business].working_days)
        stage = {"state": "accepted", "at": as_text(now), "note": wording()["stages"]["accepted"]}
        self._database.connection.execute(
            "INSERT INTO applications VALUES (?, ?, ?, 'accepted', 1, ?, ?, ?, '[]', '', ?, ?, ?, ?, ?)",
            [
                number,
                person_no,
                new.business,
                as_text(now),
                due_on.isoformat(),
                amount,
                json.dumps([stage], ensure_ascii=False),
                json.dumps(dict(new.fields), ensure_ascii=False),
                as_text(new.confirmed_at),
                new.channel,
                self._progress.begins(now),
            ],
        )
        return number

    def _refuse_second(self, person_no: str, business: str) -> None:
        query = "SELECT application_no FROM applications WHERE person_no = ? AND business = ? AND open"
        if row := self._database.one(query, person_no, business):
            raise Refused("open_application", business, reference=row["application_no"])
        today = self._database.clock.today()
        numbers = f"YW{today:%y%m%d}%"
        query = "SELECT COUNT(*) AS n FROM applications WHERE person_no = ? AND application_no LIKE ?"
        row = self._database.one(query, person_no, numbers)
        if row and row["n"] >= rules().filings_per_day:
            raise Refused("daily_limit", "applications today")

    def _issue(self, person_no: str, kind: str) -> str:
        today = self._database.clock.today()
        number = certificate_no(today, self._next_serial())
        secret = hmac.new(self._config.secret.encode(), number.encode(), hashlib.sha256).digest()
        check_code = base64.b32encode(secret)[:8].decode()
        content = {"number": number, "check_code": check_code, "kind": kind} | self._certified(person_no, kind)
        self._database.connection.execute(
            "INSERT INTO certificates VALUES (?, ?, ?, ?)",
            [number, check_code, person_no, json.dumps(content, ensure_ascii=False)],
        )
        return number

    def _certified(self, person_no: str, kind: str) -> Json:
        """What a certificate says today. Raises Refused ``not_eligible``."""
        person = self._database.person(person_no)
        account = next((one for one in self._database.accounts(person_no) if one["state"] != "closed"), None)
        if account is None:
            raise Refused("not_eligible", "no account")
        loans = self._database.loans(person_no)
        unsettled = any(loan["state"] != "settled" for loan in loans)
        if kind == "other_city_loan" and (
            account["state"] != "normal" or unsettled or len(loans) >= rules().certificate_loans
        ):
            raise Refused("not_eligible", "loan in another city")
        contributions = self._database.contributions(person_no)
        today = self._database.clock.today()
        copied = (
            "unit_name",
            "state",
            "opened_on",
            "paid_to",
            "base_fen",
            "personal_percent",
            "unit_percent",
            "monthly_fen",
            "balance_fen",
        )
        return {
            "name": person["name"],
            "id_number": person["id_number"],
            **{name: account[name] for name in copied},
            "paid_months": contributions["paid_months"],
            "consecutive_months": contributions["consecutive_months"],
            "loans_used": len(loans),
            "unsettled_loan": unsettled,
            "issued_on": today.isoformat(),
            "valid_until": (today + timedelta(days=rules().certificate_valid_days)).isoformat(),
        }

    def _next_serial(self) -> int:
        """Larger than every number given at the building."""
        self._database.connection.execute(
            "INSERT INTO meta VALUES ('serial', '900000') ON CONFLICT (name) DO UPDATE SET value = value + 1"
        )
        row = self._database.one("SELECT value FROM meta WHERE name = 'serial'")
        return int(row["value"]) if row else 0
