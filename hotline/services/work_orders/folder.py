"""Where evidence files are kept: by digest, outside everything a web server gives out."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
import uuid
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

from hotline.domain.work_orders import OrderRefused, Refusal
from hotline.services.work_orders.file_kinds import FileKind, kind_of

CHUNK: Final = 64 * 1024
OLD_S: Final = 3600.0
"""What nobody has claimed for this long was left behind by a crash."""
_INCOMING = "incoming"
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A file that has come in whole and is what it says it is. It is gone unless it is placed."""

    draft: Path
    digest: str
    size: int
    kind: FileKind


class EvidenceFolder:
    """Files of at most ``most_bytes``, readable by this user alone."""

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    @asynccontextmanager
    async def receive(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[Received]:
        """The stream as a file, checked by its content. Raises OrderRefused; what comes after the limit is not read."""
        draft = self._folder / _INCOMING / uuid.uuid4().hex
        try:
            digest, size = await self._written(draft, chunks)
            kind = await asyncio.to_thread(kind_of, draft)
            yield Received(draft=draft, digest=digest, size=size, kind=kind)
        finally:
            draft.unlink(missing_ok=True)

    def place(self, received: Received) -> None:
        """The file is where its digest says. The same content again takes the place of itself."""
        kept = self._path(received.digest)
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        received.draft.replace(kept)

    async def read(self, digest: str) -> AsyncIterator[bytes]:
        """The content, piece by piece. Raises OrderRefused ``not_found`` before the first one."""
        try:
            file = await anyio.open_file(self._path(digest), "rb")
        except FileNotFoundError as error:
            raise OrderRefused(Refusal.NOT_FOUND) from error
        async with file:
            while piece := await file.read(CHUNK):
                yield piece

    def has(self, digest: str) -> bool:
        return self._path(digest).is_file()

    def remove(self, digest: str) -> None:
        """The file is gone."""
        self._path(digest).unlink(missing_ok=True)

    def left_behind(self) -> list[str]:
        """Digests of files nobody has touched for an hour, whether they are somebody's or not. Uploads that were never
        finished are removed on the way."""
        old = time.time() - OLD_S
        for draft in self._folder.glob(f"{_INCOMING}/*"):
            if _changed_at(draft) < old:
                draft.unlink(missing_ok=True)
        kept = (each for each in self._folder.glob("??/*") if _DIGEST.fullmatch(each.name))
        return [each.name for each in kept if _changed_at(each) < old]

    async def _written(self, draft: Path, chunks: AsyncIterable[bytes]) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with await anyio.open_file(draft, "xb", opener=_private) as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > self._most_bytes:
                    raise OrderRefused(Refusal.FILE_SIZE, str(self._most_bytes))
                digest.update(chunk)
                await file.write(chunk)
        return digest.hexdigest(), size

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ValueError("no SHA-256")
        return self._folder / digest[:2] / digest


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process was faster
        return time.time()
