"""How loud 20 ms are, and how loud our own sound comes back from the caller's end."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final

import numpy as np

_MOST_ECHO: Final = 0.25
"""12 dB below what was played: lines with a louder echo are broken."""
_MARGIN: Final = 1.8
_LEAST: Final = 0.1
_QUIET: Final = 100.0
_RISE: Final = 0.02
"""Of the difference, for each frame: a second until the estimate follows, longer than breaking in takes."""
_FALL: Final = 0.01
_WINDOW: Final = 25
_HELD: Final = 5


def rms(pcm: bytes) -> float:
    """Root mean square of 16-bit samples, 0-32768."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    return float(np.sqrt(np.dot(samples, samples) / samples.size)) if samples.size else 0.0


class Echo:
    """The share of our own sound that comes back, learnt while we speak; at first the worst that a sound line has."""

    def __init__(self) -> None:
        self._share = _MOST_ECHO
        self._recent: deque[float] = deque(maxlen=_WINDOW)

    def floor(self, heard: float, played: float) -> float:
        """What sound must exceed to be the caller's, 0 where the last 100 ms do. ``heard``: the level of 20 ms;
        ``played``: the highest level of ours that may come back now, 0 where we are silent."""
        self._recent.append(heard)
        if played < _QUIET:
            return 0.0
        share = min(max(self._recent) / played, _MOST_ECHO)
        self._share += (share - self._share) * (_RISE if share > self._share else _FALL)
        floor = max(self._share * _MARGIN, _LEAST) * played
        return 0.0 if max(islice(reversed(self._recent), _HELD)) >= floor else floor
