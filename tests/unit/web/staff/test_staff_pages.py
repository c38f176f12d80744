"""The pages where members of staff sign in, over the whole gateway."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pyotp
import pytest

from hotline.domain.clock import utc_now
from hotline.domain.staff import Role
from hotline.services.staff.members import DEMO_PASSWORD, Accounts, NewStaff
from tests.core_kit import Kit, core_kit
from tests.staff_kit import PASSWORD, cheap_passwords
from web.app import create_app
from web.staff.site import local_path

pytestmark = pytest.mark.anyio

SAME = {"Sec-Fetch-Site": "same-origin"}
PAGE = {"Accept": "text/html"}


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    async with core_kit(tmp_path) as made:
        made.core.sign_in._passwords = cheap_passwords()
        yield made


@pytest.fixture
def accounts(kit: Kit) -> Accounts:
    return Accounts(kit.storage.members, passwords=cheap_passwords(), actor="test")


@pytest.fixture
async def client(kit: Kit) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(kit.core.settings, kit.core))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=PAGE) as made:
        yield made


async def sign_in(client: httpx.AsyncClient, name: str, password: str, **more: str) -> httpx.Response:
    form = {"name": name, "password": password, "next": "", **more}
    return await client.post("/staff/sign-in", data=form, headers=SAME)


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)
    assert found
    return found[1]


async def test_the_whole_way_in_the_first_time(client: httpx.AsyncClient, accounts: Accounts) -> None:
    one_time = await accounts.add(NewStaff(name="alice", display_name="林晓", work_no="1", roles=[Role.AGENT]))
    begun = await sign_in(client, "alice", one_time)
    assert (begun.status_code, begun.headers["location"]) == (303, "/staff/enrol")
    page = await client.get("/staff/enrol")
    assert (await client.get("/staff/enrol.svg")).headers["content-type"] == "image/svg+xml"
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text)
    assert secret
    code = pyotp.TOTP(secret[1].replace(" ", "")).at(utc_now())
    enrolled = await client.post("/staff/enrol", data={"csrf": csrf(page), "code": code}, headers=SAME)
    assert enrolled.text.count("<li>") == 8
    page = await client.get("/staff/password")
    form = {"csrf": csrf(page), "old": one_time, "new": PASSWORD, "again": PASSWORD}
    changed = await client.post("/staff/password", data=form, headers=SAME)
    assert changed.headers["location"] == "/desk"
    account = await client.get("/staff/account")
    assert "林晓" in account.text
    out = await client.post("/staff/sign-out", data={"csrf": csrf(account)}, headers=SAME)
    assert out.headers["location"] == "/staff/sign-in"
    away = await client.get("/staff/account")
    assert away.headers["location"] == "/staff/sign-in?next=%2Fstaff%2Faccount"


async def test_the_demo_accounts_are_told_and_lead_to_where_they_work(
    client: httpx.AsyncClient, accounts: Accounts
) -> None:
    await accounts.ensure_demo()
    assert DEMO_PASSWORD in (await client.get("/staff/sign-in")).text
    for name, home in (("agent1", "/desk"), ("supervisor1", "/desk"), ("editor1", "/staff/account")):
        client.cookies.clear()
        assert (await sign_in(client, name, DEMO_PASSWORD)).headers["location"] == home


async def test_a_page_asked_for_is_opened_after_signing_in(client: httpx.AsyncClient, accounts: Accounts) -> None:
    await accounts.ensure_demo()
    away = await client.get("/supervisor?x=1")
    assert away.headers["location"] == "/staff/sign-in?next=%2Fsupervisor%3Fx%3D1"
    page = await client.get(away.headers["location"])
    assert 'value="/supervisor?x=1"' in page.text
    opened = await sign_in(client, "supervisor1", DEMO_PASSWORD, next="/supervisor?x=1")
    assert opened.headers["location"] == "/supervisor?x=1"


@pytest.mark.parametrize(
    "given",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\t//evil",
        "desk",
        "",
        "/ok\n",
        "//[",
        "//[evil",
        "/a\u007fb",
        "/" + "x" * 1000,
    ],
)
def test_nobody_is_sent_to_another_host(given: str) -> None:
    assert local_path(given) == ""


async def test_a_wrong_password_is_told_without_saying_what_was_wrong(
    client: httpx.AsyncClient, accounts: Accounts
) -> None:
    await accounts.ensure_demo()
    known, unknown = await sign_in(client, "agent1", "wrong"), await sign_in(client, "nobody", "wrong")
    assert (known.status_code, unknown.status_code) == (422, 422)
    assert "用户名或密码不对" in known.text
    assert known.text.replace("agent1", "") == unknown.text.replace("nobody", "").replace("agent1", "")


async def test_too_many_wrong_ones_say_how_long_to_wait(client: httpx.AsyncClient) -> None:
    for _ in range(5):
        await sign_in(client, "alice", "wrong")
    locked = await sign_in(client, "alice", "wrong")
    assert locked.status_code == 429
    assert "请1分钟后再试" in locked.text or "秒后再试" in locked.text


async def test_what_was_typed_is_text_in_the_page(client: httpx.AsyncClient) -> None:
    page = await sign_in(client, '"><script>alert(1)</script>', "x")
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_a_form_from_elsewhere_signs_nobody_in(client: httpx.AsyncClient, accounts: Accounts) -> None:
    await accounts.ensure_demo()
    form = {"name": "agent1", "password": DEMO_PASSWORD}
    foreign = await client.post("/staff/sign-in", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    assert "set-cookie" not in foreign.headers


@pytest.mark.parametrize("path", ["/staff/sign-out", "/staff/password", "/staff/recovery"])
@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_a_change_without_the_sessions_token_is_refused(
    client: httpx.AsyncClient, accounts: Accounts, path: str, token: str
) -> None:
    await accounts.ensure_demo()
    await sign_in(client, "agent1", DEMO_PASSWORD)
    assert (await client.post(path, data={"csrf": token}, headers=SAME)).status_code == 403
    assert (await client.get("/staff/account")).status_code == 200


async def test_the_right_token_from_another_site_is_refused_too(client: httpx.AsyncClient, accounts: Accounts) -> None:
    await accounts.ensure_demo()
    await sign_in(client, "agent1", DEMO_PASSWORD)
    token = csrf(await client.get("/staff/account"))
    crossed = await client.post("/staff/sign-out", data={"csrf": token}, headers={"Sec-Fetch-Site": "same-site"})
    assert crossed.status_code == 403


async def test_roles_open_their_own_pages_alone(client: httpx.AsyncClient, accounts: Accounts) -> None:
    await accounts.ensure_demo()
    await sign_in(client, "agent1", DEMO_PASSWORD)
    assert (await client.get("/desk")).status_code == 200
    refused = await client.get("/supervisor")
    assert refused.status_code == 403
    assert "您的角色不能用这个功能" in refused.text
    client.cookies.clear()
    await sign_in(client, "editor1", DEMO_PASSWORD)
    assert (await client.get("/desk")).status_code == 403


async def test_scripts_are_told_by_status_that_the_session_has_ended(client: httpx.AsyncClient) -> None:
    answer = await client.post("/desk/state", data={"state": "ready"}, headers={**SAME, "Accept": "*/*"})
    assert (answer.status_code, answer.json()["code"]) == (401, "signed_out")
    assert answer.headers["hx-redirect"] == "/staff/sign-in"


async def test_a_huge_form_is_refused_unread(client: httpx.AsyncClient) -> None:
    assert (await sign_in(client, "alice", "x" * 100_000)).status_code == 413


@pytest.mark.parametrize("path", ["/staff/sign-in", "/desk"])
async def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(
    client: httpx.AsyncClient, accounts: Accounts, path: str
) -> None:
    await accounts.ensure_demo()
    if path == "/desk":
        await sign_in(client, "agent1", DEMO_PASSWORD)
    page = await client.get(path)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r'(src|href)="(https?:)?//', page.text)
    assert not re.search(r"<script(?![^>]*(src=|application/json))|\son\w+=|style=", page.text)
    assert page.headers["cache-control"] == "no-store"
