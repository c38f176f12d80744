"""ratings"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_UNORDERED = sa.text("score <= 2 AND order_no = ''")
_WORDS = sa.text("asked IN ('leave_word_more', 'leave_word_closing')")


def upgrade() -> None:
    op.create_table(
        "ratings",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(length=36), nullable=False),
        sa.Column("handover_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("staff_id", sa.String(length=36), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("order_no", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_ratings_contact_id")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_ratings_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ratings")),
        sa.UniqueConstraint(
            "conversation_id",
            "subject",
            "handover_id",
            name=op.f("uq_ratings_conversation_id_subject_handover_id"),
        ),
    )
    op.create_index(op.f("ix_ratings_asked_at"), "ratings", ["asked_at"], unique=False)
    op.create_index("ix_ratings_contact_id_asked_at", "ratings", ["contact_id", "asked_at"], unique=False)
    op.create_index(
        "ix_ratings_unordered",
        "ratings",
        ["answered_at"],
        unique=False,
        sqlite_where=_UNORDERED,
        postgresql_where=_UNORDERED,
    )
    op.create_index(
        "ix_conversations_words",
        "conversations",
        ["asked_until"],
        unique=False,
        sqlite_where=_WORDS,
        postgresql_where=_WORDS,
    )


def downgrade() -> None:
    op.drop_index("ix_conversations_words", table_name="conversations")
    op.drop_table("ratings")
