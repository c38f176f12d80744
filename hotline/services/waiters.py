"""Webhooks that wait for the answer to the message they brought."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hotline.domain.messages import ChannelName, Reply

Key = tuple[ChannelName, str]


@dataclass(slots=True, eq=False)
class Waiter:
    """One waiting webhook. ``promised``: the turn has been stored as answered through this webhook, so it
    must not give up any more."""

    answer: asyncio.Future[tuple[Reply, ...] | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    promised: bool = False

    async def wait(self, seconds: float, *, grace_s: float = 5.0) -> tuple[Reply, ...] | None:
        """The answer, or None when it is not ready in time or another delivery of the message got it."""
        done, _ = await asyncio.wait({self.answer}, timeout=seconds)
        if not done and self.promised:
            done, _ = await asyncio.wait({self.answer}, timeout=grace_s)
        return self.answer.result() if done else None


class Waiters:
    """All waiting webhooks of this process, by message. Used from one event loop."""

    def __init__(self) -> None:
        self._waiting: defaultdict[Key, list[Waiter]] = defaultdict(list)
        self._promised: set[Key] = set()

    @contextmanager
    def register(self, key: Key) -> Iterator[Waiter]:
        """A waiter for ``key`` that is forgotten at the end."""
        waiter = Waiter(promised=key in self._promised)
        self._waiting[key].append(waiter)
        try:
            yield waiter
        finally:
            self._waiting[key].remove(waiter)
            if not self._waiting[key]:
                del self._waiting[key]

    def promise(self, key: Key) -> bool:
        """True when a webhook is there to take the answer; it will now wait for it."""
        if key not in self._waiting:
            return False
        self._promised.add(key)
        for waiter in self._waiting[key]:
            waiter.promised = True
        return True

    def resolve(self, key: Key, replies: tuple[Reply, ...] | None) -> None:
        """The newest delivery of the message gets the answer, the others None: said once, not three times."""
        self._promised.discard(key)
        waiting = self._waiting.get(key, [])
        for index, waiter in enumerate(waiting):
            if not waiter.answer.done():
                waiter.answer.set_result(replies if index == len(waiting) - 1 else None)
