"""A voice and a recogniser that are told what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from channels.voice.hearing.port import Recognised, RecogniserAway
from channels.voice.sounding.port import VoiceAway
from tests.telephone import sounds


class FakeVoice:
    """Tenths of a second of a tone for each character; ``failing`` texts and sounds are not to be had."""

    def __init__(self, *, failing: Sequence[str] = (), takes_s: float = 0.05, s_each: float = 0.1) -> None:
        self.failing = failing
        self.takes_s = takes_s
        self.s_each = s_each
        self.asked: list[str] = []

    async def speak(self, text: str) -> bytes:
        self.asked.append(text)
        await asyncio.sleep(self.takes_s)
        if text in self.failing:
            raise VoiceAway
        return sounds.tone(300, self.s_each * len(text), peak=6000)

    async def sound(self, name: str) -> bytes:
        self.asked.append(name)
        if name in self.failing:
            raise VoiceAway
        return sounds.tone(440, 1.0, peak=6000)

    async def close(self) -> None:
        return


class RealVoice(FakeVoice):
    """Reads out by espeak-ng; where that is not installed the test is skipped."""

    def __init__(self) -> None:
        super().__init__()
        sounds.speech("好")

    async def speak(self, text: str) -> bytes:
        return sounds.speech(text)


class FakeRecogniser:
    """Understands ``text`` in everything, ``takes_s`` after it was asked for."""

    def __init__(self, text: str = "怎么提取", *, takes_s: float = 0.2, partials: Sequence[str] = ()) -> None:
        self.text = text
        self.takes_s = takes_s
        self.partials = partials
        self.away = False
        self.hangs = False
        self.hints: Sequence[str] = ()
        self.recognitions: list[FakeRecognition] = []

    async def begin(self, *, hints: Sequence[str]) -> FakeRecognition:
        if self.away:
            raise RecogniserAway
        self.hints = hints
        self.recognitions.append(FakeRecognition(self))
        return self.recognitions[-1]

    async def close(self) -> None:
        return


class FakeRecognition:
    def __init__(self, of: FakeRecogniser) -> None:
        self._of = of
        self._finished = asyncio.Event()
        self.fed = bytearray()
        self.cancelled = False
        self.gave = False

    async def feed(self, pcm: bytes) -> None:
        self.fed += pcm

    async def finish(self) -> None:
        self._finished.set()

    async def cancel(self) -> None:
        self.cancelled = True

    async def results(self) -> AsyncIterator[Recognised]:
        for partial in self._of.partials:
            yield Recognised(text=partial, final=False)
        await self._finished.wait()
        if self._of.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self._of.takes_s)
        self.gave = True
        yield Recognised(text=self._of.text, final=True, confidence=0.8)
