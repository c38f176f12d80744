"""The sandbox in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from gateway_stand_in import CONFIG, Gateway

from sandbox.app import create_app
from sandbox.wechat_platform import Platform


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def app(gateway: Gateway) -> FastAPI:
    return create_app(CONFIG, client=httpx.AsyncClient(transport=httpx.MockTransport(gateway)))


@pytest.fixture
def platform(app: FastAPI) -> Platform:
    found: Platform = app.state.platform
    found.clock.read = lambda: 1_767_225_600.0
    return found


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox.test") as client:
        yield client


@pytest.fixture
def call(api: httpx.AsyncClient) -> Callable[..., Any]:
    """Calls a path of the message interface with a good token; returns the JSON."""

    async def post(path: str, form: dict[str, Any], *, token: str | None = None) -> Any:
        if token is None:
            secrets = {"appid": CONFIG.app_id, "secret": CONFIG.app_secret}
            given = await api.post("/wechat/cgi-bin/stable_token", json={"grant_type": "client_credential", **secrets})
            token = given.json()["access_token"]
        response = await api.post(f"/wechat/cgi-bin/{path}", json=form, params={"access_token": token})
        return response.json()

    return post
