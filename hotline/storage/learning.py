"""The learning loop's rows: which turns to look at, what was decided about them, what is asked most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from hotline.domain.messages import InboundKind, Outcome
from hotline.learning_store import (
    PICKED,
    QUESTIONS,
    RATINGS,
    SAME_ANSWER,
    UNSURE_BELOW,
    AskedTurn,
    CaseState,
    DecidedCase,
    Decision,
    EntryCount,
)
from hotline.services.turns import INTERNAL
from hotline.storage.database import Database
from hotline.storage.tables import inbox, learning_cases, turns

MAX_ROWS = 50_000
"""Turns read at once, whatever the limit on conversations: one of them may be a robot's and endless."""
CHUNK = 500
"""Numbers named in one statement: databases bound how many there may be."""


class SqlLearning:
    """Implements `hotline.learning_store.LearningStore`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock
        self._insert: Any = sqlite_insert if database.is_sqlite else pg_insert

    async def suspect_turns(self, *, since: datetime, limit: int) -> list[AskedTurn]:
        suspects = (
            select(turns.c.conversation_id)
            .join(inbox, inbox.c.id == turns.c.inbox_id)
            .where(*_asked_by_citizens(), turns.c.created_at >= since, _may_have_gone_wrong())
            .group_by(turns.c.conversation_id)
            .order_by(func.max(turns.c.inbox_id).desc())
            .limit(limit)
        )
        newest = (
            _ASKED.where(*_asked_by_citizens(), turns.c.created_at >= since, turns.c.conversation_id.in_(suspects))
            .order_by(turns.c.inbox_id.desc())
            .limit(MAX_ROWS)
        )
        async with self._db.read() as connection:
            rows = (await connection.execute(newest)).mappings().all()
        return [AskedTurn(**{**row, "state": CaseState(row["state"])}) for row in reversed(rows)]

    async def decide(self, inbox_ids: Iterable[int], decision: Decision) -> int:
        decided = 0
        async with self._db.write() as tx:
            for chunk in _chunks(inbox_ids):
                found = (await tx.execute(select(inbox.c.id).where(inbox.c.id.in_(chunk)))).scalars().all()
                if found:
                    decided += len((await tx.execute(self._decided(found, decision))).scalars().all())
        return decided

    async def decisions(self, inbox_ids: Iterable[int]) -> list[DecidedCase]:
        found: list[DecidedCase] = []
        async with self._db.read() as connection:
            for chunk in _chunks(inbox_ids):
                query = select(learning_cases).where(learning_cases.c.inbox_id.in_(chunk))
                rows = (await connection.execute(query)).mappings().all()
                found += [
                    DecidedCase(
                        inbox_id=row["inbox_id"],
                        decision=Decision(
                            state=CaseState(row["state"]), by=row["decided_by"], entry=row["entry"], note=row["note"]
                        ),
                        at=row["decided_at"],
                    )
                    for row in rows
                ]
        return sorted(found, key=lambda each: each.inbox_id)

    async def texts(self, inbox_ids: Iterable[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        async with self._db.read() as connection:
            for chunk in _chunks(inbox_ids):
                query = select(inbox.c.id, inbox.c.text).where(inbox.c.id.in_(chunk))
                found |= {row.id: row.text for row in await connection.execute(query)}
        return found

    async def entry_counts(self, *, since: datetime, until: datetime) -> list[EntryCount]:
        following = func.lead(turns.c.intent).over(partition_by=turns.c.conversation_id, order_by=turns.c.inbox_id)
        said = (
            select(turns.c.matter, turns.c.aspect, turns.c.intent, turns.c.outcome, following.label("following"))
            .join(inbox, inbox.c.id == turns.c.inbox_id)
            .where(*_asked_by_citizens(), turns.c.created_at >= since, turns.c.created_at < until)
            .where(turns.c.intent.not_in(SAME_ANSWER))
            .subquery()
        )
        asked = func.count()
        bad = func.sum(case((said.c.following.in_(RATINGS), 1), else_=0))
        query = (
            select(said.c.matter, said.c.aspect, asked.label("asked"), bad.label("bad"))
            .where(said.c.outcome == Outcome.ANSWERED, said.c.intent.in_([*QUESTIONS, PICKED]))
            .where(said.c.matter.is_not(None), said.c.aspect.is_not(None))
            .group_by(said.c.matter, said.c.aspect)
            .order_by(asked.desc(), said.c.matter, said.c.aspect)
        )
        async with self._db.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [
            EntryCount(code=row["matter"], aspect=row["aspect"], asked=row["asked"], badly_rated=int(row["bad"]))
            for row in rows
        ]

    def _decided(self, inbox_ids: Iterable[int], decision: Decision) -> Any:
        values = {
            "state": decision.state,
            "entry": decision.entry,
            "note": decision.note,
            "decided_by": decision.by,
            "decided_at": self._clock(),
        }
        statement = self._insert(learning_cases).values([{"inbox_id": each, **values} for each in inbox_ids])
        may_change = None if decision.state == CaseState.NEW else learning_cases.c.state == CaseState.NEW
        return statement.on_conflict_do_update(index_elements=["inbox_id"], set_=values, where=may_change).returning(
            learning_cases.c.inbox_id
        )


_ASKED: Select[Any] = (
    select(
        turns.c.inbox_id,
        turns.c.conversation_id,
        inbox.c.channel,
        inbox.c.text,
        inbox.c.received_at.label("asked_at"),
        turns.c.outcome,
        turns.c.intent,
        turns.c.confidence,
        turns.c.matter,
        turns.c.aspect,
        func.coalesce(learning_cases.c.state, CaseState.NEW.value).label("state"),
    )
    .join(inbox, inbox.c.id == turns.c.inbox_id)
    .outerjoin(learning_cases, learning_cases.c.inbox_id == turns.c.inbox_id)
)


def _asked_by_citizens() -> tuple[ColumnElement[bool], ...]:
    origin = func.coalesce(inbox.c.meta["origin"].as_string(), "")
    return inbox.c.kind == InboundKind.TEXT, origin != INTERNAL


def _may_have_gone_wrong() -> ColumnElement[bool]:
    unsure = and_(turns.c.outcome == Outcome.ANSWERED, turns.c.confidence < UNSURE_BELOW)
    question = and_(turns.c.intent.in_(QUESTIONS), or_(turns.c.outcome == Outcome.CLARIFIED, unsure))
    return or_(question, turns.c.intent.in_(RATINGS))


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    distinct = sorted(set(numbers))
    for at in range(0, len(distinct), CHUNK):
        yield distinct[at : at + CHUNK]
