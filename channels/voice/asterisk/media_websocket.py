"""Sound over chan_websocket: Asterisk connects to us, A-law comes and goes as binary messages, control as text.

Asterisk keeps the time: it takes what it is given at once and plays it frame by frame, and forgets it when told to
(https://docs.asterisk.org/Configuration/Channel-Drivers/WebSocket/).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from channels.voice.asterisk import media_control
from channels.voice.asterisk.media import Ear, Expected, PacedLeg
from channels.voice.asterisk.media_control import Command, Control, Told
from channels.voice.audio import alaw

CLIENT: Final = "hotline_media"
"""The connection's name in websocket_client.conf."""
# Asterisk hangs up after a message of more than 65,500 bytes and tells to stop at 900 frames; we stay far below both.
_AHEAD_S: Final = 0.4
_STEP_S: Final = 0.1
_START_S: Final = 5.0
_CLOSE_S: Final = 1.0
_PING_S: Final = 10.0
_LONGEST_MESSAGE: Final = 65536

log = structlog.get_logger(__name__)


class WebSocketMedia:
    """Implements `MediaServer`."""

    def __init__(self, *, host: str, port: int) -> None:
        """``port`` 0: any free one, see `port` after the start."""
        self.expected = Expected()
        self._host = host
        self.port = port
        self._server: Server | None = None

    def parameters(self, leg_id: str) -> Mapping[str, str]:
        return {
            "external_host": CLIENT,
            "transport": "websocket",
            "encapsulation": "none",
            "connection_type": "client",
            "format": "alaw",
            "transport_data": f"f(json)v(leg={leg_id})",  # not read before 22.8: then the channel's id tells
        }

    async def start(self) -> None:
        self._server = await serve(
            self._serve,
            self._host,
            self.port,
            subprotocols=[Subprotocol("media")],
            compression=None,
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            close_timeout=_CLOSE_S,
            max_size=_LONGEST_MESSAGE,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def close(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, socket: ServerConnection) -> None:
        try:
            start = await _started(socket)
            claimed = start and self.expected.claim(_leg_of(socket, start))
            if not start or not claimed:
                log.warning("asterisk.media.unexpected")
                await socket.close(1008)
                return
            ear, arrival = claimed
            leg = WebSocketLeg(socket, ear, as_json=start.is_json)
            if not arrival.done():
                arrival.set_result(leg)
            await leg.run()
        except ConnectionClosed:
            log.warning("asterisk.media.closed")


class WebSocketLeg(PacedLeg):
    """Implements `MediaLeg`."""

    gone = (ConnectionClosed,)

    def __init__(self, socket: ServerConnection, ear: Ear, *, as_json: bool) -> None:
        super().__init__(ear, ahead_s=_AHEAD_S, step_s=_STEP_S)
        self._socket = socket
        self._as_json = as_json

    async def run(self) -> None:
        """Until the socket closes."""
        async with self._connected():
            async for message in self._socket:
                if isinstance(message, bytes):
                    self._ear.hear(alaw.decode(message))
                else:
                    self._told(media_control.read(message))

    async def flush(self) -> None:
        self._playout.flush()
        self._playout.nothing_ahead()
        await self._command(Command.FLUSH_MEDIA)

    async def close(self) -> None:
        if not self._ended:
            self._ended = True
            await self._command(Command.HANGUP)
            await self._socket.close()

    async def _send(self, pcm: bytes) -> None:
        await self._socket.send(alaw.encode(pcm))

    async def _command(self, command: Command) -> None:
        try:
            await self._socket.send(media_control.write(command, as_json=self._as_json))
        except ConnectionClosed:
            return

    def _told(self, control: Control | None) -> None:
        match control and control.event:
            case Told.MEDIA_XOFF:
                self._playout.hold(held=True)
            case Told.MEDIA_XON:
                self._playout.hold(held=False)
            case Told.QUEUE_DRAINED:
                self._playout.nothing_ahead()
            case Told.ERROR:
                log.warning("asterisk.media.error")


async def _started(socket: ServerConnection) -> Control | None:
    """The first message, which must be `Told.MEDIA_START`. Raises ConnectionClosed."""
    try:
        message = await asyncio.wait_for(socket.recv(), _START_S)
    except TimeoutError:
        return None
    control = media_control.read(message) if isinstance(message, str) else None
    return control if control and control.event == Told.MEDIA_START else None


def _leg_of(socket: ServerConnection, start: Control) -> str:
    query = parse_qs(urlsplit(socket.request.path).query) if socket.request else {}
    return query.get("leg", [""])[0] or start.fields.get("channel_id", "")[-32:]
