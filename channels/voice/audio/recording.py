"""Both sides of a call, frame by frame, into the recording."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

import structlog

from channels.voice.line import FRAME_BYTES, RecordingSink

log = structlog.get_logger(__name__)

SILENCE: Final = bytes(FRAME_BYTES)
_APART: Final = 15
"""Frames of ours that wait for the caller's (300 ms); more, and the caller's are missing."""
_TAIL: Final = 25
"""Frames after a secret entry that are still left out: the tone of its last key may come late."""
_CLOSE_S: Final = 10.0


class Track:
    """Writes while recording is on and nothing secret is keyed in. A disk that fails ends the recording, not the
    call."""

    def __init__(self, sink: RecordingSink | None) -> None:
        self._sink = sink
        self._on = False
        self._secret = False
        self._tail = 0
        self._runs = False
        self._begun = False

    @property
    def is_secret(self) -> bool:
        return self._secret

    def turn(self, *, on: bool) -> None:
        self._on = on
        self._settle()

    def keep_secret(self, secret: bool) -> None:
        if self._secret and not secret:
            self._tail = _TAIL
        self._secret = secret
        self._settle()

    def frame(self, caller: bytes, ours: deque[bytes]) -> None:
        """``caller``: 20 ms of his; ``ours``: what he has heard of us since, taken out as it is written."""
        if self._tail:
            self._tail -= 1
            self._settle()
        while len(ours) > _APART:
            self._write(SILENCE, ours.popleft())
        self._write(caller.ljust(FRAME_BYTES, b"\0")[:FRAME_BYTES], ours.popleft() if ours else SILENCE)

    async def close(self) -> None:
        """Safe to repeat."""
        sink, self._sink = self._sink, None
        if sink is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_S):
                await sink.close()
        except (OSError, TimeoutError) as error:
            log.error("voice.recording.not_closed", error=type(error).__name__)

    def _settle(self) -> None:
        runs = self._on and not self._secret and not self._tail
        if self._sink is None or runs == self._runs:
            return
        self._runs = runs
        try:
            if not runs:
                self._sink.pause()
            elif self._begun:
                self._sink.resume()
        except OSError as error:
            self._fails(error)
        self._begun = True

    def _write(self, caller: bytes, ours: bytes) -> None:
        if self._sink is None or not self._runs:
            return
        try:
            self._sink.write(caller, ours)
        except OSError as error:
            self._fails(error)

    def _fails(self, error: OSError) -> None:
        log.error("voice.recording.failed", error=type(error).__name__)
        self._runs = self._on = False
