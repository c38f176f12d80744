"""One WebSocket of a call: what comes over it is read, what is to be sent goes in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from channels.voice.relay.codec import Fault, Incoming, Malformed, Setup, Unknown, decode

log = structlog.get_logger(__name__)

_SEND_S: Final = 5.0
_BAD_IN_A_ROW: Final = 10

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
BAD_DATA: Final = 1007
POLICY: Final = 1008
BROKEN: Final = 1006


class SocketClosed(Exception):
    """The socket is closed; ``code`` says how (RFC 6455 7.4.1)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class TextSocket(Protocol):
    """A WebSocket that carries text. `receive` and `send` raise SocketClosed; `close` raises nothing and is safe to
    repeat."""

    async def receive(self) -> str: ...

    async def send(self, message: str) -> None: ...

    async def close(self, code: int) -> None: ...


class Link:
    """``received`` is called with every message that is of use, in order."""

    def __init__(self, socket: TextSocket, received: Callable[[Incoming], None]) -> None:
        self._socket = socket
        self._received = received
        self._outgoing: asyncio.Queue[str | int] = asyncio.Queue()

    def send(self, message: str) -> None:
        """Sends it after what was to be sent before."""
        self._outgoing.put_nowait(message)

    def close(self, code: int = NORMAL) -> None:
        """Closes the socket after what was to be sent before."""
        self._outgoing.put_nowait(code)

    async def run(self) -> int:
        """Returns the code with which the socket was closed, by whichever side."""
        writer = asyncio.create_task(self._write(), name="relay-writer")
        reader = asyncio.create_task(self._read(), name="relay-reader")
        try:
            done, _ = await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
            return min(task.result() for task in done)
        finally:
            for task in (writer, reader):
                task.cancel()
            await asyncio.gather(writer, reader, return_exceptions=True)
            await self._socket.close(NORMAL)

    async def _write(self) -> int:
        while True:
            message = await self._outgoing.get()
            if isinstance(message, int):
                await self._socket.close(message)
                return message
            try:
                async with asyncio.timeout(_SEND_S):
                    await self._socket.send(message)
            except SocketClosed as closed:
                return closed.code
            except TimeoutError:
                log.warning("voice.relay.stuck", channel="voice")
                return BROKEN

    async def _read(self) -> int:
        bad = 0
        while True:
            try:
                message = await self._socket.receive()
            except SocketClosed as closed:
                return closed.code
            try:
                self._take(decode(message))
                bad = 0
            except Malformed as error:
                bad += 1
                log.warning("voice.relay.malformed", channel="voice", reason=str(error), count=bad)
                if bad >= _BAD_IN_A_ROW:
                    await self._socket.close(BAD_DATA)
                    return BAD_DATA

    def _take(self, message: Incoming) -> None:
        match message:
            case Unknown():
                log.info("voice.relay.unknown", channel="voice", kind=message.kind)
            case Setup():
                log.warning("voice.relay.second_setup", channel="voice")
            case Fault():
                log.warning("voice.relay.fault", channel="voice", reason=message.summary)
            case _:
                self._received(message)
