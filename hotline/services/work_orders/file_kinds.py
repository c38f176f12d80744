"""What an evidence file really is, by its content alone: PNG, JPEG, PDF, MP4, WAV or text, whole and nothing else.

A file that is two things at once (a picture with an archive behind it) is refused, because somebody else's program may
open the other one. Nothing is decoded or unpacked here; pictures too large to be opened are refused by what their
header says.
"""

from __future__ import annotations

import codecs
import mmap
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import error as StructError
from struct import unpack_from
from typing import Final

from hotline.domain.work_orders import OrderRefused, Refusal

MOST_PIXELS: Final = 100_000_000
MOST_PARTS: Final = 20_000
"""Chunks, segments or boxes; a file with more is made to keep its reader busy."""
_PIECE: Final = 64 * 1024
_PNG = b"\x89PNG\r\n\x1a\n"
_MP4_BRANDS = re.compile(rb"iso[0-9a-z]|mp4[12]|avc1|M4V |MSNV|mmp4")
_ARCHIVE = re.compile(rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07")
_ACTIVE = re.compile(rb"<\?php|<script|<html|<!doctype", re.IGNORECASE)
_MARKUP = re.compile(r"\s*(<[!?a-z]|#!|%!|%PDF|\{\\rtf|PK\x03|MZ)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")
_SEGMENT_FREE = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers without a segment: TEM and the restarts."""
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


@dataclass(frozen=True, slots=True)
class FileKind:
    media_type: str
    suffix: str


KINDS: Final = {
    "png": FileKind("image/png", ".png"),
    "jpeg": FileKind("image/jpeg", ".jpg"),
    "pdf": FileKind("application/pdf", ".pdf"),
    "mp4": FileKind("video/mp4", ".mp4"),
    "wav": FileKind("audio/wav", ".wav"),
    "txt": FileKind("text/plain", ".txt"),
}


def kind_of(path: Path) -> FileKind:
    """What the file is. Raises OrderRefused: ``file_type`` for any other kind, ``file_broken`` where it is not whole,
    ``file_mixed`` where something else is in it, ``file_size`` for a picture of too many pixels."""
    with _content(path) as data:
        name, check = _named(data)
        try:
            check(data)
        except (StructError, IndexError) as error:
            raise OrderRefused(Refusal.FILE_BROKEN) from error
        if _ARCHIVE.search(data) or (name in ("png", "jpeg", "mp4", "wav") and _ACTIVE.search(data)):
            raise OrderRefused(Refusal.FILE_MIXED)
    if zipfile.is_zipfile(path):  # finds an archive behind anything, as programs that open archives do
        raise OrderRefused(Refusal.FILE_MIXED)
    return KINDS[name]


@contextmanager
def _content(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise OrderRefused(Refusal.FILE_BROKEN)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def _named(data: mmap.mmap) -> tuple[str, Callable[[mmap.mmap], None]]:
    head = data[:16]
    if head.startswith(_PNG):
        return "png", _check_png
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg", _check_jpeg
    if head.startswith(b"%PDF-"):
        return "pdf", _check_pdf
    if head[4:8] == b"ftyp":
        return "mp4", _check_mp4
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "wav", _check_wav
    return "txt", _check_text


def _check_png(data: mmap.mmap) -> None:
    """W3C PNG 5.2: chunks one after the other, IHDR first, IEND last and at the end of the file."""
    at = len(_PNG)
    for _ in range(MOST_PARTS):
        length, kind = unpack_from(">I4s", data, at)
        if at == len(_PNG):
            _check_header(data, at, kind)
        at += 12 + length
        if kind == b"IEND":
            _must_end(data, at)
            return
    raise OrderRefused(Refusal.FILE_BROKEN)


def _check_header(data: mmap.mmap, at: int, kind: bytes) -> None:
    if kind != b"IHDR":
        raise OrderRefused(Refusal.FILE_BROKEN)
    _must_open(*unpack_from(">II", data, at + 8))


def _check_jpeg(data: mmap.mmap) -> None:
    """ITU-T T.81 annex B. More pictures may follow, as cameras write previews and brightness maps; nothing else may."""
    at = 0
    while at < len(data):
        if data[at : at + 2] != b"\xff\xd8":
            raise OrderRefused(Refusal.FILE_MIXED)
        at = _after_picture(data, at + 2)
        while at < len(data) and data[at] == 0:
            at += 1


def _after_picture(data: mmap.mmap, at: int) -> int:
    """Behind the picture's end. A marker is 0xFF and its code; in between are segments with their length and, after a
    start of scan, coded data in which 0xFF is followed by 0 or a restart."""
    for _ in range(MOST_PARTS):
        if data[at] != 0xFF:
            raise OrderRefused(Refusal.FILE_BROKEN)
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF:  # fill
            at += 1
            continue
        at += 2
        if marker in _SEGMENT_FREE:
            continue
        (length,) = unpack_from(">H", data, at)
        if marker in _FRAMES:
            _must_open(*unpack_from(">HH", data, at + 3))
        at += length
        if marker == 0xDA:
            at = _after_scan(data, at)
    raise OrderRefused(Refusal.FILE_BROKEN)


def _after_scan(data: mmap.mmap, at: int) -> int:
    """Where coded data ends: at the next marker that is no restart."""
    found = _SCAN_END.search(data, at)
    if found is None:
        raise OrderRefused(Refusal.FILE_BROKEN)
    return found.start()


_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


def _check_pdf(data: mmap.mmap) -> None:
    """ISO 32000 7.5.5: the last line is %%EOF. Only blanks may follow it."""
    end = data.rfind(b"%%EOF")
    if end < 0 or data[end + 5 :].strip(b"\r\n\t \x00"):
        raise OrderRefused(Refusal.FILE_BROKEN if end < 0 else Refusal.FILE_MIXED)


def _check_mp4(data: mmap.mmap) -> None:
    """ISO/IEC 14496-12 4.2: boxes up to the end of the file, the movie among them."""
    if not _MP4_BRANDS.fullmatch(data[8:12]):
        raise OrderRefused(Refusal.FILE_TYPE)
    at, kinds = 0, set()
    for _ in range(MOST_PARTS):
        length, kind = unpack_from(">I4s", data, at)
        if length == 1:
            (length,) = unpack_from(">Q", data, at + 8)
        elif length == 0:
            length = len(data) - at
        kinds.add(kind)
        if length < 8 or not kind.isascii():
            raise OrderRefused(Refusal.FILE_BROKEN)
        at += length
        if at >= len(data):
            break
    else:
        raise OrderRefused(Refusal.FILE_BROKEN)
    _must_end(data, at)
    if b"moov" not in kinds:
        raise OrderRefused(Refusal.FILE_BROKEN)


def _check_wav(data: mmap.mmap) -> None:
    """RIFF: the first length is that of all chunks, each padded to an even one."""
    end = 8 + unpack_from("<I", data, 4)[0]
    if end > len(data) + 1:
        raise OrderRefused(Refusal.FILE_BROKEN)
    if end < len(data) - 1:
        raise OrderRefused(Refusal.FILE_MIXED)
    at, kinds = 12, set()
    for _ in range(MOST_PARTS):
        kind, length = unpack_from("<4sI", data, at)
        kinds.add(kind)
        at += 8 + length + length % 2
        if at >= end:
            break
    if at > len(data) + 1 or not {b"fmt ", b"data"} <= kinds:
        raise OrderRefused(Refusal.FILE_BROKEN)


def _check_text(data: mmap.mmap) -> None:
    """UTF-8 or GB 18030 without control characters; markup, scripts and documents are no text."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            if _is_text(data, encoding):
                return
        except UnicodeDecodeError:
            continue
    raise OrderRefused(Refusal.FILE_TYPE)


def _is_text(data: mmap.mmap, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    for at in range(0, len(data), _PIECE):
        piece = decoder.decode(data[at : at + _PIECE], final=at + _PIECE >= len(data))
        if _CONTROL.search(piece) or (at == 0 and _MARKUP.match(piece)):
            return False
    return True


def _must_end(data: mmap.mmap, at: int) -> None:
    """Raises OrderRefused where the file is shorter than its parts, or goes on behind them."""
    if at != len(data):
        raise OrderRefused(Refusal.FILE_BROKEN if at > len(data) else Refusal.FILE_MIXED)


def _must_open(one: int, other: int) -> None:
    if one * other > MOST_PIXELS:
        raise OrderRefused(Refusal.FILE_SIZE, f"{one}x{other} pixels")
