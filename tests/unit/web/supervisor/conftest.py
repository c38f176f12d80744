"""A supervisor and an agent in front of the pages that look back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.fake_desk import FakeDesk
from tests.unit.web.desk.desk_kit import Visitor
from tests.unit.web.supervisor.quality_kit import Town, looking_back


@pytest.fixture
def town() -> Town:
    return Town(FakeDesk(now=datetime(2026, 11, 25, 9, 0, tzinfo=UTC)))


@pytest.fixture
async def lin(town: Town) -> AsyncIterator[Visitor]:
    async with looking_back(town, "lin") as visitor:
        yield visitor


@pytest.fixture
async def wang(town: Town) -> AsyncIterator[Visitor]:
    async with looking_back(town, "wang") as visitor:
        yield visitor
