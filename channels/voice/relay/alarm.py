"""One thing that happens later unless it is put off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """Rings once, so many seconds after it was set last."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        return self._handle is not None

    def set(self, seconds: float) -> None:
        """Instead of what was set before."""
        self.cancel()
        self._handle = asyncio.get_running_loop().call_later(seconds, self._rings)

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _rings(self) -> None:
        self._handle = None
        self._ring()
