"""The store on SQLAlchemy Core: SQLite and PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.conversations import Accepted, DeliveryStatus, Job, Owner, TurnRecord
from hotline.domain.desk import HandoverState
from hotline.domain.messages import ChannelName, Inbound, InboundKind, TurnResult
from hotline.ports import ChatLine
from hotline.storage import codec
from hotline.storage import statements as run
from hotline.storage.database import Database
from hotline.storage.desk_events import tell
from hotline.storage.desk_requests import end_conversation
from hotline.storage.desk_tables import handovers
from hotline.storage.ownership import close, locked
from hotline.storage.tables import (
    contacts,
    conversations,
    inbox,
    messages,
    outbox,
    turns,
)
from hotline.store import DueDelivery, Finished

CLAIM_S = 30
"""A conversation whose worker has not finished for this long may be taken by another."""
MAX_ATTEMPTS = 3
"""A message that brought its worker down this often is left to people."""


class SqlStore:
    """Implements `hotline.store.Store`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime], idle_close: timedelta) -> None:
        self._db = database
        self._clock = clock
        self._idle_close = idle_close
        self._insert: Any = sqlite_insert if database.is_sqlite else pg_insert

    async def accept(self, inbound: Inbound, *, worker: str) -> Accepted:
        now = self._clock()
        async with self._db.write() as tx:
            row = await self._conversation(tx, inbound, now)
            stored = await tx.execute(
                self._insert(inbox)
                .values(
                    channel=inbound.channel,
                    external_id=inbound.external_id,
                    conversation_id=row["id"],
                    kind=inbound.kind,
                    text=inbound.text,
                    meta=dict(inbound.meta),
                    as_of=inbound.as_of,
                    received_at=now,
                    status="new",
                )
                .on_conflict_do_nothing(index_elements=["channel", "external_id"])
                .returning(inbox.c.id)
            )
            inbox_id = stored.scalar_one_or_none()
            if inbox_id is None:
                return Accepted(inbox_id=await self._known(tx, inbound), new=False)
            if inbound.kind in (InboundKind.TEXT, InboundKind.UNSUPPORTED):
                said = {
                    "contact_id": row["contact_id"],
                    "conversation_id": row["id"],
                    "inbox_id": inbox_id,
                    "author": "citizen",
                    "text": inbound.text,
                    "choices": [],
                    "external_id": inbound.external_id,
                    "created_at": now,
                }
                await tx.execute(run.INSERT_MESSAGE, said)
                await self._tell_desk(tx, row, "citizen", now)
            job = await self._claim(tx, row["id"], worker=worker, now=now)
            return Accepted(inbox_id=inbox_id, new=True, job=job)

    async def finish(
        self, job: Job, result: TurnResult, *, status: str, delivery: DeliveryStatus, worker: str, due_at: datetime
    ) -> Finished:
        now = self._clock()
        async with self._db.write() as tx:
            conversation = await locked(tx, job.conversation_id)
            ended = await tx.execute(run.END_TURN, {"inbox_id": job.inbox_id, "new_status": status})
            if conversation is None or ended.rowcount != 1:
                return Finished(dropped=True, lines=(), next_job=None, delivery_id=None)
            dropped = conversation["owner_version"] != job.owner_version
            if dropped and _is_left_alone(job, conversation):
                await tx.execute(run.SET_INBOX_STATUS, {"inbox_id": job.inbox_id, "new_status": "new"})
                next_job = await self._next(tx, job.conversation_id, worker=worker, now=now)
                return Finished(dropped=True, lines=(), next_job=next_job, delivery_id=None)
            lines = [] if dropped else await self._say(tx, job, result, now)
            delivery_id = None
            if result.replies:
                posted = DeliveryStatus.DROPPED if dropped else delivery
                delivery_id = await self._post(tx, job, result, lines, status=posted, due_at=due_at)
            await tx.execute(run.INSERT_TURN, codec.turn_values(job, result, now))
            if job.kind == InboundKind.LEAVE:
                await self._close(tx, conversation, now)
            next_job = await self._next(tx, job.conversation_id, worker=worker, now=now)
            return Finished(dropped=dropped, lines=lines, next_job=next_job, delivery_id=delivery_id)

    async def claim_waiting(self, *, worker: str, limit: int) -> list[Job]:
        now = self._clock()
        free = or_(conversations.c.claimed_until.is_(None), conversations.c.claimed_until < now)
        waiting = (
            select(inbox.c.conversation_id)
            .join(conversations, conversations.c.id == inbox.c.conversation_id)
            .where(inbox.c.status == "new", free)
            .distinct()
            .limit(limit)
        )
        async with self._db.read() as connection:
            found = (await connection.execute(waiting)).scalars().all()
        jobs = []
        for conversation_id in found:
            async with self._db.write() as tx:
                if job := await self._claim(tx, conversation_id, worker=worker, now=now):
                    jobs.append(job)
        return jobs

    async def record(self, channel: ChannelName, external_id: str) -> TurnRecord | None:
        query = (
            select(turns, outbox.c.id.label("delivery_id"), outbox.c.status.label("delivery_status"), outbox.c.replies)
            .join(inbox, inbox.c.id == turns.c.inbox_id)
            .join(outbox, outbox.c.inbox_id == turns.c.inbox_id, isouter=True)
            .where(inbox.c.channel == channel, inbox.c.external_id == external_id)
        )
        async with self._db.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return codec.record(dict(row)) if row else None

    async def settle(
        self,
        delivery_id: str,
        status: DeliveryStatus,
        *,
        expected: DeliveryStatus,
        vendor_id: str = "",
        error: str = "",
    ) -> bool:
        statement = (
            update(outbox)
            .where(outbox.c.id == delivery_id, outbox.c.status == expected)
            .values(status=status, settled_at=self._clock(), vendor_id=vendor_id[:128], error=error[:200])
            .returning(outbox.c.author, outbox.c.conversation_id, outbox.c.message_id)
        )
        async with self._db.write() as tx:
            settled = (await tx.execute(statement)).mappings().one_or_none()
            if settled is not None and settled["author"] == "agent":
                await self._tell_sender(tx, settled, status)
            return settled is not None

    async def _tell_sender(self, tx: AsyncConnection, settled: RowMapping, status: DeliveryStatus) -> None:
        """The page of the member of staff who wrote the line sees whether it arrived."""
        sender = await tx.scalar(select(messages.c.staff_id).where(messages.c.id == settled["message_id"]))
        where = {"conversation_id": settled["conversation_id"], "staff_id": str(sender or "")}
        await tell(tx, "delivery", now=self._clock(), seq=settled["message_id"], status=status.value, **where)

    async def retry_later(self, delivery_id: str, *, due_at: datetime, error: str) -> None:
        statement = (
            update(outbox)
            .where(outbox.c.id == delivery_id, outbox.c.status == DeliveryStatus.SENDING)
            .values(status=DeliveryStatus.PENDING, due_at=due_at, error=error[:200])
        )
        async with self._db.write() as tx:
            await tx.execute(statement)

    async def lease_due(self, *, limit: int, lease_s: int) -> list[DueDelivery]:
        now = self._clock()
        async with self._db.read() as connection:
            found = (await connection.execute(run.DUE, {"now": now, "most": limit})).scalars().all()
        if not found:
            return []
        leased = []
        async with self._db.write() as tx:
            for delivery_id in found:
                until = now + timedelta(seconds=lease_s)
                lease = {"delivery_id": delivery_id, "now": now, "until": until}
                if row := (await tx.execute(run.LEASE, lease)).mappings().one_or_none():
                    version = await tx.scalar(run.OWNER_VERSION, {"conversation_id": row["conversation_id"]})
                    leased.append(codec.due(dict(row), int(version or 0)))
        return leased

    async def lines(self, channel: ChannelName, contact_key: str, *, after: int, limit: int) -> list[ChatLine]:
        newest = (
            select(messages)
            .join(contacts, contacts.c.id == messages.c.contact_id)
            .where(contacts.c.channel == channel, contacts.c.address == contact_key, messages.c.id > after)
            .order_by(messages.c.id.desc())
            .limit(limit)
        )
        async with self._db.read() as connection:
            rows = (await connection.execute(newest)).mappings().all()
        return [codec.line(dict(row)) for row in reversed(rows)]

    async def counts(self) -> Mapping[str, int]:
        queries: dict[str, Select[Any]] = {
            "waiting": select(func.count()).select_from(inbox).where(inbox.c.status == "new"),
            "pending": select(func.count()).select_from(outbox).where(outbox.c.status == DeliveryStatus.PENDING),
            "handovers": select(func.count()).select_from(handovers).where(handovers.c.state == HandoverState.NOTED),
            "queued": select(func.count()).select_from(handovers).where(handovers.c.state.in_(("waiting", "offered"))),
        }
        async with self._db.read() as connection:
            return {name: int(await connection.scalar(query) or 0) for name, query in queries.items()}

    async def _conversation(self, tx: AsyncConnection, inbound: Inbound, now: datetime) -> Mapping[Any, Any]:
        """The citizen's open conversation, or a new one after a close or a long silence."""
        who = {
            "channel": inbound.channel,
            "address": inbound.contact_key,
            "session_key": inbound.session_key,
        }
        row = (await tx.execute(run.OPEN_CONVERSATION, who)).mappings().one_or_none()
        if row is not None:
            is_held = row["owner"] in (Owner.QUEUED, Owner.AGENT)
            if is_held or now - row["last_at"] < self._idle_close:
                return row
            await close(tx, row, now=now)
        contact_id = row["contact_id"] if row else await self._contact(tx, inbound, now)
        return {"id": await self._open(tx, inbound, contact_id, now), "contact_id": contact_id, "holder": ""}

    async def _open(self, tx: AsyncConnection, inbound: Inbound, contact_id: int, now: datetime) -> str:
        """The id of the citizen's open conversation; another process may have opened it a moment ago."""
        statement = (
            self._insert(conversations)
            .values(
                id=str(uuid.uuid4()),
                contact_id=contact_id,
                session_key=inbound.session_key,
                channel=inbound.channel,
                owner=Owner.BOT,
                owner_version=0,
                opened_at=now,
                last_at=now,
            )
            .on_conflict_do_nothing()
            .returning(conversations.c.id)
        )
        opened = (await tx.execute(statement)).scalar_one_or_none()
        if opened is None:
            opened = await tx.scalar(
                select(conversations.c.id).where(
                    conversations.c.contact_id == contact_id,
                    conversations.c.session_key == inbound.session_key,
                    conversations.c.closed_at.is_(None),
                )
            )
        return str(opened)

    async def _contact(self, tx: AsyncConnection, inbound: Inbound, now: datetime) -> int:
        # Two first messages of one citizen may meet here on PostgreSQL: the second waits and finds the first's row.
        statement = (
            self._insert(contacts)
            .values(channel=inbound.channel, address=inbound.contact_key, created_at=now)
            .on_conflict_do_update(index_elements=["channel", "address"], set_={"address": inbound.contact_key})
            .returning(contacts.c.id)
        )
        return int((await tx.execute(statement)).scalar_one())

    async def _known(self, tx: AsyncConnection, inbound: Inbound) -> int:
        query = select(inbox.c.id).where(inbox.c.channel == inbound.channel, inbox.c.external_id == inbound.external_id)
        return int((await tx.execute(query)).scalar_one())

    async def _claim(self, tx: AsyncConnection, conversation_id: str, *, worker: str, now: datetime) -> Job | None:
        until = now + timedelta(seconds=CLAIM_S)
        claim = {"conversation_id": conversation_id, "worker": worker, "until": until, "now": now}
        if (await tx.execute(run.CLAIM, claim)).rowcount != 1:
            return None
        return await self._take(tx, conversation_id)

    async def _next(self, tx: AsyncConnection, conversation_id: str, *, worker: str, now: datetime) -> Job | None:
        job = await self._take(tx, conversation_id)
        until = now + timedelta(seconds=CLAIM_S)
        held = {"worker": worker, "until": until} if job else {"worker": None, "until": None}
        await tx.execute(run.HOLD, {"conversation_id": conversation_id, "now": now, **held})
        return job

    async def _take(self, tx: AsyncConnection, conversation_id: str) -> Job | None:
        """The oldest waiting message of a claimed conversation, counted as tried; worn-out ones are set aside."""
        which = {"conversation_id": conversation_id}
        while row := (await tx.execute(run.FIRST_WAITING, which)).mappings().one_or_none():
            if row["attempts"] < MAX_ATTEMPTS:
                await tx.execute(run.COUNT_ATTEMPT, {"inbox_id": row["id"]})
                return codec.job(dict(row))
            await tx.execute(run.SET_INBOX_STATUS, {"inbox_id": row["id"], "new_status": "failed"})
        return None

    async def _close(self, tx: AsyncConnection, conversation: Mapping[Any, Any], now: datetime) -> None:
        """The citizen has unfollowed, opted out or hung up: nothing that is still waiting is sent any more."""
        pending = outbox.c.status == DeliveryStatus.PENDING
        waiting = (outbox.c.conversation_id == conversation["id"], run.UNSENT, pending)
        await tx.execute(update(outbox).where(*waiting).values(status=DeliveryStatus.DROPPED, settled_at=now))
        await end_conversation(tx, conversation, now=now)

    async def _tell_desk(
        self, tx: AsyncConnection, conversation: Mapping[Any, Any], author: str, now: datetime
    ) -> None:
        """The page of who holds the conversation hears what is said in it."""
        if conversation["holder"]:
            where = {"conversation_id": conversation["id"], "staff_id": conversation["holder"]}
            await tell(tx, "line", now=now, author=author, **where)

    async def _say(self, tx: AsyncConnection, job: Job, result: TurnResult, now: datetime) -> list[ChatLine]:
        lines = []
        for reply in result.replies:
            values = {
                "contact_id": job.contact_id,
                "conversation_id": job.conversation_id,
                "inbox_id": job.inbox_id,
                "author": "bot" if job.owner == Owner.BOT else "system",
                "text": reply.text,
                "choices": codec.choices_out(reply.choices),
                "external_id": "",
                "staff_id": "",
                "signed": "",
                "created_at": now,
            }
            seq = await tx.scalar(run.INSERT_MESSAGE, values)
            lines.append(codec.line({**values, "id": seq}))
        return lines

    async def _post(
        self,
        tx: AsyncConnection,
        job: Job,
        result: TurnResult,
        lines: Sequence[ChatLine],
        *,
        status: DeliveryStatus,
        due_at: datetime,
    ) -> str:
        delivery_id = str(uuid.uuid4())
        values = {
            "id": delivery_id,
            "inbox_id": job.inbox_id,
            "conversation_id": job.conversation_id,
            "message_id": lines[-1].seq if lines else None,
            "author": "bot" if job.owner == Owner.BOT else "system",
            "channel": job.channel,
            "contact_key": job.contact_key,
            "owner_version": job.owner_version,
            "replies": codec.replies_out(result.replies),
            "status": status,
            "due_at": due_at,
            "created_at": self._clock(),
        }
        await tx.execute(run.INSERT_OUTBOX, values)
        return delivery_id


def _is_left_alone(job: Job, conversation: Mapping[Any, Any]) -> bool:
    """The message was kept for a person who does not have the conversation any more when its turn is stored: it gets
    its turn again, from the bot."""
    return job.owner != Owner.BOT and conversation["owner"] in (Owner.BOT, Owner.WRAP_UP)
