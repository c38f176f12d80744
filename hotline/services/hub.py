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
