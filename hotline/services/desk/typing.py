"""Citizens see that a person writes, where their channel can show it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from hotline.domain.messages import ChannelName
from hotline.ports import Channel, SendError, ShowsTyping, Typing
from hotline.services.hub import Hub

log = structlog.get_logger()

LIMIT_S = 3.0


class TypingShown:
    """Never waited for and never a reason to fail: what does not reach the citizen is left."""

    def __init__(self, channels: Mapping[ChannelName, Channel], hub: Hub) -> None:
        self._channels = channels
        self._hub = hub
        self._tasks: set[asyncio.Task[None]] = set()

    def show(self, channel: ChannelName, address: str, on: bool) -> None:
        """Somebody at the desk writes to the citizen, or has stopped."""
        self._hub.publish((channel, address), [Typing(on=on, author="agent")])
        way = self._channels.get(channel)
        if isinstance(way, ShowsTyping):
            task = asyncio.create_task(self._send(way, address, on=on))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, way: ShowsTyping, address: str, *, on: bool) -> None:
        try:
            async with asyncio.timeout(LIMIT_S):
                await way.show_typing(address, on=on)
        except (SendError, TimeoutError) as error:
            log.info("desk.typing_not_shown", reason=type(error).__name__)
