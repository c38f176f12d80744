"""The core system, ready to serve."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from sandbox.fund.answers import Refused
from sandbox.fund.build import build, ready
from sandbox.fund.calendar import Clock
from sandbox.fund.config import FundConfig
from sandbox.fund.control import control_router
from sandbox.fund.database import Database
from sandbox.fund.door import SERVER_SEND, Door
from sandbox.fund.faults import Faults
from sandbox.fund.progress import Progress
from sandbox.fund.routes import router
from sandbox.fund.signing import Signatures
from sandbox.fund.writes import Writes


class _App(FastAPI):
    """Leaves the server's own ``send``, which the layers inside wrap, where the door finds it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[SERVER_SEND] = send
        await super().__call__(scope, receive, send)


def create_app(config: FundConfig | None = None, *, clock: Clock | None = None) -> FastAPI:
    """The core system on its database, which is built first where it is missing or its stamp does not fit."""
    config = config or FundConfig.from_env(os.environ)
    clock = clock or Clock(config.today)
    if not ready(config, clock.today()):
        build(config, clock.today())
    database = Database(config.database, clock)
    progress, faults = Progress(database, config), Faults()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        database.close()

    app = _App(
        title="fund core system",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.database = database
    app.add_middleware(Door, signatures=Signatures(config.client_id, config.secret), faults=faults, progress=progress)
    app.include_router(router(database, Writes(database, progress, config)))
    app.include_router(control_router(database, progress, faults))
    _add_errors(app)

    @app.get("/health")
    async def health() -> dict[str, str | int]:
        return {"status": "ok", "people": database.count_people()}

    return app


def _add_errors(app: FastAPI) -> None:
    """Every error has the form of the contract."""

    @app.exception_handler(Refused)
    async def refused(_request: Request, error: Refused) -> JSONResponse:
        return _told(error)

    @app.exception_handler(RequestValidationError)
    async def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return _told(Refused("bad_request", f"{first['loc'][0]}: {first['type']}"))

    @app.exception_handler(HTTPException)
    async def other(_request: Request, error: HTTPException) -> JSONResponse:
        codes = {404: "not_found", 405: "method_not_allowed"}
        return _told(Refused(codes.get(error.status_code, "bad_request"), "path"), headers=error.headers)


def _told(error: Refused, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(error.as_json(), status_code=error.status, headers=headers)
