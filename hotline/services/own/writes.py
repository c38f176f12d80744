"""Writes to the core system within a turn's time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from hotline.fund_system import FundUnknown

T = TypeVar("T")


@contextmanager
def may_have_happened() -> Iterator[None]:
    """A write that is cut off by the time limit may have happened all the same.

    Raises:
        FundUnknown: instead of the cancellation, so that the citizen is told so and not that nothing was done.
    """
    try:
        yield
    except asyncio.CancelledError as cut_off:
        raise FundUnknown("cut off by the time limit of the turn") from cut_off


async def kept(work: Coroutine[Any, Any, T]) -> T:
    """What has to be written down once the core system has spoken: finished even where the turn's time limit strikes
    meanwhile, so that what is true is told instead of that the core system is slow."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        return await task
