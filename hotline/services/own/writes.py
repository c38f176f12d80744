"""Writes to the core system within a turn's time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from hotline.fund_system import FundUnknown


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
