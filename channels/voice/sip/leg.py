"""One call of the SIP library: a caller's, or an agent's telephone that we ring.

The library's events come in the event loop (its own thread hands them over); its sound is fetched and given from there
too, without ever blocking. What it answers once a call is gone is no error here.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from baresip import AudioNotActive, AudioRestarted, BaresipError, Call, Event

from channels.voice.line import FRAME_BYTES, FRAME_S, RATE
from channels.voice.session import HangUp, Transferred

SILENCE: Final = bytes(FRAME_BYTES)
BYTES_PER_S: Final = RATE * 2

_FETCHED: Final = 10 * FRAME_BYTES
_CUSHION: Final = 2 * SILENCE
"""Passed-on sound runs so far behind, so that an uneven beat leaves no hole in it."""
_TOO_LATE: Final = 8 * FRAME_BYTES
"""Passed-on sound that waits longer than this is left out: two clocks are never equal."""
_FLUSHED_LOOKS: Final = 20
_CLOSED_S: Final = 2.0

_KEYS: Final = frozenset("0123456789*#")
_BY_PEER: Final = "Connection reset by peer"
"""What the library calls a BYE."""
_BUSY: Final = frozenset({486, 600, 603})
_NOBODY: Final = frozenset({408, 480, 487})

_NUMBER: Final = re.compile(r"(?:sips?|tel):(\+?[0-9*#]{1,24})(?=[@;>]|$)")


def caller_number(address: str) -> str:
    """The number of a From header's address; empty where it is withheld or is none."""
    found = _NUMBER.match(unquote(address or ""))
    return found[1] if found else ""


class Leg:
    """``answered`` and ``closed`` become true once; ``alive``: the other side has said anything at all."""

    def __init__(self, call: Call) -> None:
        loop = asyncio.get_running_loop()
        self.alive: asyncio.Future[None] = loop.create_future()
        self.answered: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[str] = loop.create_future()
        """Why, in the library's words."""
        self._on_key: Callable[[str], None] | None = None
        self._early_keys = ""
        self._call = call
        self._rest = b""
        call.on(self.happened)

    @property
    def caller(self) -> str:
        return caller_number(self._call.peer)

    def happened(self, event: Any) -> None:
        """An event of the library about this call."""
        match event.event:
            case Event.CALL_RINGING | Event.CALL_PROGRESS:
                _done(self.alive)
            case Event.CALL_ESTABLISHED:
                _done(self.alive)
                _done(self.answered)
            case Event.CALL_DTMF_START if event.text in _KEYS:
                self._pressed(event.text)
            case Event.CALL_CLOSED:
                self.lost(event.text or "")

    def on_key(self, take: Callable[[str], None]) -> None:
        """Also for those that were pressed before anybody wanted to know."""
        self._on_key, early = take, self._early_keys
        for key in early:
            take(key)

    def _pressed(self, key: str) -> None:
        if self._on_key:
            self._on_key(key)
        else:
            self._early_keys += key

    def lost(self, why: str = "") -> None:
        """Nothing more will come of it. Safe to repeat."""
        if not self.closed.done():
            self.closed.set_result(why)

    def how_ended(self) -> HangUp:
        why = self.closed.result() if self.closed.done() else ""
        return HangUp.CALLER if why.startswith(_BY_PEER) else HangUp.LOST

    def why_not_answered(self) -> Transferred:
        """Of a leg that closed before it was answered."""
        status = self.closed.result()[:3] if self.closed.done() else ""
        code = int(status) if status.isdigit() else 0
        if code in _BUSY:
            return Transferred.BUSY
        return Transferred.NO_ANSWER if code in _NOBODY else Transferred.FAILED

    async def answer(self) -> None:
        """Raises BaresipError.

        "With video", which no telephone line offers: answered without, the library takes the missing video for a
        change, negotiates anew after 100 ms, and throws away what has just arrived: sound, and keys.
        """
        await self._call.answer(video=True)

    async def refuse(self) -> None:
        """Busy."""
        with contextlib.suppress(BaresipError):
            await self._call.reject()

    async def hang_up(self) -> None:
        """It is over when this returns, or the library has not managed it in two seconds. Safe to repeat."""
        if self.closed.done():
            return
        with contextlib.suppress(BaresipError):
            await self._call.hangup()
            await asyncio.wait({self.closed}, timeout=_CLOSED_S)
        self.lost()

    def frames(self) -> list[bytes]:
        """The other side's sound that has come since, in frames of 20 ms."""
        pcm = self._rest + self._fetched()
        whole = len(pcm) - len(pcm) % FRAME_BYTES
        self._rest = pcm[whole:]
        return [pcm[at : at + FRAME_BYTES] for at in range(0, whole, FRAME_BYTES)]

    def _fetched(self) -> bytes:
        fetched = b""
        with contextlib.suppress(AudioNotActive, AudioRestarted):
            while len(piece := self._call.audio.read(_FETCHED)) == _FETCHED:
                fetched += piece
            fetched += piece
        return fetched

    def take(self, pcm: bytes | memoryview) -> int:
        """Sound for the other side; how many bytes were taken. Two seconds wait at most."""
        with contextlib.suppress(AudioNotActive, AudioRestarted):
            return int(self._call.audio.write(pcm))
        return 0

    def buffered(self) -> int:
        """Bytes taken and not yet sent."""
        with contextlib.suppress(AudioNotActive, AudioRestarted):
            return int(self._call.audio.info().tx_buffered)
        return 0

    async def flush(self) -> None:
        """Returns when all that was taken is forgotten: until then the library would forget what is new as well."""
        with contextlib.suppress(AudioNotActive, AudioRestarted):
            self._call.audio.flush_tx()
        for _ in range(_FLUSHED_LOOKS):
            if not self.buffered():
                return
            await asyncio.sleep(FRAME_S / 4)

    def pass_on(self, frame: bytes) -> None:
        """20 ms of somebody else's sound, with as little delay as holds."""
        waiting = self.buffered()
        if waiting > _TOO_LATE:
            return
        self.take(frame if waiting else _CUSHION + frame)


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
