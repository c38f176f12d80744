"""`hotline audit`: whether the audit trail is whole, and what stands in it."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from hotline.console import one_sentence, out, settings
from hotline.console import report as say
from hotline.errors import ConfigError, TemporaryError

# What costs time to load is imported by the command that needs it: every `hotline` command loads this module.
if TYPE_CHECKING:
    from hotline.audit_store import AuditEntry, AuditRow, AuditTrail, ChainHead
    from hotline.storage.audit import SqlAudit
    from hotline.storage.database import Database

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

HEAD_HELP = "where the trail's end is kept, outside the database; it is compared with, then brought up to date"

JsonFlag = Annotated[bool, typer.Option("--json", help="machine-readable, on standard output")]


@app.command()
def verify(
    head_file: Annotated[Path | None, typer.Option(help=HEAD_HELP)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Read the whole trail and name the first row that was edited, removed, inserted or moved. Exit code 1: one was."""
    with one_sentence():
        kept = _read_head(head_file) if head_file else None
        found = with_database(lambda _, trail: trail.verify(kept=kept))
        if head_file and found.fault is None:
            _write_head(head_file, found.head)
    if as_json:
        out.print_json(data=asdict(found))
    elif found.fault is None:
        say(f"the trail is whole: {found.rows} rows, the last one is {found.head.seq} {found.head.digest}")
    else:
        say(f"the trail is not whole: {found.fault.value} at row {found.seq}, {found.rows} rows before it are sound")
    if found.fault is not None:
        raise typer.Exit(1)


@app.command()
def show(
    subject: Annotated[str, typer.Option(help="only rows about this person, by our own id")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="the newest so many")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """The newest rows, oldest first. Looking is itself written down."""
    with one_sentence():
        rows = with_database(lambda _, trail: _looked_at(trail, subject=subject, limit=limit))
    if as_json:
        out.print_json(data=[_json(row) for row in rows], ensure_ascii=False)
        return
    for row in rows:
        out.print(_line(row), markup=False)


async def _looked_at(trail: AuditTrail, *, subject: str, limit: int) -> list[AuditRow]:
    rows = await trail.newest(limit=limit, subject=subject)
    await trail.record(by_operator("audit.shown", subject=subject, rows=len(rows)))
    return rows


def by_operator(action: str, *, subject: str = "", rows: int) -> AuditEntry:
    """What the user of this machine has just done at the command line."""
    from hotline.audit_store import ActorKind, AuditEntry

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return AuditEntry(actor_kind=ActorKind.STAFF, actor_id=user, action=action, subject=subject, detail={"rows": rows})


def with_database(work: Callable[[Database, SqlAudit], Awaitable[T]]) -> T:
    """What ``work`` gives on the database in settings. Raises ConfigError where it does not answer."""
    from sqlalchemy.exc import DBAPIError

    from hotline.domain.clock import utc_now
    from hotline.storage.audit import SqlAudit
    from hotline.storage.database import Database

    async def run() -> T:
        database = Database(settings().resolved_database_url)
        try:
            return await work(database, SqlAudit(database, clock=utc_now))
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except (TemporaryError, DBAPIError) as error:
        what = str(error) if isinstance(error, TemporaryError) else type(error).__name__
        raise ConfigError(f"the database does not answer, or needs `hotline migrate` ({what})") from error


def _read_head(file: Path) -> ChainHead | None:
    from hotline.audit_store import ChainHead

    try:
        return ChainHead(**json.loads(file.read_text(encoding="ascii")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{file} is not a kept head: {type(error).__name__}") from error


def _write_head(file: Path, head: ChainHead) -> None:
    draft = file.with_name(f".{file.name}.draft")
    try:
        draft.write_text(json.dumps(asdict(head)) + "\n", encoding="ascii")
        draft.replace(file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error


def _line(row: AuditRow) -> str:
    entry = row.entry
    said = (
        f"{row.seq}",
        row.at.isoformat(timespec="seconds"),
        entry.action,
        f"by {entry.actor_kind.value} {entry.actor_id[:36]}",
        f"of {entry.subject}" if entry.subject else "",
        f"for {entry.purpose}" if entry.purpose else "",
        entry.channel,
        " ".join(f"{key}={value}" for key, value in entry.detail.items()),
    )
    return "  ".join(part for part in said if part)


def _json(row: AuditRow) -> dict[str, object]:
    return {"seq": row.seq, "at": row.at.isoformat(), **asdict(row.entry), "digest": row.digest}
