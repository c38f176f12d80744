"""`hotline calls`: the telephone's figures."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from hotline.console import one_sentence, out, settings
from hotline.errors import ConfigError

# What costs time to load is imported by the command that needs it: every `hotline` command loads this module.
if TYPE_CHECKING:
    from hotline.call_store import CallFigures
    from hotline.services.calls.figures import Definition
    from hotline.storage.audit import SqlAudit
    from hotline.storage.database import Database

DAY: Final = "%Y-%m-%d"
COLUMNS: Final = (
    "calls",
    "connected_share",
    "by_machine_share",
    "wanted_share",
    "answered_share",
    "abandoned_share",
    "within_15_s_share",
    "wait_s",
    "handling_s",
)
"""What is shown by hour and by topic."""


def calls(
    since: Annotated[
        datetime | None, typer.Option(formats=[DAY], help="the first day, in China; none: the last")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=[DAY], help="the last day, in China; none: today")] = None,
    definitions: Annotated[bool, typer.Option("--definitions", help="what each figure counts")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable, on standard output")] = False,
) -> None:
    """Telephone calls in figures: all of them, by hour and by topic."""
    if definitions:
        _explain(as_json=as_json)
        return
    with one_sentence():
        first, last = _days(since, until)
        found = _counted(first, last)
    if as_json:
        _print_json({"since": first.isoformat(), "until": last.isoformat(), **found})
        return
    out.print(f"{first} – {last}", markup=False)
    _print_all(found)


def _days(since: datetime | None, until: datetime | None) -> tuple[date, date]:
    from hotline.domain.clock import today

    last = until.date() if until else today()
    first = since.date() if since else last
    if first > last:
        raise ConfigError(f"--since {first} is after --until {last}")
    return first, last


def _counted(first: date, last: date) -> dict[str, Any]:
    from hotline.audit_cli import with_database
    from hotline.domain.clock import utc_now
    from hotline.privacy.hashes import LookupHash
    from hotline.services.calls.figures import day_in_china
    from hotline.storage.calls import SqlCalls

    span = {"since": day_in_china(first)[0], "until": day_in_china(last)[1]}
    topics = _topics()

    async def count(database: Database, _: SqlAudit) -> dict[str, Any]:
        store = SqlCalls(database, hashes=LookupHash.from_settings(settings().privacy), clock=utc_now)
        return {
            "all": _plain(await store.figures(**span)),
            "by_hour": _each(await store.by_hour(**span)),
            "by_topic": _each(await store.by_topic(**span, topics=topics)),
        }

    return with_database(count)


def _topics() -> Mapping[str, str]:
    """Of each published matter."""
    from knowledge_base.errors import KnowledgeError
    from knowledge_base.published import Published

    try:
        catalogue = Published.open(settings().knowledge_dir).catalogue
    except (OSError, KnowledgeError) as error:
        raise ConfigError(f"no usable knowledge is published, run `hotline train`: {error}") from error
    return {code: matter.topic for code, matter in catalogue.matters.items()}


def _each(figures: Mapping[Any, CallFigures]) -> dict[str, Any]:
    return {str(key): _plain(value) for key, value in figures.items()}


def _plain(figures: CallFigures) -> dict[str, float | int | None]:
    from hotline.services.calls.figures import definitions, value_of

    values = {each.code: value_of(each, figures) for each in definitions()}
    return {code: round(value, 4) if isinstance(value, float) else value for code, value in values.items()}


def _print_all(found: Mapping[str, Any]) -> None:
    """All of them one below the other; by hour and by topic as tables."""
    from rich.table import Table

    from hotline.services.calls.figures import definitions

    known = {each.code: each for each in definitions()}
    total = Table(show_header=False, box=None)
    for each in known.values():
        total.add_row(each.name, _shown(each, found["all"]))
    out.print(total)
    for name in ("by_hour", "by_topic"):
        table = Table(name.removeprefix("by_"), *(known[code].name for code in COLUMNS))
        for key, values in found[name].items():
            table.add_row(key or "-", *(_shown(known[code], values) for code in COLUMNS))
        out.print(table)


def _shown(definition: Definition, values: Mapping[str, float | int | None]) -> str:
    value = values[definition.code]
    if value is None:
        return "-"
    if definition.of:
        return f"{value:.1%}"
    return f"{value:.1f} s" if definition.seconds else str(value)


def _explain(*, as_json: bool) -> None:
    from hotline.services.calls.figures import definitions

    if as_json:
        _print_json({each.code: {"name": each.name, "means": each.means} for each in definitions()})
        return
    for each in definitions():
        out.print(f"{each.name}  ({each.code})\n    {each.means}", markup=False)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
