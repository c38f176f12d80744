"""A line without a telephone: what the caller says is written down beforehand, what he hears is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from channels.voice.line import FRAME_BYTES, FRAME_S, RATE, Ended, Frame, Key, LineEvent, PeerGone
from channels.voice.session import Call, HangUp, Target, Transferred

_BYTES_PER_S: Final = RATE * 2


class FakeLine:
    """Plays in the loop's time. ``echo``: the share of ours that comes back ``echo_s`` later; ``burst``: so many frames
    come at once, late; ``noise``: the level of the line."""

    can_transfer = True

    def __init__(
        self, call_id: str = "c1", *, echo: float = 0.0, echo_s: float = 0.12, burst: int = 1, noise: float = 3.0
    ) -> None:
        self.call = Call(id=call_id, line="fake")
        self.transfers: list[tuple[Target, bytes]] = []
        self.outcome: asyncio.Future[Transferred] = asyncio.get_running_loop().create_future()
        self.flushed_at: list[float] = []
        self.stuck = False
        self.sends_frames = True
        self._echo, self._echo_s, self._burst = echo, echo_s, burst
        self._noise = np.random.default_rng(7).normal(0.0, noise, RATE * 2)
        self._began = asyncio.get_running_loop().time()
        self._ours = bytearray()
        self._callers = bytearray()
        self._events: asyncio.Queue[LineEvent] = asyncio.Queue()
        self._ended = False

    # --- the caller --------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Seconds since the call began."""
        return asyncio.get_running_loop().time() - self._began

    def caller_says(self, pcm: bytes, *, in_s: float = 0.0) -> float:
        """From now, or a moment later; returns when he will have finished, in seconds of the call."""
        start = _position(self.now + in_s)
        self._callers.extend(bytes(max(start + len(pcm) - len(self._callers), 0)))
        self._callers[start : start + len(pcm)] = pcm
        return (start + len(pcm)) / _BYTES_PER_S

    def caller_presses(self, key: str) -> None:
        self._events.put_nowait(Key(key))

    def ends(self, by: HangUp = HangUp.CALLER) -> None:
        if not self._ended:
            self._ended = True
            self._events.put_nowait(Ended(by))
            if not self.outcome.done():
                self.outcome.set_result(Transferred.CALLER_GONE)

    def agent_hangs_up(self) -> None:
        self._events.put_nowait(PeerGone())

    def heard(self, since: float = 0.0, until: float | None = None) -> bytes:
        """What the caller has heard, in seconds of the call."""
        end = _position(self.now if until is None else until)
        return bytes(self._ours[_position(since) : end])

    def last_heard(self) -> float:
        """When the caller heard the last sound that is not silence."""
        loud = np.flatnonzero(np.frombuffer(self.heard(), dtype="<i2"))
        return float(loud[-1]) / RATE if loud.size else 0.0

    # --- AudioLine ---------------------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[LineEvent]:
        feeding = asyncio.create_task(self._feed())
        try:
            while True:
                event = await self._events.get()
                yield event
                if isinstance(event, Ended):
                    return
        finally:
            feeding.cancel()

    async def write(self, pcm: bytes) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        if self._ended:
            return
        self._ours.extend(bytes(max(_position(self.now) - len(self._ours), 0)))
        self._ours.extend(pcm)

    def buffered_s(self) -> float:
        return 0.0 if self._ended else max(len(self._ours) / _BYTES_PER_S - self.now, 0.0)

    async def flush(self) -> None:
        self.flushed_at.append(self.now)
        del self._ours[_position(self.now) :]

    async def transfer(self, target: Target, *, whisper: bytes) -> Transferred:
        self.transfers.append((target, whisper))
        return await asyncio.shield(self.outcome)

    async def join_off(self) -> None:
        return

    async def hang_up(self) -> None:
        self.ends(HangUp.US)

    # --- frames ------------------------------------------------------------------------------------------------------

    async def _feed(self) -> None:
        number = 0
        while not self._ended:
            await asyncio.sleep(self._began + (number + self._burst) * FRAME_S - asyncio.get_running_loop().time())
            for _ in range(self._burst):
                if self.sends_frames:
                    self._events.put_nowait(Frame(self._frame(number)))
                number += 1

    def _frame(self, number: int) -> bytes:
        start = number * FRAME_BYTES
        noise_at = number * FRAME_BYTES // 2 % (RATE * 2)
        mixed = self._noise[noise_at : noise_at + FRAME_BYTES // 2] + _part(self._callers, start)
        if self._echo:
            mixed = mixed + self._echo * _part(self._ours, start - _position(self._echo_s))
        return bytes(mixed.clip(-32768, 32767).astype("<i2").tobytes())


def _part(of: bytearray, start: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = bytes(of[start : start + FRAME_BYTES]) if start >= 0 else b""
    return np.frombuffer(found.ljust(FRAME_BYTES, b"\0"), dtype="<i2").astype(np.float64)


def _position(seconds: float) -> int:
    return round(seconds / FRAME_S * FRAME_BYTES / 2) * 2
