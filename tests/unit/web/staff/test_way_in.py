"""The way in, page by page: what is kept on it, and what stops it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pyotp
import pytest

from hotline.errors import TemporaryError
from hotline.services.staff.demo import DEMO_PASSWORD
from tests.staff_kit import ALICE, HERE, PASSWORD
from tests.unit.web.staff.conftest import PUBLIC, SAME, Visit, an_app, token

pytestmark = pytest.mark.anyio


async def test_where_somebody_wanted_to_go_is_kept_through_every_step(visit: Visit) -> None:
    one_time = await visit.office.accounts.add(ALICE)
    begun = await visit.sign_in("alice", one_time, next="/desk?c=1")
    assert begun.headers["location"] == "/staff/enrol?next=%2Fdesk%3Fc%3D1"
    page = await visit.browser.get(begun.headers["location"])
    assert 'name="next" value="/desk?c=1"' in page.text
    opened = await visit.browser.get("/staff/enrol.svg")
    assert opened.content.startswith(b"<?xml")
    secret = page.text.partition('class="secret">')[2].partition("<")[0].replace(" ", "")
    codes = await visit.post(
        "/staff/enrol", csrf=token(page), code=pyotp.TOTP(secret).at(visit.office.clock.now), next="/desk?c=1"
    )
    assert 'href="/staff/password?next=/desk%3Fc%3D1"' in codes.text
    page = await visit.browser.get("/staff/password?next=/desk%3Fc%3D1")
    form = {"csrf": token(page), "old": one_time, "new": PASSWORD, "again": PASSWORD, "next": "/desk?c=1"}
    assert (await visit.post("/staff/password", **form)).headers["location"] == "/desk?c=1"
    visit.browser.cookies.clear()
    begun = await visit.sign_in(next="/desk?c=2")
    assert begun.headers["location"] == "/staff/code?next=%2Fdesk%3Fc%3D2"
    assert (await visit.give_code(next="/desk?c=2")).headers["location"] == "/desk?c=2"


@pytest.mark.parametrize("given", ["//evil.example", "https://evil.example", "/\\evil.example", "//["])
async def test_no_step_leads_to_another_host(visit: Visit, given: str) -> None:
    await visit.office.hired()
    assert "evil" not in (await visit.browser.get("/staff/sign-in", params={"next": given})).text
    assert (await visit.sign_in(next=given)).headers["location"] == "/staff/code"
    assert "evil" not in (await visit.browser.get("/staff/code", params={"next": given})).text
    assert (await visit.give_code(next=given)).headers["location"] == "/desk"
    assert (await visit.browser.get("/staff/sign-in", params={"next": given})).headers["location"] == "/desk"


async def test_who_is_in_already_is_sent_on(visit: Visit) -> None:
    await visit.enter()
    assert (await visit.browser.get("/staff/sign-in?next=/desk")).headers["location"] == "/desk"
    assert (await visit.browser.get("/staff")).headers["location"] == "/desk"
    assert (await visit.browser.get("/staff/code")).headers["location"].startswith("/staff/sign-in")


async def test_half_way_in_is_not_in(visit: Visit) -> None:
    await visit.office.hired()
    await visit.sign_in()
    for path in ("/staff/account", "/staff/password", "/staff/enrol", "/staff/enrol.svg", "/staff"):
        answer = await visit.browser.get(path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/staff/sign-in"), path
    csrf = await visit.csrf("/staff/code")
    for path in ("/staff/recovery", "/staff/password", "/staff/sessions/end"):
        assert (await visit.post(path, csrf=csrf)).headers["location"] == "/staff/sign-in"


async def test_another_account_can_be_chosen_half_way_in(visit: Visit) -> None:
    await visit.office.hired()
    await visit.sign_in()
    out = await visit.post("/staff/sign-out", csrf=await visit.csrf("/staff/code"))
    assert out.headers["location"] == "/staff/sign-in"
    assert (await visit.browser.get("/staff/code")).status_code == 303


async def test_a_secret_of_before_is_not_that_of_after(visit: Visit) -> None:
    await visit.office.hired()
    visit.browser.cookies.set("__Host-staff", "planted-by-somebody", domain="desk.centre.example")
    await visit.sign_in()
    first = visit.browser.cookies["__Host-staff"]
    await visit.give_code()
    second = visit.browser.cookies["__Host-staff"]
    assert len({"planted-by-somebody", first, second}) == 3
    assert len(second) >= 43


async def test_the_cookie_is_hidden_from_scripts_other_sites_and_plain_http(visit: Visit) -> None:
    await visit.office.hired()
    written = (await visit.sign_in()).headers["set-cookie"]
    assert written.startswith("__Host-staff=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(written.split("; "))
    assert "Domain" not in written


async def test_a_wrong_code_is_told_and_five_lock(visit: Visit) -> None:
    await visit.office.hired()
    await visit.sign_in()
    csrf = await visit.csrf("/staff/code")
    for _ in range(5):
        wrong = await visit.post("/staff/code", csrf=csrf, code="000000")
        assert (wrong.status_code, "动态码不对" in wrong.text) == (422, True)
    locked = await visit.post("/staff/code", csrf=csrf, code="000000")
    assert (locked.status_code, "输错次数太多，请1分钟后再试" in locked.text) == (429, True)


@pytest.mark.parametrize("body", [b"name=%ff%fe&password=x", b"\xff\xfe", "name=\u6797".encode(), b"&" * 100])
async def test_what_is_no_form_is_said_to_be_unreadable(visit: Visit, body: bytes) -> None:
    headers = {**SAME, "Content-Type": "application/x-www-form-urlencoded"}
    answer = await visit.browser.post("/staff/sign-in", content=body, headers=headers)
    assert (answer.status_code, "没有读懂" in answer.text) == (400, True)


async def test_a_form_without_end_is_read_no_further_than_a_form_may_be_long(visit: Visit) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000_000:
            sent += 4096
            yield b"x" * 4096

    headers = {**SAME, "Content-Type": "application/x-www-form-urlencoded"}
    answer = await visit.browser.post("/staff/sign-in", content=endless(), headers=headers)
    assert answer.status_code == 413


async def test_an_address_that_hammers_is_slowed_down_before_any_password_is_checked(visit: Visit) -> None:
    answers = [(await visit.sign_in("nobody", "x")).status_code for _ in range(70)]
    assert answers[0] == 422
    assert answers[-1] == 429
    assert "操作太快了" in (await visit.sign_in("nobody", "x")).text


async def test_a_browser_that_sends_its_origin_alone_gets_in_and_another_origin_does_not(visit: Visit) -> None:
    await visit.office.hired()
    form = {"name": "alice", "password": PASSWORD}
    for origin, status in ((PUBLIC, 303), ("https://evil.example", 403), ("null", 403)):
        answer = await visit.browser.post("/staff/sign-in", data=form, headers={"Origin": origin})
        assert answer.status_code == status
    page = await visit.browser.get("/staff/sign-in")
    assert page.headers["referrer-policy"] == "same-origin"  # without a referrer browsers send "null" as origin
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_demo_accounts_are_told_with_the_sandbox_alone(visit: Visit) -> None:
    assert DEMO_PASSWORD in (await visit.browser.get("/staff/sign-in")).text
    app = an_app(visit.office.sign_in, visit.office, demo=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC) as browser:
        page = await browser.get("/staff/sign-in")
    assert page.status_code == 200
    assert DEMO_PASSWORD not in page.text


class _Away:
    """A sign-in whose database does not answer."""

    async def here(self, token: str, *, stage: object) -> None:
        raise TemporaryError("the database is away")

    async def with_password(self, name: str, password: str, *, browser: object) -> None:
        raise TemporaryError("the database is away")


async def test_a_database_that_does_not_answer_is_told_as_busy(visit: Visit) -> None:
    app = an_app(_Away(), visit.office)  # type: ignore[arg-type]
    headers = {"Accept": "text/html", "Cookie": "__Host-staff=x"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC, headers=headers) as browser:
        for answer in (
            await browser.get("/staff/account"),
            await browser.post("/staff/sign-in", data={"name": "a"}, headers=SAME),
        ):
            assert (answer.status_code, "系统正忙" in answer.text) == (503, True)


async def test_time_runs_out_half_way_in(visit: Visit) -> None:
    await visit.office.hired()
    await visit.sign_in()
    csrf = await visit.csrf("/staff/code")
    visit.office.clock.now += timedelta(minutes=10)
    answer = await visit.post("/staff/code", csrf=csrf, code=await visit.code())
    assert answer.headers["location"] == "/staff/sign-in"
    assert await visit.office.sign_in.with_password("alice", PASSWORD, browser=HERE)
