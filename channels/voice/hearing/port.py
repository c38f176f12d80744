"""The recogniser's port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """``final`` False: so far. ``text`` empty and final: speech, but no words. ``confidence`` 0-1 or None."""

    text: str
    final: bool
    confidence: float | None = None


class RecogniserAway(Exception):
    """The recogniser cannot be reached, is too slow or gave nonsense: the caller is asked to use the keys."""


class Recognition(Protocol):
    """One utterance being recognised."""

    async def feed(self, pcm: bytes) -> None:
        """More of the caller's sound (8 kHz, 16 bit). Raises RecogniserAway."""
        ...

    async def finish(self) -> None:
        """The caller has stopped: the final result is wanted now. Safe to repeat."""
        ...

    async def cancel(self) -> None:
        """Nobody waits for it any more."""
        ...

    def results(self) -> AsyncIterator[Recognised]:
        """Ends after the final one. Raises RecogniserAway, at the latest a time limit after `finish`."""
        ...


class Recogniser(Protocol):
    """Safe for concurrent calls."""

    async def begin(self, *, hints: Sequence[str]) -> Recognition:
        """A new utterance; ``hints`` are words to expect. Raises RecogniserAway."""
        ...

    async def close(self) -> None: ...
