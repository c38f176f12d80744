"""What is done with a conversation that somebody holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Update, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.desk_store import DeskConversation, Line, NewLine, Note, Said, Telling, Transfer, WrapUp
from hotline.domain.conversations import DeliveryStatus, Owner
from hotline.domain.desk import Group, HandoverState, Reason
from hotline.domain.messages import Reply
from hotline.storage import desk_rows as rows
from hotline.storage.database import Database
from hotline.storage.desk_events import tell
from hotline.storage.desk_requests import end_held, end_wait
from hotline.storage.desk_tables import handovers, notes
from hotline.storage.ownership import Row, change_owner, locked
from hotline.storage.posting import Author, insert_delivery, insert_line, told
from hotline.storage.presence import after_conversation
from hotline.storage.tables import UtcDateTime, conversations, messages

_NOW = bindparam("now", type_=UtcDateTime())
_SAID = rows.HISTORY.where(
    messages.c.conversation_id == bindparam("conversation_id"),
    messages.c.author == "agent",
    messages.c.external_id == bindparam("client_id"),
)
_HELD = select(handovers).where(
    handovers.c.conversation_id == bindparam("conversation_id"), handovers.c.state == HandoverState.HELD
)
_ENDED = select(handovers.c.conversation_id).where(
    handovers.c.id == bindparam("handover_id"),
    handovers.c.agent_id == bindparam("staff_id"),
    handovers.c.state.in_((HandoverState.WRAP_UP, HandoverState.DONE)),
)
_TO_FILE = select(handovers.c.id).where(
    handovers.c.conversation_id == bindparam("conversation_id"),
    handovers.c.agent_id == bindparam("who"),
    handovers.c.state == HandoverState.WRAP_UP,
)
_TOUCH = update(conversations).where(conversations.c.id == bindparam("about")).values(last_at=_NOW)
_INSERT = insert(handovers).returning(handovers.c.id)
_NOTE = insert(notes).returning(notes.c.id)


class SqlHeld:
    """Implements `hotline.desk_store.Held`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock

    async def say(self, line: NewLine, *, delivery: DeliveryStatus) -> Said | None:
        now = self._clock()
        which = {"conversation_id": line.conversation_id, "client_id": line.client_id}
        async with self._db.write() as tx:
            before = await locked(tx, line.conversation_id)
            known = (await tx.execute(_SAID, which)).mappings().one_or_none()
            if known is not None:
                return Said(line=rows.line(known), again=True, delivery_id=None) if _is_of(known, line) else None
            if before is None or not _holds(before, line.staff_id):
                return None
            delivery_id = await self._insert(tx, before, line, delivery=delivery, now=now)
            await tx.execute(_TOUCH, {"about": line.conversation_id, "now": now})
            said = rows.line((await tx.execute(_SAID, which)).mappings().one())
            await tell(
                tx,
                "line",
                now=now,
                conversation_id=line.conversation_id,
                staff_id=line.staff_id,
                author="agent",
                seq=said.seq,
            )
        return Said(line=said, again=False, delivery_id=delivery_id)

    async def _insert(
        self, tx: AsyncConnection, before: Row, line: NewLine, *, delivery: DeliveryStatus, now: datetime
    ) -> str:
        author = Author(name="agent", staff_id=line.staff_id, signed=line.signed, external_id=line.client_id)
        reply = Reply(text=line.text)
        seq = await insert_line(tx, before, reply, author=author, now=now)
        return await insert_delivery(tx, before, [reply], author=author, message_id=seq, status=delivery, now=now)

    async def said(self, conversation_id: str, client_id: str) -> Line | None:
        which = {"conversation_id": conversation_id, "client_id": client_id}
        async with self._db.read() as connection:
            row = (await connection.execute(_SAID, which)).mappings().one_or_none()
        return rows.line(row) if row is not None else None

    async def end(self, conversation_id: str, *, staff_id: str, telling: Telling) -> DeskConversation | None:
        now = self._clock()
        async with self._db.write() as tx:
            before = await locked(tx, conversation_id)
            if before is None or not _holds(before, staff_id):
                return None
            await _change(tx, before, Owner.WRAP_UP, now=now, holder=staff_id)
            await end_held(tx, conversation_id, HandoverState.WRAP_UP, now=now)
            await told(tx, before, telling, now=now)
            return await rows.read(tx, conversation_id)

    async def wrap_up(self, handover_id: int, *, staff_id: str, wrap_up: WrapUp) -> bool:
        now = self._clock()
        which = {"handover_id": handover_id, "staff_id": staff_id}
        async with self._db.write() as tx:
            found = (await tx.execute(_ENDED, which)).mappings().one_or_none()
            before = await locked(tx, found["conversation_id"]) if found is not None else None
            if before is None:
                return False
            await tx.execute(_filed(handover_id, wrap_up, now))
            if before["owner"] == Owner.WRAP_UP and before["holder"] == staff_id and not await _wraps_up(tx, before):
                await _change(tx, before, Owner.BOT, now=now)
            await after_conversation(tx, staff_id, now=now)
        return True

    async def resume_bot(self, conversation_id: str, *, expected_version: int) -> int | None:
        now = self._clock()
        async with self._db.write() as tx:
            before = await locked(tx, conversation_id)
            if before is None:
                return None
            if before["owner"] == Owner.BOT:
                return int(before["owner_version"])
            if before["owner"] != Owner.WRAP_UP or before["owner_version"] != expected_version:
                return None
            return await change_owner(tx, before, Owner.BOT, now=now)

    async def transfer(self, transfer: Transfer, *, telling: Telling) -> DeskConversation | None:
        now = self._clock()
        async with self._db.write() as tx:
            before = await locked(tx, transfer.conversation_id)
            if before is None or not _holds(before, transfer.staff_id):
                return None
            which = {"conversation_id": transfer.conversation_id}
            old = (await tx.execute(_HELD, which)).mappings().one()
            await _change(tx, before, Owner.QUEUED, now=now)
            await end_held(tx, transfer.conversation_id, HandoverState.DONE, now=now)
            handover_id = int((await tx.execute(_INSERT, _passed_on(old, transfer, now))).scalar_one())
            await told(tx, before, telling, now=now)
            await tell(tx, "queue", now=now, handover_id=handover_id, conversation_id=transfer.conversation_id)
            return await rows.read(tx, transfer.conversation_id)

    async def take_over(self, conversation_id: str, *, staff_id: str, telling: Telling) -> DeskConversation | None:
        now = self._clock()
        async with self._db.write() as tx:
            before = await locked(tx, conversation_id)
            if before is None or before["closed_at"] is not None:
                return None
            if not _holds(before, staff_id):
                await self._take_over(tx, before, staff_id, telling=telling, now=now)
            return await rows.read(tx, conversation_id)

    async def _take_over(
        self, tx: AsyncConnection, before: Row, staff_id: str, *, telling: Telling, now: datetime
    ) -> None:
        await _change(tx, before, Owner.AGENT, now=now, holder=staff_id)
        await end_wait(tx, before["id"], HandoverState.DONE, now=now)
        await end_held(tx, before["id"], HandoverState.DONE, now=now)
        newest = select(handovers).where(handovers.c.conversation_id == before["id"]).order_by(handovers.c.id.desc())
        old = (await tx.execute(newest.limit(1))).mappings().one_or_none()
        await tx.execute(_INSERT, _taken_over(before["id"], old, staff_id, now))
        await told(tx, before, telling, now=now)

    async def add_note(self, conversation_id: str, *, staff_id: str, kind: str, text: str) -> Note:
        now = self._clock()
        values = {
            "conversation_id": conversation_id,
            "staff_id": staff_id,
            "kind": kind,
            "text": text,
            "created_at": now,
        }
        async with self._db.write() as tx:
            note_id = int((await tx.execute(_NOTE, values)).scalar_one())
            await tell(tx, "note", now=now, conversation_id=conversation_id, note=note_id, note_kind=kind)
        return Note(id=note_id, conversation_id=conversation_id, staff_id=staff_id, kind=kind, text=text, at=now)


def _holds(conversation: Row, staff_id: str) -> bool:
    is_his = conversation["owner"] == Owner.AGENT and conversation["holder"] == staff_id
    return bool(is_his and conversation["closed_at"] is None)


def _is_of(known: Row, line: NewLine) -> bool:
    return bool(known["staff_id"] == line.staff_id)


async def _change(tx: AsyncConnection, conversation: Row, to: Owner, *, now: datetime, holder: str = "") -> None:
    if await change_owner(tx, conversation, to, now=now, holder=holder) is None:
        raise ValueError(f"{conversation['owner']} may not become {to}")


async def _wraps_up(tx: AsyncConnection, conversation: Row) -> bool:
    """Whether something is still to be written down by who had the conversation last."""
    return await tx.scalar(_TO_FILE, {"conversation_id": conversation["id"], "who": conversation["holder"]}) is not None


def _filed(handover_id: int, wrap_up: WrapUp, now: datetime) -> Update:
    return (
        update(handovers)
        .where(handovers.c.id == handover_id)
        .values(
            state=HandoverState.DONE,
            wrapped_at=now,
            wrap_reason=wrap_up.reason,
            solved=wrap_up.solved,
            wrap_note=wrap_up.note,
            summary=wrap_up.summary,
        )
    )


def _passed_on(old: Row, transfer: Transfer, now: datetime) -> dict[str, Any]:
    """The new request: it keeps its reason and the time it has waited, which say how it is served."""
    return {
        **_same(old),
        "group_code": transfer.to_group,
        "state": HandoverState.WAITING,
        "created_at": now,
        "queued_at": old["queued_at"] or old["created_at"],
        "expires_at": transfer.expires_at,
        "wanted_agent": transfer.to_staff,
        "refused_by": [transfer.staff_id],
        "transferred_from": transfer.staff_id,
        "transfer_note": transfer.note,
    }


def _taken_over(conversation_id: str, old: Row | None, staff_id: str, now: datetime) -> dict[str, Any]:
    kept = _same(old) if old else {"group_code": Group.DEPOSIT, "matter": "", "packet": {}}
    return {
        **kept,
        "conversation_id": conversation_id,
        "reason": Reason.TAKE_OVER,
        "state": HandoverState.HELD,
        "created_at": now,
        "queued_at": now,
        "accepted_at": now,
        "agent_id": staff_id,
        "refused_by": [],
    }


def _same(old: Row) -> dict[str, Any]:
    return {name: old[name] for name in ("conversation_id", "reason", "group_code", "matter", "packet")}
