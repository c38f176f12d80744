"""At the counter it is always the same moment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from tests.own_kit import NOW


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW):
        yield
