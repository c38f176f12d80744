"""What housekeeping does for work orders."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from hotline.services.work_orders.telling import Telling
from hotline.work_order_store import Timers

log = structlog.get_logger()

BATCH: Final = 100
SWEEP_EVERY: Final = timedelta(minutes=5)


class DueWork:
    """Reminders, escalation, what has to be told, and files nobody has any more. Safe to run in several processes: each
    thing happens once."""

    def __init__(
        self,
        timers: Timers,
        tellings: Sequence[Telling],
        *,
        sweep: Callable[[], Awaitable[int]],
        clock: Callable[[], datetime],
    ) -> None:
        """``sweep`` removes evidence files that belong to no order."""
        self._timers = timers
        self._tellings = tellings
        self._sweep = sweep
        self._clock = clock
        self._swept_at = clock()

    async def run_due(self) -> int:
        """How many timers rang and posts were tried. Raises TemporaryError where the database does not answer."""
        rung = await self._timers.ring(limit=BATCH)
        for alarm, count in Counter(each.alarm for each in rung).items():
            log.info("work_order.rang", kind=str(alarm), count=count)
        tried = await asyncio.gather(*(telling.run_due() for telling in self._tellings))
        await self._sweep_now_and_then()
        return len(rung) + sum(tried)

    async def _sweep_now_and_then(self) -> None:
        now = self._clock()
        if now - self._swept_at < SWEEP_EVERY:
            return
        self._swept_at = now
        if removed := await self._sweep():
            log.info("work_order.files_swept", count=removed)
