"""Token buckets that keep one visitor, or one address, from crowding out the others.

They live in the process: a second gateway process doubles what is let through, which is no harm, as they
guard the process itself and nothing is decided by them.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``burst`` at once, then ``per_s`` each second."""

    burst: float
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatLimits:
    """What one visitor and one address may do. Many people share an address behind a carrier or an office."""

    messages_of_visitor: Rate = Rate(burst=6, per_s=0.5)
    messages_of_address: Rate = Rate(burst=120, per_s=20)
    reads_of_visitor: Rate = Rate(burst=40, per_s=2)
    reads_of_address: Rate = Rate(burst=600, per_s=100)


class Buckets:
    """One token bucket per key. The least recently used keys are forgotten beyond a fixed number."""

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """0.0 when a token was taken for ``key``, else the seconds until there is one."""
        now = self._clock()
        level, at = self._levels.pop(key, (self._rate.burst, now))
        level = min(self._rate.burst, level + (now - at) * self._rate.per_s)
        taken = level >= 1
        self._levels[key] = (level - 1 if taken else level, now)
        if len(self._levels) > _REMEMBERED:
            self._levels.popitem(last=False)
        return 0.0 if taken else (1 - level) / self._rate.per_s


class ChatGate:
    """Decides how long a visitor at an address has to wait before the next message or read."""

    def __init__(self, limits: ChatLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._messages = (
            Buckets(limits.messages_of_visitor, clock=clock),
            Buckets(limits.messages_of_address, clock=clock),
        )
        self._reads = (Buckets(limits.reads_of_visitor, clock=clock), Buckets(limits.reads_of_address, clock=clock))

    def message_wait_s(self, visitor: str, address: str) -> int:
        """Whole seconds to wait before a message is taken; 0: it is taken now."""
        return _longest(self._messages, visitor, address)

    def read_wait_s(self, visitor: str, address: str) -> int:
        """Whole seconds to wait before history or a stream is opened; 0: now."""
        return _longest(self._reads, visitor, address)


def _longest(buckets: tuple[Buckets, Buckets], visitor: str, address: str) -> int:
    of_visitor, of_address = buckets
    wait = of_visitor.wait_s(visitor)
    return math.ceil(wait if wait > 0 else of_address.wait_s(address))
