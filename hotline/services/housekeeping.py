"""What runs beside the webhooks: the outbox, messages left behind by a crash or a locked database, filings whose answer
was lost, what has expired."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from hotline.errors import TemporaryError
from hotline.services.delivery import DeliveryWorker
from hotline.services.intake import Intake
from hotline.services.turns import TurnWorker
from hotline.services.verification import Verification
from hotline.services.work_orders.due import DueWork
from hotline.store import Store

log = structlog.get_logger()

LOOK_S = 1.0
VERIFY_S = 5.0
ORDERS_S = 5.0
PURGE_S = 300.0


class Housekeeping:
    """Loops that end when cancelled; a database that does not answer makes them wait, never end."""

    def __init__(
        self,
        store: Store,
        *,
        turns: TurnWorker,
        intake: Intake,
        deliveries: DeliveryWorker,
        verification: Verification,
        purge: Callable[[], Awaitable[int]],
        others: Sequence[Callable[[], Awaitable[None]]],
        orders: DueWork,
    ) -> None:
        """``others``: loops of their own that run until cancelled."""
        self._store = store
        self._turns = turns
        self._intake = intake
        self._deliveries = deliveries
        self._verification = verification
        self._purge = purge
        self._others = others
        self._orders = orders

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat(self._recover, LOOK_S))
            group.create_task(self._repeat(self._deliver, LOOK_S, self._turns.deliveries_due))
            group.create_task(self._repeat(self._verification.run_due, VERIFY_S))
            group.create_task(self._repeat(self._orders.run_due, ORDERS_S))
            group.create_task(self._repeat(self._purge, PURGE_S))
            for other in self._others:
                group.create_task(_forever(other))

    async def _repeat(
        self, step: Callable[[], Awaitable[object]], every_s: float, wake: asyncio.Event | None = None
    ) -> None:
        wake = wake or asyncio.Event()
        while True:
            try:
                await step()
            except TemporaryError as error:
                log.warning("housekeeping.waits", reason=str(error))
            try:
                async with asyncio.timeout(every_s):
                    await wake.wait()
            except TimeoutError:
                continue
            wake.clear()

    async def _recover(self) -> None:
        await self._intake.take_up_spooled()
        for job in await self._store.claim_waiting(worker=self._turns.worker, limit=50):
            self._turns.start(job)

    async def _deliver(self) -> None:
        while await self._deliveries.run_due():
            pass


async def _forever(loop: Callable[[], Awaitable[None]]) -> None:
    await loop()
