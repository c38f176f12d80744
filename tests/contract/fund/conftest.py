"""Every implementation of the port: the fake, the sandbox's, and any other by its address.

FUND_CONTRACT_URL names a core system under test; FUND_CONTRACT_CLIENT and FUND_CONTRACT_SECRET are what it knows us by,
FUND_CONTRACT_CAST a file with its people (see kit.py). Applications are filed and withdrawn there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from hotline.settings import FundSettings
from sandbox.fund.app import create_app
from sandbox.fund.build import build
from sandbox.fund.calendar import Clock
from sandbox.fund.config import FundConfig
from tests.contract.fund.kit import Subject, in_memory, over_http


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sandbox's database with the cast alone, made once and copied for every test."""
    config = FundConfig(state_dir=tmp_path_factory.mktemp("fund"), people=0)
    build(config, Clock(None).today())
    return config.database


@pytest.fixture(params=["fake", "sandbox", "url"])
async def subject(request: pytest.FixtureRequest, tmp_path: Path, built: Path) -> AsyncIterator[Subject]:
    """One implementation after the other."""
    if request.param == "fake":
        yield in_memory()
    elif request.param == "sandbox":
        async with _sandbox(tmp_path, built) as made:
            yield made
    else:
        async with over_http(_settings_of_the_address(), httpx.AsyncHTTPTransport) as made:
            yield made


@asynccontextmanager
async def _sandbox(state_dir: Path, built: Path) -> AsyncIterator[Subject]:
    settings = FundSettings(base_url="http://core.invalid")
    config = FundConfig(state_dir=state_dir, people=0, secret=settings.secret.get_secret_value())
    config.database.parent.mkdir(parents=True)
    shutil.copy(built, config.database)
    app = create_app(config)
    async with app.router.lifespan_context(app), over_http(settings, lambda: httpx.ASGITransport(app)) as made:
        yield made


def _settings_of_the_address() -> FundSettings:
    url = os.environ.get("FUND_CONTRACT_URL")
    if not url:
        pytest.skip("FUND_CONTRACT_URL names no core system")
    given = {"client_id": "FUND_CONTRACT_CLIENT", "secret": "FUND_CONTRACT_SECRET"}
    known = {name: os.environ[variable] for name, variable in given.items() if os.environ.get(variable)}
    return FundSettings.model_validate({"base_url": url, **known})
