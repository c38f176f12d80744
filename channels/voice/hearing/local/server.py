"""The recogniser's WebSocket server, and its health on the same port."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final, Literal

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from channels.voice.hearing.local.whisper import LONGEST_S
from channels.voice.hearing.local.work import Busy, Work
from channels.voice.hearing.protocol import (
    MOST_MESSAGE_BYTES,
    BadFrame,
    Begin,
    Cancel,
    Failed,
    Finish,
    FromServer,
    Result,
    from_client,
    headers,
    written,
)
from channels.voice.line import RATE

log = structlog.get_logger(__name__)

MOST_BYTES: Final = int(LONGEST_S * RATE) * 2
"""Of one utterance; what comes after it is not listened to."""
_MOST_CONNECTIONS: Final = 256
_CLOSE_S: Final = 2.0


class RecogniserServer:
    """``token``: what clients must show; empty: nothing."""

    def __init__(self, work: Work, *, token: str = "") -> None:
        self._work = work
        self._authorization = headers(token).get("Authorization", "")
        self._connections = 0

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[Server]:
        """Open connections are closed at the end."""
        async with serve(
            self._serve,
            host,
            port,
            process_request=self._admit,
            compression=None,
            max_size=MOST_MESSAGE_BYTES,
            close_timeout=_CLOSE_S,
            logger=_quiet(),
        ) as server:
            yield server

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """None: go on with the handshake."""
        if request.path == "/health":
            return connection.respond(HTTPStatus.OK, f"{self._work.under_way}\n")
        shown = request.headers.get("Authorization", "")
        if self._authorization and not hmac.compare_digest(shown.encode(), self._authorization.encode()):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "a token is needed\n")
        if self._connections >= _MOST_CONNECTIONS:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections\n")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        self._connections += 1
        talk = _Talk(connection, self._work)
        try:
            async for message in connection:
                await talk.take(message)
        except ConnectionClosed:
            log.info("hearing.connection.broke")
        finally:
            self._connections -= 1
            await talk.drop()


class _Talk:
    """One connection: one utterance after the other."""

    def __init__(self, connection: ServerConnection, work: Work) -> None:
        self._connection = connection
        self._work = work
        self._begun: Begin | None = None
        self._sound = bytearray()
        self._task: asyncio.Task[None] | None = None

    async def take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            if self._begun is not None:
                self._sound += message[: MOST_BYTES - len(self._sound)]
            return
        try:
            frame = from_client(message)
        except BadFrame as error:
            log.warning("hearing.frame.refused", reason=str(error))
            await self._refuse(self._begun.utterance if self._begun else 0, "protocol")
            await self.drop()
            return
        if isinstance(frame, Begin):
            await self.drop()
            self._begun = frame
        elif isinstance(frame, Finish):
            self._finish(frame)
        elif isinstance(frame, Cancel) and self._is_of(frame.utterance):
            await self.drop()

    def _is_of(self, utterance: int) -> bool:
        return self._begun is not None and self._begun.utterance == utterance

    def _finish(self, frame: Finish) -> None:
        if self._is_of(frame.utterance) and self._task is None and self._begun is not None:
            self._task = asyncio.create_task(self._recognise(self._begun, bytes(self._sound)), name="hearing")

    async def drop(self) -> None:
        """Nothing is expected of the utterance any more."""
        self._begun = None
        self._sound.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _recognise(self, begun: Begin, sound: bytes) -> None:
        try:
            heard = await self._work.recognise(sound, begun.hints)
        except Busy:
            log.warning("hearing.busy", count=self._work.under_way)
            await self._refuse(begun.utterance, "busy")
        except Exception:
            log.exception("hearing.failed")
            await self._refuse(begun.utterance, "failed")
        else:
            found = Result(utterance=begun.utterance, text=heard.text, final=True, confidence=heard.confidence)
            await self._send(found)

    async def _refuse(self, utterance: int, reason: Literal["busy", "failed", "protocol"]) -> None:
        await self._send(Failed(utterance=utterance, reason=reason))

    async def _send(self, frame: FromServer) -> None:
        with suppress(ConnectionClosed):
            await self._connection.send(written(frame))


def _quiet() -> logging.Logger:
    """Health checks and clients that leave are no news."""
    logger = logging.getLogger("hearing.websockets")
    logger.setLevel(logging.CRITICAL)
    return logger
