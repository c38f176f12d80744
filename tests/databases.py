"""Database addresses for tests: SQLite always, PostgreSQL where it answers."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import asyncpg
import pytest

SERVER = os.environ.get("GJJ_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")
KINDS = ("sqlite", "postgresql")


@cache
def why_no_postgresql() -> str:
    """Empty where the server answers, otherwise the reason for skipping."""

    async def probe() -> None:
        connection = await asyncpg.connect(f"{SERVER}/postgres", timeout=3)
        await connection.close()

    try:
        asyncio.run(probe())
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        return f"PostgreSQL does not answer at {SERVER}: {type(error).__name__}"
    return ""


@asynccontextmanager
async def database_url(kind: str, directory: Path) -> AsyncIterator[str]:
    """The address of an empty database of ``kind`` that is removed afterwards."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{directory / 'contract.db'}"
        return
    if reason := await asyncio.to_thread(why_no_postgresql):
        pytest.skip(reason)
    name = f"hotline_test_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(f"{SERVER}/postgres")
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
        yield f"{SERVER.replace('postgresql://', 'postgresql+asyncpg://')}/{name}"
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()
