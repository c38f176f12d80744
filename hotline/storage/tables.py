"""The tables. Times are aware UTC; every citizen's text in them is already without personal numbers.

What proves or describes a person stands sealed (hotline.privacy.ciphers) and is found by keyed hashes; the comment on
each table says which columns those are.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python on every database; SQLite, which has no zones, stores it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


contacts = Table(
    "contacts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("address", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("channel", "address"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("contact_id", ForeignKey("contacts.id"), nullable=False),
    Column("session_key", String(64), nullable=False, server_default=""),
    Column("channel", String(16), nullable=False),
    Column("owner", String(16), nullable=False),
    Column("owner_version", Integer, nullable=False, server_default="0"),
    Column("holder", String(36), nullable=False, server_default=""),
    Column("asked", String(32), nullable=False, server_default=""),
    Column("asked_about", String(64), nullable=False, server_default=""),
    Column("asked_until", UtcDateTime),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("claimed_by", String(64)),
    Column("claimed_until", UtcDateTime),
)
Index(
    "uq_conversations_open",
    conversations.c.contact_id,
    conversations.c.session_key,
    unique=True,
    sqlite_where=text("closed_at IS NULL"),
    postgresql_where=text("closed_at IS NULL"),
)
Index(
    "ix_conversations_live",
    conversations.c.last_at,
    sqlite_where=text("closed_at IS NULL"),
    postgresql_where=text("closed_at IS NULL"),
)
Index("ix_conversations_contact_id", conversations.c.contact_id)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("channel", String(16), nullable=False),
    Column("external_id", String(128), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("meta", JSON, nullable=False),
    Column("as_of", Date),
    Column("received_at", UtcDateTime, nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    UniqueConstraint("channel", "external_id"),
)
Index(
    "ix_inbox_waiting",
    inbox.c.conversation_id,
    inbox.c.id,
    sqlite_where=text("status = 'new'"),
    postgresql_where=text("status = 'new'"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("contact_id", ForeignKey("contacts.id"), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("inbox_id", ForeignKey("inbox.id")),
    Column("author", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("choices", JSON, nullable=False),
    Column("external_id", String(128), nullable=False, server_default=""),
    Column("staff_id", String(36), nullable=False, server_default=""),
    Column("signed", String(64), nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_messages_contact_id_id", "contact_id", "id"),
    Index("ix_messages_conversation_id_id", "conversation_id", "id"),
)
Index(
    "uq_messages_of_staff",
    messages.c.conversation_id,
    messages.c.external_id,
    unique=True,
    sqlite_where=text("author = 'agent'"),
    postgresql_where=text("author = 'agent'"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("inbox_id", ForeignKey("inbox.id"), unique=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("message_id", ForeignKey("messages.id"), index=True),
    Column("author", String(16), nullable=False, server_default="bot"),
    Column("channel", String(16), nullable=False),
    Column("contact_key", String(128), nullable=False),
    Column("owner_version", Integer, nullable=False),
    Column("replies", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("vendor_id", String(128), nullable=False, server_default=""),
    Column("error", String(200), nullable=False, server_default=""),
)
_UNSENT = text("status IN ('pending', 'sending')")
Index("ix_outbox_due", outbox.c.due_at, sqlite_where=_UNSENT, postgresql_where=_UNSENT)
Index(
    "ix_outbox_open",
    outbox.c.conversation_id,
    outbox.c.message_id,
    sqlite_where=_UNSENT,
    postgresql_where=_UNSENT,
)

turns = Table(
    "turns",
    metadata,
    Column("inbox_id", ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("outcome", String(16), nullable=False),
    Column("intent", String(64), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("matter", String(64)),
    Column("aspect", String(64)),
    Column("candidates", JSON, nullable=False),
    Column("sources", JSON, nullable=False),
    Column("hand_over", String(32)),
    Column("degraded", Boolean, nullable=False),
    Column("ms", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

learning_cases = Table(
    "learning_cases",
    metadata,
    Column("inbox_id", ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("entry", String(130)),
    Column("note", Text, nullable=False),
    Column("decided_by", String(64), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
)

nonces = Table(
    "nonces",
    metadata,
    Column("scope", String(16), primary_key=True),
    Column("nonce", String(128), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("uses", Integer, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

channel_states = Table(
    "channel_states",
    metadata,
    Column("scope", String(32), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# Sealed: person_no, id_number, mobile.
persons = Table(
    "persons",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("person_no", Text, nullable=False),
    Column("person_no_hash", String(64), nullable=False, unique=True),
    Column("id_number", Text, nullable=False),
    Column("id_number_hash", String(64), nullable=False, unique=True),
    Column("mobile", Text, nullable=False),
    Column("name_masked", String(64), nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
)

bindings = Table(
    "bindings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("channel", String(16), nullable=False),
    Column("address", String(128), nullable=False),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("bound_at", UtcDateTime, nullable=False),
    Column("unbound_at", UtcDateTime),
    Index("ix_bindings_person_id", "person_id"),
)
Index(
    "uq_bindings_open",
    bindings.c.channel,
    bindings.c.address,
    unique=True,
    sqlite_where=text("unbound_at IS NULL"),
    postgresql_where=text("unbound_at IS NULL"),
)

proofs = Table(
    "proofs",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("address", String(128), primary_key=True),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("proven_until", UtcDateTime, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("version", String(32), nullable=False),
    Column("agreed_at", UtcDateTime, nullable=False),
    Column("channel", String(16), nullable=False),
    UniqueConstraint("person_id", "purpose", "version"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("token_hash", String(64), unique=True),
    Column("channel", String(16), nullable=False),
    Column("address", String(128), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("browser_hash", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("used_at", UtcDateTime),
    Index("ix_sign_ins_conversation_id", "conversation_id"),
)

# Sealed: candidate, which goes when the code is used or its sign-in ends. ``number`` counts a session's codes.
codes = Table(
    "codes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("session", ForeignKey("sign_ins.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("code_hash", String(64), nullable=False),
    Column("mobile_hash", String(64), nullable=False),
    Column("candidate", Text),
    Column("tries", Integer, nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    UniqueConstraint("session", "number"),
    Index("ix_codes_mobile_hash_sent_at", "mobile_hash", "sent_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("key_hash", String(64), primary_key=True),
    Column("wrong", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
)

# Append-only, by triggers. Each row's digest covers it and the digest before; ``at`` (ISO 8601, UTC) and ``detail``
# (canonical JSON) stand as they were digested.
audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(36), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("conversation_id", String(36), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Index("ix_audit_log_subject_seq", "subject", "seq"),
)

# Sealed: fields.
drafts = Table(
    "drafts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("business", String(64), nullable=False),
    Column("fields", Text, nullable=False),
    Column("step", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    UniqueConstraint("person_id", "business"),
)

submissions = Table(
    "submissions",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("business", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("application_no", String(64), nullable=False),
    Column("error", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
Index(
    "uq_submissions_open",
    submissions.c.person_id,
    submissions.c.business,
    unique=True,
    sqlite_where=text("state IN ('sending', 'unknown')"),
    postgresql_where=text("state IN ('sending', 'unknown')"),
)
Index(
    "ix_submissions_open",
    submissions.c.updated_at,
    sqlite_where=text("state IN ('sending', 'unknown')"),
    postgresql_where=text("state IN ('sending', 'unknown')"),
)
