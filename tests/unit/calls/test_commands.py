"""`hotline calls`, as an operator types it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hotline import calls_cli, cli
from hotline.call_store import CallEnding, CallMark
from hotline.privacy.hashes import LookupHash
from hotline.services.calls.figures import definitions
from hotline.settings import get_settings
from hotline.storage.calls import SqlCalls
from hotline.storage.database import Database
from tests.core_kit import migrated_template

NIGHT = datetime(2026, 11, 24, 15, 50, tzinfo=UTC)
"""Ten minutes to midnight in China."""


def typed(*words: str) -> Result:
    return CliRunner().invoke(cli.app, ["calls", *words])


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    file = shutil.copy(migrated_template(), tmp_path / "hotline.db")
    url = f"sqlite+aiosqlite:///{file}"
    monkeypatch.setenv("GJJ_DATABASE_URL", url)
    monkeypatch.setattr(calls_cli, "_topics", dict)
    get_settings.cache_clear()
    asyncio.run(two_calls(url))
    yield url
    get_settings.cache_clear()


async def two_calls(url: str) -> None:
    """One on each side of midnight."""
    now = NIGHT
    database = Database(url)
    store = SqlCalls(database, hashes=LookupHash(b"k", algorithm="sha256"), clock=lambda: now)
    for call_id, mark in (("k1", CallMark.PERSON_WANTED), ("k2", CallMark.SERVED)):
        await store.begin(call_id, line="sip", caller="13800138000", called="12329")
        await store.mark(call_id, CallMark.CONNECTED)
        await store.mark(call_id, mark)
        now += timedelta(minutes=20)
        await store.end(call_id, CallEnding.CALLER)
    await database.close()


def test_figures_of_some_days_are_told_in_total_by_hour_and_by_topic() -> None:
    told = json.loads(typed("--since", "2026-11-24", "--until", "2026-11-25", "--json").stdout)
    assert (told["since"], told["until"]) == ("2026-11-24", "2026-11-25")
    assert {name: told["all"][name] for name in ("calls", "by_machine_share", "abandoned_share", "wait_s")} == {
        "calls": 2,
        "by_machine_share": 0.5,
        "abandoned_share": 1.0,
        "wait_s": None,
    }
    assert {hour: each["calls"] for hour, each in told["by_hour"].items()} == {"0": 1, "23": 1}
    assert {topic: each["calls"] for topic, each in told["by_topic"].items()} == {"": 2}


def test_one_day_is_that_day_in_china() -> None:
    told = json.loads(typed("--until", "2026-11-24", "--json").stdout)
    assert (told["since"], told["all"]["calls"], told["all"]["abandoned"]) == ("2026-11-24", 1, 1)
    assert json.loads(typed("--until", "2026-11-23", "--json").stdout)["all"]["calls"] == 0


def test_people_read_the_same_with_names_shares_and_seconds() -> None:
    told = typed("--since", "2026-11-24", "--until", "2026-11-25")
    assert told.exit_code == 0
    rows = [line.split() for line in told.stdout.splitlines()]
    assert ["呼入量", "2"] in rows
    assert ["自助服务率", "50.0%"] in rows
    assert ["平均自助", "1200.0", "s"] in rows
    assert ["平均等待", "-"] in rows


def test_definitions_are_printed_for_every_figure() -> None:
    told = typed("--definitions").stdout
    assert all(each.name in told and each.means in told for each in definitions())
    assert set(json.loads(typed("--definitions", "--json").stdout)) == {each.code for each in definitions()}


def test_days_the_wrong_way_round_and_days_that_are_none_are_refused() -> None:
    refused = typed("--since", "2026-11-26", "--until", "2026-11-25")
    assert (refused.exit_code, "is after --until" in refused.stderr) == (1, True)
    assert typed("--since", "yesterday").exit_code == 2
