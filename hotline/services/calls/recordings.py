"""Recordings as they are kept: played to those who may hear them, deleted when their time is over."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from hotline.audit_store import ActorKind, Audit, AuditEntry
from hotline.call_store import Calls, Gap, RecordingRow, RecordingRows
from hotline.domain.redaction import redact
from hotline.domain.staff import Role, Staff
from hotline.errors import HotlineError
from hotline.privacy.ciphers import FieldCipher, Unreadable
from hotline.services.calls.recorder import folder_of, place_of
from hotline.services.calls.sealed_sound import (
    CHANNELS,
    FINISHED,
    UNFINISHED,
    Contents,
    Damaged,
    SealedReader,
    wav_head,
)
from hotline.wording import mask

log = structlog.get_logger(__name__)

HEAR_ALL: Final = frozenset({Role.SUPERVISOR, Role.AUDITOR})
SHORTEST_PURPOSE: Final = 2
LONGEST_PURPOSE: Final = 64
BATCH: Final = 200
LEFT_BEHIND: Final = timedelta(days=1)
"""A file without a row, older than anything that is kept by so much, was left behind."""


class RecordingRefused(HotlineError):
    """``code`` says why: none, not_allowed, purpose, gone (the file), unreadable (damaged, or its key is not in the
    settings)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A recording on its way to a member of staff: WAV of ``size`` bytes, caller left, ours right. ``headers`` belong
    to the response. ``finished``: False while the call goes on, and where its process died."""

    size: int
    seconds: float
    gaps: Sequence[Gap]
    finished: bool
    headers: Mapping[str, str]
    content: AsyncIterator[bytes]


class Recordings:
    """For the desk, and for housekeeping. Supervisors and auditors hear every recording, an agent those of
    conversations that he has held; every hearing is in the audit trail first."""

    def __init__(
        self,
        root: Path,
        *,
        rows: RecordingRows,
        calls: Calls,
        audit: Audit,
        cipher: FieldCipher,
        keep: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        """``keep``: calls are forgotten so long after they began."""
        self._root = root
        self._rows = rows
        self._calls = calls
        self._audit = audit
        self._cipher = cipher
        self._keep = keep
        self._clock = clock

    async def read(self, call_id: str, *, by: Staff, purpose: str) -> Played:
        """The whole recording as it is now; it has been found undamaged.

        Raises:
            RecordingRefused: there is none, it is not for him, it cannot be read, or ``purpose`` says nothing.
        """
        why = redact(" ".join(purpose.split()), mask()).text
        if not SHORTEST_PURPOSE <= len(why) <= LONGEST_PURPOSE:
            raise RecordingRefused("purpose")
        row = await self._rows.of_call(call_id)
        if row is None:
            raise RecordingRefused("none")
        if not await self.may_hear(row.conversation_id, by=by):
            raise RecordingRefused("not_allowed")
        reader, contents = await self._opened(row)
        entry = AuditEntry(
            actor_kind=ActorKind.STAFF,
            actor_id=by.id,
            action="call.recording.played",
            purpose=why,
            channel="voice",
            conversation_id=row.conversation_id,
            detail={"reference": call_id},
        )
        await self._audit.record(entry)
        head = wav_head(contents.samples)
        size = len(head) + contents.samples * CHANNELS
        return Played(
            size=size,
            seconds=contents.seconds,
            gaps=contents.gaps,
            finished=contents.finished,
            headers=_headers(size),
            content=_wav(head, reader, contents.samples),
        )

    async def may_hear(self, conversation_id: str, *, by: Staff) -> bool:
        """Whether he may hear the call of this conversation."""
        if by.roles & HEAR_ALL:
            return True
        if Role.AGENT not in by.roles or not conversation_id:
            return False
        return await self._rows.has_held(conversation_id, by.id)

    async def purge(self) -> int:
        """Recordings whose time is over are gone, files first, and then calls; the number of rows. What cannot be
        deleted stays on record and is tried again."""
        now, gone = self._clock(), 0
        try:
            if await asyncio.to_thread(self._root.is_dir):
                gone = await self._purged(now)
                await self._sweep(now)
        except OSError as error:
            log.error("recordings.folder_unusable", reason=error.strerror or type(error).__name__)
        return gone + await self._calls.purge(before=now - self._keep)

    async def _purged(self, now: datetime) -> int:
        gone = 0
        while True:
            expired = await self._rows.expired(now=now, limit=BATCH)
            deleted = await asyncio.to_thread(self._deleted, expired)
            gone += await self._rows.drop(deleted) if deleted else 0
            if len(deleted) < BATCH:
                return gone

    async def _opened(self, row: RecordingRow) -> tuple[SealedReader, Contents]:
        try:
            key = base64.b64decode(self._cipher.open(row.key, place_of(row.id)))
            reader = SealedReader(folder_of(self._root, row.began_at), row.id, key)
            return reader, await asyncio.to_thread(reader.contents, whole=row.seconds is not None)
        except FileNotFoundError:
            log.error("recording.gone", call_id=row.call_id)
            raise RecordingRefused("gone") from None
        except (Unreadable, Damaged, OSError) as error:
            log.error("recording.unreadable", call_id=row.call_id, reason=str(error))
            raise RecordingRefused("unreadable") from error

    def _deleted(self, expired: Sequence[RecordingRow]) -> list[str]:
        """The ids of those that have no file any more."""
        deleted = []
        for row in expired:
            folder = folder_of(self._root, row.began_at)
            try:
                for suffix in (UNFINISHED, FINISHED):
                    (folder / f"{row.id}{suffix}").unlink(missing_ok=True)
            except OSError as error:
                log.error("recording.not_deleted", call_id=row.call_id, reason=error.strerror)
                continue
            deleted.append(row.id)
        return deleted

    async def _sweep(self, now: datetime) -> None:
        """Files that no row knows are gone from folders older than what is kept, and so are empty folders."""
        oldest = folder_of(self._root, now - self._keep - LEFT_BEHIND).name
        for folder, names in await asyncio.to_thread(_old_folders, self._root, oldest):
            known = await self._rows.known(names) if names else ()
            await asyncio.to_thread(_clear, folder, set(names) - set(known))


def _old_folders(root: Path, oldest: str) -> list[tuple[Path, list[str]]]:
    """Each with the ids of its files."""
    folders = [each for each in root.iterdir() if each.is_dir() and each.name.isdecimal() and each.name < oldest]
    return [(each, sorted({file.stem for file in each.iterdir()})[:BATCH]) for each in sorted(folders)]


def _clear(folder: Path, unknown: set[str]) -> None:
    with suppress(OSError):
        for name in unknown:
            for suffix in (UNFINISHED, FINISHED):
                (folder / f"{name}{suffix}").unlink(missing_ok=True)
        folder.rmdir()


async def _wav(head: bytes, reader: SealedReader, samples: int) -> AsyncIterator[bytes]:
    yield head
    pieces = reader.sound(samples)
    try:
        while block := await asyncio.to_thread(_block, pieces):
            yield block
    finally:
        await asyncio.to_thread(_close, pieces)


def _block(pieces: Iterator[bytes], least: int = 64 * 1024) -> bytes:
    block = bytearray()
    for piece in pieces:
        block += piece
        if len(block) >= least:
            break
    return bytes(block)


def _close(pieces: Generator[bytes, None, None]) -> None:
    with suppress(ValueError):  # whoever went away while a block was read: that thread ends it
        pieces.close()


def _headers(size: int) -> Mapping[str, str]:
    return {
        "Content-Type": "audio/wav",
        "Content-Length": str(size),
        "Accept-Ranges": "none",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
