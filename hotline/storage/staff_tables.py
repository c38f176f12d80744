"""Members of staff, their recovery codes and sessions. Sealed: totp_secret; pending_secret, which lasts some
minutes and is not sealed anew with new keys."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from hotline.storage.tables import UtcDateTime, metadata

staff = Table(
    "staff",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(32), nullable=False, unique=True),
    Column("display_name", String(64), nullable=False),
    Column("work_no", String(16), nullable=False, unique=True),
    Column("extension", String(8), nullable=False, server_default=""),
    Column("roles", JSON, nullable=False),
    Column("groups", JSON, nullable=False),
    Column("capacity", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("must_change_password", Boolean, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("totp_secret", Text),
    Column("last_step", BigInteger, nullable=False, server_default="0"),
    Column("is_demo", Boolean, nullable=False),
    Column("epoch", Integer, nullable=False, server_default="1"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
_HAS_ONE = text("extension <> ''")
Index("uq_staff_extension", staff.c.extension, unique=True, sqlite_where=_HAS_ONE, postgresql_where=_HAS_ONE)

staff_recovery_codes = Table(
    "staff_recovery_codes",
    metadata,
    Column("staff_id", ForeignKey("staff.id"), primary_key=True),
    Column("code_hash", String(64), primary_key=True),
)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False, index=True),
    Column("stage", String(16), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("pending_secret", Text),
    Column("address", String(64), nullable=False),
    Column("browser", String(200), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False, index=True),
)
