"""Everything a citizen sends comes in here: cleaned, redacted, stored once, then answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from hotline.domain.conversations import Accepted, DeliveryStatus, TurnRecord
from hotline.domain.messages import ChannelName, Inbound, Reply
from hotline.domain.redaction import redact
from hotline.domain.text import clean
from hotline.errors import TemporaryError
from hotline.ports import Channel
from hotline.services.spool import Spool
from hotline.services.turns import TurnWorker
from hotline.services.waiters import Waiter, Waiters
from hotline.store import Store
from hotline.wording import mask, say

log = structlog.get_logger()

POLL_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a webhook can say now: ``replies`` None means nothing yet (it will be pushed or fetched)."""

    replies: tuple[Reply, ...] | None
    new: bool


class Intake:
    """The first stop of every message."""

    def __init__(
        self,
        store: Store,
        turns: TurnWorker,
        *,
        channels: Mapping[ChannelName, Channel],
        waiters: Waiters,
        spool: Spool,
    ) -> None:
        self._store = store
        self._channels = channels
        self._turns = turns
        self._waiters = waiters
        self._spool = spool

    async def take_up_spooled(self) -> None:
        """What was kept in a file while the database was away is accepted now."""
        await self._spool.drain(self.accept)

    async def accept(self, inbound: Inbound) -> Accepted:
        """``inbound`` is stored without personal numbers, once, and its turn has begun or waits its time.

        Raises TemporaryError when the database does not answer."""
        safe = replace(inbound, text=redact(clean(inbound.text), mask()).text)
        accepted = await self._store.accept(safe, worker=self._turns.worker)
        if accepted.job:
            self._turns.start(accepted.job)
        return accepted

    async def submit(self, inbound: Inbound) -> bool:
        """Accepted, or kept on disk until the database answers again. False for a repetition."""
        try:
            return (await self.accept(inbound)).new
        except TemporaryError:
            self._keep(inbound)
            return True

    async def answer(self, inbound: Inbound, *, wait_s: float) -> Answer:
        """Accept and wait at most ``wait_s`` seconds for the answer."""
        with self._waiters.register((inbound.channel, inbound.external_id)) as waiter:
            try:
                accepted = await self.accept(inbound)
            except TemporaryError:
                self._keep(inbound)
                return Answer(replies=(Reply(text=say("busy")),), new=True)
            if accepted.new:
                return Answer(replies=await waiter.wait(wait_s), new=True)
            try:
                return Answer(replies=await self._repeated(inbound, waiter, wait_s=wait_s), new=False)
            except TemporaryError:
                # The message is stored and its turn goes on: acknowledged, the answer comes by the outbox.
                return Answer(replies=None, new=False)

    async def _repeated(self, inbound: Inbound, waiter: Waiter, *, wait_s: float) -> tuple[Reply, ...] | None:
        """The stored answer of a message delivered again; its turn may still be under way, here or elsewhere.

        While this process is storing that turn its deliveries are told by their waiters, the newest alone, so that
        what is already readable in storage is not said twice."""
        until = asyncio.get_running_loop().time() + wait_s
        while True:
            record = await self._store.record(inbound.channel, inbound.external_id)
            if record and not waiter.promised and not waiter.answer.done():
                return await self._taken(inbound.channel, record)
            left = until - asyncio.get_running_loop().time()
            if waiter.promised or waiter.answer.done() or left <= 0:
                return await waiter.wait(max(left, 0))
            await asyncio.wait({waiter.answer}, timeout=min(POLL_S, left))

    async def _taken(self, channel: ChannelName, record: TurnRecord) -> tuple[Reply, ...] | None:
        if record.delivery_id is None:
            return ()
        if not self._channels[channel].fits_inline(record.replies):
            return None
        if record.delivery_status in (DeliveryStatus.INLINE, DeliveryStatus.STORED):
            return record.replies
        taken = await self._store.settle(record.delivery_id, DeliveryStatus.INLINE, expected=DeliveryStatus.PENDING)
        return record.replies if taken else None

    def _keep(self, inbound: Inbound) -> None:
        self._spool.keep(replace(inbound, text=redact(clean(inbound.text), mask()).text))
