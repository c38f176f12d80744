"""Ratings, and what finds the words left for staff. Reasons are without personal numbers; times are as in
`hotline.storage.tables`."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from hotline.storage.tables import UtcDateTime, conversations, metadata

# handover_id is 0 for the bot's, so that a conversation has one of these; NULLs would all be different.
ratings = Table(
    "ratings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("handover_id", Integer, nullable=False),
    Column("subject", String(16), nullable=False),
    Column("staff_id", String(36), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("contact_id", ForeignKey("contacts.id"), nullable=False),
    Column("score", Integer),
    Column("reason", Text, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False, index=True),
    Column("answered_at", UtcDateTime),
    Column("order_no", String(32), nullable=False),
    UniqueConstraint("conversation_id", "subject", "handover_id"),
    Index("ix_ratings_contact_id_asked_at", "contact_id", "asked_at"),
)
UNORDERED = text("score <= 2 AND order_no = ''")
Index("ix_ratings_unordered", ratings.c.answered_at, sqlite_where=UNORDERED, postgresql_where=UNORDERED)

WORDS = text("asked IN ('leave_word_more', 'leave_word_closing')")
"""Conversations with words that are not a work order yet: hotline.prompt_store.HELD."""
Index("ix_conversations_words", conversations.c.asked_until, sqlite_where=WORDS, postgresql_where=WORDS)
