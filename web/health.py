"""Is the gateway well, and how long has nobody asked anything."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
from fastapi import APIRouter, Request, Response

from hotline.bootstrap import Core
from hotline.errors import TemporaryError

LIMIT_S = 1.0


class LastUse:
    """When a citizen or a tool last asked something (health checks do not count)."""

    def __init__(self) -> None:
        self._at = time.monotonic()

    def touch(self) -> None:
        self._at = time.monotonic()

    @property
    def idle_s(self) -> float:
        return time.monotonic() - self._at


def router(core: Core, last_use: LastUse) -> APIRouter:
    """``GET /health`` (alive, and what it depends on) and ``GET /ready`` (503 while a citizen would suffer)."""
    routes = APIRouter()

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        checks = await _checks(core)
        return {"status": "ok" if all(checks.values()) else "degraded", "idle_s": round(last_use.idle_s), **checks}

    @routes.get("/ready")
    async def ready() -> Response:
        return Response(status_code=200 if (await _checks(core))["database"] else 503)

    @routes.get("/favicon.ico", include_in_schema=False)
    async def favicon(_: Request) -> Response:
        return Response(status_code=204)

    return routes


async def _checks(core: Core) -> dict[str, bool]:
    database, rasa = await asyncio.gather(_database(core), _answers(f"{core.settings.rasa.url}/webhooks/gateway/"))
    return {"database": database, "rasa": rasa}


async def _database(core: Core) -> bool:
    try:
        async with asyncio.timeout(LIMIT_S):
            await core.storage.store.counts()
    except (TemporaryError, TimeoutError):
        return False
    return True


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=LIMIT_S) as client:
            return (await client.get(url)).status_code == 200
    except httpx.HTTPError:
        return False
