"""A place where calls are recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hotline.services.calls import recorder as recorder_module
from hotline.services.calls.recorder import Recorder
from tests.unit.calls.studio import Studio


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "EVERY_S", 0.02)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "recordings")


@pytest.fixture
async def recorder(studio: Studio) -> AsyncIterator[Recorder]:
    made = studio.recorder()
    yield made
    await made.close()
