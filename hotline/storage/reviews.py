"""Transcripts found by their words, and conversations scored for quality."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, func, literal, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from hotline.desk_store import Handover
from hotline.domain.messages import ChannelName
from hotline.review_store import Average, Found, Review, Sought
from hotline.storage import desk_rows as rows
from hotline.storage.database import Database
from hotline.storage.desk_tables import handovers, reviews
from hotline.storage.tables import conversations, messages

_SHUFFLE = 2654435761
"""Knuth's multiplicative hash: spreads consecutive numbers over all of 32 bits."""
_BITS = 2**32 - 5
"""The largest prime below 2 to the 32nd."""


class SqlReviews:
    """Implements `hotline.review_store.Reviews`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock
        self._insert: Any = sqlite_insert if database.is_sqlite else pg_insert

    async def search(self, sought: Sought, *, before: int | None, limit: int) -> list[Found]:
        query = (
            select(messages, conversations.c.channel)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(*_conditions(sought))
            .order_by(messages.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(messages.c.id < before)
        async with self._db.read() as connection:
            return [_found(row) for row in (await connection.execute(query)).mappings()]

    async def unreviewed(self, *, since: datetime, agent_id: str, limit: int) -> list[Handover]:
        query = (
            select(handovers, conversations.c.channel, conversations.c.contact_id)
            .join(conversations, conversations.c.id == handovers.c.conversation_id)
            .outerjoin(reviews, reviews.c.handover_id == handovers.c.id)
            .where(handovers.c.ended_at >= since, handovers.c.agent_id != "", reviews.c.handover_id.is_(None))
            .order_by(_shuffled(self._clock().date().toordinal()), handovers.c.id)
            .limit(limit)
        )
        if agent_id:
            query = query.where(handovers.c.agent_id == agent_id)
        async with self._db.read() as connection:
            return [rows.handover(row) for row in (await connection.execute(query)).mappings()]

    async def handover(self, handover_id: int) -> Handover | None:
        query = (
            select(handovers, conversations.c.channel, conversations.c.contact_id)
            .join(conversations, conversations.c.id == handovers.c.conversation_id)
            .where(handovers.c.id == handover_id)
        )
        async with self._db.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return rows.handover(row) if row is not None else None

    async def put(self, review: Review) -> None:
        values = {
            "handover_id": review.handover_id,
            "agent_id": review.agent_id,
            "reviewer_id": review.reviewer_id,
            "scores": dict(review.scores),
            "total": review.total,
            "reason": review.reason,
            "created_at": review.at,
        }
        put = self._insert(reviews).values(values).on_conflict_do_update(index_elements=["handover_id"], set_=values)
        async with self._db.write() as tx:
            await tx.execute(put)

    async def reviews(self, *, agent_id: str, limit: int) -> Sequence[Review]:
        query = select(reviews).order_by(reviews.c.created_at.desc(), reviews.c.handover_id.desc()).limit(limit)
        if agent_id:
            query = query.where(reviews.c.agent_id == agent_id)
        async with self._db.read() as connection:
            return [_review(row) for row in (await connection.execute(query)).mappings()]

    async def averages(self, *, since: datetime) -> Sequence[Average]:
        query = (
            select(reviews.c.agent_id, func.count(), func.avg(reviews.c.total))
            .where(reviews.c.created_at >= since)
            .group_by(reviews.c.agent_id)
            .order_by(reviews.c.agent_id)
        )
        async with self._db.read() as connection:
            found = (await connection.execute(query)).all()
        return [Average(agent_id=agent, reviews=int(count), mean=float(mean)) for agent, count, mean in found]


def _shuffled(seed: int) -> ColumnElement[int]:
    """An order that looks random and is another one for every ``seed``."""
    spread = cast(handovers.c.id, BigInteger) * literal(_SHUFFLE, BigInteger)
    return (spread + literal(seed * _SHUFFLE, BigInteger)) % literal(_BITS, BigInteger)


def _conditions(sought: Sought) -> list[Any]:
    wanted: list[Any] = []
    if sought.words:
        wanted.append(messages.c.text.contains(sought.words, autoescape=True))
    if sought.channel is not None:
        wanted.append(conversations.c.channel == sought.channel)
    if sought.author:
        wanted.append(messages.c.author == sought.author)
    if sought.staff_id:
        wanted.append(messages.c.staff_id == sought.staff_id)
    if sought.since is not None:
        wanted.append(messages.c.created_at >= sought.since)
    if sought.until is not None:
        wanted.append(messages.c.created_at < sought.until)
    return wanted


def _found(row: Mapping[Any, Any]) -> Found:
    return Found(
        seq=row["id"],
        conversation_id=row["conversation_id"],
        channel=ChannelName(row["channel"]),
        author=row["author"],
        staff_id=row["staff_id"],
        text=row["text"],
        at=row["created_at"],
    )


def _review(row: Mapping[Any, Any]) -> Review:
    return Review(
        handover_id=row["handover_id"],
        agent_id=row["agent_id"],
        reviewer_id=row["reviewer_id"],
        scores=row["scores"],
        total=row["total"],
        reason=row["reason"],
        at=row["created_at"],
    )
