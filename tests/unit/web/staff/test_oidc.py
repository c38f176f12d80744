"""Signing in by the centre's own sign-in service, which has real keys and every way to be wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine
from fastapi import FastAPI
from joserfc.jwk import OctKey
from structlog.testing import capture_logs

from hotline.domain.staff import NewStaff, Role, StaffState
from hotline.settings import OidcSettings
from knowledge_base.model import Centre
from tests.staff_kit import Office, an_office
from tests.unit.web.staff.oidc_service import CLIENT, ISSUER, SECRET, Service, new_key
from web.staff.oidc import OidcProvider
from web.staff.oidc_routes import oidc_router
from web.staff.routes import staff_router
from web.staff.site import StaffSite

pytestmark = pytest.mark.anyio

CENTRE = Centre(code="guangzhou", name="广州住房公积金管理中心", city="广州", sms_signature="广州公积金")
SETTINGS = OidcSettings(issuer=ISSUER, client_id=CLIENT, client_secret=SECRET)
PUBLIC = "https://desk.centre.example"
ALICE = NewStaff(name="alice", display_name="林晓", work_no="1001", roles=[Role.AGENT])
OTHER_KEY = new_key("first")
"""Somebody else's, under the name of the service's key."""


@dataclass
class Visit:
    """A browser, the office it wants to get into, and the service it is sent to."""

    office: Office
    service: Service
    browser: httpx.AsyncClient

    async def there(self, wanted: str = "") -> str:
        """Away to the service, and signed in there; the query it sends the browser back with."""
        away = await self.browser.get("/staff/oidc", params={"next": wanted})
        assert away.status_code == 303
        return self.service.authorize(away.headers["location"])

    async def back(self, query: str) -> httpx.Response:
        return await self.browser.get(f"/staff/oidc/callback?{query}")

    async def round_trip(self) -> httpx.Response:
        return await self.back(await self.there())

    async def is_in(self) -> bool:
        return (await self.browser.get("/staff/account")).status_code == 200


@pytest.fixture
async def visit(tmp_path: Path) -> AsyncIterator[Visit]:
    async with an_office(tmp_path) as office:
        await office.accounts.add(ALICE)
        service = Service(office.clock)
        provider = OidcProvider(SETTINGS, public_url=PUBLIC, clock=office.clock, transport=service.transport())
        site = StaffSite(office.sign_in, centre=CENTRE, public_url=PUBLIC, clock=office.clock, oidc=True)
        app = FastAPI(openapi_url=None)
        app.include_router(staff_router(site, demo=False))
        app.include_router(oidc_router(site, provider, session_secret=office.settings.gateway.session_secret))
        transport = httpx.ASGITransport(app=app)
        headers = {"Accept": "text/html"}
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC, headers=headers) as browser:
            yield Visit(office, service, browser)


async def refused(visit: Visit, response: httpx.Response, status: int = 403) -> str:
    """Why it was refused, as the log says; nobody is signed in."""
    assert response.status_code == status
    assert not await visit.is_in()
    return response.text


async def test_whom_the_service_confirms_is_in_with_his_role_and_where_he_wanted(visit: Visit) -> None:
    response = await visit.back(await visit.there("/desk?c=1"))
    assert (response.status_code, response.headers["location"]) == (303, "/desk?c=1")
    account = await visit.browser.get("/staff/account")
    assert "林晓" in account.text
    assert (await visit.office.actions())[-2:] == ["staff.vouched_for", "staff.signed_in"]
    assert {name for name in visit.browser.cookies if "oidc" in name} == set()


async def test_what_is_asked_for_names_us_and_proves_that_we_asked(visit: Visit) -> None:
    await visit.there()
    asked = visit.service.asked
    assert (asked["client_id"], asked["scope"]) == (CLIENT, "openid profile")
    assert asked["redirect_uri"] == f"{PUBLIC}/staff/oidc/callback"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": "another"}, "InvalidClaimError"),
        ({"nonce": None}, "MissingClaimError"),
        ({"aud": "another-client"}, "InvalidClaimError"),
        ({"aud": [CLIENT, "another-client"]}, "MissingClaimError"),
        ({"aud": [CLIENT, "another-client"], "azp": "another-client"}, "InvalidClaimError"),
        ({"iss": "https://evil.example"}, "InvalidClaimError"),
        ({"exp": 1_000_000_000}, "ExpiredTokenError"),
        ({"exp": None}, "MissingClaimError"),
        ({"iat": 4_000_000_000}, "InvalidClaimError"),
        ({"at_hash": "not-of-this-token"}, "InvalidClaimError"),
        ({"preferred_username": "mallory"}, "no member"),
        ({"preferred_username": None}, "claim"),
        ({"preferred_username": ["alice"]}, "claim"),
        ({"preferred_username": "alice\x00"}, "no member"),
    ],
)
async def test_a_token_that_is_not_for_us_now_lets_nobody_in(visit: Visit, claims: dict[str, Any], why: str) -> None:
    visit.service.claims = claims
    with capture_logs() as logs:
        await refused(visit, await visit.round_trip())
    assert [each["reason"] for each in logs if each["event"] == "staff.oidc.failed"] == [why]


@pytest.mark.parametrize("how", ["another key", "no signature", "our own secret"])
async def test_a_token_the_service_has_not_signed_lets_nobody_in(visit: Visit, how: str) -> None:
    if how == "another key":
        visit.service.signed_by = OTHER_KEY
    elif how == "no signature":
        visit.service.algorithm = "none"
    else:
        visit.service.algorithm, visit.service.signed_by = "HS256", OctKey.import_key(SECRET.ljust(32, "x"))
    await refused(visit, await visit.round_trip())


async def test_another_state_or_none_lets_nobody_in_and_asks_for_no_token(visit: Visit) -> None:
    query = httpx.QueryParams(await visit.there())
    for state in ("another", ""):
        await refused(visit, await visit.back(str(query.set("state", state))))
        await visit.there()
    assert "/token" not in visit.service.calls


async def test_the_way_back_leads_in_only_the_browser_that_went_and_only_once(visit: Visit) -> None:
    query = await visit.there()
    cookies = dict(visit.browser.cookies)
    visit.browser.cookies.clear()
    await refused(visit, await visit.back(query))
    visit.browser.cookies.update(cookies)
    assert (await visit.back(query)).status_code == 303
    visit.browser.cookies.clear()
    visit.browser.cookies.update(cookies)
    assert (await visit.back(query)).status_code == 403


async def test_the_way_back_is_open_for_ten_minutes(visit: Visit) -> None:
    query = await visit.there()
    with time_machine.travel(timedelta(minutes=11), tick=True):
        await refused(visit, await visit.back(query))


@pytest.mark.parametrize("query", ["", "error=access_denied&state={state}", "state={state}", "code=&state={state}"])
async def test_a_refusal_over_there_is_told_as_one(visit: Visit, query: str) -> None:
    await visit.there()
    text = await refused(visit, await visit.back(query.format(state=visit.service.asked["state"])))
    assert "统一身份没有确认您是谁" in text


async def test_an_answer_in_another_services_name_is_refused(visit: Visit) -> None:
    query = httpx.QueryParams(await visit.there()).set("iss", "https://evil.example")
    await refused(visit, await visit.back(str(query)))


async def test_a_member_who_may_not_sign_in_is_not_let_in_this_way_either(visit: Visit) -> None:
    await visit.office.accounts.set_state("alice", StaffState.DISABLED)
    await refused(visit, await visit.round_trip())


async def test_new_keys_of_the_service_are_fetched_when_they_are_met(visit: Visit) -> None:
    await visit.round_trip()
    visit.service.key = new_key("second")
    assert (await visit.round_trip()).status_code == 303
    assert visit.service.calls.count("/keys") == 2


@pytest.mark.parametrize("methods", [None, ["client_secret_post"]])
async def test_our_secret_goes_the_way_the_service_takes_it(visit: Visit, methods: list[str] | None) -> None:
    visit.service.metadata = {"token_endpoint_auth_methods_supported": methods}
    assert (await visit.round_trip()).status_code == 303


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": None},
        {"jwks_uri": "http://sso.centre.example/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
async def test_a_document_that_cannot_be_the_services_is_not_believed(visit: Visit, metadata: dict[str, Any]) -> None:
    visit.service.metadata = metadata
    away = await visit.browser.get("/staff/oidc")
    assert "统一身份系统暂时连不上" in await refused(visit, away, 503)


@pytest.mark.parametrize("error", [httpx.ConnectError("away"), httpx.ReadTimeout("slow"), TimeoutError()])
async def test_a_service_that_does_not_answer_is_told_as_away(visit: Visit, error: Exception) -> None:
    query = await visit.there()
    visit.service.error = error
    await refused(visit, await visit.back(query), 503)
    visit.service.error = None
    assert (await visit.round_trip()).status_code == 303


@pytest.mark.parametrize(("status", "shown"), [(400, 403), (401, 403), (500, 503)])
async def test_a_code_it_does_not_take_is_a_refusal_and_a_fault_of_its_own_is_not(
    visit: Visit, status: int, shown: int
) -> None:
    query = await visit.there()
    visit.service.token_status = status
    await refused(visit, await visit.back(query), shown)


async def test_nobody_is_sent_to_another_host_afterwards(visit: Visit) -> None:
    response = await visit.back(await visit.there("//evil.example"))
    assert response.headers["location"] == "/desk"
