"""The core system in one process, with 400 people and the cast, on a day that never changes."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from caller import PEOPLE, TODAY, Caller, Signed, Wall
from fastapi import FastAPI

from sandbox.fund.app import create_app
from sandbox.fund.build import build
from sandbox.fund.calendar import Clock
from sandbox.fund.config import FundConfig


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database, made once and copied for every test that writes."""
    config = FundConfig(state_dir=tmp_path_factory.mktemp("fund"), people=PEOPLE)
    build(config, TODAY)
    return config.database


@pytest.fixture(scope="session")
def rows(built: Path) -> Iterator[sqlite3.Connection]:
    """The tables as they were built, for reading."""
    connection = sqlite3.connect(f"file:{built}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def always() -> Wall:
    return Wall()


@pytest.fixture
def wall(always: Wall) -> Wall:
    always.now()
    return always


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory, built: Path, always: Wall) -> Iterator[FastAPI]:
    """One for all tests; `core` gives it the data back."""
    config = FundConfig(state_dir=tmp_path_factory.mktemp("serving"), people=PEOPLE)
    config.database.parent.mkdir(parents=True)
    shutil.copy(built, config.database)
    made = create_app(config, clock=Clock(TODAY, read=always.read))
    yield made
    made.state.database.close()


@pytest.fixture
async def core(app: FastAPI, wall: Wall, rows: sqlite3.Connection) -> AsyncIterator[Caller]:
    """Asks the core system as the application would; the data are as they were built."""
    rows.backup(app.state.database.connection)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://fund.test", auth=Signed()) as client:
        cast = (await client.get("/control/cast")).json()["cast"]
        caller = Caller(client, {one["key"]: one for one in cast})
        await caller.fault("none")
        yield caller
