"""Applications move by themselves: accepted, checking, reviewing, paying, completed, by the seconds of `FundConfig`.

Nothing runs in the background: `catch_up` at the start of every request makes the steps that have come due, each with
the time at which it came due."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime

from sandbox.fund.answers import Refused
from sandbox.fund.calendar import as_text, day_of, workdays_after
from sandbox.fund.config import FundConfig
from sandbox.fund.database import Database
from sandbox.fund.effects import NotPossible, take_effect
from sandbox.fund.eligibility import found_by_check, needs_papers
from sandbox.fund.rows import OPEN
from sandbox.fund.rules import rules, wording
from sandbox.fund.shapes import CANCELLABLE


class Progress:
    """Moves applications. Every change is inside a transaction."""

    def __init__(self, database: Database, config: FundConfig) -> None:
        self._database, self._config = database, config

    def begins(self, now: datetime) -> float:
        """When a new application is looked at first, as seconds since the epoch."""
        return now.timestamp() + self._config.check_s

    def catch_up(self) -> None:
        """Everything that has come due has happened."""
        now = self._database.clock.now().timestamp()
        query = "SELECT * FROM applications WHERE next_at <= ? ORDER BY next_at LIMIT 1"
        while (row := self._database.one(query, now)) is not None:
            with self._database.transaction():
                self._step(row)

    def move(self, application_no: str, state: str) -> sqlite3.Row:
        """The application is in ``state`` and stays there. Raises Refused ``not_found``, or ``wrong_state`` when it
        is over."""
        row = self.row(application_no)
        if row["state"] not in OPEN:
            raise Refused("wrong_state", row["state"])
        with self._database.transaction():
            self._enter(row, state, self._database.clock.now(), None)
        return self.row(application_no)

    def cancel(self, row: sqlite3.Row) -> None:
        """Inside the caller's transaction. Raises Refused ``wrong_state`` when it is too late."""
        if row["state"] not in CANCELLABLE:
            raise Refused("wrong_state", row["state"])
        self._enter(row, "cancelled", self._database.clock.now(), None)

    def row(self, application_no: str) -> sqlite3.Row:
        row = self._database.one("SELECT * FROM applications WHERE application_no = ?", application_no)
        if row is None:
            raise Refused("not_found", "application")
        return row

    def _step(self, row: sqlite3.Row) -> None:
        at = datetime.fromtimestamp(row["next_at"], UTC)
        reason = found_by_check(self._database, row) if row["state"] == "checking" else None
        if reason:
            self._enter(row, "refused", at, None, reason=reason)
            return
        state = self._after(row)
        lasts = self._config.check_s if state == "checking" else self._config.stage_s
        stays = state in ("supplement", "completed")
        self._enter(row, state, at, None if stays else row["next_at"] + lasts)

    @staticmethod
    def _after(row: sqlite3.Row) -> str:
        pays = rules().businesses[row["business"]].pays
        following = {
            "accepted": "checking",
            "checking": "supplement" if needs_papers(row) else "reviewing",
            "reviewing": "paying" if pays else "completed",
            "paying": "completed",
        }
        return following[row["state"]]

    def _enter(self, row: sqlite3.Row, state: str, at: datetime, next_at: float | None, *, reason: str = "") -> None:
        amount = row["amount_fen"]
        if state == "completed":
            try:
                amount = take_effect(self._database, row, day_of(at))
            except NotPossible as why:
                state, next_at, reason = "refused", None, str(why.args[0])
        words = wording()
        refusal = words["refusals"][reason or "by_hand"] if state == "refused" else ""
        missing = words["missing"][row["business"]] if state == "supplement" else []
        stages = json.loads(row["stages"])
        stages.append({"state": state, "at": as_text(at), "note": refusal or words["stages"][state]})
        self._database.connection.execute(
            "UPDATE applications SET state = ?, open = ?, due_on = ?, amount_fen = ?, missing = ?, refusal = ?,"
            " stages = ?, next_at = ? WHERE application_no = ?",
            [
                state,
                state in OPEN,
                self._due_on(row, state, at),
                amount,
                json.dumps(missing, ensure_ascii=False),
                refusal,
                json.dumps(stages, ensure_ascii=False),
                next_at,
                row["application_no"],
            ],
        )

    @staticmethod
    def _due_on(row: sqlite3.Row, state: str, at: datetime) -> str | None:
        """None while papers are missing; after that the time limit begins anew."""
        if state == "supplement":
            return None
        if row["due_on"]:
            due_on: str = row["due_on"]
            return due_on
        return workdays_after(day_of(at), rules().businesses[row["business"]].working_days).isoformat()
