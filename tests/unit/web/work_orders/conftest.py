"""Work orders on a database of their own, an agent and a supervisor in front of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fake_desk import FakeDesk
from tests.unit.web.work_orders.orders_kit import Clerk, add_conversation, clerk_at
from tests.work_order_kit import WEDNESDAY, OrderKit, order_kits, sqlite_in


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[OrderKit]:
    limits = {"evidence_bytes": 20_000, "evidence_files": 3}
    async with order_kits(await sqlite_in(tmp_path), tmp_path, work_orders=limits) as (made,):
        await add_conversation(made)
        yield made


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk(now=WEDNESDAY)


@pytest.fixture
async def wang(desk: FakeDesk, kit: OrderKit) -> AsyncIterator[Clerk]:
    async with clerk_at(desk, kit, "wang") as clerk:
        yield clerk


@pytest.fixture
async def lin(desk: FakeDesk, kit: OrderKit) -> AsyncIterator[Clerk]:
    async with clerk_at(desk, kit, "lin") as clerk:
        yield clerk
