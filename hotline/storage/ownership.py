"""The one place where a conversation changes hands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.conversations import ALLOWED_CHANGES, DeliveryStatus, Owner
from hotline.prompt_store import HELD, Asked
from hotline.storage import desk_rows as rows
from hotline.storage.desk_events import tell
from hotline.storage.statements import UNSENT
from hotline.storage.tables import UtcDateTime, conversations, outbox

Row = Mapping[Any, Any]

_CHANGE = (
    update(conversations)
    .where(conversations.c.id == bindparam("about"))
    .values(owner=bindparam("to"), owner_version=bindparam("version"), holder=bindparam("by"))
)
_HAS_WORDS = conversations.c.asked.in_(sorted(HELD))
_CHANGE_TO_PEOPLE = _CHANGE.values(
    asked=case((_HAS_WORDS, Asked.WORD_CLOSING.value), else_=""),
    asked_about=case((_HAS_WORDS, conversations.c.asked_about), else_=""),
)
"""With a person, and with waiting for one, what the gateway has asked by itself is over; words that were left already
still become a work order."""
_CLOSE = update(conversations).where(conversations.c.id == bindparam("about")).values(closed_at=bindparam("now"))
_SILENCE = (
    update(outbox)
    .where(
        outbox.c.conversation_id == bindparam("about"),
        UNSENT,
        outbox.c.author == "bot",
        outbox.c.status == DeliveryStatus.PENDING,
    )
    .values(status=DeliveryStatus.DROPPED, settled_at=bindparam("now", type_=UtcDateTime()))
)


async def locked(tx: AsyncConnection, conversation_id: str) -> Row | None:
    """The conversation with its citizen's address, which nobody else changes until ``tx`` ends; lines and deliveries
    written after this stand in the order they are numbered. None when there is no such conversation.

    Whoever changes a conversation locks it before its requests, and those before the agents.
    """
    return (await tx.execute(rows.WITH_ADDRESS_LOCKED, {"conversation_id": conversation_id})).mappings().one_or_none()


async def change_owner(
    tx: AsyncConnection, conversation: Row, to: Owner, *, now: datetime, holder: str = ""
) -> int | None:
    """The `locked` conversation is ``to``'s, with ``holder`` (a staff id, for agent and wrap-up): its new version.
    What the bot has said before and is not on its way yet is dropped, and live pages hear of the change. None when the
    conversation is closed or may not change this way; then nothing happened."""
    if conversation["closed_at"] is not None or to not in ALLOWED_CHANGES[Owner(conversation["owner"])]:
        return None
    await _change(tx, conversation, to, holder=holder)
    await tx.execute(_SILENCE, {"about": conversation["id"], "now": now})
    await tell(tx, "owner", now=now, conversation_id=conversation["id"], owner=to, holder=holder)
    return int(conversation["owner_version"]) + 1


async def close(tx: AsyncConnection, conversation: Row, *, now: datetime) -> None:
    """The `locked` conversation is closed and nobody holds it: what the citizen still says in it is the bot's to
    answer. Live pages hear of it."""
    await tx.execute(_CLOSE, {"about": conversation["id"], "now": now})
    if conversation["owner"] != Owner.BOT:
        await _change(tx, conversation, Owner.BOT, holder="")
    await tell(tx, "closed", now=now, conversation_id=conversation["id"])


async def _change(tx: AsyncConnection, conversation: Row, to: Owner, *, holder: str) -> None:
    version = conversation["owner_version"] + 1
    statement = _CHANGE_TO_PEOPLE if to in (Owner.QUEUED, Owner.AGENT) else _CHANGE
    await tx.execute(statement, {"about": conversation["id"], "to": to, "version": version, "by": holder})
