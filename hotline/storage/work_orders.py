"""Work orders on SQLAlchemy Core: opened once, changed by version, everything in the log and the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.desk import Group
from hotline.domain.identity import Contact
from hotline.domain.work_order_numbers import MOST_A_DAY, number_of
from hotline.domain.work_orders import (
    OPEN,
    Actor,
    Change,
    ChangeKind,
    Event,
    OrderRefused,
    Refusal,
    State,
    WorkOrder,
)
from hotline.errors import TemporaryError
from hotline.storage import work_order_rows as rows
from hotline.storage.audit import SqlAudit
from hotline.storage.database import Database
from hotline.storage.serial import one_at_a_time
from hotline.storage.tables import contacts
from hotline.storage.work_order_log import announce, remark, whose_log
from hotline.storage.work_order_posts import write_posts
from hotline.storage.work_order_tables import (
    work_order_days,
    work_order_events,
    work_order_files,
    work_order_posts,
    work_order_requests,
    work_orders,
)
from hotline.work_order_store import Done, GroupCounts, NewOrder, Once, OrderFilter, Receipt

_REQUEST = select(work_order_requests).where(work_order_requests.c.key == bindparam("key"))
_MADE = select(work_order_events.c.id).where(
    work_order_events.c.origin_id == bindparam("order_id"),
    work_order_events.c.version == bindparam("version"),
    work_order_events.c.fingerprint == bindparam("fingerprint"),
)


class _Moved(Exception):
    """One of two orders has changed meanwhile: the transaction is undone."""


class SqlWorkOrders:
    """Implements `hotline.work_order_store.WorkOrders`."""

    def __init__(self, database: Database, *, audit: SqlAudit, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._audit = audit
        self._clock = clock
        self._insert: Any = sqlite_insert if database.is_sqlite else pg_insert

    async def open(self, new: NewOrder, *, by: Actor, once: Once) -> Done:
        now = self._clock()
        async with self._db.write() as tx:
            await one_at_a_time(tx, f"work order {once.key}")
            if (before := await self._done(tx, once)) is not None:
                return before
            contact_id = await self._contact(tx, new.contact, now)
            number = await self._number(tx, new)
            values = rows.opening(new, number=number, contact_id=contact_id, now=now)
            order_id = await tx.scalar(insert(work_orders).values(values).returning(work_orders.c.id))
            opened = await _by_id(tx, int(order_id or 0))
            change = Change(before=replace(opened, version=0), after=opened, kind=ChangeKind.OPENED)
            await self._log(tx, change, by, now)
            return await self._receipt(tx, opened, once, now)

    async def save(self, change: Change, *, by: Actor, once: Once | None = None) -> Done | None:
        now = self._clock()
        async with self._db.write() as tx:
            if once is not None and (before := await self._done(tx, once)) is not None:
                return before
            if not await self._changed(tx, change, now):
                return None
            await write_posts(tx, change, now=now)
            await self._log(tx, change, by, now)
            saved = await _by_id(tx, change.before.id)
            if once is not None:
                return await self._receipt(tx, saved, once, now)
            return Done(order=saved, receipt=_receipt_of(saved), again=False)

    async def merge(self, gone: Change, kept: Change, *, by: Actor) -> WorkOrder | None:
        now = self._clock()
        try:
            async with self._db.write() as tx:
                # Always in the same order, so that two merges never wait for each other.
                for change in sorted((gone, kept), key=lambda each: each.before.id):
                    if not await self._changed(tx, change, now):
                        raise _Moved
                # Who knows the number that is gone is told how the one stands that answers for it.
                await write_posts(tx, replace(gone, after=kept.after), now=now)
                for change in (gone, kept):
                    await self._log(tx, change, by, now)
                await _move_to(tx, kept.before.id, gone.before.id)
                return await _by_id(tx, kept.before.id)
        except _Moved:
            return None

    async def erase(self, change: Change, *, by: Actor) -> Sequence[str] | None:
        now = self._clock()
        async with self._db.write() as tx:
            if not await self._changed(tx, change, now):
                return None
            which = {"order_id": change.before.id}
            family = [row.id for row in (await tx.execute(rows.FAMILY, which)).all()]
            digests = (await tx.execute(_FILES_OF, which)).scalars().all()
            for statement in _forgetting(family, now):
                await tx.execute(statement)
            await self._log(tx, change, by, now)
            return digests

    async def done(self, once: Once) -> Done | None:
        async with self._db.read() as connection:
            return await self._done(connection, once)

    async def was_made(self, order: WorkOrder, *, version: int, fingerprint: str) -> bool:
        which = {"order_id": order.id, "version": version, "fingerprint": fingerprint}
        async with self._db.read() as connection:
            return await connection.scalar(_MADE, which) is not None

    async def find(self, number: str) -> WorkOrder | None:
        return await self._one(rows.BY_NUMBER, number=number)

    async def find_city(self, city_id: str) -> WorkOrder | None:
        return await self._one(rows.BY_CITY_ID, city_id=city_id)

    async def standing(self, order: WorkOrder) -> WorkOrder:
        if order.merged_into is None:
            return order
        return await self._one(rows.BY_ID, order_id=order.merged_into) or order

    async def merged(self, order: WorkOrder) -> Sequence[WorkOrder]:
        async with self._db.read() as connection:
            found = (await connection.execute(rows.MERGED, {"order_id": order.id})).mappings()
            return [rows.order(row) for row in found]

    async def listed(self, which: OrderFilter, *, before: int | None, limit: int) -> Sequence[WorkOrder]:
        query = rows.ORDERS.where(*_conditions(which, self._clock())).order_by(work_orders.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(work_orders.c.id < before)
        async with self._db.read() as connection:
            return [rows.order(row) for row in (await connection.execute(query)).mappings()]

    async def counts(self, *, day_ends: datetime) -> Mapping[Group, GroupCounts]:
        now = self._clock()
        today = (work_orders.c.due_at >= now) & (work_orders.c.due_at <= day_ends)
        query = (
            select(
                work_orders.c.group_code,
                func.count(),
                func.sum(case((today, 1), else_=0)),
                func.sum(case((work_orders.c.due_at < now, 1), else_=0)),
            )
            .where(work_orders.c.state.in_(OPEN))
            .group_by(work_orders.c.group_code)
        )
        async with self._db.read() as connection:
            found = (await connection.execute(query)).all()
        return {
            Group(group): GroupCounts(open=count, due_today=int(due), overdue=int(late))
            for group, count, due, late in found
        }

    async def alike(self, order: WorkOrder, *, since: datetime, limit: int) -> Sequence[WorkOrder]:
        same: list[Any] = []
        if order.contact is not None:
            is_he = (contacts.c.channel == order.contact.channel) & (contacts.c.address == order.contact.address)
            same.append(is_he)
        if order.person_id:
            same.append(work_orders.c.person_id == order.person_id)
        if not same:
            return []
        query = rows.ORDERS.where(
            or_(*same),
            work_orders.c.id != order.id,
            work_orders.c.type == order.type,
            work_orders.c.state.in_(OPEN),
            work_orders.c.opened_at >= since,
        )
        if order.matter:
            query = query.where(work_orders.c.matter.in_((order.matter, "")))
        async with self._db.read() as connection:
            found = (await connection.execute(query.order_by(work_orders.c.id.desc()).limit(limit))).mappings()
            return [rows.order(row) for row in found]

    async def events(self, order: WorkOrder) -> Sequence[Event]:
        async with self._db.read() as connection:
            found = (await connection.execute(rows.EVENTS, {"order_id": order.id})).mappings()
            return [rows.event(row) for row in found]

    async def add_note(self, order: WorkOrder, text: str, *, by: Actor) -> Event:
        now = self._clock()
        values = rows.remark_values(order.id, ChangeKind.NOTE, by=by, now=now, note=text)
        async with self._db.write() as tx:
            await remark(tx, await whose_log(tx, order), values)
            await announce(tx, order, ChangeKind.NOTE, now=now)
            await self._audit.append(tx, _trail(ChangeKind.NOTE, order, by))
        return rows.event({**values, "number": order.number})

    # --- how

    async def _one(self, statement: Any, **which: Any) -> WorkOrder | None:
        async with self._db.read() as connection:
            row = (await connection.execute(statement, which)).mappings().one_or_none()
        return rows.order(row) if row else None

    async def _done(self, connection: AsyncConnection, once: Once) -> Done | None:
        row = (await connection.execute(_REQUEST, {"key": once.key})).mappings().one_or_none()
        if row is None:
            return None
        if row["digest"] != once.digest:
            raise OrderRefused(Refusal.KEY_REUSED)
        order = await _by_id(connection, row["order_id"])
        receipt = Receipt(
            number=order.number,
            state=State(row["state"]),
            due_at=row["due_at"],
            provisional=row["due_provisional"],
        )
        return Done(order=order, receipt=receipt, again=True)

    async def _receipt(self, tx: AsyncConnection, order: WorkOrder, once: Once, now: datetime) -> Done:
        receipt = _receipt_of(order)
        values = {
            "key": once.key,
            "digest": once.digest,
            "order_id": order.id,
            "state": receipt.state,
            "due_at": receipt.due_at,
            "due_provisional": receipt.provisional,
            "created_at": now,
        }
        await tx.execute(insert(work_order_requests).values(values))
        return Done(order=order, receipt=receipt, again=False)

    async def _changed(self, tx: AsyncConnection, change: Change, now: datetime) -> bool:
        statement, values = rows.saving(change, now)
        return bool((await tx.execute(statement, values)).rowcount == 1)

    async def _log(self, tx: AsyncConnection, change: Change, by: Actor, now: datetime) -> None:
        await tx.execute(rows.INSERT_EVENT, rows.event_values(change, by, now))
        await announce(tx, change.after, change.kind, now=now, alert=change.alert)
        await self._audit.append(tx, _trail(change.kind, change.before, by))

    async def _contact(self, tx: AsyncConnection, contact: Contact | None, now: datetime) -> int | None:
        if contact is None:
            return None
        who = {"channel": contact.channel, "address": contact.address}
        statement = self._insert(contacts).values(**who, created_at=now)
        kept = statement.on_conflict_do_update(index_elements=list(who), set_={"address": contact.address})
        return int((await tx.execute(kept.returning(contacts.c.id))).scalar_one())

    async def _number(self, tx: AsyncConnection, new: NewOrder) -> str:
        fresh = self._insert(work_order_days).values(day=f"{new.day:%Y%m%d}", last=1)
        counted = fresh.on_conflict_do_update(
            index_elements=["day"], set_={"last": work_order_days.c.last + 1}
        ).returning(work_order_days.c.last)
        serial = int((await tx.execute(counted)).scalar_one())
        if serial > MOST_A_DAY:
            raise TemporaryError("the day has no more numbers for work orders", retry_after_s=3600)
        return number_of(new.day, serial)


_FILES_OF = select(work_order_files.c.digest).where(work_order_files.c.order_id == bindparam("order_id"))


def _conditions(which: OrderFilter, now: datetime) -> list[Any]:
    column = work_orders.c
    wanted: list[Any] = [column.erased_at.is_(None)]
    wanted += [column.state.in_(which.states)] if which.states else []
    wanted += [column.type == which.type] if which.type else []
    wanted += [column.group_code == which.group] if which.group else []
    wanted += [column.owner == which.owner] if which.owner is not None else []
    wanted += [column.person_id == which.person_id, column.confidential.is_(False)] if which.person_id else []
    if which.contact:
        wanted += [contacts.c.channel == which.contact.channel, contacts.c.address == which.contact.address]
        wanted.append(column.confidential.is_(False))
    wanted += [column.state.in_(OPEN), column.due_at < now] if which.overdue else []
    wanted += [column.visit_due_at.is_not(None)] if which.visits else []
    if which.text:
        wanted.append(or_(*(each.icontains(which.text, autoescape=True) for each in _SEARCHED)))
    if not which.viewer.supervises:
        wanted.append(or_(column.confidential.is_(False), column.owner == which.viewer.id))
    return wanted


_SEARCHED = (work_orders.c.number, work_orders.c.title, work_orders.c.text)


async def _by_id(connection: AsyncConnection, order_id: int) -> WorkOrder:
    return rows.order((await connection.execute(rows.BY_ID, {"order_id": order_id})).mappings().one())


async def _move_to(tx: AsyncConnection, kept: int, gone: int) -> None:
    """Log and files of ``gone`` are ``kept``'s, and so is what ``gone`` answered for."""
    await tx.execute(update(work_orders).where(work_orders.c.merged_into == gone).values(merged_into=kept))
    events = update(work_order_events).where(work_order_events.c.order_id == gone)
    await tx.execute(events.values(order_id=kept))
    has = select(work_order_files.c.digest).where(work_order_files.c.order_id == kept)
    twice = (work_order_files.c.order_id == gone, work_order_files.c.digest.in_(has))
    await tx.execute(delete(work_order_files).where(*twice))
    files = update(work_order_files).where(work_order_files.c.order_id == gone)
    await tx.execute(files.values(order_id=kept))


def _forgetting(family: Sequence[int], now: datetime) -> list[Any]:
    """Statements after which nothing personal is left of these orders, and nobody is told of them any more."""
    gone = {"text": "", "contact_id": None, "conversation_id": None, "person_id": None}
    told = {"reason": "", "conclusion": None, "rating_reason": "", "erased_at": now}
    unsent = work_order_posts.c.status.in_(("pending", "sending"))
    of_posts, of_events = work_order_posts.c.order_id.in_(family), work_order_events.c.order_id.in_(family)
    return [
        update(work_orders).where(work_orders.c.id.in_(family)).values({**gone, **told}),
        update(work_order_events).where(of_events).values(note="", data={}),
        update(work_order_posts).where(of_posts).values(reason="", conclusion=None),
        update(work_order_posts).where(of_posts, unsent).values(status="dropped", settled_at=now),
        delete(work_order_files).where(work_order_files.c.order_id.in_(family)),
    ]


def _receipt_of(order: WorkOrder) -> Receipt:
    return Receipt(number=order.number, state=order.state, due_at=order.due_at, provisional=order.due_provisional)


def _trail(kind: ChangeKind, order: WorkOrder, by: Actor) -> Any:
    return rows.trail(kind.value, order.number, person_id=order.person_id, conversation_id=order.conversation_id, by=by)
