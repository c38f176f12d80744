"""Sounds that are no words, computed: nobody holds a right in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import numpy as np

from channels.voice.line import RATE
from channels.voice.resampling import Samples
from channels.voice.sounding.pcm import to_pcm
from channels.voice.sounding.port import VoiceAway

_RINGBACK_HZ: Final = 450
"""China's (GB/T 3380): one second on, four seconds off."""
_RINGBACK_PEAK: Final = 0.16
_WAITING_PEAK: Final = 0.05
"""Low, so that who speaks is heard over it."""
_NOTE_S: Final = 1.2
_NOTES_HZ: Final = (392.0, 440.0, 523.25, 659.25, 587.33, 523.25, 440.0, 523.25)
"""Five tones, so that no two of them clash where one rings into the next."""


@cache
def sound(name: str) -> bytes:
    """PCM, meant to be played again and again. Raises VoiceAway where there is none of that name."""
    make = _SOUNDS.get(name)
    if make is None:
        raise VoiceAway(f"there is no sound {name}")
    return to_pcm(make())


def _ringing() -> Samples:
    on = _tone(_RINGBACK_HZ, 1.0) * _RINGBACK_PEAK
    ramp = np.minimum(1.0, np.minimum(np.arange(on.size), np.arange(on.size)[::-1]) / (0.01 * RATE))
    return np.concatenate([on * ramp, np.zeros(4 * RATE)])


def _waiting() -> Samples:
    """Notes one after the other, each ringing into the next; then a pause. The last has faded before it begins anew."""
    size = int(_NOTE_S * RATE)
    found = np.zeros(size * (len(_NOTES_HZ) + 3))
    for number, hertz in enumerate(_NOTES_HZ):
        note = _note(hertz, 2.5 * _NOTE_S)
        found[number * size : number * size + note.size] += note
    waiting: Samples = found / np.abs(found).max() * _WAITING_PEAK
    return waiting


def _note(hertz: float, seconds: float) -> Samples:
    t = np.arange(int(seconds * RATE)) / RATE
    shape = np.minimum(1.0, t / 0.03) * np.exp(-t / 0.7) * np.minimum(1.0, (seconds - t) / 0.1)
    sound: Samples = (_tone(hertz, seconds) + 0.25 * _tone(2 * hertz, seconds)) * shape
    return sound


def _tone(hertz: float, seconds: float) -> Samples:
    return np.asarray(np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE), dtype=np.float64)


_SOUNDS: Final[Mapping[str, Callable[[], Samples]]] = {"ringing": _ringing, "waiting": _waiting}
