"""One clock for all calls: the SIP library tells of calls by itself, but its sound has to be fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from channels.voice.line import FRAME_S

Tick = Callable[[], None]

_STALLED_S: Final = 0.5
"""So late, the beats that were missed are not made up for."""


class Clock:
    """Calls everything that was added, every 20 ms, in the event loop; rests while there is nothing."""

    def __init__(self) -> None:
        self._ticks: dict[Tick, None] = {}
        self._beating: asyncio.Task[None] | None = None

    def add(self, tick: Tick) -> None:
        self._ticks[tick] = None
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat())

    def remove(self, tick: Tick) -> None:
        """Safe to repeat."""
        self._ticks.pop(tick, None)

    async def close(self) -> None:
        self._ticks.clear()
        if self._beating:
            await asyncio.gather(self._beating, return_exceptions=True)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self._ticks:
            due = due + FRAME_S if loop.time() - due < _STALLED_S else loop.time()
            await asyncio.sleep(due - loop.time())
            for tick in tuple(self._ticks):
                tick()
        self._beating = None
