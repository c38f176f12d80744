"""What is done with a conversation that somebody holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.desk_store import DeskConversation, Line, NewLine, Note, Said, Telling, Transfer, WrapUp
from hotline.domain.conversations import DeliveryStatus, Owner
from hotline.domain.desk import Group, HandoverState, Reason
from hotline.domain.messages import Reply
from hotline.storage import desk_rows as rows
from hotline.storage.database import Database
from hotline.storage.desk_events import tell
from hotline.storage.desk_queue import end_wait
from hotline.storage.desk_tables import handovers, notes
from hotline.storage.ownership import change_owner
from hotline.storage.posting import Author, insert_delivery, insert_line, told
from hotline.storage.presence import after_conversation
from hotline.storage.tables import UtcDateTime, messages

_NOW = bindparam("now", type_=UtcDateTime())
_SAID = rows.HISTORY.where(
    messages.c.conversation_id == bindparam("conversation_id"),
    messages.c.author == "agent",
    messages.c.external_id == bindparam("client_id"),
)
_END = (
    update(handovers)
    .where(handovers.c.conversation_id == bindparam("about"), handovers.c.state == HandoverState.HELD)
    .values(state=bindparam("to"), ended_at=_NOW)
    .returning(handovers.c.id, handovers.c.agent_id)
)
_HELD = select(handovers).where(
    handovers.c.conversation_id == bindparam("conversation_id"), handovers.c.state == HandoverState.HELD
)
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
            before = await _locked(tx, line.conversation_id)
            known = (await tx.execute(_SAID, which)).mappings().one_or_none()
            if known is not None:
                return Said(line=rows.line(known), again=True, delivery_id=None) if _is_of(known, line) else None
            if before is None or not _holds(before, line.staff_id):
                return None
            delivery_id = await self._insert(tx, before, line, delivery=delivery, now=now)
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
        self, tx: AsyncConnection, before: rows.Row, line: NewLine, *, delivery: DeliveryStatus, now: datetime
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
            before = await _locked(tx, conversation_id)
            if before is None or not _holds(before, staff_id):
                return None
            await _change(tx, before, Owner.WRAP_UP, holder=staff_id)
            await _end(tx, conversation_id, HandoverState.WRAP_UP, now=now)
            await told(tx, before, telling, now=now)
            await after_conversation(tx, staff_id, now=now)
            return await _told_owner(tx, conversation_id, Owner.WRAP_UP, staff_id, now=now)

    async def wrap_up(self, handover_id: int, *, staff_id: str, wrap_up: WrapUp) -> bool:
        now = self._clock()
        filed = (
            update(handovers)
            .where(
                handovers.c.id == handover_id,
                handovers.c.agent_id == staff_id,
                handovers.c.state.in_((HandoverState.WRAP_UP, HandoverState.DONE)),
            )
            .values(
                state=HandoverState.DONE,
                wrapped_at=now,
                wrap_reason=wrap_up.reason,
                solved=wrap_up.solved,
                wrap_note=wrap_up.note,
                summary=wrap_up.summary,
            )
            .returning(handovers.c.conversation_id)
        )
        async with self._db.write() as tx:
            conversation_id = await tx.scalar(filed)
            if conversation_id is None:
                return False
            before = await _locked(tx, conversation_id)
            if before is not None and before["owner"] == Owner.WRAP_UP and before["holder"] == staff_id:
                await _change(tx, before, Owner.BOT)
                await _told_owner(tx, conversation_id, Owner.BOT, "", now=now)
            await after_conversation(tx, staff_id, now=now)
        return True

    async def resume_bot(self, conversation_id: str, *, expected_version: int) -> int | None:
        now = self._clock()
        async with self._db.write() as tx:
            version = await change_owner(tx, conversation_id, Owner.BOT, expected_version=expected_version)
            if version is not None:
                await _told_owner(tx, conversation_id, Owner.BOT, "", now=now)
        return version

    async def transfer(self, transfer: Transfer, *, telling: Telling) -> DeskConversation | None:
        now = self._clock()
        async with self._db.write() as tx:
            before = await _locked(tx, transfer.conversation_id)
            if before is None or not _holds(before, transfer.staff_id):
                return None
            which = {"conversation_id": transfer.conversation_id}
            old = (await tx.execute(_HELD, which)).mappings().one()
            await _change(tx, before, Owner.QUEUED)
            await _end(tx, transfer.conversation_id, HandoverState.DONE, now=now)
            handover_id = int((await tx.execute(_INSERT, _passed_on(old, transfer, now))).scalar_one())
            await told(tx, before, telling, now=now)
            await after_conversation(tx, transfer.staff_id, now=now)
            await tell(tx, "queue", now=now, handover_id=handover_id, conversation_id=transfer.conversation_id)
            return await _told_owner(tx, transfer.conversation_id, Owner.QUEUED, "", now=now)

    async def take_over(self, conversation_id: str, *, staff_id: str, telling: Telling) -> DeskConversation | None:
        now = self._clock()
        async with self._db.write() as tx:
            before = await _locked(tx, conversation_id)
            if before is None or before["closed_at"] is not None:
                return None
            if not _holds(before, staff_id):
                await self._take_over(tx, before, staff_id, telling=telling, now=now)
            return await _told_owner(tx, conversation_id, Owner.AGENT, staff_id, now=now)

    async def _take_over(
        self, tx: AsyncConnection, before: rows.Row, staff_id: str, *, telling: Telling, now: datetime
    ) -> None:
        await _change(tx, before, Owner.AGENT, holder=staff_id)
        await end_wait(tx, before["id"], HandoverState.DONE, now=now)
        ended = await _end(tx, before["id"], HandoverState.DONE, now=now)
        newest = select(handovers).where(handovers.c.conversation_id == before["id"]).order_by(handovers.c.id.desc())
        old = (await tx.execute(newest.limit(1))).mappings().one_or_none()
        await tx.execute(_INSERT, _taken_over(before["id"], old, staff_id, now))
        for agent_id in ended:
            await after_conversation(tx, agent_id, now=now)
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


async def _locked(tx: AsyncConnection, conversation_id: str) -> rows.Row | None:
    """The conversation, which nobody else changes until ``tx`` ends."""
    locked = rows.WITH_ADDRESS_LOCKED
    return (await tx.execute(locked, {"conversation_id": conversation_id})).mappings().one_or_none()


def _holds(conversation: rows.Row, staff_id: str) -> bool:
    is_his = conversation["owner"] == Owner.AGENT and conversation["holder"] == staff_id
    return bool(is_his and conversation["closed_at"] is None)


def _is_of(known: rows.Row, line: NewLine) -> bool:
    return bool(known["staff_id"] == line.staff_id)


async def _change(tx: AsyncConnection, locked: rows.Row, to: Owner, *, holder: str = "") -> None:
    """The locked conversation changes hands; nobody can have been faster."""
    version = locked["owner_version"]
    if await change_owner(tx, locked["id"], to, expected_version=version, holder=holder) is None:
        raise ValueError(f"{locked['owner']} may not become {to}")


async def _end(tx: AsyncConnection, conversation_id: str, to: HandoverState, *, now: datetime) -> list[str]:
    ended = (await tx.execute(_END, {"about": conversation_id, "to": to, "now": now})).all()
    return [agent_id for _, agent_id in ended]


async def _told_owner(
    tx: AsyncConnection, conversation_id: str, owner: Owner, holder: str, *, now: datetime
) -> DeskConversation:
    await tell(tx, "owner", now=now, conversation_id=conversation_id, owner=owner, holder=holder)
    found = (await tx.execute(rows.CONVERSATION, {"conversation_id": conversation_id})).mappings().one()
    return rows.conversation(found)


def _passed_on(old: rows.Row, transfer: Transfer, now: datetime) -> dict[str, Any]:
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


def _taken_over(conversation_id: str, old: rows.Row | None, staff_id: str, now: datetime) -> dict[str, Any]:
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


def _same(old: rows.Row) -> dict[str, Any]:
    return {name: old[name] for name in ("conversation_id", "reason", "group_code", "matter", "packet")}
