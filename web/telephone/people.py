"""The desk, as calls see it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from hotline.bootstrap import Core
from hotline.desk_store import DeskConversation, DeskEvent, Line


class DeskPeople:
    """Implements `channels.voice.dialogue.around.PeopleSide`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def conversation(self, conversation_id: str) -> DeskConversation | None:
        return await self._core.storage.desks.conversation(conversation_id)

    async def lines(self, conversation_id: str, *, after: int, limit: int) -> Sequence[Line]:
        return await self._core.storage.desks.lines(conversation_id, after=after, limit=limit)

    def follow(self, conversation_id: str) -> AsyncIterator[DeskEvent]:
        return self._core.desk.follow_conversation(conversation_id)

    async def position(self, handover_id: int) -> int | None:
        return await self._core.storage.queue.position(handover_id)

    async def phone_of(self, staff_id: str) -> tuple[str, str]:
        found = await self._core.storage.members.by_id(staff_id)
        return (found.staff.extension, found.staff.work_no) if found else ("", "")

    async def missed(self, conversation: DeskConversation) -> None:
        await self._core.desk.phone_missed(conversation)

    async def end(self, conversation: DeskConversation) -> None:
        await self._core.desk.end(conversation.id, staff_id=conversation.holder)
