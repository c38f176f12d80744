"""What of ours has gone to the line, and what of it the caller has heard by now."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from channels.voice.audio.level import rms
from channels.voice.line import FRAME_BYTES, FRAME_S, AudioLine

SLICE_FRAMES: Final = 5
_AHEAD_S: Final = 0.4
"""More is never with the line, so that little has to be forgotten when the caller breaks in."""
_STUCK_S: Final = 5.0
_FLUSH_S: Final = 2.0
_ECHO_S: Final = 0.4
"""The echo of what was played comes back within 200 ms; the rest is for buffers that nobody tells of."""
_EARLY_FRAMES: Final = 5
_MOST_UNRECORDED: Final = 250


class Playout:
    """Raises TimeoutError where the line takes nothing for 5 seconds."""

    def __init__(self, line: AudioLine) -> None:
        self._line = line
        self._pending: deque[tuple[bytes, float]] = deque()
        self._levels: deque[tuple[float, float]] = deque()
        self._taken_until = 0.0
        """When all that was written would have been heard if it had been played at once."""
        self.written = 0
        """Frames, from the start of the call."""
        self.heard: deque[bytes] = deque(maxlen=_MOST_UNRECORDED)
        """Frames that were played and are not recorded yet."""

    @property
    def played(self) -> int:
        """Frames, from the start of the call."""
        self.advance()
        return self.written - len(self._pending)

    async def put(self, pcm: bytes) -> None:
        """Returns when the last of it is with the line, up to 0.4 s before it is heard. Filled up to whole frames."""
        size = SLICE_FRAMES * FRAME_BYTES
        for start in range(0, len(pcm), size):
            part = pcm[start : start + size]
            part += bytes(-len(part) % FRAME_BYTES)
            async with asyncio.timeout(_STUCK_S):
                await self._until(_AHEAD_S - len(part) / FRAME_BYTES * FRAME_S)
                await self._line.write(part)
            self._taken_until = max(self._taken_until, _now()) + len(part) / FRAME_BYTES * FRAME_S
            for at in range(0, len(part), FRAME_BYTES):
                frame = part[at : at + FRAME_BYTES]
                self._pending.append((frame, rms(frame)))
                self.written += 1

    async def drain(self) -> None:
        """Returns when everything has been heard."""
        async with asyncio.timeout(_STUCK_S):
            await self._until(0.0)
        self.advance()

    async def flush(self) -> None:
        """What has not been heard yet never will be."""
        self.advance()
        if not self._pending and self._line.buffered_s() <= 0:
            return
        self.written -= len(self._pending)
        self._pending.clear()
        self._taken_until = 0.0
        async with asyncio.timeout(_FLUSH_S):
            await self._line.flush()

    def advance(self) -> None:
        """Takes note of what has been played since."""
        now = _now()
        waiting = self._line.buffered_s() / FRAME_S
        while len(self._pending) > waiting:
            frame, level = self._pending.popleft()
            self.heard.append(frame)
            self._levels.append((now, level))
        while self._levels and self._levels[0][0] < now - _ECHO_S:
            self._levels.popleft()

    def level(self) -> float:
        """The highest root mean square of what may come back as echo now, 0 in silence."""
        played = max((level for _, level in self._levels), default=0.0)
        near = (self._pending[at][1] for at in range(min(_EARLY_FRAMES, len(self._pending))))
        return max(played, max(near, default=0.0))

    async def _until(self, left_s: float) -> None:
        """No more than this is ahead of the caller's ear. The line tells nothing by itself, so it is asked again; a
        line that has died takes everything at once, and gets no more for that."""
        while True:
            beyond = max(self._line.buffered_s(), self._taken_until - _now()) - left_s
            if beyond <= FRAME_S / 2:
                return
            await asyncio.sleep(beyond)


def _now() -> float:
    return asyncio.get_running_loop().time()
