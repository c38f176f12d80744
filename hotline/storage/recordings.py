"""Which recordings there are, on SQLAlchemy Core; the sound is in files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from hotline.call_store import Gap, RecordingRow
from hotline.storage.call_tables import calls, recordings
from hotline.storage.calls import noted
from hotline.storage.database import Database
from hotline.storage.desk_tables import handovers
from hotline.storage.tables import UtcDateTime

_OF_CALL = (
    select(recordings, calls.c.conversation_id)
    .join(calls, calls.c.id == recordings.c.call_id)
    .where(recordings.c.call_id == bindparam("call_id"))
)
_FINISH = (
    update(recordings)
    .where(recordings.c.id == bindparam("which"))
    .values(seconds=bindparam("lasts"), gaps=bindparam("left_out"))
)
_DROP = delete(recordings).where(recordings.c.id.in_(bindparam("ids", expanding=True)))
_EXPIRED = (
    select(recordings)
    .where(recordings.c.delete_after < bindparam("now", type_=UtcDateTime()))
    .order_by(recordings.c.delete_after)
    .limit(bindparam("most"))
)
_KNOWN = select(recordings.c.id).where(recordings.c.id.in_(bindparam("ids", expanding=True)))
_HELD = (
    select(handovers.c.id)
    .where(
        handovers.c.conversation_id == bindparam("conversation_id"),
        handovers.c.agent_id == bindparam("staff_id"),
        handovers.c.accepted_at.is_not(None),
    )
    .limit(1)
)


class SqlRecordings:
    """Implements `hotline.call_store.RecordingRows`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock
        self._insert: Any = sqlite_insert if database.is_sqlite else pg_insert

    async def begin(self, row: RecordingRow) -> bool:
        values = {
            "id": row.id,
            "call_id": row.call_id,
            "key": row.key,
            "began_at": row.began_at,
            "delete_after": row.delete_after,
        }
        async with self._db.write() as tx:
            await noted(tx, self._insert, row.call_id, self._clock())
            new = self._insert(recordings).values(values).on_conflict_do_nothing()
            if (await tx.execute(new)).rowcount == 1:
                return True
            return row.id in (await tx.execute(_KNOWN, {"ids": [row.id]})).scalars().all()

    async def finish(self, recording_id: str, *, seconds: float, gaps: Sequence[Gap]) -> None:
        left_out = [[gap.offset_s, gap.reason] for gap in gaps]
        async with self._db.write() as tx:
            await tx.execute(_FINISH, {"which": recording_id, "lasts": seconds, "left_out": left_out})

    async def drop(self, recording_ids: Sequence[str]) -> int:
        async with self._db.write() as tx:
            return (await tx.execute(_DROP, {"ids": list(recording_ids)})).rowcount

    async def of_call(self, call_id: str) -> RecordingRow | None:
        async with self._db.read() as connection:
            row = (await connection.execute(_OF_CALL, {"call_id": call_id})).mappings().one_or_none()
        return _row(row) if row is not None else None

    async def expired(self, *, now: datetime, limit: int) -> Sequence[RecordingRow]:
        async with self._db.read() as connection:
            return [_row(each) for each in (await connection.execute(_EXPIRED, {"now": now, "most": limit})).mappings()]

    async def known(self, recording_ids: Sequence[str]) -> Collection[str]:
        async with self._db.read() as connection:
            return set((await connection.execute(_KNOWN, {"ids": list(recording_ids)})).scalars())

    async def has_held(self, conversation_id: str, staff_id: str) -> bool:
        which = {"conversation_id": conversation_id, "staff_id": staff_id}
        async with self._db.read() as connection:
            return await connection.scalar(_HELD, which) is not None


def _row(row: Mapping[Any, Any]) -> RecordingRow:
    return RecordingRow(
        id=row["id"],
        call_id=row["call_id"],
        key=row["key"],
        began_at=row["began_at"],
        delete_after=row["delete_after"],
        seconds=row["seconds"],
        gaps=tuple(Gap(offset, reason) for offset, reason in row["gaps"]),
        conversation_id=row.get("conversation_id", ""),
    )
