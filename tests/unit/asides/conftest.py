"""One gateway process on an empty database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.asides.kit import Gateway, gateways


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateways(tmp_path) as (gateway,):
        yield gateway
