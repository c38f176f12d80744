"""The city hotline, ready to serve: alone, or mounted in the sandbox under /city-hotline."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, FastAPI, Form, HTTPException, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape
from pydantic import ValidationError

from sandbox.city_hotline.book import Book, Fault, Json, hold
from sandbox.city_hotline.config import CityConfig
from sandbox.city_hotline.gateway import Gateway
from sandbox.city_hotline.shapes import AskIn, CancelIn, DeliverIn, FaultIn, OrderType, RemindIn, UpdateIn
from sandbox.city_hotline.signing import NotSigned, Signatures

LARGEST_BODY = 64 * 1024
HERE = Path(__file__).parent
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def create_app(config: CityConfig | None = None, *, client: httpx.AsyncClient | None = None) -> FastAPI:
    """``client`` reaches the gateway; tests give their own."""
    config = config or CityConfig.from_env(os.environ)
    book = Book(config.file)
    gateway = Gateway(config, book, client or httpx.AsyncClient(trust_env=False))
    app = FastAPI(title="12345", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.book, app.state.gateway = book, gateway
    app.include_router(_updates(book, Signatures(config.client_id, config.secret)))
    app.include_router(_control(book, gateway))
    app.include_router(_page(book, gateway))
    return app


def _updates(book: Book, signatures: Signatures) -> APIRouter:
    routes = APIRouter(prefix="/v1")

    @routes.put("/orders/{city_id}/updates/{sequence}")
    async def tell(city_id: str, sequence: int, request: Request) -> Response:
        body = await request.body()
        if len(body) > LARGEST_BODY:
            return _refused(413, "too_large")
        try:
            signatures.check(request.method, _target(request), request.headers, body)
            update = UpdateIn.model_validate_json(body)
        except NotSigned:
            return _refused(401, "unauthorized")
        except ValidationError:
            return _refused(400, "bad_request")
        book.received += 1
        fault = book.take_fault()
        if fault.mode == "error":
            return _refused(500, "planned")
        if fault.mode == "slow":
            await hold(fault)
        status = book.tell(city_id, sequence, update.model_dump())
        if fault.mode == "lost":
            await hold(fault)
        codes = {404: "not_found", 409: "key_reused"}
        return _refused(status, codes[status]) if status in codes else JSONResponse({"received": True})

    return routes


async def _local_only(request: Request) -> None:
    if request.client is None or request.client.host not in ("127.0.0.1", "::1"):
        raise HTTPException(404)


def _control(book: Book, gateway: Gateway) -> APIRouter:
    """What makes the city hotline do something, or fail; for callers on the same machine."""
    routes = APIRouter(prefix="/control", dependencies=[Depends(_local_only)])

    @routes.post("/deliver")
    async def deliver(form: DeliverIn) -> list[Json]:
        return await gateway.deliver(form)

    @routes.post("/remind")
    async def remind(form: RemindIn) -> Json:
        return await gateway.remind(form)

    @routes.post("/cancel")
    async def cancel(form: CancelIn) -> Json:
        return await gateway.cancel(form)

    @routes.post("/ask")
    async def ask(form: AskIn) -> Json:
        return await gateway.ask(form.city_id)

    @routes.post("/faults")
    async def plan(form: FaultIn) -> Json:
        book.plan(Fault(mode=form.mode, seconds=form.seconds, times=form.times))
        return {"mode": form.mode}

    @routes.get("/orders")
    async def orders() -> Json:
        return {"received": book.received, "orders": [_shown(order) for order in book.orders.values()]}

    return routes


def _page(book: Book, gateway: Gateway) -> APIRouter:
    """A page that lists what there is, with a form for another order."""
    routes = APIRouter()
    pages = Environment(loader=FileSystemLoader(HERE), autoescape=select_autoescape())

    @routes.get("/")
    async def show(request: Request) -> HTMLResponse:
        orders = [_shown(order) for order in reversed(book.orders.values())]
        page = pages.get_template("page.html").render(orders=orders, root=request.scope.get("root_path", ""))
        return HTMLResponse(page, headers=_HEADERS)

    @routes.get("/city.css")
    async def style() -> FileResponse:
        return FileResponse(HERE / "static" / "city.css", media_type="text/css", headers=_HEADERS)

    @routes.post("/", dependencies=[Depends(_local_only)])
    async def deliver(
        request: Request, kind: Annotated[OrderType, Form()], text: Annotated[str, Form(min_length=1, max_length=4000)]
    ) -> RedirectResponse:
        await gateway.deliver(DeliverIn(type=kind, text=text))
        return RedirectResponse(f"{request.scope.get('root_path', '')}/", status_code=303)

    return routes


def _shown(order: Any) -> Json:
    return {
        "city_id": order.city_id,
        "number": order.number,
        "state": order.state,
        "status": order.status,
        "body": order.body,
        "updates": [{"sequence": at, **update} for at, update in sorted(order.updates.items())],
        "conclusion": order.conclusion,
    }


def _target(request: Request) -> str:
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")


def _refused(status: int, code: str) -> Response:
    return JSONResponse({"code": code, "detail": ""}, status_code=status)
