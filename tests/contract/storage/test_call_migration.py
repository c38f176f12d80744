"""Members of staff from before there were telephones are kept, there and back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from hotline.storage import call_tables  # noqa: F401 - its tables belong to the metadata
from hotline.storage.database import Database
from hotline.storage.migrate import config, migrate
from hotline.storage.tables import metadata
from tests.contract.storage.call_kit import Telephone
from tests.contract.storage.desk_kit import START, Desk
from tests.databases import KINDS, database_url

pytestmark = pytest.mark.anyio

MEMBER = (
    "INSERT INTO staff (id, name, display_name, work_no, roles, groups, capacity, state, must_change_password,"
    " password_hash, is_demo, created_at, updated_at)"
    " VALUES (:id, :id, '林晓', :id, '[\"agent\"]', '[]', '{}', 'active', :no, 'h', :no, :at, :at)"
)
SESSION = (
    "INSERT INTO staff_sessions (token_hash, staff_id, stage, epoch, address, browser, began_at, seen_at, ends_at)"
    " VALUES ('t', 'a1', 'full', 1, '', '', :at, :at, :at)"
)


async def extensions(database: Database, **given: str) -> list[str]:
    async with database.write() as tx:
        for staff_id, extension in given.items():
            await tx.execute(text("UPDATE staff SET extension = :e WHERE id = :i"), {"e": extension, "i": staff_id})
        return list((await tx.execute(text("SELECT extension FROM staff ORDER BY id"))).scalars())


@pytest.mark.parametrize("kind", KINDS)
async def test_staff_of_before_has_no_telephones_and_stays_when_they_go_again(kind: str, tmp_path: Path) -> None:
    async with database_url(kind, tmp_path) as url:
        await asyncio.to_thread(migrate, url, "0007")
        database = Database(url)
        at = START.replace(tzinfo=None) if database.is_sqlite else START
        async with database.write() as tx:
            for staff_id in ("a1", "a2"):
                await tx.execute(text(MEMBER), {"id": staff_id, "at": at, "no": False})
            await tx.execute(text(SESSION), {"at": at})
        await database.close()
        await asyncio.to_thread(migrate, url)
        database = Database(url)
        assert await extensions(database) == ["", ""]
        assert await extensions(database, a1="8001") == ["8001", ""]
        with pytest.raises(IntegrityError):
            await extensions(database, a2="8001")
        phone = Telephone(Desk(url))
        await phone.rings()
        await phone.kept()
        await phone.desk.database.close()
        await database.close()
        await asyncio.to_thread(command.downgrade, config(url), "0007")
        desk = Desk(url)
        assert await desk.rows("SELECT id, name FROM staff ORDER BY id") == [("a1", "a1"), ("a2", "a2")]
        assert await desk.rows("SELECT staff_id FROM staff_sessions") == [("a1",)]
        await desk.database.close()
        await asyncio.to_thread(migrate, url)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_migrations_make_the_tables_the_code_knows(kind: str, tmp_path: Path) -> None:
    def differs(connection: Connection) -> list[object]:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
        ours = ("calls", "call_marks", "recordings", "staff.extension", "uq_staff")
        return [each for each in found if any(name in str(each) for name in ours)]

    async with database_url(kind, tmp_path) as url:
        await asyncio.to_thread(migrate, url)
        database = Database(url)
        async with database.read() as connection:
            assert await connection.run_sync(differs) == []
        await database.close()
