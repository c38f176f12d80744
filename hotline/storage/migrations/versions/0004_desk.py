"""desk"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_OPEN = sa.text("state IN ('waiting', 'offered', 'held')")
_QUEUED = sa.text("state IN ('waiting', 'offered')")
_BUSY = sa.text("state IN ('offered', 'held', 'wrap_up')")
_UNCLOSED = sa.text("closed_at IS NULL")
_BY_STAFF = sa.text("author = 'agent'")
_UNSENT = sa.text("status IN ('pending', 'sending')")


_INDEXES = {
    "conversations": ("ix_conversations_contact_id", "ix_conversations_live"),
    "messages": ("ix_messages_conversation_id_id", "uq_messages_of_staff"),
    "outbox": ("ix_outbox_message_id", "ix_outbox_open"),
    "turns": ("ix_turns_conversation_id",),
    "handovers": (
        "ix_handovers_agent_id_state",
        "ix_handovers_group_ended",
        "ix_handovers_queued_at",
        "uq_handovers_open",
        "ix_handovers_queued",
        "ix_handovers_busy",
    ),
}
_COLUMNS = {
    "conversations": ("holder", "asked", "asked_about", "asked_until"),
    "messages": ("staff_id", "signed"),
    "outbox": ("message_id", "author"),
    "handovers": (
        *("group_code", "matter", "packet", "wanted_agent", "refused_by", "offered_to", "agent_id"),
        *("transferred_from", "transfer_note", "wrap_reason", "wrap_note", "summary"),
        *("queued_at", "expires_at", "offer_until", "accepted_at", "ended_at", "wrapped_at", "solved"),
    ),
}


def upgrade() -> None:
    _new_columns()
    _agents()
    _notes_and_events()
    _reviews()


def downgrade() -> None:
    """Requests that wait or are held are open ones again; a conversation with a person stays with one."""
    for table in ("reviews", "desk_events", "notes", "agent_times", "agents"):
        op.drop_table(table)
    for table, indexes in _INDEXES.items():
        for index in indexes:
            op.drop_index(index, table_name=table)
    op.execute("UPDATE handovers SET state = 'open' WHERE state IN ('noted', 'waiting', 'offered', 'held')")
    op.execute("UPDATE handovers SET state = 'closed' WHERE state <> 'open'")
    for table, columns in _COLUMNS.items():
        with op.batch_alter_table(table) as batch_op:
            if table == "outbox":
                batch_op.drop_constraint(op.f("fk_outbox_message_id"), type_="foreignkey")
            for column in columns:
                batch_op.drop_column(column)


def _new_columns() -> None:
    with op.batch_alter_table("conversations") as batch_op:
        batch_op.add_column(sa.Column("holder", sa.String(length=36), server_default="", nullable=False))
        batch_op.add_column(sa.Column("asked", sa.String(length=32), server_default="", nullable=False))
        batch_op.add_column(sa.Column("asked_about", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("asked_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("ix_conversations_contact_id", ["contact_id"], unique=False)
        batch_op.create_index(
            "ix_conversations_live", ["last_at"], unique=False, sqlite_where=_UNCLOSED, postgresql_where=_UNCLOSED
        )
    with op.batch_alter_table("messages") as batch_op:
        batch_op.add_column(sa.Column("staff_id", sa.String(length=36), server_default="", nullable=False))
        batch_op.add_column(sa.Column("signed", sa.String(length=64), server_default="", nullable=False))
        batch_op.create_index("ix_messages_conversation_id_id", ["conversation_id", "id"], unique=False)
        batch_op.create_index(
            "uq_messages_of_staff",
            ["conversation_id", "external_id"],
            unique=True,
            sqlite_where=_BY_STAFF,
            postgresql_where=_BY_STAFF,
        )
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.add_column(sa.Column("message_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("author", sa.String(length=16), server_default="bot", nullable=False))
        batch_op.create_foreign_key(op.f("fk_outbox_message_id"), "messages", ["message_id"], ["id"])
        batch_op.create_index("ix_outbox_message_id", ["message_id"], unique=False)
        batch_op.create_index(
            "ix_outbox_open",
            ["conversation_id", "message_id"],
            unique=False,
            sqlite_where=_UNSENT,
            postgresql_where=_UNSENT,
        )
    op.create_index("ix_turns_conversation_id", "turns", ["conversation_id"], unique=False)
    _handovers()


def _handovers() -> None:
    with op.batch_alter_table("handovers") as batch_op:
        for name, kind, default in (
            ("group_code", sa.String(length=16), ""),
            ("matter", sa.String(length=64), ""),
            ("packet", sa.JSON(), "{}"),
            ("wanted_agent", sa.String(length=36), ""),
            ("refused_by", sa.JSON(), "[]"),
            ("offered_to", sa.String(length=36), ""),
            ("agent_id", sa.String(length=36), ""),
            ("transferred_from", sa.String(length=36), ""),
            ("transfer_note", sa.Text(), ""),
            ("wrap_reason", sa.String(length=64), ""),
            ("wrap_note", sa.Text(), ""),
            ("summary", sa.Text(), ""),
        ):
            batch_op.add_column(sa.Column(name, kind, server_default=default, nullable=False))
        for name in ("queued_at", "expires_at", "offer_until", "accepted_at", "ended_at", "wrapped_at"):
            batch_op.add_column(sa.Column(name, sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("solved", sa.Boolean(), nullable=True))
        batch_op.create_index("ix_handovers_agent_id_state", ["agent_id", "state"], unique=False)
        batch_op.create_index("ix_handovers_group_ended", ["group_code", "ended_at"], unique=False)
        batch_op.create_index("ix_handovers_queued_at", ["queued_at"], unique=False)
    op.execute("UPDATE handovers SET state = 'noted' WHERE state = 'open'")
    op.execute("UPDATE handovers SET state = 'done' WHERE state = 'closed'")
    with op.batch_alter_table("handovers") as batch_op:
        batch_op.create_index(
            "uq_handovers_open", ["conversation_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
        )
        batch_op.create_index(
            "ix_handovers_queued", ["queued_at"], unique=False, sqlite_where=_QUEUED, postgresql_where=_QUEUED
        )
        batch_op.create_index(
            "ix_handovers_busy", ["agent_id"], unique=False, sqlite_where=_BUSY, postgresql_where=_BUSY
        )


def _agents() -> None:
    op.create_table(
        "agents",
        sa.Column("staff_id", sa.String(length=36), nullable=False),
        sa.Column("display_name", sa.String(length=64), nullable=False),
        sa.Column("work_no", sa.String(length=16), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("capacity", sa.JSON(), nullable=False),
        sa.Column("supervises", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_before", sa.String(length=16), server_default="", nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_offer_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_agents")),
    )
    op.create_table(
        "agent_times",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("staff_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_times")),
    )
    op.create_index(op.f("ix_agent_times_until"), "agent_times", ["until"], unique=False)


def _notes_and_events() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(length=36), nullable=False),
        sa.Column("staff_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_notes_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index(op.f("ix_notes_conversation_id"), "notes", ["conversation_id"], unique=False)
    op.create_table(
        "desk_events",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("conversation_id", sa.String(length=36), server_default="", nullable=False),
        sa.Column("handover_id", sa.Integer(), nullable=True),
        sa.Column("staff_id", sa.String(length=36), server_default="", nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_desk_events")),
    )
    op.create_index(op.f("ix_desk_events_created_at"), "desk_events", ["created_at"], unique=False)


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("handover_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("reviewer_id", sa.String(length=36), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["handover_id"], ["handovers.id"], name=op.f("fk_reviews_handover_id")),
        sa.PrimaryKeyConstraint("handover_id", name=op.f("pk_reviews")),
    )
    op.create_index(op.f("ix_reviews_agent_id"), "reviews", ["agent_id"], unique=False)
