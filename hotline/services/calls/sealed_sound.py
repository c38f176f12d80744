"""Recordings as files: two-channel A-law at 8 kHz, sealed piece by piece, so that a file broken off anywhere can be
read up to its last whole piece.

A file is `MAGIC` and then pieces: one byte that says what it is, four bytes (big-endian) with the length of what
follows, and that sealed by AES-256-GCM. A piece's nonce is its number (each file has a key of its own), and it is bound
to its kind and to the recording: pieces changed, moved, left out or of another file are noticed. What is missing at the
end is noticed where the file has been finished.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hotline.call_store import Gap
from hotline.errors import HotlineError

RATE: Final = 8000
CHANNELS: Final = 2
KEY_BYTES: Final = 32
GAP_S: Final = 0.2
"""So much silence stands where something was left out."""
MAGIC: Final = b"GJJCALL1"
FINISHED, UNFINISHED = ".rec", ".part"
_SILENCE: Final = b"\xd5" * (round(GAP_S * RATE) * CHANNELS)
_SOUND, _GAP, _END = b"S", b"G", b"E"
_HEAD_BYTES: Final = 5
_LONGEST_PIECE: Final = 16 * 1024 * 1024


class Damaged(HotlineError):
    """The file is not what was written: changed, cut off, or read with another key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a file holds. ``samples`` of each channel."""

    samples: int
    gaps: Sequence[Gap]
    finished: bool

    @property
    def seconds(self) -> float:
        return self.samples / RATE


class SealedWriter:
    """One recording being written. Every method may raise OSError; nothing must be written after that."""

    def __init__(self, folder: Path, recording_id: str, key: bytes) -> None:
        """Makes the file, readable by this user alone. Raises FileExistsError where somebody else writes it."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"{recording_id}{UNFINISHED}"
        self._id = recording_id.encode()
        self._cipher = AESGCM(key)
        self._pieces = 0
        self.samples = 0
        self.gaps: list[Gap] = []
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            self._put(MAGIC)
        except OSError:
            self.discard()
            raise

    def sound(self, caller: bytes, ours: bytes) -> None:
        """A-law of both sides; the shorter one is filled up with silence."""
        samples = max(len(caller), len(ours))
        both = bytearray(b"\xd5") * (samples * CHANNELS)
        both[0 : 2 * len(caller) : 2] = caller
        both[1 : 1 + 2 * len(ours) : 2] = ours
        self._piece(_SOUND, bytes(both))
        self.samples += samples

    def gap(self, reason: str) -> None:
        """Something is left out here."""
        gap = Gap(round(self.samples / RATE, 3), reason)
        self._piece(_GAP, json.dumps([gap.offset_s, gap.reason]).encode())
        self.gaps.append(gap)
        self._piece(_SOUND, _SILENCE)
        self.samples += len(_SILENCE) // CHANNELS

    def finish(self) -> None:
        """The file is whole, on the disk, and says so."""
        self._piece(_END, json.dumps(self.samples).encode())
        os.fsync(self._file)
        self.leave()
        self._path.replace(self._path.with_suffix(FINISHED))
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def leave(self) -> None:
        """Nothing more is written; the file stays as it is."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def discard(self) -> None:
        """The file is gone."""
        self.leave()
        self._path.unlink(missing_ok=True)

    def _piece(self, kind: bytes, plain: bytes) -> None:
        sealed = self._cipher.encrypt(_nonce(self._pieces), plain, kind + self._id)
        self._put(kind + len(sealed).to_bytes(4, "big") + sealed)
        self._pieces += 1

    def _put(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]


class SealedReader:
    """One recording being read. Blocks; raises Damaged, and FileNotFoundError where there is no file."""

    def __init__(self, folder: Path, recording_id: str, key: bytes) -> None:
        self._folder = folder
        self._name = recording_id
        self._cipher = AESGCM(key)

    def contents(self, *, whole: bool) -> Contents:
        """Everything is read and found sound. ``whole``: the file has been finished, and must be as it was then."""
        samples, gaps, finished = 0, [], False
        with self._opened() as file:
            whole = whole or Path(file.name).suffix == FINISHED
            for kind, plain in self._pieces(file):
                if kind == _SOUND:
                    samples += len(plain) // CHANNELS
                elif kind == _GAP:
                    gaps.append(Gap(*json.loads(plain)))
                else:
                    finished = json.loads(plain) == samples and not file.read(1)
        if whole and not finished:
            raise Damaged("a recording is cut off")
        return Contents(samples=samples, gaps=tuple(gaps), finished=finished)

    def sound(self, samples: int) -> Generator[bytes, None, None]:
        """So many samples of both channels, interleaved, in pieces. Raises Damaged where there are fewer."""
        left = samples * CHANNELS
        with self._opened() as file:
            for kind, plain in self._pieces(file):
                if kind == _SOUND and left:
                    yield plain[:left]
                    left -= min(left, len(plain))
        if left:
            raise Damaged("a recording is cut off")

    def _opened(self) -> BinaryIO:
        for suffix in (FINISHED, UNFINISHED):
            try:
                return (self._folder / f"{self._name}{suffix}").open("rb")
            except FileNotFoundError:
                continue
        return (self._folder / f"{self._name}{FINISHED}").open("rb")  # finished between the two looks

    def _pieces(self, file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
        """Each whole piece, opened. What was broken off in the middle of a piece ends there."""
        if file.read(len(MAGIC)) != MAGIC:
            raise Damaged("a recording does not begin as one")
        number = 0
        while len(head := file.read(_HEAD_BYTES)) == _HEAD_BYTES:
            kind, length = head[:1], int.from_bytes(head[1:], "big")
            if length > _LONGEST_PIECE or kind not in (_SOUND, _GAP, _END):
                raise Damaged("a recording has a piece that is none")
            sealed = file.read(length)
            if len(sealed) < length:
                return
            try:
                plain = self._cipher.decrypt(_nonce(number), sealed, kind + self._name.encode())
            except (InvalidTag, ValueError):
                raise Damaged("a recording was changed, or its key is another one") from None
            yield kind, plain
            if kind == _END:
                return
            number += 1


def wav_head(samples: int) -> bytes:
    """The head of a WAV file of two channels A-law; ``2 * samples`` bytes of sound follow."""
    data = samples * CHANNELS
    shape = (
        (6).to_bytes(2, "little")  # WAVE_FORMAT_ALAW
        + CHANNELS.to_bytes(2, "little")
        + RATE.to_bytes(4, "little")
        + (RATE * CHANNELS).to_bytes(4, "little")
        + CHANNELS.to_bytes(2, "little")
        + (8).to_bytes(2, "little")
        + (0).to_bytes(2, "little")
    )
    inside = b"WAVE" + _part(b"fmt ", shape) + _part(b"fact", samples.to_bytes(4, "little"))
    return b"RIFF" + (len(inside) + 8 + data).to_bytes(4, "little") + inside + b"data" + data.to_bytes(4, "little")


def _part(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
