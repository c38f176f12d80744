"""Telephone calls. A caller's number stands in them masked and as a keyed hash; nothing he said or keyed does. Sealed:
the key of a recording."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, ForeignKey, Index, Integer, String, Table, Text, text

from hotline.storage.tables import UtcDateTime, metadata

calls = Table(
    "calls",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("line", String(16), nullable=False, server_default=""),
    Column("caller_masked", String(16), nullable=False, server_default=""),
    Column("caller_hash", String(64), nullable=False, server_default=""),
    Column("called", String(32), nullable=False, server_default=""),
    Column("conversation_id", String(36), nullable=False, server_default=""),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ending", String(8)),
    Index("ix_calls_began_at", "began_at"),
    Index("ix_calls_conversation_id", "conversation_id"),
)
OPEN = text("ended_at IS NULL")
Index("ix_calls_open", calls.c.began_at, sqlite_where=OPEN, postgresql_where=OPEN)

call_marks = Table(
    "call_marks",
    metadata,
    Column("call_id", ForeignKey("calls.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("mark", String(24), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("detail", JSON, nullable=False),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("call_id", ForeignKey("calls.id"), nullable=False, unique=True),
    Column("key", Text, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("delete_after", UtcDateTime, nullable=False, index=True),
    Column("seconds", Float),
    Column("gaps", JSON, nullable=False, server_default="[]"),
)
