"""The engine and its two ways in: reading, and one writing transaction at a time on SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from hotline.errors import TemporaryError

BUSY_MS = 3000
"""How long SQLite waits for another process's lock before a write is given up and spooled."""


class Database:
    """Transactions commit once, at the end of the ``async with``; a database that does not answer is a
    TemporaryError, never a driver's exception."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite and parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        options: dict[str, Any] = {} if self.is_sqlite else {"pool_size": 10, "pool_pre_ping": True}
        self.engine = create_async_engine(parsed, hide_parameters=True, **options)
        self._writer = asyncio.Lock()
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A writing transaction. On SQLite writers of this process queue here rather than in the file's lock."""
        async with AsyncExitStack() as stack:
            if self.is_sqlite:
                await stack.enter_async_context(self._writer)
            try:
                async with self.engine.connect() as connection:
                    connection = await connection.execution_options(hotline_write=True)
                    async with connection.begin():
                        yield connection
            except (OperationalError, DBAPIError, OSError) as error:
                raise _translated(error) from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A reading transaction."""
        try:
            async with self.engine.connect() as connection:
                yield connection
        except (OperationalError, DBAPIError, OSError) as error:
            raise _translated(error) from error

    async def close(self) -> None:
        await self.engine.dispose()


def _translated(error: Exception) -> Exception:
    """A locked or unreachable database is temporary; a broken statement is a fault and stays what it is."""
    if isinstance(error, OperationalError | OSError) or getattr(error, "connection_invalidated", False):
        return TemporaryError(f"database: {type(error).__name__}")
    return error


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_MS}",  # first: the next one may have to wait for another process's lock
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A writer takes the lock at once: upgrading a read transaction later fails without waiting.
    writing = connection.get_execution_options().get("hotline_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
