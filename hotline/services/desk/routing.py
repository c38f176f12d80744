"""The loop that offers who waits to who is free, and ends what has waited too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final

import structlog

from hotline.desk_store import Queue
from hotline.domain.desk import Assignment, Presence, Waiting, assign
from hotline.domain.messages import ChannelName
from hotline.errors import TemporaryError
from hotline.services.desk.live import LiveDesk
from hotline.services.desk.telling import Tellings

log = structlog.get_logger()

LOOK_S: Final = 1.0


class Router:
    """One in every gateway process: they route one queue, since storage lets one of them decide at a time."""

    def __init__(
        self,
        queue: Queue,
        tellings: Tellings,
        *,
        live: LiveDesk,
        clock: Callable[[], datetime],
        told: Callable[[ChannelName, str], None],
    ) -> None:
        """``told``: wakes the citizen's page and the outbox after something was said to him."""
        self._queue = queue
        self._expired = tellings.tell("expired", offering="expired_choices")
        self._lost = tellings.tell("lost")
        self._live = live
        self._clock = clock
        self._told = told
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Somebody waits, or somebody is free: not at the next look but now."""
        self._wake.set()

    async def run(self) -> None:
        """Routes until cancelled; a database that does not answer makes it wait."""
        while True:
            try:
                await self.run_once()
            except TemporaryError as error:
                log.warning("desk.routing_waits", reason=str(error))
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    async def run_once(self) -> None:
        """What has run out of time is ended, then who waits is offered to who is free."""
        swept = await self._queue.sweep(expired=self._expired, lost=self._lost)
        for conversation in swept.told:
            self._told(conversation.channel, conversation.address)
        if swept.lost:
            log.warning("desk.agents_lost", count=len(swept.lost))
        offered = await self._queue.route(self._decide)
        if offered or swept.offers or swept.expired or swept.lost:
            self._live.wake()

    def _decide(self, waiting: Collection[Waiting], agents: Sequence[Presence]) -> list[Assignment]:
        return assign(waiting, agents, now=self._clock())
