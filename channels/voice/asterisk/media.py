"""What carries the sound between Asterisk and us, whichever protocol does: legs, and the pace they are fed at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import ClassVar, Final, Protocol

import structlog

from channels.voice.line import FRAME_BYTES, FRAME_S, RATE

log = structlog.get_logger(__name__)

BYTES_PER_S: Final = RATE * 2
_MOST_WAITING: Final = 2 * BYTES_PER_S
_PIECE: Final = 5 * FRAME_BYTES
_CONNECT_S: Final = 5.0


class MediaLeg(Protocol):
    """The sound of one channel, PCM as in `channels.voice.line`. Nothing raises once it has ended."""

    async def write(self, pcm: bytes) -> None: ...

    def buffered_s(self) -> float: ...

    async def flush(self) -> None: ...

    async def close(self) -> None:
        """Asterisk hangs the channel up. Safe to repeat."""
        ...


class Ear(Protocol):
    """Who listens to a leg. Called from the event loop."""

    def hear(self, pcm: bytes) -> None:
        """Sound, any length."""
        ...

    def deaf(self) -> None:
        """The leg has ended, not by us."""
        ...


class Expected:
    """Legs that Asterisk is to connect, by the unguessable id they will name: 32 hexadecimal digits, with which the id
    of their channel ends."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Ear, asyncio.Future[MediaLeg]]] = {}

    def open(self, leg_id: str, ear: Ear) -> asyncio.Future[MediaLeg]:
        """Done when the leg is there."""
        arrival: asyncio.Future[MediaLeg] = asyncio.get_running_loop().create_future()
        self._waiting[leg_id] = (ear, arrival)
        return arrival

    def claim(self, leg_id: str) -> tuple[Ear, asyncio.Future[MediaLeg]] | None:
        """None: nobody waits for it. An id counts once."""
        return self._waiting.pop(leg_id, None)

    def forget(self, leg_id: str) -> None:
        self._waiting.pop(leg_id, None)


class MediaServer(Protocol):
    """Takes the connections that Asterisk makes for its media channels."""

    @property
    def expected(self) -> Expected: ...

    def parameters(self, leg_id: str) -> Mapping[str, str]:
        """What ``/channels/externalMedia`` is asked for."""
        ...

    async def start(self) -> None: ...

    async def close(self) -> None:
        """Every leg has ended."""
        ...


async def arrived(arrival: asyncio.Future[MediaLeg]) -> MediaLeg:
    """The leg. Raises TimeoutError."""
    return await asyncio.wait_for(arrival, _CONNECT_S)


class Playout:
    """Sound that waits for its time: hands on whole frames so that the peer always has up to ``ahead_s`` of them, and
    knows by the clock how much of what it has handed on is still to be heard."""

    def __init__(self, send: Callable[[bytes], Awaitable[None]], *, ahead_s: float, step_s: float = FRAME_S) -> None:
        """``send`` takes whole frames, ``step_s`` of them or more while there is enough; it may raise OSError when the
        peer is gone."""
        self._send = send
        self._ahead_s = ahead_s
        self._step_s = step_s
        self._waiting = bytearray()
        self._played_at = 0.0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._held = False
        self._flushes = 0

    async def write(self, pcm: bytes) -> None:
        """Taken; waits while much else waits. What is flushed meanwhile is not taken any more."""
        flushes = self._flushes
        for start in range(0, len(pcm), _PIECE):
            while len(self._waiting) >= _MOST_WAITING:
                self._room.clear()
                await self._room.wait()
            if flushes != self._flushes:
                return
            self._waiting += pcm[start : start + _PIECE]
            self._changed.set()

    def buffered_s(self) -> float:
        return len(self._waiting) / BYTES_PER_S + self._ahead()

    def flush(self) -> None:
        """What waits is forgotten; what the peer has it must be told to forget."""
        self._flushes += 1
        self._waiting.clear()
        self._room.set()

    def nothing_ahead(self) -> None:
        """The peer has played or forgotten everything it had."""
        self._played_at = 0.0
        self._changed.set()

    def hold(self, *, held: bool) -> None:
        """Nothing is handed on while held."""
        self._held = held
        self._changed.set()

    async def run(self) -> None:
        """For ever, or until ``send`` raises."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._waiting and not self._held:
                await self._hand_on()

    async def _hand_on(self) -> None:
        ahead_s = self._ahead()
        room_s = self._ahead_s - ahead_s
        whole = len(self._waiting) // FRAME_BYTES
        if room_s < self._step_s - 1e-6:
            await self._pause(self._step_s - room_s)
        elif not whole and ahead_s > FRAME_S:
            await self._pause(ahead_s - FRAME_S)  # the rest of a frame may still come
        else:
            await self._hand(min(max(whole, 1), int(room_s / FRAME_S + 1e-6)))

    async def _hand(self, frames: int) -> None:
        sound = bytes(self._waiting[: frames * FRAME_BYTES])
        del self._waiting[: len(sound)]
        self._room.set()
        sound += bytes(-len(sound) % FRAME_BYTES)
        self._played_at = max(self._played_at, self._now()) + len(sound) / BYTES_PER_S
        await self._send(sound)

    async def _pause(self, seconds: float) -> None:
        """So long, or until something changes."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    def _ahead(self) -> float:
        return max(0.0, self._played_at - self._now())

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class PacedLeg:
    """What legs share that keep the time: sound goes out by a `Playout` for as long as the connection lasts."""

    gone: ClassVar[tuple[type[Exception], ...]] = (OSError,)
    """What sending raises when the peer is gone."""

    def __init__(self, ear: Ear, *, ahead_s: float, step_s: float = FRAME_S) -> None:
        self._ear = ear
        self._ended = False
        self._playout = Playout(self._send, ahead_s=ahead_s, step_s=step_s)

    async def write(self, pcm: bytes) -> None:
        if not self._ended:
            await self._playout.write(pcm)

    def buffered_s(self) -> float:
        return 0.0 if self._ended else self._playout.buffered_s()

    async def _send(self, pcm: bytes) -> None:
        raise NotImplementedError

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        """Sound goes out until the end of the block; who listens is told when it ends by itself."""
        pump = asyncio.create_task(self._pump())
        try:
            yield
        except self.gone as error:
            log.warning("asterisk.media.closed", error=type(error).__name__)
        finally:
            pump.cancel()
            self._playout.flush()
            if not self._ended:
                self._ended = True
                self._ear.deaf()

    async def _pump(self) -> None:
        with suppress(*self.gone):
            await self._playout.run()
