"""The staff's own pages over an office on SQLite, and a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyotp
import pytest
from fastapi import FastAPI

from hotline.services.staff.sign_in import SignIn
from knowledge_base.model import Centre
from tests.staff_kit import PASSWORD, Office, an_office
from web.citizen.assets import static_files
from web.staff.routes import staff_router
from web.staff.site import StaffSite

CENTRE = Centre(code="guangzhou", name="广州住房公积金管理中心", city="广州", sms_signature="广州公积金")
PUBLIC = "https://desk.centre.example"
SAME = {"Sec-Fetch-Site": "same-origin"}


def an_app(sign_in: SignIn, office: Office, *, public_url: str = PUBLIC, demo: bool = True) -> FastAPI:
    site = StaffSite(sign_in, centre=CENTRE, public_url=public_url, clock=office.clock)
    app = FastAPI(openapi_url=None)
    app.include_router(staff_router(site, demo=demo))
    app.mount("/static", static_files())
    return app


@dataclass
class Visit:
    """Somebody's browser in front of the office's pages."""

    office: Office
    browser: httpx.AsyncClient

    async def post(self, path: str, **form: str) -> httpx.Response:
        return await self.browser.post(path, data=form, headers=SAME)

    async def sign_in(self, name: str = "alice", password: str = PASSWORD, **more: str) -> httpx.Response:
        return await self.post("/staff/sign-in", name=name, password=password, **more)

    async def csrf(self, path: str) -> str:
        return token(await self.browser.get(path))

    async def give_code(self, **more: str) -> httpx.Response:
        return await self.post("/staff/code", csrf=await self.csrf("/staff/code"), code=await self.code(), **more)

    async def code(self) -> str:
        self.office.clock.ahead(seconds=60)
        found = await self.office.members.by_name("alice")
        assert found is not None
        return pyotp.TOTP(found.totp_secret).at(self.office.clock.now)

    async def enter(self) -> None:
        """Alice is in."""
        await self.office.hired()
        await self.sign_in()
        assert (await self.give_code()).status_code == 303


def token(page: httpx.Response) -> str:
    """The token every form of a page carries."""
    return page.text.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.fixture
async def visit(tmp_path: Path) -> AsyncIterator[Visit]:
    async with an_office(tmp_path) as office:
        transport = httpx.ASGITransport(app=an_app(office.sign_in, office))
        headers = {"Accept": "text/html"}
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC, headers=headers) as browser:
            yield Visit(office, browser)
