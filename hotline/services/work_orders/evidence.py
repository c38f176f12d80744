"""Evidence files of work orders: taken in by stream, checked, kept by digest, given to staff alone.

A file stays as it came, with whatever a camera wrote into it, so it is never shown in a page: staff get it as a
download that no browser runs, and citizens do not get it at all. Every reading is in the audit trail first.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

from hotline.domain.redaction import redact
from hotline.domain.work_orders import Actor, Evidence, OrderRefused, Refusal
from hotline.services.work_orders.folder import EvidenceFolder
from hotline.services.work_orders.parts import Parts, WithParts
from hotline.services.work_orders.words import order_words
from hotline.wording import mask

LONGEST_NAME: Final = 80
_UNSAFE = re.compile(r'[\\/:*?"<>|%;=\s]+')


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A file on its way to a member of staff. ``headers`` belong to the response, or a browser might show it."""

    evidence: Evidence
    headers: Mapping[str, str]
    content: AsyncIterator[bytes]


class EvidenceDesk(WithParts):
    """Takes files in and gives them out."""

    def __init__(self, parts: Parts, *, most: int) -> None:
        """``most``: files of one order."""
        super().__init__(parts)
        self._most = most

    @property
    def _folder(self) -> EvidenceFolder:
        return self._parts.folder

    async def add(self, number: str, name: str, content: AsyncIterable[bytes], *, by: Actor) -> Evidence:
        """The file belongs to the order; the same content again is the file that is there already. ``name`` is what
        somebody called it. Raises OrderRefused."""
        order = await self._found(number, by)
        async with self._folder.receive(content) as received:
            file = Evidence(
                id=0,
                name=safe_name(name, received.kind.suffix),
                media_type=received.kind.media_type,
                size=received.size,
                digest=received.digest,
                added_by=by.id,
                added_at=self._parts.clock(),
            )
            return await self._parts.files.add(
                order, file, by=by, most=self._most, place=lambda: self._folder.place(received)
            )

    async def read(self, number: str, file_id: int, *, by: Actor) -> Served:
        """One file of the order, for a member of staff. Raises OrderRefused."""
        order = await self._found(number, by)
        found = [each for each in await self._parts.files.of(order) if each.id == file_id]
        if not found or not self._folder.has(found[0].digest):
            raise OrderRefused(Refusal.NOT_FOUND)
        await self._record("file_read", by, order, file=file_id)
        return Served(evidence=found[0], headers=_headers(found[0]), content=self._folder.read(found[0].digest))

    async def sweep(self) -> int:
        """What a crash left behind is gone: uploads that were never finished, files that belong to no order."""
        digests = await asyncio.to_thread(self._folder.left_behind)
        return await self._parts.files.drop_unused(digests, remove=self._folder.remove) if digests else 0


def safe_name(name: str, suffix: str) -> str:
    """``name`` without folders, control and direction characters and personal numbers, ending in the ``suffix`` of what
    the file is."""
    plain = unicodedata.normalize("NFC", name.replace("\\", "/"))
    stem = PurePosixPath(plain.rpartition("/")[2]).stem
    shown = "".join(char for char in stem if unicodedata.category(char)[0] not in "C")
    shown = _UNSAFE.sub("_", redact(shown, mask()).text).strip("._ ")
    return (shown[:LONGEST_NAME] or str(order_words()["unnamed_file"])) + suffix


def _headers(file: Evidence) -> dict[str, str]:
    plain = f"evidence-{file.id}{PurePosixPath(file.name).suffix}"
    return {
        "Content-Type": file.media_type,
        "Content-Length": str(file.size),
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
