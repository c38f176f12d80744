"""Somebody in front of the desk's pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.fake_desk import FakeDesk
from tests.unit.web.desk.desk_app import TOKEN, build
from web.desk.calls import Telephone
from web.desk.entrance import CSRF_HEADER


class Visitor:
    """A browser of one member of staff."""

    def __init__(self, desk: FakeDesk, client: httpx.AsyncClient) -> None:
        self.desk = desk
        self.client = client

    async def get(self, path: str, **query: str) -> httpx.Response:
        return await self.client.get(path, params=query)

    async def post(self, path: str, *, token: str = TOKEN, **form: str) -> httpx.Response:
        return await self.client.post(path, data=form, headers={CSRF_HEADER: token})

    def asked(self, what: str) -> list[object]:
        return [given for name, given in self.desk.asked if name == what]


@asynccontextmanager
async def visiting(desk: FakeDesk, staff_id: str, telephone: Telephone | None = None) -> AsyncIterator[Visitor]:
    transport = httpx.ASGITransport(build(desk, telephone))
    cookies = {"staff": staff_id} if staff_id else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://desk", cookies=cookies) as client:
        yield Visitor(desk, client)
