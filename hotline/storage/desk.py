"""What the desk reads, and who is there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from hotline.desk_store import Day, DeskConversation, Handover, Line, Note, Tried
from hotline.domain.conversations import Owner
from hotline.domain.desk import Agent, AgentState, Group, HandoverState, Presence, Reason, queue_order
from hotline.storage import desk_rows as rows
from hotline.storage.database import Database
from hotline.storage.desk_queue import GRACE
from hotline.storage.desk_tables import BUSY, QUEUED, agent_times, agents, handovers, notes
from hotline.storage.presence import presences, set_state
from hotline.storage.tables import UtcDateTime, conversations, messages, turns

TALKING = timedelta(minutes=30)
"""Who has said nothing to the bot for longer than this has gone, though his conversation is still open."""
_SEEN = (
    update(agents).where(agents.c.staff_id == bindparam("who")).values(seen_at=bindparam("now", type_=UtcDateTime()))
)
_AGENT = select(agents).where(agents.c.staff_id == bindparam("who"))
_MINE = rows.requests_where(
    BUSY,
    or_(
        and_(handovers.c.state != HandoverState.OFFERED, handovers.c.agent_id == bindparam("who")),
        and_(handovers.c.state == HandoverState.OFFERED, handovers.c.offered_to == bindparam("who")),
    ),
)
_QUEUE = rows.requests_where(QUEUED)
_LATEST = (
    select(conversations.c.id)
    .where(conversations.c.closed_at.is_(None))
    .order_by(conversations.c.last_at.desc())
    .limit(bindparam("most"))
)
_LIVE = rows.conversations_where(conversations.c.id.in_(_LATEST)).order_by(conversations.c.last_at.desc())


class SqlDesks:
    """Implements `hotline.desk_store.Desks`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock
        self._insert: Any = sqlite_insert if database.is_sqlite else pg_insert

    async def connect(self, agent: Agent) -> AgentState:
        now = self._clock()
        facts = {
            "display_name": agent.display_name,
            "work_no": agent.work_no,
            "groups": sorted(agent.groups),
            "capacity": {str(lane): most for lane, most in agent.capacity.items()},
            "supervises": agent.supervises,
            "seen_at": now,
        }
        new = {"staff_id": agent.staff_id, "state": AgentState.OFFLINE, "since": now, **facts}
        async with self._db.write() as tx:
            before = (await tx.execute(_AGENT, {"who": agent.staff_id})).mappings().one_or_none()
            upsert = self._insert(agents).values(new).on_conflict_do_update(index_elements=["staff_id"], set_=facts)
            await tx.execute(upsert)
            state = _on_return(before, now)
            await set_state(tx, agent.staff_id, state, now=now)
        return state

    async def seen(self, staff_id: str) -> None:
        async with self._db.write() as tx:
            await tx.execute(_SEEN, {"who": staff_id, "now": self._clock()})

    async def set_state(self, staff_id: str, state: AgentState) -> None:
        async with self._db.write() as tx:
            await set_state(tx, staff_id, state, now=self._clock())

    async def presences(self) -> list[Presence]:
        async with self._db.read() as connection:
            return await presences(connection)

    async def conversation(self, conversation_id: str) -> DeskConversation | None:
        async with self._db.read() as connection:
            return await rows.read(connection, conversation_id)

    async def held_by(self, staff_id: str) -> list[DeskConversation]:
        async with self._db.read() as connection:
            found = (await connection.execute(_MINE, {"who": staff_id})).mappings().all()
        return [rows.conversation(row) for row in sorted(found, key=lambda row: int(row["h_id"]))]

    async def queue(self) -> list[DeskConversation]:
        now = self._clock()
        async with self._db.read() as connection:
            found = (await connection.execute(_QUEUE)).mappings().all()

        def order(row: rows.Row) -> tuple[int, datetime, int]:
            of_handover = {name: row[f"h_{name}"] for name in handovers.c.keys()} | {"channel": row["channel"]}
            return queue_order(rows.waiting(of_handover), now)

        return [rows.conversation(row) for row in sorted(found, key=order)]

    async def live(self, *, limit: int) -> list[DeskConversation]:
        async with self._db.read() as connection:
            found = (await connection.execute(_LIVE, {"most": limit})).mappings().all()
        return [rows.conversation(row) for row in found]

    async def history(self, contact_ids: Sequence[int], *, before: int | None, limit: int) -> list[Line]:
        query = rows.HISTORY.where(messages.c.contact_id.in_(contact_ids)).order_by(messages.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(messages.c.id < before)
        async with self._db.read() as connection:
            found = (await connection.execute(query)).mappings().all()
        return [rows.line(row) for row in reversed(found)]

    async def lines(self, conversation_id: str, *, after: int, limit: int) -> list[Line]:
        query = (
            rows.HISTORY.where(messages.c.conversation_id == conversation_id, messages.c.id > after)
            .order_by(messages.c.id)
            .limit(limit)
        )
        async with self._db.read() as connection:
            return [rows.line(row) for row in (await connection.execute(query)).mappings()]

    async def turns(self, conversation_id: str) -> list[Tried]:
        query = select(turns).where(turns.c.conversation_id == conversation_id).order_by(turns.c.inbox_id)
        async with self._db.read() as connection:
            found = (await connection.execute(query)).mappings().all()
        return [
            Tried(matter=row["matter"] or "", aspect=row["aspect"] or "", outcome=row["outcome"], intent=row["intent"])
            for row in found
            if row["matter"]
        ]

    async def notes(self, conversation_ids: Sequence[str]) -> list[Note]:
        query = select(notes).where(notes.c.conversation_id.in_(conversation_ids)).order_by(notes.c.id)
        async with self._db.read() as connection:
            return [rows.note(row) for row in (await connection.execute(query)).mappings()]

    async def handovers(self, contact_ids: Sequence[int], *, limit: int) -> list[Handover]:
        query = (
            select(handovers, conversations.c.channel, conversations.c.contact_id)
            .join(conversations, conversations.c.id == handovers.c.conversation_id)
            .where(conversations.c.contact_id.in_(contact_ids))
            .order_by(handovers.c.created_at.desc(), handovers.c.id.desc())
            .limit(limit)
        )
        async with self._db.read() as connection:
            return [rows.handover(row) for row in (await connection.execute(query)).mappings()]

    async def day(self, *, since: datetime, within_s: int) -> Day:
        ended = (
            select(handovers.c.state, handovers.c.queued_at, handovers.c.accepted_at)
            .where(handovers.c.queued_at >= since, handovers.c.reason != Reason.TAKE_OVER)
            .where(or_(handovers.c.accepted_at.is_not(None), handovers.c.state.in_(("left", "expired"))))
        )
        held = select(handovers.c.group_code).where(BUSY, handovers.c.state == HandoverState.HELD)
        bot = select(func.count()).where(
            conversations.c.closed_at.is_(None),
            conversations.c.last_at > self._clock() - TALKING,
            conversations.c.owner == Owner.BOT,
        )
        async with self._db.read() as connection:
            found = (await connection.execute(ended)).all()
            groups = Counter((await connection.execute(held)).scalars())
            with_bot = int(await connection.scalar(bot) or 0)
        waits = [(accepted - queued).total_seconds() for _, queued, accepted in found if accepted]
        states = [state for state, _, accepted in found if not accepted]
        return Day(
            taken=len(waits),
            within=sum(wait <= within_s for wait in waits),
            left=states.count(HandoverState.LEFT),
            expired=states.count(HandoverState.EXPIRED),
            held={Group(group): many for group, many in groups.items() if group},
            with_bot=with_bot,
        )

    async def state_times(self, *, since: datetime) -> Mapping[str, Mapping[AgentState, float]]:
        now = self._clock()
        past = select(agent_times).where(agent_times.c.until > since)
        times: defaultdict[str, defaultdict[AgentState, float]] = defaultdict(lambda: defaultdict(float))
        async with self._db.read() as connection:
            for row in (await connection.execute(past)).mappings():
                seconds = (row["until"] - max(row["since"], since)).total_seconds()
                times[row["staff_id"]][AgentState(row["state"])] += seconds
            for each in await presences(connection):
                if each.state is not AgentState.OFFLINE:
                    times[each.agent.staff_id][each.state] += (now - max(each.since, since)).total_seconds()
        return {staff_id: dict(states) for staff_id, states in times.items()}


def _on_return(before: rows.Row | None, now: datetime) -> AgentState:
    """Who was only cut off goes on as he was; who comes to the desk anew takes nothing until he says so."""
    if before is None:
        return AgentState.BREAK
    state = rows.state(before)
    if state is not AgentState.OFFLINE:
        return state
    was = before["state_before"]
    return AgentState(was) if was and now - before["since"] < GRACE else AgentState.BREAK
