"""Requests for a person: noted, listed, closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.storage import codec
from hotline.storage.database import Database
from hotline.storage.tables import conversations, handovers, messages
from hotline.store import Noted, OpenHandover

LAST_SAID = 5
"""Lines of the citizen shown with a request for a person."""


class SqlHandovers:
    """Implements `hotline.store.Handovers`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock

    async def note_handover(self, conversation_id: str, reason: str) -> Noted:
        open_one = select(handovers.c.id).where(
            handovers.c.conversation_id == conversation_id, handovers.c.state == "open", handovers.c.reason == reason
        )
        async with self._db.write() as tx:
            known = await tx.scalar(open_one.limit(1))
            if known is not None:
                return Noted(number=known, again=True)
            values = {
                "conversation_id": conversation_id,
                "reason": reason,
                "state": "open",
                "created_at": self._clock(),
            }
            number = await tx.scalar(insert(handovers).values(values).returning(handovers.c.id))
            return Noted(number=int(number or 0), again=False)

    async def open_handovers(self, *, limit: int) -> list[OpenHandover]:
        query = (
            select(handovers, conversations.c.channel)
            .join(conversations, conversations.c.id == handovers.c.conversation_id)
            .where(handovers.c.state == "open")
            .order_by(handovers.c.id)
            .limit(limit)
        )
        async with self._db.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
            return [codec.handover(dict(row), await self._last_said(connection, row)) for row in rows]

    async def close_handover(self, number: int) -> bool:
        statement = (
            update(handovers).where(handovers.c.id == number, handovers.c.state == "open").values(state="closed")
        )
        async with self._db.write() as tx:
            return (await tx.execute(statement)).rowcount == 1

    async def _last_said(self, connection: AsyncConnection, row: RowMapping) -> list[str]:
        newest = (
            select(messages.c.text)
            .where(messages.c.conversation_id == row["conversation_id"], messages.c.author == "citizen")
            .order_by(messages.c.id.desc())
            .limit(LAST_SAID)
        )
        return list(reversed((await connection.execute(newest)).scalars().all()))
