"""The gateway's ASGI application: the only process that faces anyone outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from hotline.bootstrap import Core
from hotline.logging import configure_logging
from hotline.settings import Settings, get_settings
from web import health, internal, webhooks
from web.citizen import routes as citizen
from web.citizen.assets import static_files
from web.citizen.certificates import CertificateDownloads, certificate_router
from web.citizen.identity import identity_router
from web.core import build_process, running
from web.exchange import exchange_router
from web.keypad import keypad_router
from web.registry import HOOKS
from web.staff.pages import include_staff
from web.telephone.around import build_around, converse
from web.voice_relay import VoiceRelay

QUIET_PATHS = ("/health", "/ready", "/internal/counts")


def serve() -> FastAPI:
    """What the gateway process runs: logging set up, then the application on the process's settings."""
    settings = get_settings()
    configure_logging(settings.log_level, "gateway")
    core, prepare = build_process(settings)
    return create_app(settings, core, prepare=prepare)


def create_app(settings: Settings, core: Core, *, prepare: Callable[[], None] | None = None) -> FastAPI:
    """The application on a core. ``prepare`` runs once, in a thread, while the first requests may come."""
    last_use = health.LastUse()
    relay = VoiceRelay(core, partial(converse, around=build_around(core)))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(core, prepare=prepare):
            yield
        await relay.close()
        await core.close()

    app = FastAPI(title="12329", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    app.add_middleware(NoteUse, last_use=last_use)
    app.include_router(health.router(core, last_use))
    app.include_router(internal.router(core))
    app.include_router(keypad_router(core))  # a path below the telephone's webhook, so it is asked first
    app.include_router(relay.router)
    app.include_router(webhooks.router(core, HOOKS))
    app.include_router(citizen.router(core.chats, settings, centre=core.centre))
    app.include_router(identity_router(core.identification, settings, centre=core.centre))
    downloads = CertificateDownloads(tickets=core.tickets, certificate_of=core.issuing.certificate_of)
    app.include_router(certificate_router(core.fund, settings, centre=core.centre, downloads=downloads))
    app.include_router(exchange_router(core.orders.city, settings.city_hotline, core.storage.channel_store))
    include_staff(app, settings, core)
    app.mount("/static", static_files())
    return app


class NoteUse:
    """Plain ASGI middleware (it must not touch streamed responses): remembers when somebody last asked."""

    def __init__(self, app: ASGIApp, last_use: health.LastUse) -> None:
        self._app = app
        self._last_use = last_use

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in QUIET_PATHS:
            self._last_use.touch()
        await self._app(scope, receive, send)
