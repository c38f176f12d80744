"""Evidence files as they come: whole ones of every kind, and those that are something else, broken or two things."""

from __future__ import annotations

import io
import struct
import wave
import zipfile

from fpdf import FPDF
from PIL import Image

from hotline.domain.work_orders import Refusal


def picture(form: str, size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, form, **options)
    return out.getvalue()


def document() -> bytes:
    pdf = FPDF()
    pdf.add_page()
    return bytes(pdf.output())


def recording(seconds: int = 1) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\1\2" * 8000 * seconds)
    return out.getvalue()


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def film(brand: bytes = b"isom", *, more: bytes = b"") -> bytes:
    return box(b"ftyp", brand + b"\0\0\2\0isommp42") + box(b"moov", b"\0" * 40) + box(b"mdat", b"\7" * 99) + more


def archive(content: bytes = b"x") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.txt", content)
    return out.getvalue()


PNG, JPEG, PDF, WAV, MP4 = picture("PNG"), picture("JPEG"), document(), recording(), film()
MPO = picture("MPO", save_all=True, append_images=[Image.new("RGB", (20, 20))])
WHOLE = {
    "png": [PNG, picture("PNG", (1, 1)), picture("PNG", optimize=True)],
    "jpeg": [
        JPEG,
        picture("JPEG", progressive=True),
        picture("JPEG", exif=b"Exif\0\0x"),
        MPO,
        JPEG + b"\0" * 7,
        JPEG[:2] + b"\xff" + JPEG[2:],
        JPEG[:2] + b"\xff\x01" + JPEG[2:],
    ],
    "pdf": [PDF, PDF + b"\r\n"],
    "mp4": [
        MP4,
        film(b"mp42"),
        film(b"isom", more=box(b"free")),
        film(more=struct.pack(">I4sQ", 1, b"wide", 20) + b"\0" * 4),
        film(more=struct.pack(">I4s", 0, b"mdat") + b"\7" * 50),
    ],
    "wav": [WAV],
    "txt": ["窗口慢\r\n第二行".encode(), "窗口慢".encode("gb18030"), b"\xef\xbb\xbfwith a mark", b"a < b and <3"],
}
FRONT = b"RIFF" + struct.pack("<I", 4) + b"WAVE"
REFUSED = {
    "an archive": (archive(), Refusal.FILE_TYPE),
    "a bomb": (archive(b"\0" * 30_000_000), Refusal.FILE_TYPE),
    "a document that is an archive": (archive().replace(b"a.txt", b"b.xml"), Refusal.FILE_TYPE),
    "a picture with an archive behind it": (PNG + archive(), Refusal.FILE_MIXED),
    "a photograph with an archive behind it": (JPEG + archive(), Refusal.FILE_MIXED),
    "a photograph with an archive in its comment": (
        JPEG[:2] + b"\xff\xfe" + struct.pack(">H", len(archive()) + 2) + archive() + JPEG[2:],
        Refusal.FILE_MIXED,
    ),
    "a photograph with a film behind it": (JPEG + MP4, Refusal.FILE_MIXED),
    "a photograph with a page behind it": (JPEG + b"<html><script>alert(1)</script>", Refusal.FILE_MIXED),
    "a photograph with a script in it": (
        JPEG[:2] + b"\xff\xfe" + struct.pack(">H", 20) + b"<?php system(1); ?" + JPEG[2:],
        Refusal.FILE_MIXED,
    ),
    "a document with an archive behind it": (PDF + archive(), Refusal.FILE_MIXED),
    "a document with a program behind it": (PDF + b"MZ\x90\0" + b"\1" * 99, Refusal.FILE_MIXED),
    "a film with an archive in it": (film(more=box(b"free", archive())), Refusal.FILE_MIXED),
    "a film with another archive in it": (film(more=box(b"free", b"7z\xbc\xaf\x27\x1c...")), Refusal.FILE_MIXED),
    "a recording with a program behind it": (WAV + b"MZ\x90\0\1", Refusal.FILE_MIXED),
    "a text with an archive behind it": ("说明\n".encode() + archive(), Refusal.FILE_TYPE),
    "a page": (b"<!DOCTYPE html><html><script>alert(1)</script>", Refusal.FILE_TYPE),
    "a drawing with a script": (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', Refusal.FILE_TYPE),
    "a script": (b"#!/bin/sh\nrm -rf /", Refusal.FILE_TYPE),
    "a program": (b"MZ\x90\0" + b"\0" * 100, Refusal.FILE_TYPE),
    "another picture": (picture("GIF"), Refusal.FILE_TYPE),
    "a picture of a telephone": (film(b"heic"), Refusal.FILE_TYPE),
    "a film of another kind": (film(b"qt  "), Refusal.FILE_TYPE),
    "control characters": (b"text\x00text", Refusal.FILE_TYPE),
    "wide text": ("窗口".encode("utf-16"), Refusal.FILE_TYPE),
    "nothing": (b"", Refusal.FILE_BROKEN),
    "half a picture": (PNG[: len(PNG) // 2], Refusal.FILE_BROKEN),
    "the beginning of a picture": (PNG[:10], Refusal.FILE_BROKEN),
    "half a photograph": (JPEG[: len(JPEG) // 2], Refusal.FILE_BROKEN),
    "the beginning of a photograph": (JPEG[:3], Refusal.FILE_BROKEN),
    "a photograph without an end": (JPEG[:-2] + b"\0\0", Refusal.FILE_BROKEN),
    "a photograph that is no chain of parts": (JPEG[:20] + b"\0" + JPEG[20:], Refusal.FILE_BROKEN),
    "half a document": (PDF[: len(PDF) // 2], Refusal.FILE_BROKEN),
    "half a film": (MP4[:-5], Refusal.FILE_BROKEN),
    "a film without a movie": (box(b"ftyp", b"isom\0\0\2\0") + box(b"mdat"), Refusal.FILE_BROKEN),
    "a film whose box is too short": (
        box(b"ftyp", b"isom\0\0\2\0") + struct.pack(">I4s", 3, b"moov"),
        Refusal.FILE_BROKEN,
    ),
    "half a recording": (WAV[: len(WAV) // 2], Refusal.FILE_BROKEN),
    "a recording of nothing": (FRONT, Refusal.FILE_BROKEN),
    "a film of endless parts": (film(more=box(b"free") * 20_001), Refusal.FILE_BROKEN),
    "a picture of endless parts": (PNG[:33] + struct.pack(">I4sI", 0, b"tEXt", 0) * 20_001, Refusal.FILE_BROKEN),
    "a picture without a header": (PNG[:8] + struct.pack(">I4s", 0, b"IDAT") + PNG[8:], Refusal.FILE_BROKEN),
    "a picture of too many pixels": (
        PNG[:16] + struct.pack(">II", 60_000, 60_000) + PNG[24:],
        Refusal.FILE_SIZE,
    ),
}


def endless_photograph() -> bytes:
    return JPEG[:2] + b"\xff\x01" * 20_001 + JPEG[2:]


def photograph_of(width: int, height: int) -> bytes:
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + struct.pack(">HH", height, width) + JPEG[at + 4 :]
