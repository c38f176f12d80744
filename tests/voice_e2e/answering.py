"""A switch whose calls a test has in hand."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import SecretStr

from channels.voice.asterisk.switch import AsteriskSwitch
from channels.voice.line import AudioLine, Ended, Frame, Key, LineEvent
from hotline.settings import AsteriskSettings, TelephoneSettings

SIP = f"127.0.0.1:{os.environ.get('ASTERISK_SIP', '15060')}"
RATE = 8000
FIGURES: list[str] = []
"""What was measured, for the end of the run."""


def settings(media: str) -> TelephoneSettings:
    way: Literal["websocket", "audiosocket"] = "audiosocket" if media == "audiosocket" else "websocket"
    return TelephoneSettings(
        line="asterisk",
        asterisk=AsteriskSettings(
            ari_url=f"http://127.0.0.1:{os.environ.get('ASTERISK_ARI', '18088')}/ari",
            ari_password=SecretStr(os.environ.get("ASTERISK_ARI_PASSWORD", "test-ari-password")),
            media=way,
            media_port=int(os.environ.get("ASTERISK_MEDIA", "18004")),
        ),
    )


@dataclass
class Taken:
    """One call as the switch hands it over, with all that has happened on it and when."""

    line: AudioLine
    happened: list[tuple[float, LineEvent]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def keys(self) -> str:
        return "".join(event.key for _, event in self.happened if isinstance(event, Key))

    @property
    def ending(self) -> Ended:
        return next(event for _, event in self.happened if isinstance(event, Ended))

    def heard(self, since: float = 0.0, until: float = float("inf")) -> bytes:
        return b"".join(event.pcm for at, event in self.happened if isinstance(event, Frame) and since <= at < until)

    def times(self, kind: type) -> list[float]:
        return [at for at, event in self.happened if isinstance(event, kind)]

    def count(self, kind: type) -> int:
        return sum(isinstance(event, kind) for _, event in self.happened)

    async def until(self, true: Callable[[Taken], bool], timeout_s: float = 5.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not true(self):  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0.01)


class Answering:
    """The switch and its calls."""

    def __init__(self, media: str) -> None:
        self.media = media
        self.switch = AsteriskSwitch(settings(media), on_call=self._on_call)
        self._calls: asyncio.Queue[Taken] = asyncio.Queue()
        self._running: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def started(cls, media: str) -> AsyncIterator[Answering]:
        answering = cls(media)
        await answering.start()
        try:
            yield answering
        finally:
            await answering.stop()

    async def start(self) -> None:
        self._running = asyncio.create_task(self.switch.run())
        ready = asyncio.create_task(self.switch.ready())
        await asyncio.wait({ready, self._running}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            await self.stop()
            raise AssertionError("no connection to Asterisk")

    async def stop(self) -> None:
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def call(self, timeout_s: float = 5.0) -> Taken:
        return await asyncio.wait_for(self._calls.get(), timeout_s)

    async def _on_call(self, line: AudioLine) -> None:
        taken = Taken(line)
        self._calls.put_nowait(taken)
        async for event in line.events():
            taken.happened.append((time.monotonic(), event))
        taken.ended.set()


def tone(hertz: float, seconds: float, amplitude: float = 8000) -> bytes:
    at = np.arange(int(RATE * seconds)) / RATE
    return bytes((amplitude * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes())


def words(seed: int, seconds: float) -> bytes:
    """Sound that goes up and down as speech does, different for each seed: a tone of its own every 100 ms."""
    random = np.random.default_rng(seed)
    parts = [
        tone(float(random.uniform(300, 3000)), 0.1, float(random.choice([0, 1500, 4000, 9000])))
        for _ in range(int(seconds * 10))
    ]
    return tone(700, 0.1, 9000) + b"".join(parts)


def loudness(pcm: bytes, step_s: float = 0.02) -> NDArray[np.float64]:
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    step = int(RATE * step_s)
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    return np.asarray(np.sqrt((whole**2).mean(axis=1)))


def likeness(said: bytes, heard: bytes) -> float:
    """1.0: what was said is in what was heard, as loud at each moment, wherever it begins."""
    best = 0.0
    for shift in range(0, 320, 40):
        ours, theirs = loudness(said), loudness(heard[shift:])
        for start in range(max(1, len(theirs) - len(ours) + 1)):
            piece = theirs[start : start + len(ours)]
            if len(piece) > len(ours) * 0.9 and piece.std() > 0:
                best = max(best, float(np.corrcoef(ours[: len(piece)], piece)[0, 1]))
    return best


def has_tone(pcm: bytes, hertz: float) -> bool:
    """A tenth or more of the sound's power is at this pitch."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    if not len(samples) or not samples.any():
        return False
    power = np.abs(np.fft.rfft(samples)) ** 2
    pitch = np.fft.rfftfreq(len(samples), 1 / RATE)
    return bool(power[abs(pitch - hertz) < 15].sum() > 0.1 * power.sum())
