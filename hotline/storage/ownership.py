"""The one place where a conversation changes hands."""

from __future__ import annotations

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.conversations import ALLOWED_CHANGES, Owner
from hotline.storage.tables import conversations

_FROM = {to: tuple(owner for owner, targets in ALLOWED_CHANGES.items() if to in targets) for to in Owner}
_CHANGE = {
    to: (
        update(conversations)
        .where(
            conversations.c.id == bindparam("conversation_id"),
            conversations.c.owner_version == bindparam("expected"),
            conversations.c.owner.in_(allowed),
            conversations.c.closed_at.is_(None),
        )
        .values(owner=to, owner_version=bindparam("version"), holder=bindparam("by"))
    )
    for to, allowed in _FROM.items()
}


async def change_owner(
    tx: AsyncConnection, conversation_id: str, to: Owner, *, expected_version: int, holder: str = ""
) -> int | None:
    """The conversation is ``to``'s, with ``holder`` (a staff id, for agent and wrap-up): its new version. None when it
    changed meanwhile, is closed, or may not change this way; then nothing happened."""
    version = expected_version + 1
    values = {"conversation_id": conversation_id, "expected": expected_version, "version": version, "by": holder}
    return version if (await tx.execute(_CHANGE[to], values)).rowcount == 1 else None
