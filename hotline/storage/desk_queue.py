"""The queue for a person."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.desk_store import DeskConversation, NewHandover, Queued, Swept, Telling
from hotline.domain.conversations import Owner
from hotline.domain.desk import (
    WAIT_LIMIT,
    AgentState,
    Assignment,
    Group,
    HandoverState,
    Presence,
    Waiting,
    queue_order,
)
from hotline.storage import desk_rows as rows
from hotline.storage.database import Database
from hotline.storage.desk_events import tell
from hotline.storage.desk_tables import agents, handovers
from hotline.storage.ownership import change_owner
from hotline.storage.posting import told
from hotline.storage.presence import presences, set_state
from hotline.storage.serial import one_at_a_time
from hotline.storage.tables import UtcDateTime, conversations

OFFER_S = 20
"""How long an offer rings."""
GRACE = timedelta(seconds=45)
"""An agent whose page was not heard of for this long is offline; his page says that it is there every 15 s."""
_QUEUED = handovers.c.state.in_(("waiting", "offered"))
_NOW = bindparam("now", type_=UtcDateTime())

_INSERT = insert(handovers).returning(handovers.c.id)
_WAITING = (
    select(handovers, conversations.c.channel)
    .join(conversations, conversations.c.id == handovers.c.conversation_id)
    .where(_QUEUED)
)
_ANY_WAITING = select(handovers.c.id).where(handovers.c.state == "waiting").limit(1)
_HANDOVER = select(handovers).where(handovers.c.id == bindparam("handover_id"))
_OFFER = (
    update(handovers)
    .where(handovers.c.id == bindparam("handover_id"), handovers.c.state == "waiting")
    .values(state="offered", offered_to=bindparam("who"), offer_until=bindparam("until", type_=UtcDateTime()))
)
_OFFERED_AT = update(agents).where(agents.c.staff_id == bindparam("who")).values(last_offer_at=_NOW)
_TAKE = (
    update(handovers)
    .where(handovers.c.id == bindparam("handover_id"), _QUEUED)
    .values(state="held", agent_id=bindparam("who"), offered_to="", offer_until=None, accepted_at=_NOW)
)
_BACK = (
    update(handovers)
    .where(
        handovers.c.id == bindparam("handover_id"),
        handovers.c.state == "offered",
        handovers.c.offered_to == bindparam("who"),
    )
    .values(state="waiting", offered_to="", offer_until=None, refused_by=bindparam("refused"))
)
_END_WAIT = (
    update(handovers)
    .where(handovers.c.conversation_id == bindparam("about"), _QUEUED)
    .values(state=bindparam("to"), ended_at=_NOW)
    .returning(handovers.c.id, handovers.c.offered_to)
)


class _Changed(Exception):
    """Something else happened first: the transaction is undone."""


class SqlQueue:
    """Implements `hotline.desk_store.Queue`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock

    async def enqueue(self, request: NewHandover, *, expected_version: int) -> Queued | None:
        now = self._clock()
        async with self._db.write() as tx:
            version = await change_owner(tx, request.conversation_id, Owner.QUEUED, expected_version=expected_version)
            if version is None:
                return None
            values = {**_values(request), "state": HandoverState.WAITING, "created_at": now, "queued_at": now}
            handover_id = int((await tx.execute(_INSERT, values)).scalar_one())
            await tell(tx, "queue", now=now, conversation_id=request.conversation_id, handover_id=handover_id)
            position = await self._position(tx, handover_id)
        return Queued(handover_id=handover_id, owner_version=version, position=position or 1)

    async def note(self, request: NewHandover) -> tuple[int, bool]:
        noted = select(handovers.c.id).where(
            handovers.c.conversation_id == request.conversation_id,
            handovers.c.state == HandoverState.NOTED,
            handovers.c.reason == request.reason,
        )
        async with self._db.write() as tx:
            known = await tx.scalar(noted.limit(1))
            if known is not None:
                return int(known), True
            values = {**_values(request), "state": HandoverState.NOTED, "created_at": self._clock()}
            return int((await tx.execute(_INSERT, values)).scalar_one()), False

    async def leave(self, conversation_id: str, *, expected_version: int) -> int | None:
        now = self._clock()
        async with self._db.write() as tx:
            version = await change_owner(tx, conversation_id, Owner.BOT, expected_version=expected_version)
            if version is not None:
                await end_wait(tx, conversation_id, HandoverState.LEFT, now=now)
        return version

    async def route(self, decide: Callable[[Collection[Waiting], Sequence[Presence]], list[Assignment]]) -> int:
        async with self._db.read() as connection:
            if await connection.scalar(_ANY_WAITING) is None:
                return 0
        now = self._clock()
        async with self._db.write() as tx:
            await one_at_a_time(tx, "desk.route")
            queued = (await tx.execute(_WAITING)).mappings().all()
            free = [rows.waiting(row) for row in queued if row["state"] == HandoverState.WAITING]
            of = {row["id"]: row["conversation_id"] for row in queued}
            offered = 0
            for each in decide(free, await presences(tx)):
                offered += await self._offer(tx, each, of[each.handover_id], now=now)
        return offered

    async def _offer(self, tx: AsyncConnection, each: Assignment, conversation_id: str, *, now: datetime) -> int:
        until = now + timedelta(seconds=OFFER_S)
        values = {"handover_id": each.handover_id, "who": each.staff_id, "until": until}
        if (await tx.execute(_OFFER, values)).rowcount != 1:
            return 0
        await tx.execute(_OFFERED_AT, {"who": each.staff_id, "now": now})
        await tell(
            tx,
            "offer",
            now=now,
            conversation_id=conversation_id,
            handover_id=each.handover_id,
            staff_id=each.staff_id,
            until=until.isoformat(),
        )
        return 1

    async def accept(self, handover_id: int, *, staff_id: str, telling: Telling) -> DeskConversation | None:
        return await self._take(handover_id, staff_id=staff_id, telling=telling, offered_only=True)

    async def pick(self, handover_id: int, *, staff_id: str, telling: Telling) -> DeskConversation | None:
        return await self._take(handover_id, staff_id=staff_id, telling=telling, offered_only=False)

    async def _take(
        self, handover_id: int, *, staff_id: str, telling: Telling, offered_only: bool
    ) -> DeskConversation | None:
        now = self._clock()
        try:
            async with self._db.write() as tx:
                row = (await tx.execute(_HANDOVER, {"handover_id": handover_id})).mappings().one_or_none()
                if row is None or not _may_take(row, staff_id, offered_only=offered_only):
                    return None
                which = {"conversation_id": row["conversation_id"]}
                if row["state"] != HandoverState.HELD:
                    await self._hold(tx, row, staff_id, telling=telling, now=now)
                return rows.conversation((await tx.execute(rows.CONVERSATION, which)).mappings().one())
        except _Changed:
            return None

    async def _hold(
        self, tx: AsyncConnection, row: rows.Row, staff_id: str, *, telling: Telling, now: datetime
    ) -> None:
        which = {"conversation_id": row["conversation_id"]}
        before = (await tx.execute(rows.WITH_ADDRESS, which)).mappings().one()
        expected = before["owner_version"]
        held = await change_owner(tx, before["id"], Owner.AGENT, expected_version=expected, holder=staff_id)
        taken = await tx.execute(_TAKE, {"handover_id": row["id"], "who": staff_id, "now": now})
        if before["owner"] != Owner.QUEUED or held is None or taken.rowcount != 1:
            raise _Changed
        await told(tx, before, telling, now=now)
        await tell(tx, "owner", now=now, handover_id=row["id"], owner=Owner.AGENT, holder=staff_id, **which)
        if row["offered_to"] not in ("", staff_id):
            await tell(tx, "offer_gone", now=now, handover_id=row["id"], staff_id=row["offered_to"], **which)

    async def decline(self, handover_id: int, *, staff_id: str) -> bool:
        async with self._db.write() as tx:
            row = (await tx.execute(_HANDOVER, {"handover_id": handover_id})).mappings().one_or_none()
            return row is not None and await self._back(tx, row, staff_id)

    async def sweep(self, *, expired: Telling, lost: Telling) -> Swept:
        now = self._clock()
        rung_out = select(handovers).where(handovers.c.state == "offered", handovers.c.offer_until < now)
        waited = select(handovers.c.conversation_id).where(handovers.c.state == "waiting", handovers.c.expires_at < now)
        gone = select(agents.c.staff_id).where(agents.c.state != AgentState.OFFLINE, agents.c.seen_at < now - GRACE)
        async with self._db.read() as connection:
            offers = (await connection.execute(rung_out)).mappings().all()
            over = (await connection.execute(waited)).scalars().all()
            away = (await connection.execute(gone)).scalars().all()
        withdrawn = 0
        for row in offers:
            withdrawn += await self._ring_out(row, now=now)
        ended = [found for each in over if (found := await self._expire(each, telling=expired, now=now))]
        returned: list[DeskConversation] = []
        for staff_id in away:
            returned += await self._lose(staff_id, telling=lost, now=now)
        return Swept(offers=withdrawn, expired=len(ended), lost=tuple(away), told=(*ended, *returned))

    async def position(self, handover_id: int) -> int | None:
        async with self._db.read() as connection:
            return await self._position(connection, handover_id)

    async def handling_s(self, group: Group, *, last: int) -> float | None:
        query = (
            select(handovers.c.accepted_at, handovers.c.ended_at)
            .where(
                handovers.c.group_code == group, handovers.c.ended_at.is_not(None), handovers.c.accepted_at.is_not(None)
            )
            .order_by(handovers.c.ended_at.desc())
            .limit(last)
        )
        async with self._db.read() as connection:
            found = (await connection.execute(query)).all()
        return fmean((ended - accepted).total_seconds() for accepted, ended in found) if len(found) >= 3 else None

    async def _position(self, connection: AsyncConnection, handover_id: int) -> int | None:
        now = self._clock()
        queued = [rows.waiting(row) for row in (await connection.execute(_WAITING)).mappings()]
        order = [each.handover_id for each in sorted(queued, key=lambda each: queue_order(each, now))]
        return order.index(handover_id) + 1 if handover_id in order else None

    async def _ring_out(self, row: rows.Row, *, now: datetime) -> int:
        async with self._db.write() as tx:
            if not await self._back(tx, row, row["offered_to"]):
                return 0
            await set_state(tx, row["offered_to"], AgentState.BUSY, now=now)
        return 1

    async def _back(self, tx: AsyncConnection, row: rows.Row, staff_id: str) -> bool:
        refused = sorted({*row["refused_by"], staff_id})
        back = await tx.execute(_BACK, {"handover_id": row["id"], "who": staff_id, "refused": refused})
        if back.rowcount != 1:
            return False
        where = {"conversation_id": row["conversation_id"], "handover_id": row["id"]}
        await tell(tx, "offer_gone", now=self._clock(), staff_id=staff_id, **where)
        return True

    async def _expire(self, conversation_id: str, *, telling: Telling, now: datetime) -> DeskConversation | None:
        which = {"conversation_id": conversation_id}
        async with self._db.write() as tx:
            before = (await tx.execute(rows.WITH_ADDRESS, which)).mappings().one()
            expected = before["owner_version"]
            if before["owner"] != Owner.QUEUED:
                return None
            if await change_owner(tx, conversation_id, Owner.BOT, expected_version=expected) is None:
                return None
            await end_wait(tx, conversation_id, HandoverState.EXPIRED, now=now)
            await told(tx, before, telling, now=now)
            return rows.conversation((await tx.execute(rows.CONVERSATION, which)).mappings().one())

    async def _lose(self, staff_id: str, *, telling: Telling, now: datetime) -> list[DeskConversation]:
        """The agent is offline; what he held waits for the next one, in front by the time it has waited already."""
        held = select(handovers.c.conversation_id, handovers.c.id).where(
            handovers.c.agent_id == staff_id, handovers.c.state == HandoverState.HELD
        )
        found = []
        async with self._db.write() as tx:
            still = select(agents.c.staff_id).where(agents.c.staff_id == staff_id, agents.c.seen_at < now - GRACE)
            if await tx.scalar(still) is None or not await set_state(tx, staff_id, AgentState.OFFLINE, now=now):
                return []
            for conversation_id, handover_id in (await tx.execute(held)).all():
                which = {"conversation_id": conversation_id}
                before = (await tx.execute(rows.WITH_ADDRESS, which)).mappings().one()
                if await requeue(tx, before, handover_id, now=now):
                    await told(tx, before, telling, now=now)
                    found.append(rows.conversation((await tx.execute(rows.CONVERSATION, which)).mappings().one()))
        return found


async def end_wait(tx: AsyncConnection, conversation_id: str, to: HandoverState, *, now: datetime) -> None:
    """The conversation does not wait any more, and whoever it was offered to sees it go."""
    ended = (await tx.execute(_END_WAIT, {"about": conversation_id, "to": to, "now": now})).all()
    for handover_id, offered_to in ended:
        where = {"conversation_id": conversation_id, "handover_id": handover_id}
        if offered_to:
            await tell(tx, "offer_gone", now=now, staff_id=offered_to, **where)
        await tell(tx, "queue", now=now, **where)


async def requeue(tx: AsyncConnection, conversation: rows.Row, handover_id: int, *, now: datetime) -> bool:
    """agent → queued under the same request, with its whole time to wait before it."""
    version = conversation["owner_version"]
    if await change_owner(tx, conversation["id"], Owner.QUEUED, expected_version=version) is None:
        return False
    again = (
        update(handovers)
        .where(handovers.c.id == handover_id, handovers.c.state == HandoverState.HELD)
        .values(
            state="waiting",
            wanted_agent=handovers.c.agent_id,
            agent_id="",
            refused_by=[],
            expires_at=now + WAIT_LIMIT,
        )
    )
    await tx.execute(again)
    await tell(tx, "queue", now=now, conversation_id=conversation["id"], handover_id=handover_id)
    return True


def _values(request: NewHandover) -> dict[str, Any]:
    return {
        "conversation_id": request.conversation_id,
        "reason": request.reason,
        "group_code": request.group,
        "matter": request.matter,
        "packet": dict(request.packet),
        "wanted_agent": request.wanted_agent,
        "expires_at": request.expires_at,
        "refused_by": [],
    }


def _may_take(row: rows.Row, staff_id: str, *, offered_only: bool) -> bool:
    if row["state"] == HandoverState.HELD:
        return bool(row["agent_id"] == staff_id)
    if row["state"] == HandoverState.OFFERED and row["offered_to"] == staff_id:
        return True
    return not offered_only and row["state"] in (HandoverState.WAITING, HandoverState.OFFERED)
