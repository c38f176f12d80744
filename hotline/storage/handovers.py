"""Requests for a person that nobody at the desk could take: listed, closed."""

from __future__ import annotations

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.desk import HandoverState
from hotline.storage import codec
from hotline.storage.database import Database
from hotline.storage.desk_tables import handovers
from hotline.storage.tables import conversations, messages
from hotline.store import OpenHandover

LAST_SAID = 5
"""Lines of the citizen shown with a request for a person."""


class SqlHandovers:
    """Implements `hotline.store.Handovers`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def open_handovers(self, *, limit: int) -> list[OpenHandover]:
        query = (
            select(handovers, conversations.c.channel)
            .join(conversations, conversations.c.id == handovers.c.conversation_id)
            .where(handovers.c.state == HandoverState.NOTED)
            .order_by(handovers.c.id)
            .limit(limit)
        )
        async with self._db.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
            return [codec.handover(dict(row), await self._last_said(connection, row)) for row in rows]

    async def close_handover(self, number: int) -> bool:
        statement = (
            update(handovers)
            .where(handovers.c.id == number, handovers.c.state == HandoverState.NOTED)
            .values(state=HandoverState.DONE)
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
