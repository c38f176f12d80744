"""The audit trail's contract, on every database it runs on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from hotline.audit_store import ActorKind, AuditEntry, ChainHead, Fault
from hotline.storage.audit import SqlAudit, digest
from hotline.storage.database import Database
from hotline.storage.tables import audit_log
from tests.contract.storage.conftest import Migrated
from tests.databases import KINDS

pytestmark = pytest.mark.anyio

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
LOOK = AuditEntry(
    actor_kind=ActorKind.PERSON,
    actor_id="person-1",
    action="balance.shown",
    subject="person-1",
    purpose="balance",
    channel="wechat",
    conversation_id="conversation-1",
    detail={"accounts": 2, "frozen": False, "kind": "employed"},
)
COLUMNS = [column.name for column in audit_log.c]


@dataclass
class Bench:
    url: str
    database: Database
    now: datetime = START

    def __post_init__(self) -> None:
        self.audit = SqlAudit(self.database, clock=self.clock)

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    async def filled(self, rows: int) -> ChainHead:
        async with self.database.write() as tx:
            for row in range(rows):
                await self.audit.append(tx, replace(LOOK, detail={"accounts": row}))
        return (await self.audit.verify()).head

    async def defenceless(self) -> None:
        """The triggers are gone, as for somebody who owns the database."""
        names = (
            ("audit_log_no_update", "audit_log_no_delete")
            if self.database.is_sqlite
            else ("audit_log_no_change", "audit_log_no_truncate")
        )
        async with self.database.write() as tx:
            for name in names:
                await tx.execute(text(f"DROP TRIGGER {name}" + ("" if self.database.is_sqlite else " ON audit_log")))

    async def emptied(self) -> None:
        async with self.database.write() as tx:
            await tx.execute(delete(audit_log))

    async def run(self, *statements: object) -> None:
        async with self.database.write() as tx:
            for statement in statements:
                await tx.execute(statement)  # type: ignore[call-overload]

    async def row(self, seq: int) -> dict[str, object]:
        async with self.database.read() as connection:
            return dict((await connection.execute(select(audit_log).where(audit_log.c.seq == seq))).mappings().one())


@pytest.fixture(params=KINDS)
async def bench(request: pytest.FixtureRequest, tmp_path: Path, migrated: Migrated) -> AsyncIterator[Bench]:
    async with migrated(request.param, tmp_path) as url:
        database = Database(url)
        yield Bench(url, database)
        await database.close()


async def test_an_entry_comes_back_as_it_was_recorded(bench: Bench) -> None:
    await bench.audit.record(LOOK)
    (row,) = await bench.audit.rows()
    assert (row.seq, row.at, row.entry) == (1, bench.now, LOOK)


async def test_rows_are_found_by_person_and_page_by_page(bench: Bench) -> None:
    await bench.filled(3)
    await bench.audit.record(replace(LOOK, subject="person-2"))
    assert [row.seq for row in await bench.audit.rows(after=1, limit=2)] == [2, 3]
    assert [row.seq for row in await bench.audit.rows(subject="person-2")] == [4]
    assert [row.seq for row in await bench.audit.newest(limit=2)] == [3, 4]
    assert [row.seq for row in await bench.audit.newest(limit=2, subject="person-1")] == [2, 3]


async def test_personal_values_do_not_get_into_the_detail_but_a_reference_does(bench: Bench) -> None:
    detail = {"note": "440106199003072015 / 6217003320001234569 / 13800135678", "reference": "202611240000012345"}
    await bench.audit.record(replace(LOOK, detail=detail))
    (row,) = await bench.audit.rows()
    assert row.entry.detail == {"note": "*** / *** / ***", "reference": "202611240000012345"}


async def test_rows_can_neither_be_changed_nor_removed(bench: Bench) -> None:
    await bench.filled(2)
    attempts = [update(audit_log).values(action="x"), delete(audit_log)]
    if not bench.database.is_sqlite:
        attempts.append(text("TRUNCATE audit_log"))
    for statement in attempts:
        with pytest.raises(DBAPIError, match="append-only"):
            await bench.run(statement)
    assert (await bench.audit.verify()).rows == 2


async def test_writers_of_many_processes_make_one_chain(bench: Bench) -> None:
    others = [Database(bench.url) for _ in range(3)]
    trails = [bench.audit, *(SqlAudit(other, clock=bench.clock) for other in others)]
    await asyncio.gather(*(trail.record(LOOK) for trail in trails for _ in range(8)))
    found = await bench.audit.verify()
    for other in others:
        await other.close()
    assert (found.fault, found.rows, found.head.seq) == (None, 32, 32)


class Broken(Exception):
    pass


async def breaks_after_recording(bench: Bench) -> None:
    async with bench.database.write() as tx:
        await bench.audit.append(tx, LOOK)
        raise Broken


async def test_an_entry_of_a_transaction_that_fails_is_not_in_the_trail(bench: Bench) -> None:
    await bench.filled(1)
    with pytest.raises(Broken):
        await breaks_after_recording(bench)
    await bench.filled(1)
    found = await bench.audit.verify()
    assert (found.fault, found.rows) == (None, 2)


async def test_an_empty_trail_is_whole(bench: Bench) -> None:
    found = await bench.audit.verify()
    assert (found.fault, found.rows, found.head.seq) == (None, 0, 0)


async def test_a_trail_longer_than_a_page_is_read_to_its_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotline.storage.audit.PAGE", 3)
    head = await bench.filled(7)
    assert (await bench.audit.verify()).rows == 7
    await bench.defenceless()
    await bench.run(update(audit_log).where(audit_log.c.seq == 6).values(action="x"))
    found = await bench.audit.verify(kept=head)
    assert (found.fault, found.seq, found.rows) == (Fault.EDITED, 6, 5)


async def test_a_tail_that_was_cut_off_is_found_by_the_kept_head_alone(bench: Bench) -> None:
    head = await bench.filled(5)
    await bench.defenceless()
    await bench.run(delete(audit_log).where(audit_log.c.seq > 3))
    assert (await bench.audit.verify()).fault is None
    found = await bench.audit.verify(kept=head)
    assert (found.fault, found.seq) == (Fault.CUT_OFF, 3)


async def test_a_trail_made_anew_with_right_digests_is_found_by_the_kept_head(bench: Bench) -> None:
    head = await bench.filled(5)
    await bench.defenceless()
    await bench.emptied()
    for row in range(7):
        await bench.audit.record(replace(LOOK, detail={"accounts": row, "made": "anew"}))
    assert (await bench.audit.verify()).fault is None
    found = await bench.audit.verify(kept=head)
    assert (found.fault, found.seq) == (Fault.REWRITTEN, 5)


async def test_a_trail_that_grew_since_the_head_was_kept_is_whole(bench: Bench) -> None:
    head = await bench.filled(2)
    await bench.filled(3)
    assert (await bench.audit.verify(kept=head)).fault is None


async def edited(bench: Bench, at: int, column: str) -> None:
    old = (await bench.row(at))[column]
    new = old + 100 if isinstance(old, int) else f"{old}"[:-1] + ("1" if f"{old}"[-1:] != "1" else "2")
    await bench.run(update(audit_log).where(audit_log.c.seq == at).values({column: new}))


async def removed(bench: Bench, at: int, column: str) -> None:
    await bench.run(delete(audit_log).where(audit_log.c.seq == at))


async def inserted(bench: Bench, at: int, column: str) -> None:
    """A forged row between two others, with a right digest of its own; those after it move up."""
    forged = await bench.row(at)
    shift = [update(audit_log).where(audit_log.c.seq == seq).values(seq=seq + 1) for seq in range(6, at - 1, -1)]
    forged["action"] = "never.happened"
    forged["digest"] = digest(forged)
    await bench.run(*shift, insert(audit_log).values(forged))


async def exchanged(bench: Bench, at: int, column: str) -> None:
    """A row and the next one change places, each with a right digest of its own."""
    one, two = await bench.row(at), await bench.row(at + 1)
    one["seq"], two["seq"] = two["seq"], one["seq"]
    for row in (one, two):
        row["digest"] = digest(row)
    await bench.run(
        delete(audit_log).where(audit_log.c.seq.in_([at, at + 1])),
        *(insert(audit_log).values(row) for row in (one, two)),
    )


async def renumbered(bench: Bench, at: int, column: str) -> None:
    """A row is gone and those behind it moved down, with digests made anew but for the links between them."""
    await removed(bench, at, column)
    for seq in range(at + 1, 7):
        row = await bench.row(seq)
        moved = {**row, "seq": seq - 1}
        await bench.run(update(audit_log).where(audit_log.c.seq == seq).values(seq=seq - 1, digest=digest(moved)))


Tampering = Callable[[Bench, int, str], Awaitable[None]]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tampering=st.sampled_from([edited, removed, inserted, exchanged, renumbered]),
    at=st.integers(1, 5),
    column=st.sampled_from(COLUMNS),
)
async def test_whatever_is_changed_in_the_middle_is_found(
    bench: Bench, tampering: Tampering, at: int, column: str
) -> None:
    if await is_defended(bench):
        await bench.defenceless()
    await bench.emptied()
    await bench.filled(6)
    await tampering(bench, at, column)
    found = await bench.audit.verify()
    assert found.fault is not None
    assert found.rows < 6


async def is_defended(bench: Bench) -> bool:
    named = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
    if not bench.database.is_sqlite:
        named = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"
    async with bench.database.read() as connection:
        return bool(await connection.scalar(text(named)))
