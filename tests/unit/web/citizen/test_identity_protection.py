"""Identity pages under attack, in a hurry and loaded twice: what is refused, and what happens only once."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import httpx
import pytest
from fake_identification import CODE, FakeIdentification
from identity_visits import (
    FILLED,
    PASSWORD,
    SECRETS,
    WEB,
    WORDING,
    at_code,
    client_of,
    hidden,
    opened,
    problem,
    sent,
)

from hotline.domain.identity import IdentityRefused, Refusal
from hotline.errors import TemporaryError
from web.citizen.identity_forms import MAX_BODY_BYTES
from web.citizen.identity_once import Once
from web.citizen.identity_site import IdentityLimits
from web.citizen.limits import Rate

pytestmark = pytest.mark.anyio

# ---- protection ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("base", "is_secure"), [("http://fund.test", False), ("https://fund.test", True)])
async def test_cookie_is_hidden_from_scripts_other_sites_and_other_paths(
    identification: FakeIdentification, base: str, *, is_secure: bool
) -> None:
    async with client_of(identification, base=base) as client:
        response = await client.get(f"/id/{WEB}")
    assert (response.status_code, response.headers["location"]) == (303, "/id")
    cookie: SimpleCookie = SimpleCookie(response.headers["set-cookie"])
    flags = cookie["id_session"]
    assert (flags["httponly"], flags["samesite"], flags["path"]) == (True, "lax", "/id")
    assert bool(flags["secure"]) is is_secure


async def test_page_sends_no_referrer_and_may_not_be_framed_or_kept(client: httpx.AsyncClient) -> None:
    for response in (await client.get(f"/id/{WEB}"), await client.get("/id"), await client.get("/id/notice")):
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["cache-control"] == "no-store"
        policy = response.headers["content-security-policy"]
        assert "form-action 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


async def test_page_needs_no_other_host_and_no_script(client: httpx.AsyncClient) -> None:
    for page in (await opened(client), await at_code(client, "web.bind.2"), await client.get("/id/notice")):
        text = page.text.replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"""(?:src|href|action)=["'](?!/)""", text)
        assert not re.search(r"<script(?![^>]* src=)|\son\w+=|\sstyle=", text)


@pytest.mark.parametrize("name", ["prove", "again", "confirm"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://fund.test"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://elsewhere.test"},
    ],
)
async def test_form_of_another_site_is_refused(
    client: httpx.AsyncClient, identification: FakeIdentification, *, name: str, headers: dict[str, str]
) -> None:
    fields = hidden(await at_code(client)) | {"code": CODE}
    before = {key: len(told) for key, told in identification.said.items()}
    del client.headers["Sec-Fetch-Site"]
    response = await client.post(f"/id/{name}", data=fields | FILLED, headers=headers)
    assert response.status_code == 403
    assert {key: len(told) for key, told in identification.said.items()} == before


@pytest.mark.parametrize("headers", [{"Origin": "http://fund.test"}, {"Origin": "null"}, {}])
async def test_older_browser_is_recognised_by_its_origin_or_by_the_form_alone(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    fields = hidden(await opened(client)) | FILLED
    del client.headers["Sec-Fetch-Site"]
    assert (await client.post("/id/prove", data=fields, headers=headers)).status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
async def test_form_without_its_sign_ins_token_is_refused(
    client: httpx.AsyncClient, identification: FakeIdentification, token: str
) -> None:
    fields = hidden(await opened(client)) | FILLED | {"form": token}
    response = await client.post("/id/prove", data=fields)
    assert response.status_code == 409
    assert "重新打开" in response.text
    assert not identification.said["prove"]


async def test_form_of_an_older_sign_in_is_refused(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    older = await opened(client)
    await opened(client, "web.bind.2")
    assert (await sent(client, "prove", older, **FILLED)).status_code == 409
    assert not identification.said["prove"]


async def test_altered_cookie_is_nobodys(client: httpx.AsyncClient) -> None:
    await opened(client)
    value = next(cookie.value for cookie in client.cookies.jar if cookie.name == "id_session")
    client.cookies.clear()
    client.cookies.set("id_session", f"{value}x", domain="fund.test")
    assert (await client.get("/id")).status_code == 410


async def test_huge_form_is_refused_before_it_is_read(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    await opened(client)
    pieces = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal pieces
        for _ in range(1000):
            pieces += 1
            yield b"x" * 1024

    response = await client.post(
        "/id/prove", content=flood(), headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert response.status_code == 413
    assert pieces <= MAX_BODY_BYTES // 1024 + 1
    assert not identification.said["prove"]


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"{}", "application/json"),
        (b"id_number=\xff", "application/x-www-form-urlencoded"),
        (b"&".join([b"a=1"] * 50), "application/x-www-form-urlencoded"),
    ],
)
async def test_what_is_no_form_is_refused(client: httpx.AsyncClient, content: bytes, media: str) -> None:
    await opened(client)
    response = await client.post("/id/prove", content=content, headers={"Content-Type": media})
    assert response.status_code == 400


async def test_who_is_too_fast_waits_and_is_told_how_long(identification: FakeIdentification) -> None:
    limits = IdentityLimits(posts_of_session=Rate(burst=1, per_s=0.05), opens_of_address=Rate(burst=1, per_s=0.1))
    async with client_of(identification, limits=limits) as client:
        page = await sent(client, "prove", await opened(client), **FILLED)
        response = await sent(client, "confirm", page, code=CODE)
        assert response.status_code == 429
        assert "请20秒后再试" in response.text
        assert response.headers["retry-after"] == "20"
        assert (await opened(client)).status_code == 429
    assert not identification.said["confirm"]


async def test_no_secret_reaches_a_log_an_address_a_cookie_or_a_page(
    client: httpx.AsyncClient, identification: FakeIdentification, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    identification.refusals["prove"] = [IdentityRefused(Refusal.MISMATCH), TemporaryError("away")]
    pages = [await opened(client)]
    for fields in (FILLED, FILLED | {"factor": "query_password", "query_password": PASSWORD}, FILLED):
        pages.append(await sent(client, "prove", pages[-1], **fields))
    pages.append(await sent(client, "confirm", pages[-1], code=CODE))
    seen = [caplog.text, *(str(cookie.value) for cookie in client.cookies.jar)]
    seen += [text for page in pages for text in (page.text, str(page.url), str(page.headers))]
    assert "已完成" in pages[-1].text
    assert not [secret for secret in SECRETS for text in seen if secret in text]


# ---- repeated -----------------------------------------------------------------------------------


async def test_double_click_is_one_attempt(client: httpx.AsyncClient, identification: FakeIdentification) -> None:
    page = await opened(client)
    identification.refusals["prove"] = [IdentityRefused(Refusal.MISMATCH, attempts_left=4)]
    both = await asyncio.gather(*(sent(client, "prove", page, **FILLED) for _ in range(2)))
    assert [problem(one) for one in both] == [WORDING.refusal(Refusal.MISMATCH, tries=4)] * 2
    assert len(identification.said["prove"]) == 1
    assert "138****5678" in (await sent(client, "prove", both[0], **FILLED)).text
    assert len(identification.said["prove"]) == 2


async def test_code_confirmed_twice_is_done_and_stays_done(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    page = await at_code(client)
    for done in [
        *(await asyncio.gather(*(sent(client, "confirm", page, code=CODE) for _ in range(2)))),
        await sent(client, "prove", page, **FILLED),
        await client.get("/id"),
        await client.get("/id/confirm", follow_redirects=True),
    ]:
        assert "已完成" in done.text
    assert len(identification.said["confirm"]) == 1
    assert len(identification.said["prove"]) == 1


async def test_page_loaded_again_shows_the_same_and_asks_nothing(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    identification.refusals["prove"] = [IdentityRefused(Refusal.MISMATCH)]
    page = await sent(client, "prove", await opened(client), **FILLED)
    assert problem(await client.get("/id")) == problem(page)
    assert len(identification.said["prove"]) == 1


async def test_going_back_to_the_first_step_changes_nothing_in_the_second(client: httpx.AsyncClient) -> None:
    await at_code(client)
    for path in ("/id", "/id/notice", "/id/prove"):
        await client.get(path, follow_redirects=True)
    assert "138****5678" in (await client.get("/id")).text


async def test_work_goes_on_when_the_browser_that_asked_is_gone() -> None:
    once: Once[int] = Once(remembered=1)
    begun, may_end = asyncio.Event(), asyncio.Event()
    times = 0

    async def work() -> int:
        nonlocal times
        times += 1
        begun.set()
        await may_end.wait()
        return times

    first = asyncio.create_task(once.run("a", work))
    await begun.wait()
    first.cancel()
    may_end.set()
    assert await once.run("a", work) == 1
    assert await once.run("b", work) == 2
    assert await once.run("a", work) == 3
