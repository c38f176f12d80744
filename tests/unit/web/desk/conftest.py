"""The desk in memory, an agent and a supervisor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.fake_desk import FakeDesk
from tests.unit.web.desk.desk_kit import Visitor, visiting

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk(now=NOW)


@pytest.fixture
async def wang(desk: FakeDesk) -> AsyncIterator[Visitor]:
    async with visiting(desk, "wang") as visitor:
        yield visitor


@pytest.fixture
async def lin(desk: FakeDesk) -> AsyncIterator[Visitor]:
    async with visiting(desk, "lin") as visitor:
        yield visitor
