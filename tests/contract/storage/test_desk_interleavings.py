"""Citizens, bot, agents, a supervisor, the clock and crashes, in any order and at the same time.

``HOTLINE_INTERLEAVINGS=10000`` tries so many courses of events instead of the few hundred of every run, new ones each
time.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from hotline.domain.desk import AgentState
from tests.contract.storage import interleaving_kit as act
from tests.contract.storage.conftest import Migrated
from tests.contract.storage.desk_kit import Clock, Desk
from tests.contract.storage.interleaving_checks import QUERIES, Checks, Tables
from tests.contract.storage.interleaving_kit import AGENTS, CITIZENS, STAFF, Action, Snapshot, World

WANTED = os.environ.get("HOTLINE_INTERLEAVINGS", "")
COURSES = {"sqlite": int(WANTED or 200), "postgresql": max(25, int(WANTED or 0) // 50)}
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
TABLES = "contacts conversations inbox messages outbox turns handovers agents agent_times notes desk_events".split()

numbers = st.integers(0, 3)
citizens = st.sampled_from(sorted(CITIZENS))
staff = st.sampled_from(STAFF)
strangers = st.sampled_from(("", "", "", "", *STAFF))
seldom = st.sampled_from((False, False, False, False, True))
often: dict[st.SearchStrategy[Action], int] = {
    st.builds(act.Passes, st.sampled_from([0, 1, 1, 10, 10, 21, 31, 46, 130, 301, 1801])): 6,
    st.builds(act.Says, citizens, st.sampled_from(["人工", "人工", "人工", "租房", "不等了"])): 12,
    st.builds(act.Finishes, numbers, dies=seldom): 14,
    st.builds(act.Decides, numbers): 5,
    st.builds(act.LeavesForGood, citizens): 1,
    st.builds(act.Recovers): 4,
    st.builds(act.Restarts, numbers): 1,
    st.builds(act.Delivers, fails=seldom, dies=seldom): 5,
    st.builds(act.Comes, staff, st.sampled_from([AgentState.READY] * 5 + [*AgentState])): 3,
    st.builds(act.IsThere, staff): 6,
    st.builds(act.Routes): 7,
    st.builds(act.Sweeps): 5,
    st.builds(act.Accepts, numbers, strangers): 7,
    st.builds(act.Declines, numbers, strangers): 2,
    st.builds(act.Picks, numbers, strangers): 5,
    st.builds(act.Speaks, numbers, strangers, numbers): 10,
    st.builds(act.Ends, numbers, strangers): 4,
    st.builds(act.Files, numbers, strangers): 4,
    st.builds(act.PassesOn, numbers, strangers, st.sampled_from(["", *AGENTS])): 4,
    st.builds(act.TakesOver, numbers): 2,
}
"""What may happen, and how often in a hundred times."""
action = st.sampled_from([each for each, times in often.items() for _ in range(times)]).flatmap(lambda each: each)
steps = st.one_of(st.tuples(action), st.tuples(action, action))
courses = st.lists(steps, min_size=25, max_size=60)


class Ledger(Protocol):
    """The tables, read and emptied without the code under test."""

    def tables(self) -> Tables: ...
    def clear(self) -> None: ...
    def close(self) -> None: ...


class SqliteLedger:
    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(url.partition("///")[2], isolation_level=None)
        self._connection.execute("PRAGMA synchronous=OFF")

    def tables(self) -> Tables:
        found = {}
        for name, query in QUERIES.items():
            cursor = self._connection.execute(query)
            columns = [column[0] for column in cursor.description]
            found[name] = [dict(zip(columns, row, strict=True)) for row in cursor]
        return _parsed(found)

    def clear(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for name in reversed(TABLES):
            self._connection.execute(f"DELETE FROM {name}")  # noqa: S608 - our own names
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class PostgresLedger:
    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._connection = runner.run(asyncpg.connect(url.replace("+asyncpg", "")))

    def tables(self) -> Tables:
        async def read() -> dict[str, list[dict[str, Any]]]:
            return {name: [dict(row) for row in await self._connection.fetch(q)] for name, q in QUERIES.items()}

        return _parsed(self._runner.run(read()))

    def clear(self) -> None:
        names = ", ".join(TABLES)
        self._runner.run(self._connection.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))

    def close(self) -> None:
        self._runner.run(self._connection.close())


def _parsed(found: dict[str, list[dict[str, Any]]]) -> Tables:
    for row in found["events"]:
        row["data"] = json.loads(row["data"])
    return found


class QuickDesk(Desk):
    """Waits for no disk: nobody pulls the plug in a test."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.database.is_sqlite:
            event.listen(self.database.engine.sync_engine, "connect", _without_disk)

    def another(self) -> Desk:
        return QuickDesk(self.url, self.clock, self.numbers)


def _without_disk(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


class Stage:
    """One database on which one course of events after the other is played."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        first = QuickDesk(url)
        self._runner = runner
        self._desks: list[Desk] = [first, first.another()]
        self._ledger: Ledger = SqliteLedger(url) if first.database.is_sqlite else PostgresLedger(url, runner)

    def play(self, course: Sequence[Sequence[Action]]) -> None:
        self._ledger.clear()
        self._desks[0].clock.now = Clock().now
        world = World(self._desks)
        checks = Checks(world)
        self._step(world, checks, [act.Comes(each) for each in AGENTS])
        for together in course:
            self._step(world, checks, together)
        self._come_to_rest(world, checks)

    def _step(self, world: World, checks: Checks, together: Sequence[Action]) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(*(each(world) for each in together))
            while world.retired:
                await world.retired.pop().database.close()

        self._runner.run(all_of_them())
        tables = self._ledger.tables()
        world.seen = Snapshot(tables["conversations"], tables["handovers"])
        checks.check(tables)

    def _come_to_rest(self, world: World, checks: Checks) -> None:
        """In the end every message has had its turn, and whatever was said has left."""
        for _ in range(60):
            while world.turns:
                self._step(world, checks, [act.Finishes(0)])
            world.clock.later(61)
            self._step(world, checks, [act.Recovers()])
            self._step(world, checks, [act.Delivers()])
            tables = self._ledger.tables()
            unsent = {row["status"] for row in tables["outbox"]} & {"pending", "sending"}
            if not unsent and not world.turns and "new" not in [row["status"] for row in tables["inbox"]]:
                break
        else:
            pytest.fail("it does not come to rest")
        of_staff = {row["id"]: row["status"] for row in tables["outbox"] if row["author"] == "agent"}
        assert {each for each, status in of_staff.items() if status == "sent"} == set(of_staff) & set(world.sent)

    def close(self) -> None:
        self._ledger.close()
        for each in self._desks:
            self._runner.run(each.database.close())


@contextmanager
def stage(kind: str, migrated: Migrated, directory: Path) -> Iterator[Stage]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        made = Stage(runner.run(stack.enter_async_context(migrated(kind, directory))), runner)
        try:
            yield made
        finally:
            made.close()
            runner.run(stack.aclose())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_whatever_happens_in_whatever_order_the_desk_stays_in_order(kind: str, migrated: Migrated) -> None:
    folder = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=folder) as directory, stage(kind, migrated, Path(directory)) as made:

        @settings(
            max_examples=COURSES[kind],
            deadline=None,
            derandomize=not WANTED,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(courses)
        def played(course: list[Sequence[Action]]) -> None:
            made.play(course)

        played()
