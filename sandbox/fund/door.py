"""What every request passes before the routes: signature, planned faults, and time."""

from __future__ import annotations

import asyncio
import json

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.fund.answers import Refused
from sandbox.fund.faults import Fault, Faults
from sandbox.fund.progress import Progress
from sandbox.fund.signing import Signatures

LARGEST_BODY = 64 * 1024
SERVER_SEND = "sandbox.fund.send"
"""Where a request's scope has the ``send`` of the server itself."""


class Door:
    """Guards /v1; everything else goes straight through."""

    def __init__(self, app: ASGIApp, *, signatures: Signatures, faults: Faults, progress: Progress) -> None:
        self._app, self._signatures, self._faults, self._progress = app, signatures, faults, progress

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        try:
            body = await _body(Request(scope, receive))
            self._signatures.check(scope["method"], _target(scope), Request(scope).headers, body)
        except Refused as refused:
            await _refuse(refused, scope, receive, send)
            return
        self._progress.catch_up()
        fault = self._faults.take(scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, _replay(body, receive), send)
        else:
            await self._with_fault(fault, scope, _replay(body, receive), send)

    async def _with_fault(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.mode == "slow":
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
        elif fault.mode == "error":
            await _refuse(Refused("unavailable", "planned"), scope, receive, send)
        elif fault.mode == "hang":
            await asyncio.sleep(fault.seconds)
            await _hang_up(scope, receive)
        elif fault.mode == "drop_after_write":
            await self._answer(scope, receive)
            await _hang_up(scope, receive)
        else:
            status, body = await self._answer(scope, receive)
            told = self._faults.untrue(json.loads(body), fault.untruth)
            await JSONResponse(told, status_code=status)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        """Status and body of the true answer, which nobody has been sent."""
        status, parts = 0, []

        async def keep(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            parts.append(message.get("body", b""))

        await self._app(scope, receive, keep)
        return status, b"".join(parts)


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise Refused("bad_request", "too large")
        parts.append(part)
    return b"".join(parts)


def _target(scope: Scope) -> str:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body once more, then what the connection says."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


async def _refuse(refused: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse(refused.as_json(), status_code=refused.status)(scope, receive, send)


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """The connection is gone without an answer. ASGI has no word for it: uvicorn's ``send`` is a method of the object
    that holds the connection. Raises ConnectionAbortedError where there is none, as under a test's transport."""
    transport = getattr(getattr(scope.get(SERVER_SEND), "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionAbortedError("the core system hung up")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
