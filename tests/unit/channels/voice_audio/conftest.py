"""Time runs as fast as the machine can."""

from __future__ import annotations

from typing import Any

import pytest

from tests.telephone.virtual_time import VirtualTimeLoop


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": VirtualTimeLoop}
