"""Recordings on a folder of their own, with a clock that tests turn and stores that fail when they are told to."""

from __future__ import annotations

import asyncio
import io
import struct
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from channels.voice.audio import alaw
from channels.voice.line import FRAME_BYTES
from hotline.audit_store import AuditEntry
from hotline.call_store import CallMark, Gap, RecordingRow
from hotline.domain.staff import Role, Staff
from hotline.errors import TemporaryError
from hotline.privacy.ciphers import FieldCipher
from hotline.services.calls.recorder import CallRecording, Recorder
from hotline.services.calls.recordings import Played, Recordings

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
LOUD = struct.pack("<160h", *([8000, -8000] * 80))
SOFT = struct.pack("<160h", *([400, -400] * 80))
SILENT = b"\0" * FRAME_BYTES
SUPERVISOR = Staff(id="s1", name="s", display_name="周敏", work_no="2", roles=frozenset({Role.SUPERVISOR}))
AGENT = Staff(id="a1", name="a", display_name="林晓", work_no="1", roles=frozenset({Role.AGENT}))
KEY = bytes(range(32))
PIECE = 5 + 16000 + 16
"""Bytes of a second of sound in a file."""


@dataclass
class Rows:
    """Implements `RecordingRows`, in memory."""

    rows: dict[str, RecordingRow] = field(default_factory=dict)
    held: set[tuple[str, str]] = field(default_factory=set)
    down: bool = False

    async def begin(self, row: RecordingRow) -> bool:
        self._answers()
        if any(each.call_id == row.call_id for each in self.rows.values()):
            return False
        self.rows[row.id] = replace(row, conversation_id=f"of-{row.call_id}")
        return True

    async def finish(self, recording_id: str, *, seconds: float, gaps: Sequence[Gap]) -> None:
        self._answers()
        self.rows[recording_id] = replace(self.rows[recording_id], seconds=seconds, gaps=tuple(gaps))

    async def drop(self, recording_ids: Sequence[str]) -> int:
        self._answers()
        return sum(self.rows.pop(each, None) is not None for each in recording_ids)

    async def of_call(self, call_id: str) -> RecordingRow | None:
        return next((each for each in self.rows.values() if each.call_id == call_id), None)

    async def expired(self, *, now: datetime, limit: int) -> Sequence[RecordingRow]:
        return [each for each in self.rows.values() if each.delete_after < now][:limit]

    async def known(self, recording_ids: Sequence[str]) -> Collection[str]:
        return set(recording_ids) & set(self.rows)

    async def has_held(self, conversation_id: str, staff_id: str) -> bool:
        return (conversation_id, staff_id) in self.held

    def _answers(self) -> None:
        if self.down:
            raise TemporaryError("database: down")


@dataclass
class Marks:
    """The part of `Calls` that recordings use."""

    marks: list[tuple[str, CallMark, dict[str, str | int]]] = field(default_factory=list)
    purged_before: list[datetime] = field(default_factory=list)

    async def mark(self, call_id: str, mark: CallMark, **detail: str | int) -> None:
        self.marks.append((call_id, mark, detail))

    async def purge(self, *, before: datetime) -> int:
        self.purged_before.append(before)
        return 0


@dataclass
class Trail:
    entries: list[AuditEntry] = field(default_factory=list)
    down: bool = False

    async def record(self, entry: AuditEntry) -> None:
        if self.down:
            raise TemporaryError("database: down")
        self.entries.append(entry)


@dataclass
class Studio:
    """A recorder and those who listen, on one folder."""

    root: Path
    now: datetime = NOW
    rows: Rows = field(default_factory=Rows)
    calls: Marks = field(default_factory=Marks)
    trail: Trail = field(default_factory=Trail)
    cipher: FieldCipher = field(default_factory=lambda: FieldCipher({1: KEY}, cipher="aes-256-gcm"))

    def recorder(self, encode: Callable[[bytes], bytes] = alaw.encode) -> Recorder:
        return Recorder(
            self.root,
            rows=self.rows,
            calls=self.calls,  # type: ignore[arg-type]
            cipher=self.cipher,
            keep=timedelta(days=180),
            clock=lambda: self.now,
            encode=encode,
        )

    def recordings(self) -> Recordings:
        return Recordings(
            self.root,
            rows=self.rows,
            calls=self.calls,  # type: ignore[arg-type]
            audit=self.trail,
            cipher=self.cipher,
            keep=timedelta(days=180),
            clock=lambda: self.now,
        )

    async def played(self, call_id: str, *, by: Staff = SUPERVISOR, purpose: str = "quality") -> Played:
        return await self.recordings().read(call_id, by=by, purpose=purpose)

    async def heard(self, call_id: str) -> tuple[bytes, bytes]:
        """A-law of both sides."""
        played = await self.played(call_id)
        wav = b"".join([block async for block in played.content])
        assert len(wav) == played.size == int(played.headers["Content-Length"])
        return sides(wav)

    def files(self) -> list[Path]:
        return sorted(each for each in self.root.rglob("*") if each.is_file())


def sides(wav: bytes) -> tuple[bytes, bytes]:
    """Of a WAV file as any player reads it."""
    file = io.BytesIO(wav)
    assert (file.read(4), int.from_bytes(file.read(4), "little") + 8, file.read(4)) == (b"RIFF", len(wav), b"WAVE")
    parts = {}
    while name := file.read(4):
        parts[name] = file.read(int.from_bytes(file.read(4), "little"))
    kind, channels, rate, per_s, per_sample, bits, _ = struct.unpack("<HHIIHHH", parts[b"fmt "])
    assert (kind, channels, rate, per_s, per_sample, bits) == (6, 2, 8000, 16000, 2, 8)
    assert int.from_bytes(parts[b"fact"], "little") * 2 == len(parts[b"data"])
    return parts[b"data"][0::2], parts[b"data"][1::2]


def loudness(sound: bytes) -> float:
    samples = np.frombuffer(alaw.decode(sound), dtype="<i2").astype(float)
    return float(np.sqrt(np.mean(samples**2)))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - a thread does what is waited for
            await asyncio.sleep(0.01)


async def spoken(recording: CallRecording, seconds: float, caller: bytes = LOUD, ours: bytes = SOFT) -> None:
    for _ in range(round(seconds * 50)):
        recording.write(caller, ours)


async def begun(recorder: Recorder, call_id: str = "c1") -> CallRecording:
    recording = await recorder.begin(call_id)
    assert recording is not None
    return recording


async def recorded(recorder: Recorder, call_id: str = "c1", seconds: float = 2.0) -> CallRecording:
    recording = await begun(recorder, call_id)
    await spoken(recording, seconds)
    await recording.close()
    return recording
