"""WAV files (RIFF): read whatever a voice or a studio gives, written as the telephone wants it."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from channels.voice.audio import alaw
from channels.voice.line import RATE

Encoding = Literal["pcm16", "alaw"]

_ENCODINGS: Final[dict[tuple[int, int], Encoding]] = {(1, 16): "pcm16", (6, 8): "alaw"}
_EXTENSIBLE: Final = 0xFFFE
_CHUNK: Final = struct.Struct("<4sI")
_FORMAT: Final = struct.Struct("<HHIIHH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wav:
    """``samples`` from -1 to 1, of one channel."""

    rate: int
    encoding: Encoding
    samples: NDArray[np.float64]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def read(data: bytes) -> Wav:
    """The sound in ``data``. Raises ValueError, which says what is wrong with it."""
    form, sound = None, None
    for name, body in _chunks(data):
        if name == b"fmt ":
            form = body
        elif name == b"data":
            sound = body
            break
    if form is None or sound is None or len(form) < _FORMAT.size:
        raise ValueError("is no WAV file")
    tag, channels, rate, _, _, bits = _FORMAT.unpack_from(form)
    if tag == _EXTENSIBLE and len(form) >= 26:
        tag = int.from_bytes(form[24:26], "little")
    encoding = _ENCODINGS.get((tag, bits))
    if encoding is None:
        raise ValueError(f"has format {tag} with {bits} bits; 16-bit PCM or A-law is needed")
    if channels != 1:
        raise ValueError(f"has {channels} channels; one is needed")
    if not 4000 <= rate <= 192_000:
        raise ValueError(f"has {rate} samples a second")
    pcm = alaw.decode(sound) if encoding == "alaw" else sound[: len(sound) // 2 * 2]
    return Wav(rate=rate, encoding=encoding, samples=np.frombuffer(pcm, dtype="<i2").astype(np.float64) / 32768)


def write(pcm: bytes) -> bytes:
    """A file of 16-bit mono sound at 8 kHz."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)
    return out.getvalue()


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content. A length beyond the end, as programs write to a pipe, means all that follows."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("is no WAV file")
    at = 12
    while at + _CHUNK.size <= len(data):
        name, size = _CHUNK.unpack_from(data, at)
        at += _CHUNK.size
        yield name, data[at : at + size]
        at += size + size % 2
