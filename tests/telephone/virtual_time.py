"""An event loop that does not wait: where nothing is ready, its clock jumps to what is due next."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any


class _Hurry(selectors.BaseSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._real = selectors.DefaultSelector()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            return self._real.select(1.0) or self._nothing()
        self._loop.jump(timeout)
        return []

    def _nothing(self) -> list[tuple[selectors.SelectorKey, int]]:
        raise RuntimeError("everybody waits and nothing is due")

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """For an ``anyio_backend`` fixture: ``("asyncio", {"loop_factory": VirtualTimeLoop})``. Threads and processes know
    nothing of its time."""

    def __init__(self) -> None:
        self._virtual = 1000.0
        super().__init__(_Hurry(self))

    def time(self) -> float:
        return self._virtual

    def jump(self, seconds: float) -> None:
        self._virtual += seconds
