"""The queue for a person."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from sqlalchemy import bindparam, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.desk_store import DeskConversation, NewHandover, Queued, Swept, Telling
from hotline.domain.conversations import Owner
from hotline.domain.desk import AgentState, Assignment, Group, HandoverState, Presence, Waiting, queue_order
from hotline.storage import desk_rows as rows
from hotline.storage.database import Database
from hotline.storage.desk_events import tell
from hotline.storage.desk_requests import end_wait, requeue
from hotline.storage.desk_tables import BUSY, QUEUED, agents, handovers
from hotline.storage.ownership import Row, change_owner, locked
from hotline.storage.posting import told
from hotline.storage.presence import lose, presences, ring_out
from hotline.storage.serial import one_at_a_time
from hotline.storage.tables import UtcDateTime, conversations

OFFER_S = 20
"""How long an offer rings."""
GRACE = timedelta(seconds=45)
"""An agent whose page was not heard of for this long is offline; his page says that it is there every 15 s."""
_NOW = bindparam("now", type_=UtcDateTime())

_INSERT = insert(handovers).returning(handovers.c.id)
_WAITING = (
    select(handovers, conversations.c.channel)
    .join(conversations, conversations.c.id == handovers.c.conversation_id)
    .where(QUEUED)
)
_ANY_WAITING = (
    select(handovers.c.id)
    .where(QUEUED, handovers.c.state == HandoverState.WAITING)
    .order_by(handovers.c.queued_at)
    .limit(1)
)
_HANDOVER = select(handovers).where(handovers.c.id == bindparam("handover_id"))
_HANDOVER_LOCKED = _HANDOVER.with_for_update(key_share=True)
_OFFER = (
    update(handovers)
    .where(handovers.c.id == bindparam("handover_id"), handovers.c.state == HandoverState.WAITING)
    .values(
        state=HandoverState.OFFERED,
        offered_to=bindparam("who"),
        offer_until=bindparam("until", type_=UtcDateTime()),
        refused_by=bindparam("refused"),
    )
)
_OFFERED_AT = update(agents).where(agents.c.staff_id == bindparam("who")).values(last_offer_at=_NOW)
_TAKE = (
    update(handovers)
    .where(handovers.c.id == bindparam("handover_id"))
    .values(state=HandoverState.HELD, agent_id=bindparam("who"), offered_to="", offer_until=None, accepted_at=_NOW)
)
_BACK = (
    update(handovers)
    .where(handovers.c.id == bindparam("handover_id"))
    .values(state=HandoverState.WAITING, offered_to="", offer_until=None, refused_by=bindparam("refused"))
)
_RUNG_OUT = select(handovers.c.id).where(
    QUEUED, handovers.c.state == HandoverState.OFFERED, handovers.c.offer_until < _NOW
)
_WAITED = select(handovers.c.conversation_id).where(
    QUEUED, handovers.c.state == HandoverState.WAITING, handovers.c.expires_at < _NOW
)
_STILL_WAITED = _WAITED.where(handovers.c.conversation_id == bindparam("about")).with_for_update(key_share=True)
_HELD = (
    select(handovers.c.conversation_id, handovers.c.id)
    .where(BUSY, handovers.c.state == HandoverState.HELD, handovers.c.agent_id == bindparam("who"))
    .order_by(handovers.c.conversation_id)
)
_GONE = select(agents.c.staff_id).where(
    agents.c.seen_at < bindparam("before", type_=UtcDateTime()),
    or_(
        agents.c.state != AgentState.OFFLINE,
        exists().where(BUSY, handovers.c.state == HandoverState.HELD, handovers.c.agent_id == agents.c.staff_id),
    ),
)


class SqlQueue:
    """Implements `hotline.desk_store.Queue`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock

    async def enqueue(self, request: NewHandover, *, expected_version: int) -> Queued | None:
        now = self._clock()
        async with self._db.write() as tx:
            before = await locked(tx, request.conversation_id)
            if before is None or not _is(before, Owner.BOT, expected_version):
                return None
            version = await change_owner(tx, before, Owner.QUEUED, now=now)
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
            await locked(tx, request.conversation_id)
            known = await tx.scalar(noted.limit(1))
            if known is not None:
                return int(known), True
            values = {**_values(request), "state": HandoverState.NOTED, "created_at": self._clock()}
            return int((await tx.execute(_INSERT, values)).scalar_one()), False

    async def leave(self, conversation_id: str, *, expected_version: int) -> int | None:
        now = self._clock()
        async with self._db.write() as tx:
            before = await locked(tx, conversation_id)
            if before is None or not _is(before, Owner.QUEUED, expected_version):
                return None
            version = await change_owner(tx, before, Owner.BOT, now=now)
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
            free = {row["id"]: rows.waiting(row) for row in queued if row["state"] == HandoverState.WAITING}
            offered = 0
            for each in decide(free.values(), await presences(tx)):
                offered += await self._offer(tx, free[each.handover_id], each.staff_id, now=now)
        return offered

    async def _offer(self, tx: AsyncConnection, waiting: Waiting, staff_id: str, *, now: datetime) -> int:
        until = now + timedelta(seconds=OFFER_S)
        # Offered to one who has refused it already: everybody free has, and they are asked once more, all of them.
        refused = [] if staff_id in waiting.refused_by else sorted(waiting.refused_by)
        values = {"handover_id": waiting.handover_id, "who": staff_id, "until": until, "refused": refused}
        if (await tx.execute(_OFFER, values)).rowcount != 1:
            return 0
        await tx.execute(_OFFERED_AT, {"who": staff_id, "now": now})
        await tell(
            tx,
            "offer",
            now=now,
            conversation_id=waiting.conversation_id,
            handover_id=waiting.handover_id,
            staff_id=staff_id,
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
        which = {"handover_id": handover_id}
        async with self._db.write() as tx:
            found = (await tx.execute(_HANDOVER, which)).mappings().one_or_none()
            before = await locked(tx, found["conversation_id"]) if found is not None else None
            if before is None:
                return None
            row = (await tx.execute(_HANDOVER_LOCKED, which)).mappings().one()
            if not _may_take(row, staff_id, offered_only=offered_only):
                return None
            if row["state"] != HandoverState.HELD:
                await self._hold(tx, before, row, staff_id=staff_id, telling=telling, now=now)
            return await rows.read(tx, before["id"])

    async def _hold(
        self, tx: AsyncConnection, before: Row, row: Row, *, staff_id: str, telling: Telling, now: datetime
    ) -> None:
        if await change_owner(tx, before, Owner.AGENT, now=now, holder=staff_id) is None:
            raise ValueError(f"a request waits in a conversation of {before['owner']}")
        await tx.execute(_TAKE, {"handover_id": row["id"], "who": staff_id, "now": now})
        await told(tx, before, telling, now=now)
        where: dict[str, Any] = {"conversation_id": before["id"], "handover_id": row["id"]}
        await tell(tx, "queue", now=now, **where)
        if row["offered_to"] not in ("", staff_id):
            await tell(tx, "offer_gone", now=now, staff_id=row["offered_to"], **where)

    async def decline(self, handover_id: int, *, staff_id: str) -> bool:
        async with self._db.write() as tx:
            row = (await tx.execute(_HANDOVER_LOCKED, {"handover_id": handover_id})).mappings().one_or_none()
            if row is None or row["state"] != HandoverState.OFFERED or row["offered_to"] != staff_id:
                return False
            await self._back(tx, row)
        return True

    async def sweep(self, *, expired: Telling, lost: Telling) -> Swept:
        now = self._clock()
        async with self._db.read() as connection:
            offers = (await connection.execute(_RUNG_OUT, {"now": now})).scalars().all()
            over = (await connection.execute(_WAITED, {"now": now})).scalars().all()
            away = (await connection.execute(_GONE, {"before": now - GRACE})).scalars().all()
        withdrawn = 0
        for handover_id in offers:
            withdrawn += await self._ring_out(handover_id, now=now)
        ended = [found for each in over if (found := await self._expire(each, telling=expired, now=now))]
        gone: list[str] = []
        returned: list[DeskConversation] = []
        for staff_id in away:
            found_of = await self._lose(staff_id, telling=lost, now=now)
            if found_of is not None:
                gone.append(staff_id)
                returned += found_of
        return Swept(offers=withdrawn, expired=len(ended), lost=tuple(gone), told=(*ended, *returned))

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

    async def _ring_out(self, handover_id: int, *, now: datetime) -> int:
        async with self._db.write() as tx:
            row = (await tx.execute(_HANDOVER_LOCKED, {"handover_id": handover_id})).mappings().one()
            if row["state"] != HandoverState.OFFERED or row["offer_until"] >= now:
                return 0
            await self._back(tx, row)
            await ring_out(tx, row["offered_to"], now=now)
        return 1

    async def _back(self, tx: AsyncConnection, row: Row) -> None:
        refused = sorted({*row["refused_by"], row["offered_to"]})
        await tx.execute(_BACK, {"handover_id": row["id"], "refused": refused})
        where = {"conversation_id": row["conversation_id"], "handover_id": row["id"]}
        await tell(tx, "offer_gone", now=self._clock(), staff_id=row["offered_to"], **where)

    async def _expire(self, conversation_id: str, *, telling: Telling, now: datetime) -> DeskConversation | None:
        async with self._db.write() as tx:
            before = await locked(tx, conversation_id)
            still = await tx.scalar(_STILL_WAITED, {"about": conversation_id, "now": now})
            if before is None or still is None or await change_owner(tx, before, Owner.BOT, now=now) is None:
                return None
            await end_wait(tx, conversation_id, HandoverState.EXPIRED, now=now)
            await told(tx, before, telling, now=now)
            return await rows.read(tx, conversation_id)

    async def _lose(self, staff_id: str, *, telling: Telling, now: datetime) -> list[DeskConversation] | None:
        """The agent is offline; what he held waits for the next one, in front by the time it has waited already. None:
        he is there again, or another process was faster."""
        async with self._db.write() as tx:
            held = (await tx.execute(_HELD, {"who": staff_id})).all()
            before = [(await locked(tx, conversation_id), handover_id) for conversation_id, handover_id in held]
            went = await lose(tx, staff_id, seen_before=now - GRACE, now=now)
            if went is None:
                return None
            found = []
            for conversation, handover_id in before:
                if conversation is not None and conversation["holder"] == staff_id:
                    found += await self._requeue(tx, conversation, handover_id, telling=telling, now=now)
        return found if went or found else None

    async def _requeue(
        self, tx: AsyncConnection, conversation: Row, handover_id: int, *, telling: Telling, now: datetime
    ) -> list[DeskConversation]:
        if not await requeue(tx, conversation, handover_id, now=now):
            return []
        await told(tx, conversation, telling, now=now)
        again = await rows.read(tx, conversation["id"])
        return [again] if again else []


def _is(conversation: Row, owner: Owner, version: int) -> bool:
    return bool(conversation["owner"] == owner and conversation["owner_version"] == version)


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


def _may_take(row: Row, staff_id: str, *, offered_only: bool) -> bool:
    if row["state"] == HandoverState.HELD:
        return bool(row["agent_id"] == staff_id)
    if row["state"] == HandoverState.OFFERED and row["offered_to"] == staff_id:
        return True
    return not offered_only and row["state"] in (HandoverState.WAITING, HandoverState.OFFERED)
