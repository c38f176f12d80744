"""Lines that the core says to a citizen by itself, outside any turn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import bindparam, select

from hotline.domain.conversations import DeliveryStatus
from hotline.domain.identity import Contact
from hotline.domain.messages import Reply
from hotline.storage.database import Database
from hotline.storage.posting import Author, insert_delivery, insert_line
from hotline.storage.tables import contacts, conversations, messages

_NEWEST = (
    select(conversations, contacts.c.address)
    .join(contacts, contacts.c.id == conversations.c.contact_id)
    .where(contacts.c.channel == bindparam("channel"), contacts.c.address == bindparam("address"))
    .order_by(conversations.c.opened_at.desc())
    .limit(1)
    .with_for_update(of=conversations, key_share=True)
)
_KNOWN = select(messages.c.id).where(
    messages.c.conversation_id == bindparam("conversation_id"),
    messages.c.author == "system",
    messages.c.external_id == bindparam("key"),
)


class SqlCitizenLines:
    """Implements `hotline.store.CitizenLines`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock

    async def tell(self, contact: Contact, reply: Reply, *, key: str, delivery: DeliveryStatus) -> bool:
        now = self._clock()
        async with self._db.write() as tx:
            who = {"channel": contact.channel, "address": contact.address}
            row = (await tx.execute(_NEWEST, who)).mappings().one_or_none()
            if row is None:
                return False
            if await tx.scalar(_KNOWN, {"conversation_id": row["id"], "key": key}) is not None:
                return True
            author = Author(name="system", external_id=key)
            line = await insert_line(tx, row, reply, author=author, now=now)
            await insert_delivery(tx, row, [reply], author=author, message_id=line, status=delivery, now=now)
        return True
