"""Sound as voices make it, made fit for the telephone: PCM, 16 bit, mono, 8 kHz. Samples are from -1 to 1."""

from __future__ import annotations

from typing import Final

import numpy as np

from channels.voice.line import RATE
from channels.voice.resampling import Samples, resampled
from channels.voice.sounding.wav import Wav

KEPT_SILENCE_S: Final = 0.06
"""At both ends: a breath, and no word is cut."""
_WINDOW_S: Final = 0.01
_SILENT_DB: Final = -45.0
"""Below the loudest window, a window is silence."""
_LEVEL_DBFS: Final = -20.0
"""Of what is not silence; what telephone speech usually has (ITU-T P.56)."""
_CEILING: Final = 0.85
_FADE_S: Final = 0.005


def fit(wav: Wav) -> bytes:
    """The sound at 8 kHz and at the telephone's level, with little silence at both ends; empty where it is silent."""
    return to_pcm(levelled(trimmed(resampled(wav.samples, wav.rate, RATE))))


def trimmed(samples: Samples) -> Samples:
    """With at most `KEPT_SILENCE_S` of silence at both ends, faded so that nothing clicks."""
    size = int(RATE * _WINDOW_S)
    levels = _levels(samples, size)
    if not levels.size or levels.max() <= 0:
        return samples[:0]
    loud = np.flatnonzero(levels > levels.max() * 10 ** (_SILENT_DB / 20))
    kept = int(KEPT_SILENCE_S / _WINDOW_S)
    start, end = max(0, loud[0] - kept) * size, (loud[-1] + 1 + kept) * size
    return _faded(samples[start:end].copy())


def levelled(samples: Samples) -> Samples:
    """As loud as speech on the telephone is, and nowhere clipped."""
    levels = _levels(samples, int(RATE * _WINDOW_S))
    if not levels.size or levels.max() <= 0:
        return samples
    speech = levels[levels > levels.max() * 10 ** (_SILENT_DB / 20)]
    gain = 10 ** (_LEVEL_DBFS / 20) / float(np.sqrt(np.mean(speech**2)))
    return samples * min(gain, _CEILING / float(np.abs(samples).max()))


def to_pcm(samples: Samples) -> bytes:
    return np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def from_pcm(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, dtype="<i2").astype(np.float64) / 32768


def _levels(samples: Samples, size: int) -> Samples:
    """The effective value of each window."""
    whole = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)
    return np.asarray(np.sqrt(np.mean(whole**2, axis=1)), dtype=np.float64)


def _faded(samples: Samples) -> Samples:
    size = min(int(RATE * _FADE_S), len(samples) // 2)
    ramp = np.linspace(0.0, 1.0, size, endpoint=False)
    samples[:size] *= ramp
    samples[len(samples) - size :] *= ramp[::-1]
    return samples
