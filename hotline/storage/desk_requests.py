"""How requests for a person end, and how one begins again. The conversation is locked (hotline.storage.ownership)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.conversations import Owner
from hotline.domain.desk import WAIT_LIMIT, HandoverState
from hotline.storage.desk_events import tell
from hotline.storage.desk_tables import QUEUED, handovers
from hotline.storage.ownership import Row, change_owner, close
from hotline.storage.presence import after_conversation
from hotline.storage.tables import UtcDateTime

_NOW = bindparam("now", type_=UtcDateTime())
_END_WAIT = (
    update(handovers)
    .where(handovers.c.conversation_id == bindparam("about"), QUEUED)
    .values(state=bindparam("to"), ended_at=_NOW)
    .returning(handovers.c.id, handovers.c.offered_to)
)
_END_HELD = (
    update(handovers)
    .where(handovers.c.conversation_id == bindparam("about"), handovers.c.state == HandoverState.HELD)
    .values(state=bindparam("to"), ended_at=_NOW)
    .returning(handovers.c.agent_id)
)
_AGAIN = (
    update(handovers)
    .where(handovers.c.id == bindparam("handover_id"), handovers.c.state == HandoverState.HELD)
    .values(
        state=HandoverState.WAITING,
        wanted_agent=handovers.c.agent_id,
        agent_id="",
        accepted_at=None,
        refused_by=[],
        expires_at=bindparam("until", type_=UtcDateTime()),
    )
)


async def end_wait(tx: AsyncConnection, conversation_id: str, to: HandoverState, *, now: datetime) -> None:
    """The conversation does not wait any more, and whoever it was offered to sees it go."""
    ended = (await tx.execute(_END_WAIT, {"about": conversation_id, "to": to, "now": now})).all()
    for handover_id, offered_to in ended:
        where = {"conversation_id": conversation_id, "handover_id": handover_id}
        if offered_to:
            await tell(tx, "offer_gone", now=now, staff_id=offered_to, **where)
        await tell(tx, "queue", now=now, **where)


async def end_held(tx: AsyncConnection, conversation_id: str, to: HandoverState, *, now: datetime) -> None:
    """Whoever held the conversation has done so."""
    ended = (await tx.execute(_END_HELD, {"about": conversation_id, "to": to, "now": now})).scalars().all()
    for agent_id in ended:
        await after_conversation(tx, agent_id, now=now)


async def end_conversation(tx: AsyncConnection, conversation: Row, *, now: datetime) -> None:
    """The conversation is closed: nobody waits in it, and whoever held it may write down what it was about."""
    await close(tx, conversation, now=now)
    await end_wait(tx, conversation["id"], HandoverState.LEFT, now=now)
    await end_held(tx, conversation["id"], HandoverState.WRAP_UP, now=now)


async def requeue(tx: AsyncConnection, conversation: Row, handover_id: int, *, now: datetime) -> bool:
    """agent → queued under the same request, with its whole time to wait before it."""
    if await change_owner(tx, conversation, Owner.QUEUED, now=now) is None:
        return False
    await tx.execute(_AGAIN, {"handover_id": handover_id, "until": now + WAIT_LIMIT})
    await tell(tx, "queue", now=now, conversation_id=conversation["id"], handover_id=handover_id)
    return True
