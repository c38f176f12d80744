"""The voice of the program espeak-ng: robotic and free, for trying out and where a recording is missing."""

from __future__ import annotations

import asyncio
import shutil
from typing import Final

import structlog

from channels.voice.sounding import pcm, sounds, wav
from channels.voice.sounding.port import VoiceAway

log = structlog.get_logger(__name__)

WORDS_A_MINUTE: Final = 310
"""As espeak-ng counts, which takes syllables of Mandarin for long words: it is about four and a half syllables a
second, as on the telephone."""
_LONGEST: Final = 600
_AT_ONCE: Final = 2


class EspeakVoice:
    """One process for each text; the text goes by its standard input, where no other user of the machine sees it."""

    def __init__(self, *, program: str = "espeak-ng", speed: int = WORDS_A_MINUTE, limit_s: float = 3.0) -> None:
        self._command = (program, "-v", "cmn", "-b", "1", "-s", str(speed), "--stdin", "--stdout")
        self._limit_s = limit_s
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @property
    def made_by(self) -> str:
        """What the sound depends on besides the text."""
        return " ".join(self._command)

    @property
    def is_here(self) -> bool:
        """Whether the program is installed."""
        return shutil.which(self._command[0]) is not None

    async def speak(self, text: str) -> bytes:
        said = text.strip()
        if not any(char.isalnum() for char in said):
            return b""
        if len(said) > _LONGEST:
            raise VoiceAway("the text is too long to be said in one go")
        try:
            async with asyncio.timeout(self._limit_s), self._turns:
                spoken = await self._run(said)
        except TimeoutError as error:
            raise VoiceAway("espeak-ng is too slow") from error
        return await asyncio.to_thread(_fitted, spoken)

    async def sound(self, name: str) -> bytes:
        return await asyncio.to_thread(sounds.sound, name)

    async def close(self) -> None:
        return

    async def _run(self, text: str) -> bytes:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
            )
        except OSError as error:
            raise VoiceAway(f"espeak-ng cannot be started: {type(error).__name__}") from error
        try:
            spoken, _ = await process.communicate(text.encode("utf-8", "ignore"))
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise VoiceAway(f"espeak-ng ended with {process.returncode}")
        return spoken


def _fitted(spoken: bytes) -> bytes:
    try:
        fitted = pcm.fit(wav.read(spoken))
    except ValueError as error:
        raise VoiceAway(f"what espeak-ng gave {error}") from error
    if not fitted:
        raise VoiceAway("espeak-ng gave nothing but silence")
    return fitted
