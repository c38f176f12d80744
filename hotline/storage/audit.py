"""The audit trail as a table whose rows are chained by their digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.audit_store import ActorKind, AuditEntry, AuditRow, ChainHead, Detail, Fault, Verified
from hotline.domain.redaction import Mask, redact
from hotline.storage.database import Database
from hotline.storage.serial import one_at_a_time
from hotline.storage.tables import audit_log

GENESIS = "0" * 64
"""What the first row follows."""
PAGE = 1000
# These two run with every look at personal data and are put together once.
_LAST = select(audit_log.c.seq, audit_log.c.digest).order_by(audit_log.c.seq.desc()).limit(1)
_APPEND = insert(audit_log)
_HIDDEN = Mask(id_number="***", card="***", phone="***", email="***")
_HASHED = (
    "seq",
    "at",
    "actor_kind",
    "actor_id",
    "action",
    "subject",
    "purpose",
    "channel",
    "conversation_id",
    "detail",
    "previous",
)


class SqlAudit:
    """Implements `hotline.audit_store.AuditTrail`. Rows are made one at a time over all processes: on SQLite by its
    single writer, on PostgreSQL by a lock that ends with the transaction."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock

    async def record(self, entry: AuditEntry) -> None:
        async with self._db.write() as tx:
            await self.append(tx, entry)

    async def append(self, tx: AsyncConnection, entry: AuditEntry) -> None:
        """The entry becomes the last row when ``tx`` commits. Call it last in a transaction: others wait for it."""
        await one_at_a_time(tx, "audit_log")
        last = (await tx.execute(_LAST)).one_or_none()
        row = {
            "seq": last.seq + 1 if last else 1,
            "at": self._clock().astimezone(UTC).isoformat(timespec="microseconds"),
            "actor_kind": entry.actor_kind.value,
            "actor_id": entry.actor_id[:64],
            "action": entry.action[:64],
            "subject": entry.subject[:36],
            "purpose": entry.purpose[:64],
            "channel": entry.channel[:16],
            "conversation_id": entry.conversation_id[:36],
            "detail": _canonical(_without_personal_values(entry.detail)),
            "previous": last.digest if last else GENESIS,
        }
        await tx.execute(_APPEND, {**row, "digest": digest(row)})

    async def rows(self, *, after: int = 0, limit: int = 100, subject: str = "") -> list[AuditRow]:
        query = select(audit_log).where(audit_log.c.seq > after).order_by(audit_log.c.seq).limit(limit)
        if subject:
            query = query.where(audit_log.c.subject == subject)
        async with self._db.read() as connection:
            return [_row(each) for each in (await connection.execute(query)).mappings()]

    async def newest(self, *, limit: int, subject: str = "") -> list[AuditRow]:
        query = select(audit_log).order_by(audit_log.c.seq.desc()).limit(limit)
        if subject:
            query = query.where(audit_log.c.subject == subject)
        async with self._db.read() as connection:
            found = [_row(each) for each in (await connection.execute(query)).mappings()]
        return found[::-1]

    async def verify(self, *, kept: ChainHead | None = None) -> Verified:
        state = Verified(rows=0, head=ChainHead(seq=0, digest=GENESIS))
        async for row in self._all():
            if fault := _fault(row, state.head) or _fault_of_kept(row, kept):
                return replace(state, fault=fault, seq=row["seq"])
            state = replace(state, rows=state.rows + 1, head=ChainHead(seq=row["seq"], digest=row["digest"]))
        if kept and state.head.seq < kept.seq:
            return replace(state, fault=Fault.CUT_OFF, seq=state.head.seq)
        return state

    async def _all(self) -> AsyncIterator[RowMapping]:
        after: int | None = None
        while True:
            query = select(audit_log).order_by(audit_log.c.seq).limit(PAGE)
            async with self._db.read() as connection:
                page = query if after is None else query.where(audit_log.c.seq > after)
                found = (await connection.execute(page)).mappings().all()
            for row in found:
                yield row
            if len(found) < PAGE:
                return
            after = found[-1]["seq"]


def digest(row: RowMapping | dict[str, object]) -> str:
    """SHA-256 over the row's columns as canonical JSON (sorted names, no blanks, UTF-8), that of the row before
    included."""
    return hashlib.sha256(_canonical({name: row[name] for name in _HASHED}).encode()).hexdigest()


def _fault(row: RowMapping, before: ChainHead) -> Fault | None:
    if row["digest"] != digest(row):
        return Fault.EDITED
    if row["seq"] > before.seq + 1:
        return Fault.REMOVED
    return Fault.OUT_OF_ORDER if row["seq"] <= before.seq or row["previous"] != before.digest else None


def _fault_of_kept(row: RowMapping, kept: ChainHead | None) -> Fault | None:
    return Fault.REWRITTEN if kept and row["seq"] == kept.seq and row["digest"] != kept.digest else None


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _without_personal_values(detail: Detail) -> dict[str, str | int | bool]:
    return {
        key: redact(value, _HIDDEN).text if isinstance(value, str) and key != "reference" else value
        for key, value in detail.items()
    }


def _row(row: RowMapping) -> AuditRow:
    entry = AuditEntry(
        actor_kind=ActorKind(row["actor_kind"]),
        actor_id=row["actor_id"],
        action=row["action"],
        subject=row["subject"],
        purpose=row["purpose"],
        channel=row["channel"],
        conversation_id=row["conversation_id"],
        detail=json.loads(row["detail"]),
    )
    return AuditRow(
        seq=row["seq"],
        at=datetime.fromisoformat(row["at"]),
        entry=entry,
        previous=row["previous"],
        digest=row["digest"],
    )
