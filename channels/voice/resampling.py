"""Sound at another rate, by a polyphase filter: what the new rate cannot carry is taken out, nothing is mirrored.

Numpy alone: scipy.signal does the same and takes seconds to import.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float64]

_REACH: Final = 16
"""So many samples of the slower rate on either side make up a new one: the transition takes 30 % of the band, and what
is beyond it is 80 dB lower."""
_BETA: Final = 8.0
_BLOCK: Final = 16_384


def resampled(samples: Samples, old: int, new: int) -> Samples:
    """``samples`` taken ``old`` times a second as they would be ``new`` times a second; as long in time."""
    common = gcd(old, new)
    up, down = new // common, old // common
    if up == down or not samples.size:
        return samples
    phases = _filter(up, down)
    taps = phases.shape[1]
    padded = np.pad(samples.astype(np.float64, copy=False), (taps // 2, taps))
    windows = np.lib.stride_tricks.sliding_window_view(padded, taps)
    count = -(-samples.size * up // down)
    found = np.empty(count)
    for start in range(0, count, _BLOCK):
        at = np.arange(start, min(start + _BLOCK, count)) * down
        found[start : start + at.size] = np.einsum("nt,nt->n", windows[at // up], phases[at % up])
    return found


@lru_cache(maxsize=8)
def _filter(up: int, down: int) -> Samples:
    """For each of the ``up`` places a new sample can have between two old ones, the weights of the old ones around."""
    wide = max(up, down)
    half = -(-_REACH * wide // up)
    # The old sample number k of a window lies (half - k) old samples before the place.
    distance = (half - np.arange(2 * half + 1))[None, :] * up + np.arange(up)[:, None]
    reach = distance / (_REACH * wide)
    window = np.where(np.abs(reach) <= 1, np.i0(_BETA * np.sqrt(np.clip(1 - reach**2, 0, None))) / np.i0(_BETA), 0.0)
    weights: Samples = np.sinc(distance / wide) * window * (up / wide)
    return weights
