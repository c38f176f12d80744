"""Sounds that Twilio fetches to play them: 8 kHz, 16 bit, mono, as WAV."""

from __future__ import annotations

import io
import math
import struct
import wave
from functools import cache
from typing import Final

_RATE: Final = 8000
_LOUDNESS: Final = 5000
_NOTES_HZ: Final = (523.25, 659.25, 783.99, 659.25)
_NOTE_S: Final = 0.5
_FADE_S: Final = 0.08
_REST_S: Final = 2.0

NAMES: Final = frozenset({"waiting"})


@cache
def wav(name: str) -> bytes:
    """``waiting``: four soft notes and a rest, for playing again and again. Raises KeyError for another name."""
    if name not in NAMES:
        raise KeyError(name)
    samples = [sample for note in _NOTES_HZ for sample in _note(note)] + [0] * int(_REST_S * _RATE)
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return written.getvalue()


def _note(hertz: float) -> list[int]:
    count, fade = int(_NOTE_S * _RATE), int(_FADE_S * _RATE)
    return [
        int(_LOUDNESS * min(1.0, number / fade, (count - number) / fade) * math.sin(math.tau * hertz * number / _RATE))
        for number in range(count)
    ]
