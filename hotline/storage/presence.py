"""Who is at the desk: states, the time in each, and how much everybody holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.desk import LANES, AgentState, HandoverState, Lane, Presence
from hotline.domain.messages import ChannelName
from hotline.storage import desk_rows as rows
from hotline.storage.desk_events import tell
from hotline.storage.desk_tables import BUSY, agent_times, agents, handovers
from hotline.storage.staff_tables import staff
from hotline.storage.tables import UtcDateTime, conversations

Row = Mapping[Any, Any]

_AGENTS = select(agents, staff.c.extension).join(staff, staff.c.id == agents.c.staff_id, isouter=True)
_AGENT = select(agents).where(agents.c.staff_id == bindparam("staff_id")).with_for_update(key_share=True)
_LOADS = (
    select(handovers.c.offered_to, handovers.c.agent_id, handovers.c.state, conversations.c.channel)
    .join(conversations, conversations.c.id == handovers.c.conversation_id)
    .where(BUSY)
)
_MINE = select(handovers.c.state).where(
    BUSY, handovers.c.agent_id == bindparam("staff_id"), handovers.c.state != HandoverState.OFFERED
)
_SET = (
    update(agents)
    .where(agents.c.staff_id == bindparam("who"))
    .values(state=bindparam("to"), state_before=bindparam("before"), since=bindparam("now", type_=UtcDateTime()))
)
_TIME = insert(agent_times)


async def presences(connection: AsyncConnection) -> list[Presence]:
    """Everybody who was ever at the desk, with what he has now."""
    loads: defaultdict[str, defaultdict[Lane, int]] = defaultdict(lambda: defaultdict(int))
    for row in (await connection.execute(_LOADS)).mappings():
        staff_id = row["offered_to"] if row["state"] == HandoverState.OFFERED else row["agent_id"]
        loads[staff_id][LANES[ChannelName(row["channel"])]] += 1
    found = (await connection.execute(_AGENTS)).mappings().all()
    return [_presence(row, dict(loads[row["staff_id"]])) for row in found]


async def set_state(tx: AsyncConnection, staff_id: str, to: AgentState, *, now: datetime) -> bool:
    """The agent's state is ``to``, and the time in the one before is on record. False where it was so already."""
    row = await _locked(tx, staff_id)
    return row is not None and await _put(tx, row, to, now=now, until=now)


async def lose(tx: AsyncConnection, staff_id: str, *, seen_before: datetime, now: datetime) -> bool | None:
    """The agent, not seen since ``seen_before``, is offline; the time on record ends when he was last seen, and the
    state he was in is kept for his return. False where he was offline already, None where he has been seen."""
    row = await _locked(tx, staff_id)
    if row is None or row["seen_at"] >= seen_before:
        return None
    until = max(row["since"], row["seen_at"])
    return await _put(tx, row, AgentState.OFFLINE, now=now, until=until, kept=row["state"])


async def ring_out(tx: AsyncConnection, staff_id: str, *, now: datetime) -> None:
    """Who did not answer an offer gets no other one until he says that he is there."""
    row = await _locked(tx, staff_id)
    if row is not None and row["state"] in (AgentState.READY, AgentState.WRAP_UP):
        await _put(tx, row, AgentState.BUSY, now=now, until=now)


async def after_conversation(tx: AsyncConnection, staff_id: str, *, now: datetime) -> None:
    """A ready agent whose last conversation has ended is in wrap-up until he has filed it."""
    row = await _locked(tx, staff_id)
    if row is None or row["state"] not in (AgentState.READY, AgentState.WRAP_UP):
        return
    states = set((await tx.execute(_MINE, {"staff_id": staff_id})).scalars())
    resting = HandoverState.WRAP_UP in states and HandoverState.HELD not in states
    await _put(tx, row, AgentState.WRAP_UP if resting else AgentState.READY, now=now, until=now)


async def _locked(tx: AsyncConnection, staff_id: str) -> Row | None:
    return (await tx.execute(_AGENT, {"staff_id": staff_id})).mappings().one_or_none()


async def _put(
    tx: AsyncConnection, row: Row, to: AgentState, *, now: datetime, until: datetime, kept: str = ""
) -> bool:
    if row["state"] == to:
        return False
    staff_id = row["staff_id"]
    await tx.execute(_SET, {"who": staff_id, "before": kept, "to": to, "now": now})
    if row["state"] != AgentState.OFFLINE:
        time = {"staff_id": staff_id, "state": row["state"], "since": row["since"], "until": until}
        await tx.execute(_TIME, time)
    await tell(tx, "state", now=now, staff_id="", who=staff_id, state=to)
    return True


def _presence(row: Row, load: Mapping[Lane, int]) -> Presence:
    return Presence(
        agent=rows.agent(row),
        state=rows.state(row),
        since=row["since"],
        seen_at=row["seen_at"],
        load=load,
        last_offer_at=row["last_offer_at"],
    )
