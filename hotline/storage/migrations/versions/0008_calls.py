"""calls"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_OPEN = sa.text("ended_at IS NULL")
_HAS_ONE = sa.text("extension <> ''")


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("line", sa.String(length=16), server_default="", nullable=False),
        sa.Column("caller_masked", sa.String(length=16), server_default="", nullable=False),
        sa.Column("caller_hash", sa.String(length=64), server_default="", nullable=False),
        sa.Column("called", sa.String(length=32), server_default="", nullable=False),
        sa.Column("conversation_id", sa.String(length=36), server_default="", nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ending", sa.String(length=8), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index("ix_calls_began_at", "calls", ["began_at"], unique=False)
    op.create_index("ix_calls_conversation_id", "calls", ["conversation_id"], unique=False)
    op.create_index("ix_calls_open", "calls", ["began_at"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "call_marks",
        sa.Column("call_id", sa.String(length=128), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mark", sa.String(length=24), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_marks_call_id")),
        sa.PrimaryKeyConstraint("call_id", "seq", name=op.f("pk_call_marks")),
    )
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("call_id", sa.String(length=128), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delete_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("gaps", sa.JSON(), server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_recordings_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
        sa.UniqueConstraint("call_id", name=op.f("uq_recordings_call_id")),
    )
    op.create_index(op.f("ix_recordings_delete_after"), "recordings", ["delete_after"], unique=False)
    op.add_column("staff", sa.Column("extension", sa.String(length=8), server_default="", nullable=False))
    op.create_index(
        "uq_staff_extension", "staff", ["extension"], unique=True, sqlite_where=_HAS_ONE, postgresql_where=_HAS_ONE
    )


def downgrade() -> None:
    op.drop_index("uq_staff_extension", table_name="staff")
    with op.batch_alter_table("staff") as batch:
        batch.drop_column("extension")
    op.drop_table("recordings")
    op.drop_table("call_marks")
    op.drop_table("calls")
