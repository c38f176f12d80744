"""The tables of work orders. Texts in them are without personal numbers; times are as in `hotline.storage.tables`."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from hotline.storage.tables import UtcDateTime, metadata

work_orders = Table(
    "work_orders",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("number", String(20), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("type", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    Column("matter", String(64), nullable=False),
    Column("title", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("contact_id", ForeignKey("contacts.id"), index=True),
    Column("conversation_id", ForeignKey("conversations.id"), index=True),
    Column("person_id", ForeignKey("persons.id"), index=True),
    Column("confidential", Boolean, nullable=False),
    Column("priority", String(8), nullable=False),
    Column("group_code", String(16), nullable=False),
    Column("owner", String(36), nullable=False),
    Column("state", String(16), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("due_provisional", Boolean, nullable=False),
    Column("escalate_at", UtcDateTime, nullable=False),
    Column("alarm", String(8), nullable=False),
    Column("alarm_at", UtcDateTime),
    Column("reason", Text, nullable=False, server_default=""),
    Column("conclusion", JSON(none_as_null=True)),
    Column("concluded_at", UtcDateTime),
    Column("visit_due_at", UtcDateTime),
    Column("visit_tries", Integer, nullable=False, server_default="0"),
    Column("rating", Integer),
    Column("rating_reason", Text, nullable=False, server_default=""),
    Column("reopened", Integer, nullable=False, server_default="0"),
    Column("closed_at", UtcDateTime),
    Column("merged_into", ForeignKey("work_orders.id"), index=True),
    Column("city_id", String(64), unique=True),
    Column("erased_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
)
_OPEN = text("state IN ('new', 'accepted', 'in_progress', 'waiting_citizen', 'reopened')")
Index("ix_work_orders_open", work_orders.c.group_code, work_orders.c.due_at, sqlite_where=_OPEN, postgresql_where=_OPEN)
_RINGS = text("alarm <> ''")
Index("ix_work_orders_alarm_at", work_orders.c.alarm_at, sqlite_where=_RINGS, postgresql_where=_RINGS)

# ``order_id``: in whose log it stands; ``origin_id``: the order it happened to, which may have been merged since.
work_order_events = Table(
    "work_order_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("order_id", ForeignKey("work_orders.id"), nullable=False, index=True),
    Column("origin_id", ForeignKey("work_orders.id"), nullable=False),
    Column("version", Integer),
    Column("kind", String(16), nullable=False),
    Column("by_kind", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_name", String(64), nullable=False),
    Column("state_from", String(16)),
    Column("state_to", String(16)),
    Column("note", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("origin_id", "version"),
)

work_order_files = Table(
    "work_order_files",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("order_id", ForeignKey("work_orders.id"), nullable=False),
    Column("digest", String(64), nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("media_type", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("added_by", String(64), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    UniqueConstraint("order_id", "digest"),
)

# ``order_id``: the order whose number the receiver knows; what is told is what stood when the row was written.
work_order_posts = Table(
    "work_order_posts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("order_id", ForeignKey("work_orders.id"), nullable=False),
    Column("target", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("conclusion", JSON(none_as_null=True)),
    Column("status", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("error", String(200), nullable=False, server_default=""),
)
_UNSENT = text("status IN ('pending', 'sending')")
Index(
    "ix_work_order_posts_due",
    work_order_posts.c.target,
    work_order_posts.c.due_at,
    sqlite_where=_UNSENT,
    postgresql_where=_UNSENT,
)
Index(
    "ix_work_order_posts_open",
    work_order_posts.c.order_id,
    work_order_posts.c.target,
    work_order_posts.c.id,
    sqlite_where=_UNSENT,
    postgresql_where=_UNSENT,
)

# Requests that are done once, with what was answered the first time.
work_order_requests = Table(
    "work_order_requests",
    metadata,
    Column("key", String(160), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("order_id", ForeignKey("work_orders.id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("due_provisional", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# How many orders a day has had, so that numbers are given once.
work_order_days = Table(
    "work_order_days",
    metadata,
    Column("day", String(8), primary_key=True),
    Column("last", Integer, nullable=False),
)
