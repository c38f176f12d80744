"""Visits of the identity pages: a browser, the forms it fills in, and what it then shows."""

from __future__ import annotations

import re

import httpx
from dev_app import CENTRE
from fake_identification import CODE, FakeIdentification
from fastapi import FastAPI

from channels.webchat.visitors import Visitors
from hotline.settings import GatewaySettings, Settings
from web.citizen.identity import identity_router
from web.citizen.identity_site import IdentityLimits
from web.citizen.identity_wording import load_identity_wording

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
ID_NUMBER, CARD, PASSWORD = "11010519491231002X", "6222020200112233445", "135790"
SECRETS = (ID_NUMBER, CARD, PASSWORD, CODE)
FILLED = {"id_number": ID_NUMBER, "factor": "bank_card", "bank_card": CARD, "query_password": "", "consent": "yes"}
WEB = "web.bind.1"
WORDING = load_identity_wording(CENTRE)


def client_of(
    identification: FakeIdentification, *, base: str = "http://fund.test", limits: IdentityLimits | None = None
) -> httpx.AsyncClient:
    settings = Settings(gateway=GatewaySettings(public_url=base))
    app = FastAPI()
    app.include_router(identity_router(identification, settings, centre=CENTRE, limits=limits))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base, headers=SAME_ORIGIN)
    visitors = Visitors(settings.gateway.session_secret, secure=base.startswith("https"))
    client.cookies.set(visitors.cookie_name, visitors.sign("v" * 22), domain="fund.test")
    return client


async def opened(client: httpx.AsyncClient, token: str = WEB) -> httpx.Response:
    return await client.get(f"/id/{token}", follow_redirects=True)


def hidden(page: httpx.Response) -> dict[str, str]:
    """What the first form of a page carries unseen."""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)[::-1])
    assert set(fields) == {"form", "turn"}
    return fields


async def sent(client: httpx.AsyncClient, name: str, page: httpx.Response, **fields: str) -> httpx.Response:
    return await client.post(f"/id/{name}", data=hidden(page) | fields, follow_redirects=True)


async def at_code(client: httpx.AsyncClient, token: str = WEB) -> httpx.Response:
    return await sent(client, "prove", await opened(client, token), **FILLED)


def problem(page: httpx.Response) -> str:
    found = re.search(r'id="problem"[^>]*>([^<]*)<', page.text)
    return found[1] if found else ""
