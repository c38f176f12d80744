"""Requests for a person from before there was a desk are kept, there and back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from hotline.storage.database import Database
from hotline.storage.migrate import config, migrate
from tests.contract.storage.desk_kit import START, Desk
from tests.databases import KINDS, database_url

pytestmark = pytest.mark.anyio

BEFORE = (
    "INSERT INTO contacts (id, channel, address, created_at) VALUES (7, 'wechat', 'o1', :at)",
    "INSERT INTO conversations (id, contact_id, channel, owner, opened_at, last_at)"
    " VALUES ('c1', 7, 'wechat', 'bot', :at, :at)",
    "INSERT INTO inbox (id, channel, external_id, conversation_id, kind, text, meta, received_at, status)"
    " VALUES (3, 'wechat', 'm1', 'c1', 'text', '人工', '{}', :at, 'done')",
    "INSERT INTO messages (contact_id, conversation_id, inbox_id, author, text, choices, created_at)"
    " VALUES (7, 'c1', 3, 'citizen', '人工', '[]', :at)",
    "INSERT INTO outbox (id, inbox_id, conversation_id, channel, contact_key, owner_version, replies, status, due_at,"
    " created_at) VALUES ('d1', 3, 'c1', 'wechat', 'o1', 0, '[]', 'pending', :at, :at)",
    "INSERT INTO handovers (conversation_id, reason, state, created_at) VALUES ('c1', 'requested', 'open', :at)",
    "INSERT INTO handovers (conversation_id, reason, state, created_at) VALUES ('c1', 'complaint', 'closed', :at)",
)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_stood_there_before_is_there_afterwards_and_can_go_back(kind: str, tmp_path: Path) -> None:
    async with database_url(kind, tmp_path) as url:
        await asyncio.to_thread(migrate, url, "0003")
        database = Database(url)
        async with database.write() as tx:
            at = START.replace(tzinfo=None) if database.is_sqlite else START
            for statement in BEFORE:
                await tx.execute(text(statement), {"at": at} if ":at" in statement else {})
        await database.close()
        await asyncio.to_thread(migrate, url)
        desk = Desk(url)
        found = await desk.desks.handovers([7], limit=5)
        assert [(each.reason, each.state) for each in found] == [("complaint", "done"), ("requested", "noted")]
        assert await desk.texts("c1") == ["人工"]
        assert [each.delivery_id for each in await desk.store.lease_due(limit=5, lease_s=60)] == ["d1"]
        _, handover_id = await desk.held_by("a1", "o1")
        await desk.say("c1", "a1")
        await desk.database.close()
        await asyncio.to_thread(command.downgrade, config(url), "0003")
        desk = Desk(url)
        states = await desk.rows("SELECT id, state FROM handovers ORDER BY id")
        assert states == [(1, "open"), (2, "closed"), (handover_id, "open")]
        await desk.database.close()
        await asyncio.to_thread(migrate, url)
