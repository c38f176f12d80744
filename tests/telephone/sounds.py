"""Sound for tests, and what was heard compared with what was said. PCM, 8 kHz, 16 bit, mono, everywhere."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

RATE = 8000
WINDOW = RATE // 20
BLOCK = RATE // 5
DRIFT = RATE // 12
"""So many samples a block of sound may be earlier or later than the one before would have it."""

Samples = NDArray[np.float64]


def samples(pcm: bytes) -> Samples:
    return np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2").astype(np.float64)


def pcm(of: Samples) -> bytes:
    return bytes(of.round().clip(-32768, 32767).astype("<i2").tobytes())


def tone(hz: float, seconds: float, *, peak: int = 8000) -> bytes:
    return pcm(peak * np.sin(2 * np.pi * hz * np.arange(int(RATE * seconds)) / RATE))


def noise(seconds: float, *, peak: int = 4000, seed: int = 1) -> bytes:
    return pcm(np.random.default_rng(seed).uniform(-peak, peak, int(RATE * seconds)))


def silence(seconds: float) -> bytes:
    return bytes(2 * int(RATE * seconds))


@cache
def speech(text: str, *, voice: str = "cmn", speed: int = 160) -> bytes:
    """The text read out by espeak-ng; where that is not installed the test is skipped."""
    if not shutil.which("espeak-ng"):
        pytest.skip("espeak-ng is not installed")
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text]
    with wave.open(io.BytesIO(_whole_header(subprocess.run(command, check=True, capture_output=True).stdout))) as file:
        spoken = samples(file.readframes(file.getnframes()))
        return pcm(_resampled(spoken, file.getframerate()))


def _resampled(sound: Samples, rate: int) -> Samples:
    """At `RATE`: what is above half of it in the spectrum is cut off."""
    size = sound.size * RATE // rate
    return np.fft.irfft(np.fft.rfft(sound)[: size // 2 + 1], size) * size / sound.size


def _whole_header(wav: bytes) -> bytes:
    """espeak-ng writes to a pipe without knowing the length."""
    return wav[:4] + (len(wav) - 8).to_bytes(4, "little") + wav[8:40] + (len(wav) - 44).to_bytes(4, "little") + wav[44:]


def from_wav(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (RATE, 2, 1)
        return file.readframes(file.getnframes())


def loudness(sound: bytes) -> float:
    """Root mean square; 0.0 of nothing."""
    heard = samples(sound)
    return float(np.sqrt(np.mean(heard**2))) if heard.size else 0.0


def profile(sound: bytes, *, step_s: float = 0.1) -> list[float]:
    """Loudness step by step."""
    step = 2 * int(RATE * step_s)
    return [loudness(sound[at : at + step]) for at in range(0, len(sound), step)]


def tone_share(sound: bytes, hz: float) -> float:
    """How much of the sound's power is this tone (Goertzel): 1.0 a pure one, 0.0 without or in silence.

    By 50 ms, since the tone starts anew after a lost packet; tones closer than 20 Hz are one.
    """
    heard = samples(sound)
    heard = heard[: heard.size // WINDOW * WINDOW].reshape(-1, WINDOW)
    power = float(np.sum(heard**2))
    if power == 0.0:
        return 0.0
    turns = np.exp(-2j * np.pi * hz / RATE * np.arange(WINDOW))
    return float(2 * np.sum(np.abs(heard @ turns) ** 2) / (WINDOW * power))


def sounds_like(heard: bytes, expected: bytes) -> float:
    """How much of ``expected`` is in ``heard``, anywhere in it: 1.0 all, sample by sample; other speech at most 0.3.

    Block by block (200 ms), since a packet lost or repeated shifts all that follows. Loud blocks count for more.
    """
    listened, wanted = samples(heard), samples(expected)
    if not listened.any() or not wanted.any():
        return 0.0
    fit = _products(np.pad(listened, (wanted.size - 1, 0)), wanted)
    at = int(np.argmax(fit)) - (wanted.size - 1)
    fits, weights = [], []
    for start in range(0, wanted.size - BLOCK + 1, BLOCK):
        block = wanted[start : start + BLOCK]
        fit, shift = _best(listened, block, at + start)
        at += shift if fit > 0.5 else 0
        fits.append(fit)
        weights.append(float(np.sum(block**2)))
    return float(np.average(fits, weights=weights)) if sum(weights) else 0.0


def _best(listened: Samples, block: Samples, at: int) -> tuple[float, int]:
    """The best fit of a block within `DRIFT` of ``at``, and by how much it is off."""
    start = at - DRIFT
    window = listened[max(0, start) : max(0, at + block.size + DRIFT)]
    if window.size < block.size or not block.any():
        return 0.0, 0
    products = _products(window, block)[: window.size - block.size + 1]
    powers = np.convolve(window**2, np.ones(block.size), mode="valid")
    fits = products / np.sqrt(np.maximum(powers, 1.0) * np.sum(block**2))
    best = int(np.argmax(fits))
    return float(max(0.0, fits[best])), best + max(0, start) - at


def _products(long: Samples, short: Samples) -> Samples:
    """The sum of products with ``short`` laid at every place of ``long``, over its end too."""
    size = long.size + short.size
    return np.fft.irfft(np.fft.rfft(long, size) * np.conj(np.fft.rfft(short, size)), size)[: long.size]
