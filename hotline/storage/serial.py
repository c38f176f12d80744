"""One at a time, over all processes."""

from __future__ import annotations

import hashlib

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_WAIT = text("SELECT pg_advisory_xact_lock(:key)")


async def one_at_a_time(tx: AsyncConnection, name: str) -> None:
    """No other transaction holds ``name`` until ``tx`` ends. SQLite has one writer anyway; on PostgreSQL it is an
    advisory lock."""
    if tx.dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        await tx.execute(_WAIT, {"key": key})
