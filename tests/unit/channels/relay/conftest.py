"""A relay that is up, or not yet."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from relay_kit import Played


@pytest.fixture
async def call() -> AsyncIterator[Played]:
    """A call with its first socket."""
    played = Played()
    await played.connects()
    yield played
    await played.ends()
