"""What live pages are told: a table that every process reads on from where it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.desk_store import DeskEvent
from hotline.storage.database import Database
from hotline.storage.desk_tables import desk_events

KEPT = timedelta(hours=12)
"""A page that was away for longer starts anew."""
_TELL = insert(desk_events)
_AFTER = (
    select(desk_events).where(desk_events.c.seq > bindparam("seq")).order_by(desk_events.c.seq).limit(bindparam("most"))
)
_AMONG = select(desk_events).where(desk_events.c.seq.in_(bindparam("wanted", expanding=True)))
_LAST = select(func.max(desk_events.c.seq))


async def tell(
    tx: AsyncConnection,
    kind: str,
    *,
    now: datetime,
    conversation_id: str = "",
    handover_id: int | None = None,
    staff_id: str = "",
    **data: Any,
) -> None:
    """The event is told when ``tx`` commits, and not if it does not."""
    row = {
        "kind": kind,
        "conversation_id": conversation_id,
        "handover_id": handover_id,
        "staff_id": staff_id,
        "data": data,
        "created_at": now,
    }
    await tx.execute(_TELL, row)


class SqlDeskEvents:
    """Implements `hotline.desk_store.DeskEvents`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock

    async def last_seq(self) -> int:
        async with self._db.read() as connection:
            return int(await connection.scalar(_LAST) or 0)

    async def after(self, seq: int, *, limit: int) -> list[DeskEvent]:
        async with self._db.read() as connection:
            found = (await connection.execute(_AFTER, {"seq": seq, "most": limit})).mappings().all()
        return [_event(row) for row in found]

    async def among(self, seqs: list[int]) -> list[DeskEvent]:
        async with self._db.read() as connection:
            found = (await connection.execute(_AMONG, {"wanted": seqs})).mappings().all()
        return [_event(row) for row in found]

    async def purge(self) -> int:
        """What no page asks for any more is gone; the number of rows."""
        async with self._db.write() as tx:
            old = delete(desk_events).where(desk_events.c.created_at < self._clock() - KEPT)
            return (await tx.execute(old)).rowcount


def _event(row: Mapping[Any, Any]) -> DeskEvent:
    return DeskEvent(
        seq=row["seq"],
        kind=row["kind"],
        conversation_id=row["conversation_id"],
        handover_id=row["handover_id"],
        staff_id=row["staff_id"],
        data=row["data"],
        at=row["created_at"],
    )
