"""Lines of the core and of staff: stored and on their way, in one transaction with what they tell of."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.desk_store import Telling
from hotline.domain.conversations import DeliveryStatus
from hotline.domain.messages import ChannelName, Reply
from hotline.storage import codec
from hotline.storage import statements as run

Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who says a line. ``external_id``: the id a member of staff's page gave it."""

    name: str
    staff_id: str = ""
    signed: str = ""
    external_id: str = ""


SYSTEM = Author(name="system")


async def post(
    tx: AsyncConnection, conversation: Row, replies: Sequence[Reply], *, delivery: DeliveryStatus, now: datetime
) -> None:
    """``replies`` are lines of the core. The desk's pages hear of them with the change of hands they tell of."""
    lines = [await insert_line(tx, conversation, reply, author=SYSTEM, now=now) for reply in replies]
    if lines:
        await insert_delivery(tx, conversation, replies, author=SYSTEM, message_id=lines[-1], status=delivery, now=now)


async def told(tx: AsyncConnection, conversation: Row, telling: Telling, *, now: datetime) -> bool:
    """The citizen is told what ``telling`` has for his channel; whether it has something."""
    channel = ChannelName(conversation["channel"])
    replies = telling.replies.get(channel, ())
    await post(tx, conversation, replies, delivery=telling.ways[channel], now=now)
    return bool(replies)


async def insert_line(tx: AsyncConnection, conversation: Row, reply: Reply, *, author: Author, now: datetime) -> int:
    """The line's number."""
    values = {
        "contact_id": conversation["contact_id"],
        "conversation_id": conversation["id"],
        "inbox_id": None,
        "author": author.name,
        "text": reply.text,
        "choices": codec.choices_out(reply.choices),
        "external_id": author.external_id,
        "staff_id": author.staff_id,
        "signed": author.signed,
        "created_at": now,
    }
    return int((await tx.execute(run.INSERT_MESSAGE, values)).scalar_one())


async def insert_delivery(
    tx: AsyncConnection,
    conversation: Row,
    replies: Sequence[Reply],
    *,
    author: Author,
    message_id: int,
    status: DeliveryStatus,
    now: datetime,
) -> str:
    """The delivery's id. It belongs to nobody's turn, so no later owner makes it void."""
    values = {
        "id": str(uuid.uuid4()),
        "inbox_id": None,
        "conversation_id": conversation["id"],
        "message_id": message_id,
        "author": author.name,
        "channel": conversation["channel"],
        "contact_key": conversation["address"],
        "owner_version": conversation["owner_version"],
        "replies": codec.replies_out(replies),
        "status": status,
        "due_at": now,
        "created_at": now,
    }
    await tx.execute(run.INSERT_OUTBOX, values)
    return str(values["id"])
