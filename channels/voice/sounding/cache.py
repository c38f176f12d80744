"""What was said once is not rendered again."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import structlog

from channels.voice.sounding import pcm, wav
from channels.voice.sounding.port import Voice, VoiceAway

log = structlog.get_logger(__name__)

_MEMORY_BYTES: Final = 48 * 1024 * 1024
"""Fifty minutes of sound."""
_KEPT_S: Final = 300.0
"""Texts that are not fixed may be about a person: they are not kept for long, and never on disk."""


class MadeVoice(Voice, Protocol):
    """A voice of which is known what its sound depends on."""

    @property
    def made_by(self) -> str: ...


class CachedVoice:
    """Keeps the sound of a voice in memory, and that of ``fixed`` texts in ``folder``, which is its own.

    A text that several callers need at once is rendered once.
    """

    def __init__(
        self,
        voice: MadeVoice,
        *,
        fixed: Collection[str] = (),
        folder: Path | None = None,
        memory_bytes: int = _MEMORY_BYTES,
        kept_s: float = _KEPT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._voice = voice
        self._fixed = frozenset(fixed)
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._kept_s = kept_s
        self._clock = clock
        self._sounds: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._size = 0
        self._rendering: dict[str, asyncio.Task[bytes]] = {}

    @property
    def made_by(self) -> str:
        return self._voice.made_by

    async def speak(self, text: str) -> bytes:
        kept = self._kept(text)
        if kept is not None:
            return kept
        task = self._rendering.get(text)
        if task is None:
            task = self._rendering[text] = asyncio.create_task(self._render(text), name="voice-render")
            task.add_done_callback(lambda done: self._rendered(text, done))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise VoiceAway("the voice is being closed") from None
            raise

    async def sound(self, name: str) -> bytes:
        return await self._voice.sound(name)

    async def warm(self) -> None:
        """The fixed texts are ready, so far as the voice can say them; files of texts that are fixed no more are
        gone. Safe to repeat."""
        if self._folder is not None:
            names = {self._name(text) for text in self._fixed}
            await asyncio.to_thread(_leave_only, self._folder, names)
        failed = 0
        for text in sorted(self._fixed):
            try:
                await self.speak(text)
            except VoiceAway:
                failed += 1
        if failed:
            log.warning("voice.warm.incomplete", failures=failed, count=len(self._fixed))

    async def close(self) -> None:
        tasks = tuple(self._rendering.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._voice.close()

    async def _render(self, text: str) -> bytes:
        path = self._folder / self._name(text) if self._folder is not None and text in self._fixed else None
        found = await asyncio.to_thread(_read, path) if path else None
        if found is None:
            found = await self._voice.speak(text)
            if path:
                await asyncio.to_thread(_write, path, found)
        self._keep(text, found)
        return found

    def _rendered(self, text: str, task: asyncio.Task[bytes]) -> None:
        self._rendering.pop(text, None)
        if not task.cancelled():
            task.exception()  # whoever waits raises it; nobody may wait any more

    def _name(self, text: str) -> str:
        return hashlib.sha256(f"{self._voice.made_by}\n{text}".encode()).hexdigest()[:32] + ".wav"

    def _kept(self, text: str) -> bytes | None:
        self._forget_old()
        found = self._sounds.get(text)
        if found is None:
            return None
        self._sounds.move_to_end(text)
        return found[0]

    def _keep(self, text: str, sound: bytes) -> None:
        until = float("inf") if text in self._fixed else self._clock() + self._kept_s
        self._drop(text)
        self._sounds[text] = (sound, until)
        self._size += len(sound)
        while self._size > self._memory_bytes:
            self._drop(next(iter(self._sounds)))

    def _forget_old(self) -> None:
        now = self._clock()
        for text in [text for text, (_, until) in self._sounds.items() if until <= now]:
            self._drop(text)

    def _drop(self, text: str) -> None:
        found = self._sounds.pop(text, None)
        if found is not None:
            self._size -= len(found[0])


def _read(path: Path) -> bytes | None:
    """None where the file is missing or broken."""
    try:
        return pcm.to_pcm(wav.read(path.read_bytes()).samples)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("voice.cache.unreadable", error=type(error).__name__)
        return None


def _write(path: Path, sound: bytes) -> None:
    """Whole or not at all. A disk that takes nothing costs time later, no more."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(wav.write(sound))
        part.replace(path)
    except OSError as error:
        log.warning("voice.cache.unwritable", error=type(error).__name__)
        with suppress(OSError):
            part.unlink()


def _leave_only(folder: Path, names: Collection[str]) -> None:
    for path in folder.glob("*.wav"):
        if path.name not in names:
            with suppress(OSError):
                path.unlink()
