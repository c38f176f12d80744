"""What runs every second or for every page reads only what is going on, however much there has been."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from hotline.domain.desk import Group
from tests.contract.storage.conftest import Migrated
from tests.contract.storage.desk_kit import START, Desk

pytestmark = pytest.mark.anyio

NOT_LOOKING = ("BEGIN", "PRAGMA", "INSERT")
"""The plan of an insert names rows that would be looked at if foreign keys were deferred."""
GROWING = "handovers|outbox|conversations|messages|inbox|contacts|turns"
OPEN = "handovers_queued|handovers_busy|conversations_live|inbox_waiting"
WHOLE = re.compile(rf"SCAN ({GROWING})(?! USING (COVERING )?INDEX ix_({OPEN}))")
"""A scan of these partial indexes reads what is open, and of `ix_conversations_live` the newest first."""


async def test_no_step_of_the_desk_reads_a_whole_table(migrated: Migrated, tmp_path: Path) -> None:
    async with migrated("sqlite", tmp_path) as url:
        desk = Desk(url)
        ran: dict[str, Any] = {}

        def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
            ran[statement] = values

        event.listen(desk.database.engine.sync_engine, "before_cursor_execute", note)
        await all_steps(desk)
        async with desk.database.read() as connection:
            statements = {each: values for each, values in ran.items() if not each.startswith(NOT_LOOKING)}
            found = {}
            for statement, values in statements.items():
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                found[statement] = [row[-1] for row in plan if WHOLE.match(row[-1])]
        await desk.database.close()
    assert len(found) > 30
    assert {statement: lines for statement, lines in found.items() if lines} == {}


async def all_steps(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, handover_id = await desk.queued()
    await desk.route()
    await desk.take(handover_id, "a1")
    await desk.say(conversation_id, "a1")
    await desk.transfer(conversation_id, "a1")
    await desk.take_over(conversation_id, "s1")
    await desk.end(conversation_id, "s1")
    await desk.queued("o2")
    await desk.queue.note(desk.request(conversation_id))
    desk.clock.later(600)
    await desk.sweep()
    await desk.desks.queue()
    await desk.desks.held_by("a1")
    await desk.desks.live(limit=10)
    await desk.desks.handovers([1], limit=5)
    await desk.desks.history([1], before=None, limit=5)
    await desk.desks.day(since=START, within_s=20)
    await desk.desks.turns(conversation_id)
    await desk.queue.handling_s(Group.LOAN, last=20)
    await desk.store.lease_due(limit=10, lease_s=60)
    await desk.store.claim_waiting(worker="w", limit=10)
    await desk.gone("o2")
