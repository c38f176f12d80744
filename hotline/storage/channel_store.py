"""What channels keep: nonces already used and small records such as quota windows or where a call stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from hotline.storage.database import Database
from hotline.storage.tables import UtcDateTime, channel_states, nonces

PASSING: Final = "passing"
"""The scope of records that are of no use, and gone, when nobody has written them for PASSING_FOR."""
PASSING_FOR: Final = timedelta(minutes=30)


class SqlChannelStore:
    """Implements `hotline.ports.ReplayGuard` and keeps channels' records, shared by all gateway processes."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock
        self._insert: Any = sqlite_insert if database.is_sqlite else pg_insert
        self._use = self._use_statement()

    async def uses(self, scope: str, nonce: str, fingerprint: str, *, ttl_s: int) -> int | None:
        """Implements `hotline.ports.ReplayGuard` in one statement."""
        now = self._clock()
        values = {
            "scope": scope,
            "nonce": nonce,
            "fingerprint": fingerprint,
            "expires_at": now + timedelta(seconds=ttl_s),
            "now": now,
        }
        async with self._db.write() as tx:
            known, uses = (await tx.execute(self._use, values)).one()
        return int(uses) - 1 if known == fingerprint else None

    def _use_statement(self) -> Any:
        """Built once: this runs for every message."""
        expired = nonces.c.expires_at < bindparam("now", type_=UtcDateTime())
        fresh = self._insert(nonces).values(
            scope=bindparam("scope"),
            nonce=bindparam("nonce"),
            fingerprint=bindparam("fingerprint"),
            uses=1,
            expires_at=bindparam("expires_at"),
        )
        return fresh.on_conflict_do_update(
            index_elements=["scope", "nonce"],
            set_={
                "fingerprint": case((expired, fresh.excluded.fingerprint), else_=nonces.c.fingerprint),
                "uses": case((expired, 1), else_=nonces.c.uses + 1),
                "expires_at": case((expired, fresh.excluded.expires_at), else_=nonces.c.expires_at),
            },
        ).returning(nonces.c.fingerprint, nonces.c.uses)

    async def get_state(self, scope: str, key: str) -> Any:
        """A channel's small record (a quota window), or None."""
        query = select(channel_states.c.value).where(channel_states.c.scope == scope, channel_states.c.key == key)
        async with self._db.read() as connection:
            return await connection.scalar(query)

    async def put_state(self, scope: str, key: str, value: Any, *, version: int) -> bool:
        """Replace a channel's small record if the stored one has version ``version - 1`` (0: none is stored).

        False when somebody else was faster; nothing is changed then."""
        changed = {"value": value, "version": version, "updated_at": self._clock()}
        async with self._db.write() as tx:
            if version == 1:
                statement = self._insert(channel_states).values(scope=scope, key=key, **changed)
                return (await tx.execute(statement.on_conflict_do_nothing())).rowcount == 1
            record = (channel_states.c.scope == scope, channel_states.c.key == key)
            found = update(channel_states).where(*record, channel_states.c.version == version - 1).values(changed)
            return (await tx.execute(found)).rowcount == 1

    async def purge(self) -> int:
        """Remove expired nonces and passing records; the number removed."""
        now = self._clock()
        passed = (channel_states.c.scope == PASSING, channel_states.c.updated_at < now - PASSING_FOR)
        async with self._db.write() as tx:
            removed = (await tx.execute(delete(nonces).where(nonces.c.expires_at < now))).rowcount
            return removed + (await tx.execute(delete(channel_states).where(*passed))).rowcount
