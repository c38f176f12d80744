"""The database of the core system: made once, used until its stamp no longer fits."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date

from sandbox.fund.calendar import last_posted_month
from sandbox.fund.cast import cast
from sandbox.fund.config import FundConfig
from sandbox.fund.people import people
from sandbox.fund.rows import rows_of
from sandbox.fund.rules import Rules, rules
from sandbox.fund.schema import INDEXES, OF_PERSON, TABLES
from sandbox.fund.specs import PersonSpec

BATCH = 1000


def stamp(config: FundConfig, today: date) -> str:
    """What the data depend on. In a new month of contributions they are made anew; what was filed is gone then."""
    posted = last_posted_month(today, rules().remit_day)
    return f"version={rules().version} seed={config.seed} people={config.people} posted={posted:%Y-%m}"


def ready(config: FundConfig, today: date) -> bool:
    """Whether the database is there and its stamp fits."""
    if not config.database.exists():
        return False
    try:
        with closing(sqlite3.connect(config.database)) as database:
            found = database.execute("SELECT value FROM meta WHERE name = 'stamp'").fetchone()
    except sqlite3.DatabaseError:
        return False
    return bool(found) and found[0] == stamp(config, today)


def build(config: FundConfig, today: date) -> None:
    """The database is there, complete: it is written as a draft and renamed at the end."""
    path = config.database
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as database:
            _fill(database, config, today)
        for left in (path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            left.unlink(missing_ok=True)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _fill(database: sqlite3.Connection, config: FundConfig, today: date) -> None:
    database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + TABLES)
    database.execute("BEGIN")
    everybody = itertools.chain(
        cast(today, rules()), people(config.people, seed=config.seed, today=today, rules=rules())
    )
    for batch in _batches(everybody):
        rows_of(batch, today=today, rules=rules()).insert(database)
    database.execute("INSERT INTO meta VALUES ('stamp', ?)", [stamp(config, today)])
    database.execute("COMMIT")
    database.executescript(INDEXES + "PRAGMA optimize;")


def rebuild_cast(database: sqlite3.Connection, today: date, figures: Rules) -> None:
    """The cast is as it was in the beginning, without what was filed since; the transaction is the caller's."""
    whose = "(SELECT person_no FROM persons WHERE cast_key IS NOT NULL)"
    accounts = f"(SELECT account_no FROM accounts WHERE person_no IN {whose})"  # noqa: S608 - our own text
    database.execute(f"DELETE FROM entries WHERE account_no IN {accounts}")  # noqa: S608 - as above
    for table in OF_PERSON:
        database.execute(f"DELETE FROM {table} WHERE person_no IN {whose}")  # noqa: S608 - as above
    rows_of(cast(today, figures), today=today, rules=figures).insert(database)


def _batches(everybody: Iterator[PersonSpec]) -> Iterator[list[PersonSpec]]:
    while batch := list(itertools.islice(everybody, BATCH)):
        yield batch
