"""A gateway that can be called, and somebody who calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.web.keypad_kit import Caller, Line, a_line


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    async with a_line(tmp_path, codes_per_minute=5) as made:
        yield made


@pytest.fixture
def caller(line: Line) -> Caller:
    return Caller(line)
