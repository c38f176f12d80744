"""Calls are counted and deleted by indexes, and nothing else waits for it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert

from hotline.call_store import CallEnding, CallMark
from hotline.storage.call_tables import call_marks
from tests.contract.storage.call_kit import A_DAY, Telephone
from tests.contract.storage.conftest import Migrated
from tests.contract.storage.desk_kit import Desk

pytestmark = pytest.mark.anyio


WHOLE = re.compile(
    r"SCAN (calls|call_marks|recordings|turns|handovers|staff)"
    r"(?! USING (COVERING )?INDEX ix_(calls_open|handovers_busy))"
)


async def test_nothing_reads_a_whole_table(migrated: Migrated, tmp_path: Path) -> None:
    async with migrated("sqlite", tmp_path) as url:
        phone = Telephone(Desk(url))
        ran: dict[str, Any] = {}

        def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
            ran[statement] = values

        event.listen(phone.desk.database.engine.sync_engine, "before_cursor_execute", note)
        await every_step(phone)
        found = {}
        async with phone.desk.database.read() as connection:
            for statement, values in list(ran.items()):
                if not statement.startswith(("BEGIN", "PRAGMA", "INSERT")):
                    plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                    found[statement] = [row[-1] for row in plan if WHOLE.match(row[-1])]
        await phone.desk.database.close()
    assert len(found) > 20
    assert {statement: lines for statement, lines in found.items() if lines} == {}


async def every_step(phone: Telephone) -> None:
    since = phone.desk.clock() - A_DAY
    span = {"since": since, "until": since + 2 * A_DAY}
    await phone.rings()
    conversation_id = await phone.talks()
    row = await phone.kept()
    await phone.recordings.finish(row.id, seconds=1.0, gaps=[])
    await phone.recordings.of_call("k1")
    await phone.recordings.known([row.id])
    await phone.recordings.has_held(conversation_id, "a1")
    await phone.recordings.expired(now=since, limit=5)
    await phone.recordings.drop([row.id])
    await phone.record(conversation_id)
    await phone.calls.lost(line_processes_started_at=since)
    await phone.calls.end("k1", CallEnding.CALLER)
    await phone.calls.figures(**span)
    await phone.calls.by_topic(**span, topics={})
    await phone.calls.purge(before=since + 3 * A_DAY)
    await phone.desk.desks.presences()


async def test_while_many_calls_are_counted_the_process_does_other_things(desk: Desk) -> None:
    phone = Telephone(desk)
    now = phone.desk.clock()
    for number in range(400):
        await phone.calls.begin(f"k{number}", line="sip", caller="", called="")
    marks = [CallMark.CONNECTED, CallMark.SERVED, CallMark.PERSON_WANTED, CallMark.QUEUED, CallMark.AGENT_ANSWERED]
    noted = [
        {"call_id": f"k{number}", "seq": seq, "mark": mark, "at": now, "detail": {}}
        for number in range(400)
        for seq, mark in enumerate(marks)
    ]
    async with phone.desk.database.write() as tx:
        await tx.execute(insert(call_marks), noted)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    found = await phone.calls.figures(since=now - A_DAY, until=now + A_DAY)
    task.cancel()
    assert (found.calls, found.answered, found.within_15_s) == (400, 400, 400)
    assert turns > 20
