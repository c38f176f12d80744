"""A door on a fresh SQLite file; the schema is made once and copied."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest

from hotline.storage.database import Database
from hotline.storage.migrate import migrate
from tests.unit.identity.kit import Door


class MakeDoor(Protocol):
    def __call__(self, **limits: int | bool) -> Door: ...


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("identity") / "empty.db"
    migrate(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture
async def make_door(empty_database: Path, tmp_path: Path) -> AsyncIterator[MakeDoor]:
    """Makes the test's door with other limits than the usual ones."""
    made: list[Door] = []

    def make(**limits: int | bool) -> Door:
        file = Path(shutil.copy(empty_database, tmp_path / f"{len(made)}.db"))
        made.append(Door(Database(f"sqlite+aiosqlite:///{file}"), file, limits=limits))
        return made[-1]

    yield make
    for each in made:
        await each.database.close()


@pytest.fixture
def door(make_door: MakeDoor) -> Door:
    return make_door()
