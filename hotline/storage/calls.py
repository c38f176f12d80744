"""Telephone calls on SQLAlchemy Core."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, Select, and_, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.call_store import TELEPHONE_LINES, CallEnding, CallFigures, CallMark, CallRecord, Marked
from hotline.domain.clock import SHANGHAI
from hotline.domain.masking import mask_number
from hotline.domain.messages import Outcome
from hotline.privacy.hashes import LookupHash
from hotline.services.calls.figures import COUNTED, Counted, Tally
from hotline.storage.call_tables import call_marks, calls, recordings
from hotline.storage.database import Database
from hotline.storage.desk_events import tell
from hotline.storage.tables import UtcDateTime, turns

REPEATED: Final = timedelta(seconds=2)
"""Nothing that is noted of a call happens twice within so short a time: something is said between."""
LONGEST: Final = timedelta(hours=24)
"""No call lasts so long: one that is still open then has lost its end on the way."""
BATCH: Final = 500
_LONGEST_DETAIL: Final = 64
_CHINA: Final = re.compile(r"(?:00)?86(?=\d{11})")

_CALL = select(calls).where(calls.c.id == bindparam("call_id"))
_LOCKED = _CALL.with_for_update(key_share=True)
_LAST = (
    select(call_marks).where(call_marks.c.call_id == bindparam("call_id")).order_by(call_marks.c.seq.desc()).limit(1)
)
_MARK = insert(call_marks)
_MARKS = (
    select(call_marks)
    .where(call_marks.c.call_id == bindparam("call_id"))
    .order_by(call_marks.c.at, call_marks.c.seq)  # what was noted at the same time may have been written in any order
)
_OF_CONVERSATION = (
    select(calls, exists().where(recordings.c.call_id == calls.c.id).label("has_recording"))
    .where(calls.c.conversation_id == bindparam("conversation_id"))
    .order_by(calls.c.began_at.desc())
    .limit(1)
)
_BELONGS = update(calls).where(calls.c.id == bindparam("which")).values(conversation_id=bindparam("conversation"))
_END = (
    update(calls)
    .where(calls.c.id == bindparam("which"), calls.c.ended_at.is_(None))
    .values(ended_at=bindparam("now", type_=UtcDateTime()), ending=bindparam("how"))
    .returning(calls.c.id, calls.c.conversation_id)
)
_SIGN_OF_LIFE = select(func.max(call_marks.c.at)).where(call_marks.c.call_id == calls.c.id).scalar_subquery()
_LOST = (
    update(calls)
    .where(calls.c.ended_at.is_(None), calls.c.began_at < bindparam("before", type_=UtcDateTime()))
    .values(ended_at=func.coalesce(_SIGN_OF_LIFE, calls.c.began_at), ending=CallEnding.LOST)
    .returning(calls.c.id, calls.c.conversation_id)
)
_LOST_ON = _LOST.where(calls.c.line.in_(bindparam("lines", expanding=True)))
_OLD = (
    select(calls.c.id)
    .where(
        calls.c.began_at < bindparam("before", type_=UtcDateTime()), ~exists().where(recordings.c.call_id == calls.c.id)
    )
    .order_by(calls.c.began_at)
    .limit(BATCH)
)
_DROP_MARKS = delete(call_marks).where(call_marks.c.call_id.in_(bindparam("ids", expanding=True)))
_DROP = delete(calls).where(calls.c.id.in_(bindparam("ids", expanding=True)))
_MATTER = (
    select(turns.c.matter)
    .where(
        turns.c.conversation_id == calls.c.conversation_id,
        turns.c.outcome == Outcome.ANSWERED,
        turns.c.matter.is_not(None),
    )
    .order_by(turns.c.inbox_id)
    .limit(1)
    .scalar_subquery()
    .label("matter")
)


def _counted(*more: Any) -> Select[Any]:
    """The calls of a span of time with the marks that count, call by call."""
    theirs = and_(call_marks.c.call_id == calls.c.id, call_marks.c.mark.in_(sorted(COUNTED)))
    return (
        select(
            calls.c.id,
            calls.c.began_at,
            calls.c.ended_at,
            calls.c.ending,
            call_marks.c.mark,
            call_marks.c.at,
            call_marks.c.detail,
            *more,
        )
        .join(call_marks, theirs, isouter=True)
        .where(
            calls.c.began_at >= bindparam("since", type_=UtcDateTime()),
            calls.c.began_at < bindparam("until", type_=UtcDateTime()),
        )
        .order_by(calls.c.began_at, calls.c.id, call_marks.c.at, call_marks.c.seq)
    )


_COUNTED = _counted()
_COUNTED_WITH_MATTER = _counted(_MATTER)


class SqlCalls:
    """Implements `hotline.call_store.Calls`."""

    def __init__(self, database: Database, *, hashes: LookupHash, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._hashes = hashes
        self._clock = clock
        self._insert: Any = sqlite_insert if database.is_sqlite else pg_insert

    async def begin(self, call_id: str, *, line: str, caller: str, called: str) -> None:
        known = {"line": line, "called": called[:32], **self._caller(caller)}
        new = self._insert(calls).values(id=call_id, began_at=self._clock(), **known)
        upsert = new.on_conflict_do_update(index_elements=["id"], set_=known, where=calls.c.line == "")
        async with self._db.write() as tx:
            await tx.execute(upsert)

    async def belongs(self, call_id: str, conversation_id: str) -> None:
        now = self._clock()
        async with self._db.write() as tx:
            before = await self._locked(tx, call_id, now)
            if before["conversation_id"] == conversation_id:
                return
            await tx.execute(_BELONGS, {"which": call_id, "conversation": conversation_id})
            await tell(tx, "call", now=now, conversation_id=conversation_id, call=call_id)

    async def mark(self, call_id: str, mark: CallMark, **detail: str | int) -> None:
        now, told = self._clock(), _cut(detail)
        async with self._db.write() as tx:
            call = await self._locked(tx, call_id, now)
            last = (await tx.execute(_LAST, {"call_id": call_id})).mappings().one_or_none()
            if last and (last["mark"], last["detail"]) == (mark, told) and now - last["at"] < REPEATED:
                return
            seq = last["seq"] + 1 if last else 1
            await tx.execute(_MARK, {"call_id": call_id, "seq": seq, "mark": mark, "at": now, "detail": told})
            if conversation_id := call["conversation_id"]:
                await tell(tx, "call", now=now, conversation_id=conversation_id, call=call_id, mark=mark, detail=told)

    async def end(self, call_id: str, ending: CallEnding) -> None:
        now = self._clock()
        async with self._db.write() as tx:
            await self._locked(tx, call_id, now)
            ended = await tx.execute(_END, {"which": call_id, "now": now, "how": ending})
            await _tell_ended(tx, ended.mappings().all(), ending, now=now)

    async def of_conversation(self, conversation_id: str) -> CallRecord | None:
        async with self._db.read() as connection:
            row = (await connection.execute(_OF_CONVERSATION, {"conversation_id": conversation_id})).mappings().first()
            if row is None:
                return None
            marks = (await connection.execute(_MARKS, {"call_id": row["id"]})).mappings().all()
        return CallRecord(
            id=row["id"],
            line=row["line"],
            caller_masked=row["caller_masked"],
            conversation_id=row["conversation_id"],
            began_at=row["began_at"],
            ended_at=row["ended_at"],
            ending=_ending(row),
            marks=tuple(_marked(each) for each in marks),
            has_recording=bool(row["has_recording"]),
        )

    async def lost(self, *, line_processes_started_at: datetime, lines: Collection[str] = TELEPHONE_LINES) -> int:
        async with self._db.write() as tx:
            ended = await tx.execute(_LOST_ON, {"before": line_processes_started_at, "lines": sorted(lines)})
            return await _tell_ended(tx, ended.mappings().all(), CallEnding.LOST, now=self._clock())

    async def figures(self, *, since: datetime, until: datetime) -> CallFigures:
        return (await self._tallied(_COUNTED, since, until, lambda _: "")).get("", Tally()).figures()

    async def by_hour(self, *, since: datetime, until: datetime) -> Mapping[int, CallFigures]:
        def hour(row: RowMapping) -> int:
            began_at: datetime = row["began_at"]
            return began_at.astimezone(SHANGHAI).hour

        tallies = await self._tallied(_COUNTED, since, until, hour)
        return {key: tallies[key].figures() for key in sorted(tallies)}

    async def by_topic(
        self, *, since: datetime, until: datetime, topics: Mapping[str, str]
    ) -> Mapping[str, CallFigures]:
        def topic(row: RowMapping) -> str:
            return topics.get(row["matter"] or "", "")

        tallies = await self._tallied(_COUNTED_WITH_MATTER, since, until, topic)
        return {key: tallies[key].figures() for key in sorted(tallies)}

    async def purge(self, *, before: datetime) -> int:
        now = self._clock()
        async with self._db.write() as tx:
            ended = await tx.execute(_LOST, {"before": now - LONGEST})
            await _tell_ended(tx, ended.mappings().all(), CallEnding.LOST, now=now)
        gone = 0
        while True:
            async with self._db.write() as tx:
                ids = (await tx.execute(_OLD, {"before": before})).scalars().all()
                if ids:
                    await tx.execute(_DROP_MARKS, {"ids": ids})
                    await tx.execute(_DROP, {"ids": ids})
            gone += len(ids)
            if len(ids) < BATCH:
                return gone

    def _caller(self, number: str) -> dict[str, str]:
        if not number:
            return {"caller_masked": "", "caller_hash": ""}
        plain = _CHINA.sub("", re.sub(r"\D", "", number), count=1) or number
        return {"caller_masked": mask_number(plain), "caller_hash": self._hashes.of("caller", plain)}

    async def _locked(self, tx: AsyncConnection, call_id: str, now: datetime) -> RowMapping:
        """The call, noted as begun now where nothing is known of it yet; no other mark is numbered before ``tx``
        ends."""
        await noted(tx, self._insert, call_id, now)
        return (await tx.execute(_LOCKED, {"call_id": call_id})).mappings().one()

    async def _tallied(
        self, query: Select[Any], since: datetime, until: datetime, key: Callable[[RowMapping], Any]
    ) -> dict[Any, Tally]:
        tallies: defaultdict[Any, Tally] = defaultdict(Tally)
        async with self._db.read() as connection:
            async for row, call in _each_call(connection, query, {"since": since, "until": until}):
                tallies[key(row)].add(call)
        return tallies


async def noted(tx: AsyncConnection, inserts: Any, call_id: str, now: datetime) -> None:
    """There is a row of the call, with nothing known of it where there was none."""
    await tx.execute(inserts(calls).values(id=call_id, began_at=now).on_conflict_do_nothing(index_elements=["id"]))


async def _each_call(
    connection: AsyncConnection, query: Select[Any], span: Mapping[str, datetime]
) -> AsyncIterator[tuple[RowMapping, Counted]]:
    """Call by call, with its first row; read in parts, so that a year does not stand in memory."""
    first: RowMapping | None = None
    marks: list[Marked] = []
    async with connection.stream(query, span) as result:
        async for row in result.mappings():
            if first is not None and row["id"] != first["id"]:
                yield first, _one(first, marks)
                marks = []
                first = row
            first = first or row
            if row["mark"] is not None:
                marks.append(_marked(row))
    if first is not None:
        yield first, _one(first, marks)


def _one(row: RowMapping, marks: list[Marked]) -> Counted:
    return Counted(began_at=row["began_at"], ended_at=row["ended_at"], ending=_ending(row), marks=marks)


async def _tell_ended(tx: AsyncConnection, ended: Any, ending: CallEnding, *, now: datetime) -> int:
    for row in ended:
        if row["conversation_id"]:
            await tell(
                tx, "call", now=now, conversation_id=row["conversation_id"], call=row["id"], ending=ending, detail={}
            )
    return len(ended)


def _cut(detail: Mapping[str, str | int]) -> dict[str, str | int]:
    return {name: value[:_LONGEST_DETAIL] if isinstance(value, str) else value for name, value in detail.items()}


def _marked(row: RowMapping) -> Marked:
    return Marked(mark=CallMark(row["mark"]), at=row["at"], detail=row["detail"])


def _ending(row: RowMapping) -> CallEnding | None:
    return CallEnding(row["ending"]) if row["ending"] else None
