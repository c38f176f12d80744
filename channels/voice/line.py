"""The audio port: a line that carries sound, below `channels.voice.audio.session.AudioSession`.

Sound is PCM, 16-bit little-endian, mono, 8,000 samples a second, in frames of 20 ms (`FRAME_BYTES`), everywhere inside;
a line turns it into A-law where its peer wants that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from channels.voice.session import Call, HangUp, Target, Transferred

RATE: Final = 8000
FRAME_S: Final = 0.02
FRAME_BYTES: Final = 320


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of the caller's sound (while an agent is joined: of both)."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """One key, once per press, however long."""

    key: str


@dataclass(frozen=True, slots=True)
class PeerGone:
    """The agent's telephone has hung up, the caller has not."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event of every line."""

    by: HangUp


LineEvent: TypeAlias = Frame | Key | PeerGone | Ended


class AudioLine(Protocol):
    """One call with its sound, already answered. No method raises once the call has ended."""

    @property
    def call(self) -> Call: ...

    @property
    def can_transfer(self) -> bool: ...

    def events(self) -> AsyncIterator[LineEvent]:
        """Everything that happens, once, in order; ends after `Ended`. A frame comes about every 20 ms."""
        ...

    async def write(self, pcm: bytes) -> None:
        """Sound for the caller, any length; returns when the line has taken it. The line paces it."""
        ...

    def buffered_s(self) -> float:
        """Seconds of sound taken and not yet played to the caller, as well as the line knows."""
        ...

    async def flush(self) -> None:
        """What is taken and not yet played is forgotten: the caller hears nothing more within 100 ms."""
        ...

    async def transfer(self, target: Target, *, whisper: bytes) -> Transferred:
        """As `VoiceSession.transfer`; ``whisper`` is PCM that the agent hears first, empty for none."""
        ...

    async def join_off(self) -> None: ...

    async def hang_up(self) -> None:
        """Ends the call at once."""
        ...


class RecordingSink(Protocol):
    """Where the sound of one call is kept. Called from one event loop; it must not block it."""

    def write(self, caller: bytes, ours: bytes) -> None:
        """20 ms of both sides, PCM frames of equal length."""
        ...

    def pause(self) -> None:
        """What follows is not kept; a mark stands where it was left out."""
        ...

    def resume(self) -> None: ...

    async def close(self) -> None:
        """The recording is complete. Safe to repeat."""
        ...
