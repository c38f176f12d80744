"""Sound over AudioSocket: Asterisk connects to us by TCP, PCM in small frames, we keep the time.

https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket/
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import structlog

from channels.voice.asterisk.media import Ear, Expected, PacedLeg
from channels.voice.line import FRAME_BYTES

_HEADER: Final = struct.Struct(">BH")
# Two frames: a busy moment of ours is not heard, and a flush leaves 40 ms.
_AHEAD_S: Final = 0.04
_START_S: Final = 5.0
_READ: Final = 4096

log = structlog.get_logger(__name__)


class Kind(IntEnum):
    """What a frame is; kinds above SOUND are sound at rates that are not ours."""

    HANG_UP = 0x00
    ID = 0x01
    KEY = 0x03
    SOUND = 0x10
    ERROR = 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketFrame:
    """``kind`` may be one we do not know."""

    kind: int
    payload: bytes = field(repr=False)


class Frames:
    """Frames out of a stream of bytes, wherever TCP has cut it."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[SocketFrame]:
        """The frames that are complete now."""
        self._rest += data
        while len(self._rest) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._rest)
            end = _HEADER.size + length
            if len(self._rest) < end:
                return
            payload = bytes(self._rest[_HEADER.size : end])
            del self._rest[:end]
            yield SocketFrame(kind=kind, payload=payload)


def pack(kind: Kind, payload: bytes = b"") -> bytes:
    """One frame as it goes over the line; at most 65,535 bytes of payload."""
    return _HEADER.pack(kind, len(payload)) + payload


class AudioSocketMedia:
    """Implements `MediaServer`."""

    def __init__(self, *, host: str, port: int) -> None:
        """``port`` 0: any free one, see `port` after the start."""
        self.expected = Expected()
        self._host = host
        self.port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def parameters(self, leg_id: str) -> Mapping[str, str]:
        return {
            "external_host": f"{self._host}:{self.port}",
            "transport": "tcp",
            "encapsulation": "audiosocket",
            "format": "slin",
            "data": str(uuid.UUID(leg_id)),
        }

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            frames = Frames()
            first = await asyncio.wait_for(_first(reader, frames), _START_S)
            claimed = first and self.expected.claim(first)
            if not claimed:
                log.warning("asterisk.media.unexpected")
                return
            ear, arrival = claimed
            leg = AudioSocketLeg(writer, ear)
            if not arrival.done():
                arrival.set_result(leg)
            await leg.run(reader, frames)
        except (OSError, TimeoutError) as error:
            log.warning("asterisk.media.closed", error=type(error).__name__)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class AudioSocketLeg(PacedLeg):
    """Implements `MediaLeg`. Keys are not read here: ARI tells them, once."""

    def __init__(self, writer: asyncio.StreamWriter, ear: Ear) -> None:
        super().__init__(ear, ahead_s=_AHEAD_S)
        self._writer = writer

    async def run(self, reader: asyncio.StreamReader, frames: Frames) -> None:
        """Until Asterisk hangs up or the connection breaks."""
        async with self._connected():
            await self._read(reader, frames)

    async def flush(self) -> None:
        self._playout.flush()

    async def close(self) -> None:
        if not self._ended:
            self._ended = True
            self._writer.write(pack(Kind.HANG_UP))
            self._writer.close()

    async def _read(self, reader: asyncio.StreamReader, frames: Frames) -> None:
        for frame in frames.feed(b""):
            self._take(frame)
        while not self._ended and (data := await reader.read(_READ)):
            for frame in frames.feed(data):
                if frame.kind == Kind.HANG_UP:
                    return
                self._take(frame)

    def _take(self, frame: SocketFrame) -> None:
        if frame.kind == Kind.SOUND:
            self._ear.hear(frame.payload)
        elif frame.kind == Kind.ERROR:
            log.warning("asterisk.media.error")

    async def _send(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), FRAME_BYTES):
            self._writer.write(pack(Kind.SOUND, pcm[start : start + FRAME_BYTES]))
        await self._writer.drain()


async def _first(reader: asyncio.StreamReader, frames: Frames) -> str | None:
    while data := await reader.read(_READ):
        for frame in frames.feed(data):
            is_id = frame.kind == Kind.ID and len(frame.payload) == 16
            return uuid.UUID(bytes=frame.payload).hex if is_id else None
    return None
