"""A client of the core system, written from docs/fund-core-api.yaml."""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

TODAY = date(2026, 11, 25)
PEOPLE = 400
CLIENT = "hotline"
SECRET = "embedded-fund-secret-change-me"


class Wall:
    """A clock on the wall that stands still until it is moved."""

    def __init__(self) -> None:
        self.now()

    def now(self) -> None:
        self.at = datetime.now(UTC)

    def read(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def sign(request: httpx.Request, *, secret: str = SECRET, at: float | None = None, nonce: str = "") -> None:
    timestamp, nonce = str(int(at or time.time())), nonce or uuid.uuid4().hex
    lines = [
        request.method,
        request.url.raw_path.decode(),
        timestamp,
        nonce,
        hashlib.sha256(request.content).hexdigest(),
    ]
    signature = hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()
    request.headers["X-Fund-Client"] = CLIENT
    request.headers["X-Fund-Timestamp"] = timestamp
    request.headers["X-Fund-Nonce"] = nonce
    request.headers["X-Fund-Signature"] = signature


class Signed(httpx.Auth):
    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        sign(request)
        yield request


RENT = {"first_month": "2026-09-01", "last_month": "2026-10-01", "amount_fen": "350000", "promise": "yes"}


@dataclass(frozen=True)
class Caller:
    """``cast`` is what GET /control/cast tells, by key."""

    client: httpx.AsyncClient
    cast: Mapping[str, Any]

    def path(self, who: str, *rest: str) -> str:
        return "/".join(["/v1/persons", self.cast[who]["person_no"], *rest])

    async def get(self, who: str, *rest: str, **query: Any) -> Any:
        response = await self.client.get(self.path(who, *rest), params=query)
        assert response.status_code == 200, response.text
        return response.json()

    async def submit(
        self, who: str, business: str, fields: Mapping[str, str], *, key: str = "", confirmed: str = ""
    ) -> httpx.Response:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"business": business, "fields": fields, "confirmed_at": confirmed or now, "channel": "wechat"}
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return await self.client.post(self.path(who, "applications"), json=body, headers=headers)

    async def filed(self, who: str, business: str, fields: Mapping[str, str]) -> Any:
        response = await self.submit(who, business, fields)
        assert response.status_code == 201, response.text
        return response.json()["application"]

    async def cancel(self, who: str, number: str, *, key: str = "") -> httpx.Response:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return await self.client.post(self.path(who, "applications", number, "cancel"), headers=headers)

    async def advance(self, number: str, state: str) -> httpx.Response:
        return await self.client.post("/control/advance", json={"application_no": number, "state": state})

    async def fault(self, mode: str, **more: Any) -> None:
        response = await self.client.post("/control/faults", json={"mode": mode, **more})
        assert response.status_code == 200, response.text
