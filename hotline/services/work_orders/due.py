"""What housekeeping does for work orders."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

import structlog

from hotline.services.work_orders.telling import Telling
from hotline.work_order_store import Timers

log = structlog.get_logger()

BATCH: Final = 100


class DueWork:
    """Reminders, escalation, and what has to be told. Safe to run in several processes: each thing happens once."""

    def __init__(self, timers: Timers, tellings: Sequence[Telling]) -> None:
        self._timers = timers
        self._tellings = tellings

    async def run_due(self) -> int:
        """How many timers rang and posts were tried. Raises TemporaryError where the database does not answer."""
        rung = await self._timers.ring(limit=BATCH)
        for alarm, count in Counter(each.alarm for each in rung).items():
            log.info("work_order.rang", kind=str(alarm), count=count)
        tried = await asyncio.gather(*(telling.run_due() for telling in self._tellings))
        return len(rung) + sum(tried)
