"""A form that is sent twice is worked once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_REMEMBERED = 5_000


class Once(Generic[T]):
    """Gives the outcome of the first call under a key to every later one, also while the first is still running.

    It lives in the process: a second process would work the form again, which the core refuses kindly (a code was
    sent a moment ago, the sign-in is over)."""

    def __init__(self, *, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._outcomes: OrderedDict[str, asyncio.Task[T]] = OrderedDict()

    async def run(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The outcome under ``key``. A browser that goes away does not stop the work it has asked for."""
        task = self._outcomes.get(key)
        if task is None:
            task = self._outcomes[key] = asyncio.create_task(work())
            if len(self._outcomes) > self._remembered:
                self._outcomes.popitem(last=False)
        return await asyncio.shield(task)
