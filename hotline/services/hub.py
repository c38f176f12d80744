"""Live pages of this process are told of new lines; pages of other processes find them in storage."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from hotline.domain.messages import ChannelName
from hotline.ports import ChatLine, Typing

Address = tuple[ChannelName, str]
QUEUE_SIZE = 100


class Reach:
    """Called after something was said to a citizen outside his own turn: his page looks, and the outbox is worked."""

    def __init__(self, hub: Hub, deliveries_due: asyncio.Event) -> None:
        self._hub = hub
        self._deliveries_due = deliveries_due

    def __call__(self, channel: ChannelName, address: str) -> None:
        self._hub.publish((channel, address), [Typing(on=False, author="agent")])
        self._deliveries_due.set()


class Hub:
    """Publish and subscribe within one event loop. A page too slow to take its lines is simply not told: it
    reads them from storage at its next look."""

    def __init__(self) -> None:
        self._queues: defaultdict[Address, set[asyncio.Queue[ChatLine | Typing]]] = defaultdict(set)

    def publish(self, address: Address, items: Iterable[ChatLine | Typing]) -> None:
        for queue in self._queues.get(address, ()):
            for item in items:
                if not queue.full():
                    queue.put_nowait(item)

    @contextmanager
    def subscribe(self, address: Address) -> Iterator[asyncio.Queue[ChatLine | Typing]]:
        queue: asyncio.Queue[ChatLine | Typing] = asyncio.Queue(QUEUE_SIZE)
        self._queues[address].add(queue)
        try:
            yield queue
        finally:
            self._queues[address].discard(queue)
            if not self._queues[address]:
                del self._queues[address]
