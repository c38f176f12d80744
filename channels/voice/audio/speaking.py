"""Our side of the call: words from the voice, one after the other, and music while somebody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from channels.voice.audio.playout import Playout
from channels.voice.line import FRAME_BYTES
from channels.voice.session import Spoken
from channels.voice.sounding.port import Voice, VoiceAway

log = structlog.get_logger(__name__)

_BREATH: Final = bytes(15 * FRAME_BYTES)
_VOICE_S: Final = 10.0


@dataclass(slots=True, kw_only=True)
class _Part:
    """One text and where its sound lies, in frames of the playout."""

    text: str
    start: int = 0
    frames: int = 0

    def heard(self, played: int) -> str:
        if not self.frames:
            return ""
        share = min(max(played - self.start, 0) / self.frames, 1.0)
        return self.text[: int(len(self.text) * share)]


class Words:
    """What one `say` says."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.parts = [_Part(text=text) for text in texts]

    def heard(self, played: int) -> str:
        """By characters, in proportion within each text; a text that the voice failed on was not heard."""
        return "".join(part.heard(played) for part in self.parts)


class Mouth:
    """Says words, then plays music, in one task. ``on_spoken`` is called once for all words; ``on_stuck`` when the line
    takes nothing any more."""

    def __init__(
        self, *, playout: Playout, voice: Voice, on_spoken: Callable[[Spoken], None], on_stuck: Callable[[], None]
    ) -> None:
        self._playout = playout
        self._voice = voice
        self._on_spoken = on_spoken
        self._on_stuck = on_stuck
        self.words: Words | None = None
        """What is being said; None: nothing, though music may play."""
        self._music = ""
        self._task: asyncio.Task[None] | None = None
        self._finished = asyncio.Event()
        self._finished.set()

    def say(self, texts: Sequence[str]) -> None:
        """After `stop`."""
        self.words = Words(texts)
        self._finished.clear()
        self._start()

    def play(self, sound: str) -> None:
        """After the words, for ever; what plays already goes on."""
        self._music = sound
        if self._task is None or self._task.done():
            self._start()

    async def stop(self) -> None:
        """Silence, at once. Raises TimeoutError where the line does not answer."""
        self._music = ""
        await self._cancel()
        await self._playout.flush()

    async def interrupt(self, words: Words) -> None:
        """Ends these words, if they are still being said; music that was to follow them does."""
        if self.words is not words:
            return
        await self._cancel()
        await self._playout.flush()
        if self._music:
            self._start()

    async def finished(self) -> None:
        """Returns when the words are over."""
        await self._finished.wait()

    async def end_music(self, sound: str = "", *, unless: str = "") -> None:
        """The music ends, or only ``sound``, or all but ``unless``; the words do not."""
        if not self._music or (sound and self._music != sound) or self._music == unless:
            return
        self._music = ""
        if self.words is None:
            await self.stop()

    async def close(self) -> None:
        """The line is gone."""
        self._music = ""
        await self._cancel()

    def _start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="voice-mouth")
        self._task.add_done_callback(self._ended)

    async def _cancel(self) -> None:
        if self.words is not None:
            self._over(Spoken(heard=self.words.heard(self._playout.played), whole=False))
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            if self.words is not None:
                await self._speak(self.words)
            while self._music:
                await self._playout.put(await self._sound(self._music))
        except TimeoutError:
            self._on_stuck()

    async def _speak(self, words: Words) -> None:
        sounds = [asyncio.create_task(self._sounded(part.text), name="voice-speak") for part in words.parts]
        try:
            for part, sound in zip(words.parts, sounds, strict=True):
                await self._say_part(words, part, await sound)
            await self._playout.drain()
        finally:
            for sound in sounds:
                sound.cancel()
            await asyncio.gather(*sounds, return_exceptions=True)
        if self.words is words:
            self._over(Spoken(heard=words.heard(self._playout.played), whole=True))

    async def _say_part(self, words: Words, part: _Part, pcm: bytes) -> None:
        if not pcm:
            return
        if any(earlier.frames for earlier in words.parts):
            await self._playout.put(_BREATH)
        part.start, part.frames = self._playout.written, -(-len(pcm) // FRAME_BYTES)
        await self._playout.put(pcm)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Words are over, whatever became of them: nobody waits for ever."""
        if task.cancelled() or task.exception() is None:
            return
        log.error("voice.speech.failed", exc_info=task.exception())
        if self.words is not None and self._task is task:
            self._over(Spoken(heard=self.words.heard(self._playout.played), whole=True))

    def _over(self, spoken: Spoken) -> None:
        self.words = None
        self._finished.set()
        self._on_spoken(spoken)

    async def _sounded(self, text: str) -> bytes:
        """Empty where the voice fails: the next text is said all the same."""
        try:
            async with asyncio.timeout(_VOICE_S):
                return await self._voice.speak(text)
        except (VoiceAway, TimeoutError) as error:
            log.warning("voice.speech.away", error=type(error).__name__)
            return b""

    async def _sound(self, name: str) -> bytes:
        try:
            async with asyncio.timeout(_VOICE_S):
                sound = await self._voice.sound(name)
        except (VoiceAway, TimeoutError) as error:
            log.warning("voice.sound.away", sound=name, error=type(error).__name__)
            sound = b""
        if not sound:
            self._music = ""
        return sound
