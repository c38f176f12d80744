"""Messages that arrived while the database did not answer: one JSON line each, written through to the disk."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import structlog

from hotline.domain.messages import ChannelName, Inbound, InboundKind
from hotline.errors import TemporaryError

log = structlog.get_logger()


class Spool:
    """One file per process under ``directory``; files of processes that are gone are taken over."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = directory / f"{os.getpid()}.jsonl"

    def keep(self, inbound: Inbound) -> None:
        """The message is on the disk when this returns."""
        self._directory.mkdir(parents=True, exist_ok=True)
        line = json.dumps(_out(inbound), ensure_ascii=False) + "\n"
        with self._file.open("a", encoding="utf-8") as out:
            out.write(line)
            out.flush()
            os.fsync(out.fileno())
        log.warning("inbox.spooled", channel=inbound.channel)

    async def drain(self, accept: Callable[[Inbound], Awaitable[object]]) -> int:
        """Hand every kept message to ``accept`` in order; what it refuses for now stays. Returns how many went."""
        gone = 0
        for path in self._taken():
            gone += await self._drain_file(path, accept)
        return gone

    def _taken(self) -> list[Path]:
        """Files to drain: what this process set aside before, its present file (moved aside first, so that
        messages arriving meanwhile start a new one) and the files of processes that are gone."""
        if not self._directory.exists():
            return []
        for path in self._directory.glob("*.jsonl"):
            if path == self._file or not _alive(path.stem):
                path.replace(path.with_name(f"{os.getpid()}-{time.time_ns()}.work"))
        return sorted(
            path
            for path in self._directory.glob("*.work")
            if path.stem.split("-")[0] == str(os.getpid()) or not _alive(path.stem.split("-")[0])
        )

    async def _drain_file(self, path: Path, accept: Callable[[Inbound], Awaitable[object]]) -> int:
        lines = _read(path)
        for index, line in enumerate(lines):
            try:
                await accept(_in(json.loads(line)))
            except TemporaryError:
                # A crash between accept and this write is harmless: a second accept finds the first one's row.
                _rewrite(path, lines[index:])
                return index
            except (ValueError, KeyError, TypeError):
                log.error("inbox.spool_line_unreadable", path=path.name)
        _remove(path)
        return len(lines)


def _read(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _remove(path: Path) -> None:
    path.unlink()


def _rewrite(path: Path, lines: list[str]) -> None:
    part = path.with_suffix(".part")
    part.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    part.replace(path)


def _alive(pid: str) -> bool:
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


def _out(inbound: Inbound) -> dict[str, Any]:
    values = asdict(inbound)
    values["sent_at"] = None
    values["as_of"] = inbound.as_of.isoformat() if inbound.as_of else None
    values["meta"] = dict(inbound.meta)
    return values


def _in(values: dict[str, Any]) -> Inbound:
    as_of = values.pop("as_of")
    return Inbound(
        **{
            **values,
            "channel": ChannelName(values["channel"]),
            "kind": InboundKind(values["kind"]),
            "as_of": date.fromisoformat(as_of) if as_of else None,
        }
    )
