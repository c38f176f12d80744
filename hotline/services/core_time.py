"""How long a turn waited for the fund core system: calls side by side count once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

_WAITS: ContextVar[list[tuple[float, float]] | None] = ContextVar("core_waits", default=None)


@dataclass(frozen=True, slots=True)
class CoreTime:
    """The calls of one turn as (start, end) on the monotonic clock."""

    waits: list[tuple[float, float]] = field(default_factory=list)

    @property
    def ms(self) -> float:
        """Milliseconds during which at least one call was under way."""
        return round(_union(self.waits) * 1000, 1)


@contextmanager
def core_time() -> Iterator[CoreTime]:
    """Everything noted inside, tasks started there included, is this turn's."""
    found = CoreTime()
    token = _WAITS.set(found.waits)
    try:
        yield found
    finally:
        _WAITS.reset(token)


def note_core_call(start: float, end: float) -> None:
    """A call to the core system took from ``start`` to ``end``; outside of a turn nobody counts it."""
    waits = _WAITS.get()
    if waits is not None:
        waits.append((start, end))


def _union(waits: Iterable[tuple[float, float]]) -> float:
    total, until = 0.0, float("-inf")
    for start, end in sorted(waits):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total
