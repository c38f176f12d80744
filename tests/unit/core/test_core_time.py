"""How long a turn waited for the core system."""

from __future__ import annotations

import asyncio

import pytest

from hotline.services.core_time import core_time, note_core_call

pytestmark = pytest.mark.anyio


async def test_calls_side_by_side_count_once_and_calls_in_a_row_add_up() -> None:
    with core_time() as waited:
        for start, end in ((0.0, 1.0), (0.5, 1.5), (0.6, 0.7), (2.0, 2.25)):
            note_core_call(start, end)
    assert waited.ms == 1750.0


async def test_tasks_of_a_turn_count_for_that_turn_alone() -> None:
    async def call(start: float, end: float) -> None:
        note_core_call(start, end)

    async def turn(length: float) -> float:
        with core_time() as waited:
            await asyncio.gather(call(0.0, length), call(1.0, 1.0 + length))
        return waited.ms

    assert await asyncio.gather(turn(0.1), turn(0.2)) == [200.0, 400.0]


async def test_outside_of_a_turn_nothing_is_counted() -> None:
    note_core_call(0.0, 1.0)
    with core_time() as waited:
        pass
    assert (waited.ms, waited.waits) == (0, [])
