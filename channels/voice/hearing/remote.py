"""A recogniser in another process, ours or a vendor's, by the protocol of `channels.voice.hearing.protocol`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from itertools import count
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.protocol import State

from channels.voice.hearing.port import Recognised, RecogniserAway
from channels.voice.hearing.protocol import (
    MOST_HINTS,
    MOST_MESSAGE_BYTES,
    BadFrame,
    Begin,
    Cancel,
    Failed,
    Finish,
    from_server,
    headers,
    written,
)

_IDLE_KEPT: Final = 16
_UTTERANCE_S: Final = 60.0
"""From beginning to finishing; a caller is interrupted long before."""
_PIECE: Final = MOST_MESSAGE_BYTES // 2
_CLOSE_S: Final = 1.0


class RemoteRecogniser:
    """Connections are kept for the next utterance, each is one utterance's at a time."""

    def __init__(
        self, url: str, token: str = "", *, connect_s: float = 1.0, send_s: float = 1.0, finish_s: float = 5.0
    ) -> None:
        """``finish_s``: for the final result, from `finish` on."""
        self._url = url
        self._headers = headers(token)
        self._connect_s = connect_s
        self._send_s = send_s
        self._finish_s = finish_s
        self._idle: list[ClientConnection] = []
        self._used: set[ClientConnection] = set()
        self._numbers = count(1)
        self._closed = False

    async def begin(self, *, hints: Sequence[str]) -> RemoteRecognition:
        frame = Begin(utterance=next(self._numbers), hints=tuple(hint[:40] for hint in hints[:MOST_HINTS]))
        while (kept := self._kept()) is not None:
            try:
                return await self._begun(kept, frame)
            except RecogniserAway:
                continue  # it broke while nobody used it
        return await self._begun(await self._connected(), frame)

    async def close(self) -> None:
        self._closed = True
        connections = [*self._idle, *self._used]
        self._idle.clear()
        await asyncio.gather(*(_shut(each) for each in connections))

    def _kept(self) -> ClientConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.state is State.OPEN:
                return connection
        return None

    async def _connected(self) -> ClientConnection:
        if self._closed:
            raise RecogniserAway("the recogniser is closed")
        try:
            async with asyncio.timeout(self._connect_s):
                return await connect(
                    self._url,
                    additional_headers=self._headers,
                    compression=None,
                    proxy=None,
                    max_size=MOST_MESSAGE_BYTES,
                    close_timeout=_CLOSE_S,
                )
        except TimeoutError as error:
            raise RecogniserAway("the recogniser does not answer") from error
        except (OSError, InvalidHandshake, InvalidURI, EOFError) as error:
            raise RecogniserAway(f"the recogniser cannot be reached: {type(error).__name__}") from error

    async def _begun(self, connection: ClientConnection, frame: Begin) -> RemoteRecognition:
        self._used.add(connection)
        recognition = RemoteRecognition(self, connection, frame.utterance, send_s=self._send_s, finish_s=self._finish_s)
        try:
            await recognition.send(written(frame))
        except BaseException:
            await self.give_back(connection, sound=False)
            raise
        return recognition

    async def give_back(self, connection: ClientConnection, *, sound: bool) -> None:
        """The utterance is over; ``sound``: nothing of it is left on the way."""
        self._used.discard(connection)
        usable = sound and not self._closed and connection.state is State.OPEN
        if usable and len(self._idle) < _IDLE_KEPT:
            self._idle.append(connection)
        else:
            await _shut(connection)


class RemoteRecognition:
    """One utterance on one connection."""

    def __init__(
        self,
        owner: RemoteRecogniser,
        connection: ClientConnection,
        number: int,
        *,
        send_s: float,
        finish_s: float,
    ) -> None:
        self._owner = owner
        self._connection: ClientConnection | None = connection
        self._number = number
        self._send_s = send_s
        self._finish_s = finish_s
        self._due = asyncio.get_running_loop().time() + _UTTERANCE_S
        self._limit: asyncio.Timeout | None = None
        self._finished = False
        self._reading = False

    async def feed(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), _PIECE):
            await self.send(pcm[start : start + _PIECE])

    async def finish(self) -> None:
        if self._finished:
            return
        self._finished = True
        self._due = asyncio.get_running_loop().time() + self._finish_s
        if self._limit is not None:
            with suppress(RuntimeError):  # it has just expired
                self._limit.reschedule(self._due)
        await self.send(written(Finish(utterance=self._number)))

    async def cancel(self) -> None:
        if self._connection is None:
            return
        with suppress(RecogniserAway):
            await self.send(written(Cancel(utterance=self._number)))
        await self._over(sound=not self._reading)

    async def results(self) -> AsyncIterator[Recognised]:
        while self._connection is not None:
            try:
                found = await self._next(self._connection)
            except RecogniserAway:
                await self._over(sound=False)
                raise
            if found is not None and found.final:
                await self._over(sound=True)
            if found is not None:
                yield found

    async def send(self, message: str | bytes) -> None:
        """Nothing happens once the utterance is over. Raises RecogniserAway."""
        if self._connection is None:
            return
        try:
            async with asyncio.timeout(self._send_s):
                await self._connection.send(message)
        except TimeoutError as error:
            raise RecogniserAway("the recogniser takes no sound") from error
        except ConnectionClosed as error:
            raise RecogniserAway("the connection to the recogniser broke") from error

    async def _next(self, connection: ClientConnection) -> Recognised | None:
        """None for what is about an earlier utterance."""
        self._reading = True
        try:
            async with asyncio.timeout_at(self._due) as self._limit:
                message = await connection.recv()
        except TimeoutError as error:
            raise RecogniserAway("the recogniser is too slow") from error
        except ConnectionClosed as error:
            raise RecogniserAway("the connection to the recogniser broke") from error
        finally:
            self._reading, self._limit = False, None
        return self._understood(message)

    def _understood(self, message: str | bytes) -> Recognised | None:
        if isinstance(message, bytes):
            raise RecogniserAway("the recogniser sent sound")
        try:
            frame = from_server(message)
        except BadFrame as error:
            raise RecogniserAway("the recogniser sent what cannot be read") from error
        if frame.utterance != self._number:
            return None
        if isinstance(frame, Failed):
            raise RecogniserAway(f"the recogniser gave up: {frame.reason}")
        return Recognised(text=frame.text.strip(), final=frame.final, confidence=frame.confidence)

    async def _over(self, *, sound: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._owner.give_back(connection, sound=sound)


async def _shut(connection: ClientConnection) -> None:
    """Closed, if need be without the peer."""
    try:
        async with asyncio.timeout(_CLOSE_S):
            await connection.close()
    except TimeoutError:
        connection.transport.abort()
