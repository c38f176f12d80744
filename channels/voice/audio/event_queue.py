"""What has happened in a call and has not been read yet, never more than a bounded number of events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

import structlog

from channels.voice.session import HungUp, Partial, Silence, VoiceEvent

log = structlog.get_logger(__name__)

_MOST: Final = 256


class EventQueue:
    """One reader. Partial results give way to newer ones; `HungUp` is always the last and always comes."""

    def __init__(self) -> None:
        self._events: deque[VoiceEvent] = deque()
        self._more = asyncio.Event()
        self._ended = False

    def put(self, event: VoiceEvent) -> None:
        if self._ended:
            return
        if isinstance(event, Partial):
            self.forget(Partial)
        self._ended = isinstance(event, HungUp)
        if len(self._events) >= _MOST and not self._ended:
            log.warning("voice.events.full", kind=type(event).__name__)
            return
        self._events.append(event)
        self._more.set()

    def forget(self, *kinds: type[Partial] | type[Silence]) -> None:
        """What is unread of these is no longer true."""
        self._events = deque(event for event in self._events if not isinstance(event, kinds))

    async def read(self) -> AsyncIterator[VoiceEvent]:
        while True:
            while self._events:
                event = self._events.popleft()
                yield event
                if isinstance(event, HungUp):
                    return
            self._more.clear()
            await self._more.wait()
