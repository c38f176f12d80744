"""The synthesiser's port."""

from __future__ import annotations

from typing import Protocol


class VoiceAway(Exception):
    """The voice cannot be reached or gave nothing usable."""


class Voice(Protocol):
    """Safe for concurrent calls."""

    async def speak(self, text: str) -> bytes:
        """The text read out: PCM, 16 bit, mono, 8 kHz, with no more than 100 ms of silence at both ends. Raises
        VoiceAway, at the latest after a time limit."""
        ...

    async def sound(self, name: str) -> bytes:
        """A named sound (``waiting``, ``ringing``). Raises VoiceAway where there is none of that name."""
        ...

    async def close(self) -> None: ...
