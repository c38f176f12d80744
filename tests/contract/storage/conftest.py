"""Databases at the newest schema, quickly: the migrations run once a session and kind, and their result is copied."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from hotline.storage.migrate import migrate
from tests.contract.storage.desk_kit import Desk
from tests.databases import KINDS, SERVER, database_url

Migrated = Callable[[str, Path], AbstractAsyncContextManager[str]]


class Templates:
    """A migrated database of each kind, made when first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._urls: dict[str, str] = {}
        self._stack = AsyncExitStack()

    async def url(self, kind: str) -> str:
        """The address of the migrated database of ``kind``; skips where there is none."""
        if kind not in self._urls:
            url = await self._stack.enter_async_context(database_url(kind, self._directory))
            await asyncio.to_thread(migrate, url)
            self._urls[kind] = url
        return self._urls[kind]

    async def close(self) -> None:
        await self._stack.aclose()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migrated]:
    """Gives the address of a fresh database at the newest schema, removed afterwards."""
    templates = Templates(tmp_path_factory.mktemp("templates"))
    with ThreadPoolExecutor(1) as thread, asyncio.Runner() as runner:

        @asynccontextmanager
        async def fresh(kind: str, directory: Path) -> AsyncIterator[str]:
            template = await asyncio.wrap_future(thread.submit(runner.run, templates.url(kind)))
            if kind == "sqlite":
                file = shutil.copy(template.removeprefix("sqlite+aiosqlite:///"), directory / "contract.db")
                yield f"sqlite+aiosqlite:///{file}"
                return
            name = f"hotline_test_{uuid.uuid4().hex[:12]}"
            connection = await asyncpg.connect(f"{SERVER}/postgres")
            try:
                await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template.rpartition("/")[2]}"')
                yield f"{template.rpartition('/')[0]}/{name}"
                await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            finally:
                await connection.close()

        yield fresh
        thread.submit(runner.run, templates.close()).result()


@pytest.fixture(params=KINDS)
async def desk(request: pytest.FixtureRequest, migrated: Migrated, tmp_path: Path) -> AsyncIterator[Desk]:
    """An empty desk on each kind of database."""
    async with migrated(request.param, tmp_path) as url:
        made = Desk(url)
        yield made
        await made.database.close()


@pytest.fixture
async def other(desk: Desk) -> AsyncIterator[Desk]:
    """Another process at the same desk."""
    made = desk.another()
    yield made
    await made.database.close()
