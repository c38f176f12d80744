"""Prompts a studio has recorded; another voice says what is not recorded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, Protocol

import structlog

from channels.voice.line import RATE
from channels.voice.sounding import pcm, prompts, wav
from channels.voice.sounding.port import Voice

log = structlog.get_logger(__name__)

_MEMORY_BYTES: Final = 64 * 1024 * 1024


class WarmVoice(Voice, Protocol):
    """A voice that can make itself ready."""

    async def warm(self) -> None: ...


class RecordedVoice:
    """Reads the index when it is made; a file that is missing or refused then is said by ``fallback``.

    Recordings are played as they are, but for silence at their ends; each is read from disk once.
    """

    def __init__(self, folder: Path, fallback: WarmVoice) -> None:
        """Raises ConfigError for an index that cannot be used."""
        found = prompts.check(folder)
        for file, reason in found.refused.items():
            log.warning("voice.recording.refused", path=file, reason=reason)
        self._files = {prompts.key(text): path for text, path in found.good.items()}
        self._folder = folder
        self._fallback = fallback
        self._read: dict[Path, bytes] = {}
        self._size = 0

    @property
    def count(self) -> int:
        """How many texts are recorded."""
        return len(self._files)

    async def speak(self, text: str) -> bytes:
        path = self._files.get(prompts.key(text))
        found = await self._recording(path) if path else None
        return found if found is not None else await self._fallback.speak(text)

    async def sound(self, name: str) -> bytes:
        """A recording of that name (``waiting.wav``), else what the other voice has."""
        path = self._folder / f"{name}.wav"
        found = await self._recording(path) if name.isidentifier() and path.exists() else None
        return found if found is not None else await self._fallback.sound(name)

    async def warm(self) -> None:
        for path in self._files.values():
            await self._recording(path)
        await self._fallback.warm()

    async def close(self) -> None:
        await self._fallback.close()

    async def _recording(self, path: Path) -> bytes | None:
        if path in self._read:
            return self._read[path]
        try:
            sound = await asyncio.to_thread(_sound_in, path)
        except (OSError, ValueError) as error:
            log.warning("voice.recording.unreadable", path=path.name, error=type(error).__name__)
            return None
        if self._size + len(sound) <= _MEMORY_BYTES:
            self._read[path] = sound
            self._size += len(sound)
        return sound


def _sound_in(path: Path) -> bytes:
    found = wav.read(path.read_bytes())
    if found.rate != RATE:
        raise ValueError(f"has {found.rate} samples a second")
    return pcm.to_pcm(pcm.trimmed(found.samples))
