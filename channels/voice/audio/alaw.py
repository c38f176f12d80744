"""G.711 A-law (ITU-T G.711), by table: the standard library's module is gone with Python 3.13."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

SILENCE = b"\xd5"
"""One sample of nothing."""


def decode(alaw: bytes) -> bytes:
    """16-bit little-endian PCM, two bytes for each of ``alaw``."""
    return _linear()[np.frombuffer(alaw, dtype=np.uint8)].tobytes()


def encode(pcm: bytes) -> bytes:
    """A-law, one byte for each 16-bit little-endian sample."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.int32) + 32768
    return _companded()[samples].tobytes()


@cache
def _linear() -> NDArray[np.int16]:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code & 0x70) >> 4, code & 0x0F
    magnitude = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype("<i2")


@cache
def _companded() -> NDArray[np.uint8]:
    """The nearest of the 256 values for each 16-bit sample, by its number from -32768 up."""
    values = _linear().astype(np.int32)
    order = np.argsort(values)
    samples = np.arange(-32768, 32768, dtype=np.int32)
    edges = (values[order][1:] + values[order][:-1]) / 2
    return order[np.searchsorted(edges, samples, side="right")].astype(np.uint8)
