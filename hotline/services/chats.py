"""What a live page needs: send, read back, follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from hotline.domain.messages import ChannelName, Inbound
from hotline.errors import TemporaryError
from hotline.ports import ChatLine, Typing
from hotline.services.hub import Hub
from hotline.services.intake import Intake
from hotline.store import Store

LOOK_S = 2.0
"""How often a live page looks into storage for lines written by another process."""


class StoredChats:
    """Implements `hotline.ports.Chats`."""

    def __init__(self, intake: Intake, store: Store, hub: Hub) -> None:
        self._intake = intake
        self._store = store
        self._hub = hub

    async def submit(self, inbound: Inbound) -> bool:
        return await self._intake.submit(inbound)

    async def history(
        self, channel: ChannelName, contact_key: str, *, after: int = 0, limit: int = 200
    ) -> list[ChatLine]:
        return await self._store.lines(channel, contact_key, after=after, limit=limit)

    async def stream(self, channel: ChannelName, contact_key: str, *, after: int) -> AsyncIterator[ChatLine | Typing]:
        """Lines in order of ``seq``, none twice: the hub wakes the page, storage is what it reads."""
        with self._hub.subscribe((channel, contact_key)) as queue:
            while True:
                for line in await self._new_lines(channel, contact_key, after=after):
                    after = line.seq
                    yield line
                try:
                    async with asyncio.timeout(LOOK_S):
                        item = await queue.get()
                except TimeoutError:
                    continue
                if isinstance(item, Typing):
                    yield item

    async def _new_lines(self, channel: ChannelName, contact_key: str, *, after: int) -> list[ChatLine]:
        try:
            return await self._store.lines(channel, contact_key, after=after, limit=200)
        except TemporaryError:
            return []
