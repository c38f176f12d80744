"""The announcements Asterisk plays without us, as sound files: ``python -m channels.voice.asterisk.announcements DIR``.

Read by espeak-ng, for trying out; a centre records them instead.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from channels.voice.sounding import wav
from channels.voice.sounding.espeak import EspeakVoice

_LIMIT_S = 30.0


def wording() -> Mapping[str, str]:
    """Each announcement's words by the name of its file."""
    words = yaml.safe_load(Path(__file__).with_name("wording.yml").read_text(encoding="utf-8"))
    return {str(name): str(text) for name, text in words.items()}


async def write(directory: Path) -> None:
    """Every announcement that is not there yet is there. Raises OSError or VoiceAway."""
    voice = EspeakVoice(limit_s=_LIMIT_S)
    await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
    for name, text in wording().items():
        path = directory / f"{name}.wav"
        if not path.exists():
            await asyncio.to_thread(path.write_bytes, wav.write(await voice.speak(text)))


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
