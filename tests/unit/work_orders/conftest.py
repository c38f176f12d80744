"""Work orders on a database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.work_order_kit import OrderKit, order_kits, sqlite_in


@pytest.fixture
async def kits(tmp_path: Path) -> AsyncIterator[Sequence[OrderKit]]:
    """Two processes on one file."""
    async with order_kits(await sqlite_in(tmp_path), tmp_path, processes=2) as made:
        yield made


@pytest.fixture
def kit(kits: Sequence[OrderKit]) -> OrderKit:
    return kits[0]
