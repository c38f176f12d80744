"""Ratings: asked for once, answered, corrected, counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.clock import SHANGHAI
from hotline.domain.conversations import Job, Owner
from hotline.domain.messages import ChannelName, Outcome
from hotline.domain.ratings import Rating, RatingCount, Score, Subject
from hotline.prompt_store import Asked, NewRating, Question, Saying
from hotline.storage.database import Database
from hotline.storage.ownership import Row, locked
from hotline.storage.prompts import ask, say
from hotline.storage.rating_tables import UNORDERED, ratings
from hotline.storage.serial import one_at_a_time
from hotline.storage.tables import UtcDateTime, bindings, contacts, conversations, outbox, turns

_MAY_BE_ASKED = (Owner.BOT, Owner.WRAP_UP)
_ID = ratings.c.id == bindparam("rating_id")
_RATE = update(ratings).where(_ID).values(score=bindparam("given"), answered_at=bindparam("now", type_=UtcDateTime()))
_EXPLAIN = update(ratings).where(_ID).values(reason=bindparam("why")).returning(ratings)
_ORDERED = update(ratings).where(_ID).values(order_no=bindparam("number"))
_ASKS = (
    update(conversations)
    .where(conversations.c.id == bindparam("about_conversation"))
    .values(
        asked=bindparam("code"),
        asked_about=bindparam("about"),
        asked_until=bindparam("until", type_=UtcDateTime()),
        last_at=bindparam("now", type_=UtcDateTime()),
    )
)
"""The conversation stays open for the answer, however long ago the citizen said something."""
_bound = and_(bindings.c.channel == contacts.c.channel, bindings.c.address == contacts.c.address)
_PERSON = (
    select(bindings.c.person_id)
    .join(contacts, _bound)
    .where(contacts.c.id == bindparam("contact_id"), bindings.c.unbound_at.is_(None))
)
_same_person = (
    select(contacts.c.id)
    .join(bindings, _bound)
    .where(bindings.c.person_id == bindparam("person_id"), bindings.c.unbound_at.is_(None))
)
_RECENT = (
    select(ratings.c.id)
    .where(
        ratings.c.asked_at > bindparam("not_since", type_=UtcDateTime()),
        or_(ratings.c.contact_id == bindparam("contact_id"), ratings.c.contact_id.in_(_same_person)),
    )
    .limit(1)
)
_ANSWERS = select(func.count()).where(
    turns.c.conversation_id == bindparam("conversation_id"),
    turns.c.outcome == Outcome.ANSWERED,
    turns.c.matter.is_not(None),
)
_ON_THEIR_WAY = select(func.count()).where(
    outbox.c.conversation_id == bindparam("conversation_id"),
    outbox.c.status.in_([literal_column(f"'{status}'") for status in ("pending", "sending")]),
)
"""Written out for the index ix_outbox_open."""
_UNORDERED = (
    select(ratings)
    .where(
        UNORDERED,
        ratings.c.answered_at > bindparam("after", type_=UtcDateTime()),
        ratings.c.answered_at < bindparam("before", type_=UtcDateTime()),
    )
    .order_by(ratings.c.answered_at)
    .limit(bindparam("most"))
)
_COUNTED = (ratings.c.score, ratings.c.subject, ratings.c.channel, ratings.c.staff_id)
_COUNTS = (
    select(*_COUNTED, func.count().label("many"))
    .where(
        ratings.c.asked_at >= bindparam("since", type_=UtcDateTime()),
        ratings.c.asked_at < bindparam("end", type_=UtcDateTime()),
    )
    .group_by(*_COUNTED)
    .order_by(*_COUNTED)
)


class SqlRatings:
    """Implements `hotline.prompt_store.Ratings`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock
        self._insert: Any = sqlite_insert if database.is_sqlite else pg_insert

    async def ask(self, new: NewRating, saying: Saying) -> bool:
        now = self._clock()
        async with self._db.write() as tx:
            before = await locked(tx, new.conversation_id)
            if before is None or not _is_free(before, now):
                return False
            rating_id = await self._new(tx, new, before["channel"], before["contact_id"], now)
            if rating_id is None:
                return False
            question = Question(asked=Asked.RATING, subject=rating_id, until=new.until)
            asks = {"code": question.asked, "about": question.about, "until": question.until}
            await tx.execute(_ASKS, {"about_conversation": before["id"], "now": now, **asks})
            await say(tx, before, saying, now=now)
        return True

    async def on_their_way(self, conversation_id: str) -> int:
        async with self._db.read() as connection:
            return await connection.scalar(_ON_THEIR_WAY, {"conversation_id": conversation_id}) or 0

    async def ask_in_turn(
        self, job: Job, new: NewRating, *, least_answers: int, not_since: datetime
    ) -> Question | None:
        async with self._db.write() as tx:
            before = await locked(tx, job.conversation_id)
            answers = await tx.scalar(_ANSWERS, {"conversation_id": job.conversation_id}) or 0
            if before is None or answers < least_answers or not _is_as_known(before, job):
                return None
            person_id = await tx.scalar(_PERSON, {"contact_id": job.contact_id})
            await one_at_a_time(tx, f"rating {person_id or job.contact_id}")
            who = {"contact_id": job.contact_id, "person_id": person_id or "", "not_since": not_since}
            if await tx.scalar(_RECENT, who) is not None:
                return None
            rating_id = await self._new(tx, new, job.channel, job.contact_id, self._clock())
            if rating_id is None:
                return None
            question = Question(asked=Asked.RATING, subject=rating_id, by=job.inbox_id, until=new.until)
            await ask(tx, job, question)
        return question

    async def rate(self, job: Job, rating_id: int, score: Score, *, then: Question) -> None:
        async with self._db.write() as tx:
            await tx.execute(_RATE, {"rating_id": rating_id, "given": score, "now": self._clock()})
            await ask(tx, job, then)

    async def explain(self, job: Job, rating_id: int, reason: str, *, then: Question) -> Rating | None:
        async with self._db.write() as tx:
            row = (await tx.execute(_EXPLAIN, {"rating_id": rating_id, "why": reason})).mappings().one_or_none()
            await ask(tx, job, then)
        return _rating(row) if row else None

    async def ordered(self, rating_id: int, order_no: str) -> None:
        async with self._db.write() as tx:
            await tx.execute(_ORDERED, {"rating_id": rating_id, "number": order_no})

    async def unordered(self, *, after: datetime, before: datetime, limit: int) -> list[Rating]:
        span = {"after": after, "before": before, "most": limit}
        async with self._db.read() as connection:
            found = (await connection.execute(_UNORDERED, span)).mappings().all()
        return [_rating(row) for row in found]

    async def counts(self, first: date, last: date) -> list[RatingCount]:
        span = {"since": _midnight(first), "end": _midnight(last + timedelta(days=1))}
        async with self._db.read() as connection:
            found = (await connection.execute(_COUNTS, span)).mappings().all()
        return [_count(row) for row in found]

    async def _new(
        self, tx: AsyncConnection, new: NewRating, channel: str, contact_id: int, now: datetime
    ) -> int | None:
        """The new rating's id; None where there is one already."""
        statement = (
            self._insert(ratings)
            .values(
                conversation_id=new.conversation_id,
                handover_id=new.handover_id,
                subject=new.subject,
                staff_id=new.staff_id,
                channel=channel,
                contact_id=contact_id,
                reason="",
                asked_at=now,
                order_no="",
            )
            .on_conflict_do_nothing(index_elements=["conversation_id", "subject", "handover_id"])
            .returning(ratings.c.id)
        )
        found = (await tx.execute(statement)).scalar_one_or_none()
        return int(found) if found is not None else None


def _is_free(row: Row, now: datetime) -> bool:
    """Whether the conversation is open, with nobody, and asks nothing else."""
    question = Question.read(row["asked"], row["asked_about"], row["asked_until"])
    return row["closed_at"] is None and row["owner"] in _MAY_BE_ASKED and not question.keeps_others_out(now)


def _is_as_known(row: Row, job: Job) -> bool:
    """Whether nobody has taken the conversation over or asked something in it since the job was taken up."""
    now = (row["owner_version"], row["asked"], row["asked_about"])
    return bool(now == (job.owner_version, job.asked, job.asked_about))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def _rating(row: Row) -> Rating:
    return Rating(
        id=row["id"],
        conversation_id=row["conversation_id"],
        handover_id=row["handover_id"],
        subject=Subject(row["subject"]),
        staff_id=row["staff_id"],
        channel=ChannelName(row["channel"]),
        contact_id=row["contact_id"],
        score=Score(row["score"]) if row["score"] is not None else None,
        reason=row["reason"],
        asked_at=row["asked_at"],
        answered_at=row["answered_at"],
        order_no=row["order_no"],
    )


def _count(row: Row) -> RatingCount:
    return RatingCount(
        score=Score(row["score"]) if row["score"] is not None else None,
        subject=Subject(row["subject"]),
        channel=ChannelName(row["channel"]),
        staff_id=row["staff_id"],
        count=row["many"],
    )
