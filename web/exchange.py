"""The city hotline's door: it delivers orders here, reminds, cancels and asks (docs/city-hotline-api.yaml)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName
from hotline.domain.work_orders import Conclusion, OrderRefused, OrderType, Priority, Refusal, Source, WorkOrder
from hotline.errors import TemporaryError
from hotline.exchange.signing import CityVerifier, NotSigned
from hotline.ports import ReplayGuard
from hotline.services.work_orders.city import CityOrders
from hotline.services.work_orders.opening import Opening
from hotline.settings import CityHotlineSettings
from hotline.work_order_store import Done

log = structlog.get_logger()

PREFIX: Final = "/exchange/city-hotline/v1"
MAX_BODY: Final = 64 * 1024
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,47}", re.ASCII)
_STATUS: Final = {
    "bad_request": 400,
    "unauthorized": 401,
    "not_found": 404,
    "wrong_state": 409,
    "key_reused": 409,
    "too_large": 413,
    "unknown_matter": 422,
    "unavailable": 503,
}
_CODES: Final = {
    Refusal.NOT_FOUND: "not_found",
    Refusal.WRONG_STATE: "wrong_state",
    Refusal.KEY_REUSED: "key_reused",
    Refusal.UNKNOWN_MATTER: "unknown_matter",
}
"""What is refused for any other reason has not the form the document gives."""


class _Refused(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def _has_words(text: str) -> str:
    if not text.strip():
        raise ValueError("no words")
    return text


class DeliveryForm(_Form):
    """An order. ``mobile`` is where the citizen can be reached; it is kept as an address and nowhere else."""

    type: OrderType
    text: Annotated[str, AfterValidator(_has_words)] = Field(min_length=1, max_length=4000)
    matter: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9-]{0,63}$")
    mobile: str | None = Field(default=None, pattern=r"^1[3-9][0-9]{9}$")
    confidential: bool = False
    urgent: bool = False
    employer: bool = False


class ReminderForm(_Form):
    text: Annotated[str, AfterValidator(_has_words)] = Field(min_length=1, max_length=1000)


class CancellationForm(_Form):
    reason: Annotated[str, AfterValidator(_has_words)] = Field(min_length=1, max_length=1000)


F = TypeVar("F", bound=_Form)


def exchange_router(city: CityOrders, settings: CityHotlineSettings, guard: ReplayGuard) -> APIRouter:
    """The routes, where the exchange is enabled; none otherwise."""
    routes = APIRouter(prefix=PREFIX, include_in_schema=False)
    if not settings.enabled:
        return routes
    door = _Door(CityVerifier(settings, guard))

    @routes.put("/orders/{city_order_id}")
    async def deliver(city_order_id: str, request: Request) -> Response:
        async def answer(body: bytes) -> Response:
            form = _read(DeliveryForm, body)
            return _receipt(await city.deliver(_id(city_order_id), _opening(form)))

        return await door.let_in(request, answer)

    @routes.get("/orders/{city_order_id}")
    async def state(city_order_id: str, request: Request) -> Response:
        async def answer(_: bytes) -> Response:
            number, order = await city.state(_id(city_order_id))
            return JSONResponse(_standing(number, order))

        return await door.let_in(request, answer)

    @routes.put("/orders/{city_order_id}/reminders/{reminder_id}")
    async def remind(city_order_id: str, reminder_id: str, request: Request) -> Response:
        async def answer(body: bytes) -> Response:
            form = _read(ReminderForm, body)
            return _receipt(await city.remind(_id(city_order_id), _id(reminder_id), form.text))

        return await door.let_in(request, answer)

    @routes.put("/orders/{city_order_id}/cancellation")
    async def cancel(city_order_id: str, request: Request) -> Response:
        async def answer(body: bytes) -> Response:
            form = _read(CancellationForm, body)
            return _receipt(await city.cancel(_id(city_order_id), form.reason))

        return await door.let_in(request, answer)

    return routes


class _Door:
    """What every request passes: its size, its signature; and what comes out has the form of the document."""

    def __init__(self, verifier: CityVerifier) -> None:
        self._verifier = verifier

    async def let_in(self, request: Request, answer: Callable[[bytes], Awaitable[Response]]) -> Response:
        try:
            body = await _body(request)
            await self._verifier.check(request.method, _target(request), request.headers, body)
            return await answer(body)
        except _Refused as refused:
            return _told(refused.code, refused.detail)
        except NotSigned as refused:
            log.warning("city_hotline.request.refused", reason=str(refused))
            return _told("unauthorized", str(refused))
        except OrderRefused as refused:
            return _told(_CODES.get(refused.refusal, "bad_request"), refused.refusal.value)
        except TemporaryError as error:
            log.warning("city_hotline.request.waits", reason=str(error))
            return _told("unavailable", "nothing was done, try again later")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise _Refused("too_large", f"more than {MAX_BODY} bytes")
    return bytes(body)


def _target(request: Request) -> bytes:
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    return path + (b"?" + query if query else b"")


def _id(given: str) -> str:
    if not _ID.fullmatch(given):
        raise _Refused("bad_request", "id")
    return given


def _read(form: type[F], body: bytes) -> F:
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise _Refused("bad_request", f"{where}: {first['type']}") from error


def _opening(form: DeliveryForm) -> Opening:
    contact = Contact(channel=ChannelName.SMS, address=f"+86{form.mobile}") if form.mobile else None
    return Opening(
        type=form.type,
        source=Source.CITY_HOTLINE,
        text=form.text,
        matter=form.matter or "",
        contact=contact,
        confidential=form.confidential,
        priority=Priority.URGENT if form.urgent else Priority.NORMAL,
        employer=form.employer,
    )


def _receipt(done: Done) -> Response:
    receipt = done.receipt
    told = {
        "number": receipt.number,
        "state": receipt.state.value,
        "due_at": _moment(receipt.due_at),
        "provisional": receipt.provisional,
    }
    return JSONResponse(told, status_code=200 if done.again else 201)


def _standing(number: str, order: WorkOrder) -> dict[str, Any]:
    return {
        "number": number,
        "state": order.state.value,
        "due_at": _moment(order.due_at),
        "provisional": order.due_provisional,
        "updated_at": _moment(order.updated_at),
        "reason": order.reason or None,
        "conclusion": _conclusion(order.conclusion),
    }


def _conclusion(conclusion: Conclusion | None) -> dict[str, str | None] | None:
    if conclusion is None:
        return None
    upheld = conclusion.upheld.value if conclusion.upheld else None
    return {"finding": conclusion.finding, "done": conclusion.done, "upheld": upheld}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _told(code: str, detail: str) -> Response:
    headers = {"Retry-After": "5"} if code == "unavailable" else None
    return JSONResponse({"code": code, "detail": detail}, status_code=_STATUS[code], headers=headers)
