"""Both ends of the exchange in one process: our services and router on a database, and the sandbox's city hotline."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from hotline.exchange.http import HttpCityHotline
from hotline.settings import CityHotlineSettings
from hotline.storage.channel_store import SqlChannelStore
from sandbox.city_hotline.app import create_app
from sandbox.city_hotline.config import CityConfig
from sandbox.city_hotline.signing import signed
from tests.work_order_kit import OrderKit, build_kit, sqlite_in
from web.exchange import PREFIX, exchange_router

Json = dict[str, Any]
ORDER = f"{PREFIX}/orders/12345-000001"
COMPLAINT = {"type": "complaint", "text": "市民反映窗口柜员态度差", "matter": "withdraw-rent", "mobile": "13800138000"}


@dataclass
class Exchange:
    """``gateway`` and ``city`` are clients of either end."""

    kit: OrderKit
    gateway: httpx.AsyncClient
    city: httpx.AsyncClient
    settings: CityHotlineSettings

    async def control(self, what: str, **form: object) -> Any:
        """The city hotline does something."""
        response = await self.city.post(f"/city-hotline/control/{what}", json=form)
        assert response.status_code == 200, response.text
        return response.json()

    async def book(self) -> Json:
        return dict((await self.city.get("/city-hotline/control/orders")).json())

    async def send(
        self, method: str, path: str, body: bytes = b"", *, change: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """A request of the city hotline's, signed; ``change`` are headers that are not as they were signed."""
        own = self.settings
        headers = signed(method, path, body, client=own.peer_id, secret=own.peer_secret.get_secret_value())
        return await self.gateway.request(method, path, content=body, headers={**headers, **(change or {})})


@asynccontextmanager
async def exchange_in(directory: Path, **changes: object) -> AsyncIterator[Exchange]:
    """Everything there is between the two, ``changes`` in our settings."""
    settings = CityHotlineSettings.model_validate({"base_url": "http://city/city-hotline", "timeout_s": 0.5, **changes})
    kit = build_kit(await sqlite_in(directory), directory)
    gateway, sandbox = FastAPI(), FastAPI()
    guard = SqlChannelStore(kit.database, clock=kit.clock)
    gateway.include_router(exchange_router(kit.services.city, settings, guard))
    to_gateway = httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url="http://gateway")
    config = CityConfig(gateway_url="http://gateway", file=directory / "city.json")
    sandbox.mount("/city-hotline", create_app(config, client=to_gateway))
    to_city = httpx.ASGITransport(sandbox)
    client = HttpCityHotline(settings, transport=to_city)
    kit.city.tell = client.tell  # type: ignore[method-assign]
    async with to_gateway, httpx.AsyncClient(transport=to_city, base_url="http://city") as city:
        yield Exchange(kit, to_gateway, city, settings)
    await client.close()
    await kit.database.close()


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    async with exchange_in(tmp_path) as made:
        yield made
