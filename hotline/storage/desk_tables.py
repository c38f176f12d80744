"""The desk's tables. What stands in them is without personal numbers; times are as in `hotline.storage.tables`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    text,
)

from hotline.domain.desk import HandoverState
from hotline.storage.tables import UtcDateTime, metadata

handovers = Table(
    "handovers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("group_code", String(16), nullable=False, server_default=""),
    Column("matter", String(64), nullable=False, server_default=""),
    Column("packet", JSON, nullable=False, server_default="{}"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("queued_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("wanted_agent", String(36), nullable=False, server_default=""),
    Column("refused_by", JSON, nullable=False, server_default="[]"),
    Column("offered_to", String(36), nullable=False, server_default=""),
    Column("offer_until", UtcDateTime),
    Column("agent_id", String(36), nullable=False, server_default=""),
    Column("accepted_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("wrapped_at", UtcDateTime),
    Column("transferred_from", String(36), nullable=False, server_default=""),
    Column("transfer_note", Text, nullable=False, server_default=""),
    Column("wrap_reason", String(64), nullable=False, server_default=""),
    Column("solved", Boolean),
    Column("wrap_note", Text, nullable=False, server_default=""),
    Column("summary", Text, nullable=False, server_default=""),
    Index("ix_handovers_conversation_id", "conversation_id"),
    Index("ix_handovers_agent_id_state", "agent_id", "state"),
    Index("ix_handovers_group_ended", "group_code", "ended_at"),
    Index("ix_handovers_queued_at", "queued_at"),
)


def _state_in(*states: HandoverState) -> ColumnElement[bool]:
    """Written out in the statement: SQLite takes a partial index only for the very condition the index has."""
    wanted: BindParameter[Any] = bindparam(
        None, [state.value for state in states], expanding=True, literal_execute=True
    )
    return handovers.c.state.in_(wanted)


QUEUED = _state_in(HandoverState.WAITING, HandoverState.OFFERED)
BUSY = _state_in(HandoverState.OFFERED, HandoverState.HELD, HandoverState.WRAP_UP)
"""Takes up room of an agent."""
_OPEN = text("state IN ('waiting', 'offered', 'held')")
_QUEUED = text("state IN ('waiting', 'offered')")
_BUSY = text("state IN ('offered', 'held', 'wrap_up')")
Index("uq_handovers_open", handovers.c.conversation_id, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index("ix_handovers_queued", handovers.c.queued_at, sqlite_where=_QUEUED, postgresql_where=_QUEUED)
Index("ix_handovers_busy", handovers.c.agent_id, sqlite_where=_BUSY, postgresql_where=_BUSY)

agents = Table(
    "agents",
    metadata,
    Column("staff_id", String(36), primary_key=True),
    Column("display_name", String(64), nullable=False),
    Column("work_no", String(16), nullable=False),
    Column("groups", JSON, nullable=False),
    Column("capacity", JSON, nullable=False),
    Column("supervises", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("state_before", String(16), nullable=False, server_default=""),
    Column("since", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("last_offer_at", UtcDateTime),
)

agent_times = Table(
    "agent_times",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("staff_id", String(36), nullable=False),
    Column("state", String(16), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False, index=True),
)

notes = Table(
    "notes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("staff_id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

desk_events = Table(
    "desk_events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(24), nullable=False),
    Column("conversation_id", String(36), nullable=False, server_default=""),
    Column("handover_id", Integer),
    Column("staff_id", String(36), nullable=False, server_default=""),
    Column("data", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

reviews = Table(
    "reviews",
    metadata,
    Column("handover_id", ForeignKey("handovers.id"), primary_key=True, autoincrement=False),
    Column("agent_id", String(36), nullable=False, index=True),
    Column("reviewer_id", String(36), nullable=False),
    Column("scores", JSON, nullable=False),
    Column("total", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
