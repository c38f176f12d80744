"""Wrong attempts in a row and the locks they bring, counted for many processes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import RowMapping, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.identity_store import AttemptKey, Charge
from hotline.services.identity_locks import FORGOTTEN_AFTER_S, lock_s
from hotline.storage.database import Database
from hotline.storage.tables import attempts

_FORGOTTEN = timedelta(seconds=FORGOTTEN_AFTER_S)


class SqlAttempts:
    """Implements `hotline.identity_store.Attempts`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock
        self._insert: Any = sqlite_insert if database.is_sqlite else pg_insert

    async def locked_s(self, keys: Sequence[AttemptKey]) -> int:
        async with self._db.read() as connection:
            rows = (await connection.execute(select(attempts).where(_any_of(keys)))).mappings().all()
        return _longest(rows, self._clock())

    async def charge(self, keys: Sequence[AttemptKey]) -> Charge:
        now = self._clock()
        async with self._db.write() as tx:
            rows = await self._held(tx, keys, now)
            if locked := _longest(rows.values(), now):
                return Charge(counted=False, locked_s=locked, left=0)
            locks, left = [], []
            for key in keys:
                wrong = _wrong(rows[key.kind, key.key_hash], now) + 1
                lock = lock_s(wrong, key.allowed)
                await self._set(tx, key, wrong=wrong, locked_until=now + timedelta(seconds=lock) if lock else None)
                locks.append(lock)
                left.append(key.allowed - wrong)
            return Charge(counted=True, locked_s=max(locks), left=max(0, min(left)))

    async def refund(self, keys: Sequence[AttemptKey]) -> None:
        now = self._clock()
        async with self._db.write() as tx:
            rows = await self._held(tx, keys, now)
            for key in keys:
                wrong = max(0, rows[key.kind, key.key_hash]["wrong"] - 1)
                await self._set(tx, key, wrong=wrong, locked_until=None)

    async def _held(
        self, tx: AsyncConnection, keys: Sequence[AttemptKey], now: datetime
    ) -> Mapping[tuple[str, str], RowMapping]:
        """The rows of the keys, made where missing, which nobody else changes meanwhile. Always in the same order, so
        that two never wait for each other."""
        ordered = sorted({(key.kind, key.key_hash) for key in keys})
        fresh = [{"kind": kind, "key_hash": hashed, "wrong": 0, "updated_at": now} for kind, hashed in ordered]
        statement = self._insert(attempts).values(fresh)
        held = statement.on_conflict_do_update(
            index_elements=["kind", "key_hash"], set_={"key_hash": statement.excluded.key_hash}
        ).returning(attempts)
        rows = (await tx.execute(held)).mappings().all()
        return {(row["kind"], row["key_hash"]): row for row in rows}

    async def _set(self, tx: AsyncConnection, key: AttemptKey, *, wrong: int, locked_until: datetime | None) -> None:
        statement = (
            update(attempts)
            .where(attempts.c.kind == key.kind, attempts.c.key_hash == key.key_hash)
            .values(wrong=wrong, locked_until=locked_until, updated_at=self._clock())
        )
        await tx.execute(statement)


async def forget(tx: AsyncConnection, hashed: Mapping[str, str]) -> None:
    """Wrong attempts of these (hash by kind) count no more."""
    for kind, key_hash in sorted(hashed.items()):
        await tx.execute(delete(attempts).where(attempts.c.kind == kind, attempts.c.key_hash == key_hash))


async def purge_attempts(tx: AsyncConnection, now: datetime) -> int:
    """Rows that no longer count are gone; the number removed."""
    last = func.coalesce(attempts.c.locked_until, attempts.c.updated_at)
    return (await tx.execute(delete(attempts).where(last < now - _FORGOTTEN))).rowcount


def _wrong(row: RowMapping, now: datetime) -> int:
    """A lock that has ended keeps its count: the next wrong attempt locks for twice as long."""
    last = row["locked_until"] or row["updated_at"]
    return 0 if last < now - _FORGOTTEN else int(row["wrong"])


def _longest(rows: Iterable[RowMapping], now: datetime) -> int:
    left = ((row["locked_until"] - now).total_seconds() for row in rows if row["locked_until"])
    return max(0, ceil(max(left, default=0.0)))


def _any_of(keys: Sequence[AttemptKey]) -> Any:
    return or_(*(and_(attempts.c.kind == key.kind, attempts.c.key_hash == key.key_hash) for key in keys))
