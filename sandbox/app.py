"""All stand-ins behind one address."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from sandbox.city_hotline.app import create_app as create_city
from sandbox.config import SandboxConfig
from sandbox.phone import router as phone_router
from sandbox.wechat_api import control_router, vendor_router
from sandbox.wechat_oauth import router as oauth_router
from sandbox.wechat_platform import Platform


def create_app(config: SandboxConfig | None = None, *, client: httpx.AsyncClient | None = None) -> FastAPI:
    """The sandbox, ready to serve. ``client`` reaches the gateway; tests give their own."""
    config = config or SandboxConfig.from_env(os.environ)
    platform = Platform(config, client or httpx.AsyncClient(trust_env=False))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        platform.reset()
        if client is None:
            await platform.client.aclose()

    app = FastAPI(title="12329 sandbox", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.platform = platform
    app.include_router(vendor_router(platform))
    app.include_router(control_router(platform))
    app.include_router(oauth_router(platform))
    app.include_router(phone_router)
    if importlib.util.find_spec("sandbox.twilio") is not None:
        app.include_router(importlib.import_module("sandbox.twilio").router())

    app.mount("/city-hotline", create_city(client=platform.client))

    @app.get("/")
    async def start() -> RedirectResponse:
        return RedirectResponse("/phone")

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app
