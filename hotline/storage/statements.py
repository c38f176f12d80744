"""What runs for every message, built once: putting statements together costs more than running them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, FromClause, bindparam, exists, insert, or_, select, update

from hotline.storage.tables import UtcDateTime, contacts, conversations, inbox, messages, outbox, turns

_CONVERSATION: BindParameter[str] = bindparam("conversation_id")
_INBOX: BindParameter[int] = bindparam("inbox_id")

INSERT_MESSAGE = insert(messages).returning(messages.c.id)
INSERT_OUTBOX = insert(outbox)
INSERT_TURN = insert(turns)

OPEN_CONVERSATION = (
    select(conversations, contacts.c.address)
    .join(contacts, contacts.c.id == conversations.c.contact_id)
    .where(
        contacts.c.channel == bindparam("channel"),
        contacts.c.address == bindparam("address"),
        conversations.c.session_key == bindparam("session_key"),
        conversations.c.closed_at.is_(None),
    )
    .with_for_update(of=conversations, key_share=True)
)
"""The citizen's open conversation, locked: no line is numbered before one that is said earlier, and none is said in a
conversation that is being closed."""

OWNER_VERSION = select(conversations.c.owner_version).where(conversations.c.id == _CONVERSATION)

_earlier = outbox.alias("earlier")


def _unsent(table: FromClause) -> ColumnElement[bool]:
    """Written out in the statement: SQLite takes a partial index only for the very condition the index has."""
    wanted: BindParameter[Any] = bindparam(None, ["pending", "sending"], expanding=True, literal_execute=True)
    return table.c.status.in_(wanted)


UNSENT = _unsent(outbox)

DUE = (
    select(outbox.c.id)
    .where(
        UNSENT,
        outbox.c.due_at <= bindparam("now", type_=UtcDateTime()),
        ~exists().where(
            _earlier.c.conversation_id == outbox.c.conversation_id,
            _unsent(_earlier),
            _earlier.c.message_id < outbox.c.message_id,
        ),
    )
    .order_by(outbox.c.due_at, outbox.c.message_id)
    .limit(bindparam("most"))
)
"""Deliveries whose time has come, at most one of a conversation: what was said first goes first. One that is still
being sent when its lease runs out belonged to a worker that died."""

LEASE = (
    update(outbox)
    .where(
        outbox.c.id == bindparam("delivery_id"),
        UNSENT,
        outbox.c.due_at <= bindparam("now", type_=UtcDateTime()),
    )
    .values(status="sending", due_at=bindparam("until", type_=UtcDateTime()), attempts=outbox.c.attempts + 1)
    .returning(outbox)
)

CLAIM = (
    update(conversations)
    .where(
        conversations.c.id == _CONVERSATION,
        or_(
            conversations.c.claimed_until.is_(None),
            conversations.c.claimed_until < bindparam("now", type_=UtcDateTime()),
        ),
    )
    .values(
        claimed_by=bindparam("worker"), claimed_until=bindparam("until"), last_at=bindparam("now", type_=UtcDateTime())
    )
)
"""Takes a conversation that nobody works: one row is changed, or none."""

HOLD = (
    update(conversations)
    .where(conversations.c.id == _CONVERSATION)
    .values(claimed_by=bindparam("worker"), claimed_until=bindparam("until"), last_at=bindparam("now"))
)
"""Keeps a claimed conversation for its next message, or (worker and until None) releases it."""

FIRST_WAITING = (
    select(
        inbox,
        conversations.c.owner,
        conversations.c.owner_version,
        conversations.c.contact_id,
        conversations.c.asked,
        conversations.c.asked_about,
        conversations.c.asked_until,
        contacts.c.address,
    )
    .join(conversations, conversations.c.id == inbox.c.conversation_id)
    .join(contacts, contacts.c.id == conversations.c.contact_id)
    .where(inbox.c.conversation_id == _CONVERSATION, inbox.c.status == "new")
    .order_by(inbox.c.id)
    .limit(1)
)

SET_INBOX_STATUS = update(inbox).where(inbox.c.id == _INBOX).values(status=bindparam("new_status"))
END_TURN = SET_INBOX_STATUS.where(inbox.c.status == "new")
"""Nothing is changed where another worker has finished the message."""
COUNT_ATTEMPT = update(inbox).where(inbox.c.id == _INBOX).values(attempts=inbox.c.attempts + 1)
