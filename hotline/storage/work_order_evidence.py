"""Which files belong to which work order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.work_orders import Actor, ChangeKind, Evidence, OrderRefused, Refusal, WorkOrder
from hotline.storage import work_order_rows as rows
from hotline.storage.audit import SqlAudit
from hotline.storage.database import Database
from hotline.storage.serial import one_at_a_time
from hotline.storage.work_order_log import announce, remark, whose_log
from hotline.storage.work_order_tables import work_order_files

_FILES = "evidence files"
"""Placing and removing files wait for each other: a file must not go while an order is about to have it."""
_COUNT = select(func.count()).select_from(work_order_files).where(work_order_files.c.order_id == bindparam("order_id"))
_SAME = select(work_order_files).where(
    work_order_files.c.order_id == bindparam("order_id"), work_order_files.c.digest == bindparam("digest")
)
_USED = select(work_order_files.c.digest).where(work_order_files.c.digest.in_(bindparam("digests", expanding=True)))


class SqlEvidence:
    """Implements `hotline.work_order_store.EvidenceRows`."""

    def __init__(self, database: Database, *, audit: SqlAudit, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._audit = audit
        self._clock = clock

    async def add(
        self, order: WorkOrder, file: Evidence, *, by: Actor, most: int, place: Callable[[], None]
    ) -> Evidence:
        now = self._clock()
        async with self._db.write() as tx:
            await one_at_a_time(tx, _FILES)
            order_id = await whose_log(tx, order)
            which = {"order_id": order_id, "digest": file.digest}
            if same := (await tx.execute(_SAME, which)).mappings().one_or_none():
                place()
                return rows.evidence(same)
            if int(await tx.scalar(_COUNT, {"order_id": order_id}) or 0) >= most:
                raise OrderRefused(Refusal.FILE_COUNT, str(most))
            place()
            added = await _inserted(tx, order_id, file, now)
            line = rows.remark_values(order.id, ChangeKind.FILE_ADDED, by=by, now=now, file=str(added.id))
            await remark(tx, order_id, line)
            await announce(tx, order, ChangeKind.FILE_ADDED, now=now)
            where = {"person_id": order.person_id, "conversation_id": order.conversation_id}
            await self._audit.append(tx, rows.trail(ChangeKind.FILE_ADDED, order.number, by=by, **where))
        return added

    async def of(self, order: WorkOrder) -> Sequence[Evidence]:
        async with self._db.read() as connection:
            found = (await connection.execute(rows.FILES, {"order_id": order.id})).mappings()
            return [rows.evidence(row) for row in found]

    async def drop_unused(self, digests: Sequence[str], *, remove: Callable[[str], None]) -> int:
        async with self._db.write() as tx:
            await one_at_a_time(tx, _FILES)
            used = set((await tx.execute(_USED, {"digests": list(digests)})).scalars())
            unused = sorted(set(digests) - used)
            for digest in unused:
                remove(digest)
        return len(unused)


async def _inserted(tx: AsyncConnection, order_id: int, file: Evidence, now: datetime) -> Evidence:
    values = {
        "order_id": order_id,
        "digest": file.digest,
        "name": file.name,
        "media_type": file.media_type,
        "size": file.size,
        "added_by": file.added_by[:64],
        "added_at": now,
    }
    statement = insert(work_order_files).values(values).returning(work_order_files)
    return rows.evidence((await tx.execute(statement)).mappings().one())
