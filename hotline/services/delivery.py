"""The outbox worker: the only place that sends again, idempotent by delivery id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from hotline.domain.conversations import DeliveryStatus
from hotline.domain.messages import ChannelName
from hotline.errors import TemporaryError
from hotline.ports import Channel, Delivery, SendError, SendReason
from hotline.store import DueDelivery, Store

log = structlog.get_logger()

PAUSES_S = (1.0, 5.0, 20.0, 60.0, 300.0)
"""Before the second, third … attempt; after the last one the delivery has failed."""
SEND_LIMIT_S = 20.0
BATCH = 20
LEASE_S = 120
"""Longer than a whole batch may take: what waits behind a slow vendor is not leased to another process too."""


class DeliveryWorker:
    """Sends what is due. Deliveries of one conversation go one after the other, oldest first; conversations go beside
    each other."""

    def __init__(self, store: Store, channels: Mapping[ChannelName, Channel], *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._channels = channels
        self._clock = clock

    async def run_due(self) -> int:
        """One attempt for everything that is due; the number attempted."""
        due = await self._store.lease_due(limit=BATCH, lease_s=LEASE_S)
        ended = await asyncio.gather(*map(self._attempt, due), return_exceptions=True)
        for error in ended:
            if error is not None:
                raise error
        return len(due)

    async def _attempt(self, due: DueDelivery) -> None:
        if due.is_void:
            await self._settle(due, DeliveryStatus.DROPPED)
            return
        delivery = Delivery(
            delivery_id=due.delivery_id,
            contact_key=due.contact_key,
            replies=due.replies,
            by_person=due.author == "agent",
        )
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                receipt = await self._channels[due.channel].send(delivery)
        except SendError as error:
            await self._failed(due, error)
        except TimeoutError:
            await self._failed(due, SendError(SendReason.CONNECTION, "time limit", retryable=False, unknown=True))
        except TemporaryError as error:
            await self._failed(due, SendError(SendReason.CONNECTION, str(error), retryable=True))
        except Exception:  # a channel's fault must not stop the outbox; whether it was sent is not known
            log.exception("delivery.fault", delivery_id=due.delivery_id, channel=str(due.channel))
            await self._failed(due, SendError(SendReason.CONFIG, "fault", retryable=False, unknown=True))
        else:
            await self._settle(due, DeliveryStatus.SENT, vendor_id=receipt.vendor_id)

    async def _failed(self, due: DueDelivery, error: SendError) -> None:
        log.warning(
            "delivery.failed",
            delivery_id=due.delivery_id,
            channel=str(due.channel),
            reason=str(error.reason),
            retryable=error.retryable,
            attempts=due.attempts,
        )
        if error.unknown:
            await self._settle(due, DeliveryStatus.UNKNOWN, error=str(error))
        elif error.retryable and due.attempts <= len(PAUSES_S):
            pause = max(PAUSES_S[due.attempts - 1], error.retry_after_s)
            await self._store.retry_later(
                due.delivery_id, due_at=self._clock() + timedelta(seconds=pause), error=str(error)
            )
        else:
            await self._settle(due, DeliveryStatus.FAILED, error=str(error))

    async def _settle(self, due: DueDelivery, status: DeliveryStatus, *, vendor_id: str = "", error: str = "") -> None:
        await self._store.settle(
            due.delivery_id, status, expected=DeliveryStatus.SENDING, vendor_id=vendor_id, error=error
        )
