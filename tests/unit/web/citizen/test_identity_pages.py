"""The identity pages over identity in memory: what is shown, what is refused, and what never leaves the form."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest
import time_machine
from dev_app import CENTRE
from fake_identification import CODE, FakeIdentification
from fastapi import FastAPI

from channels.webchat.visitors import Visitors
from hotline.domain.fund import Factor, FactorKind
from hotline.domain.identity import IdentityRefused, Refusal
from hotline.errors import ConfigError, TemporaryError
from hotline.settings import GatewaySettings, Settings
from web.citizen.identity import identity_router
from web.citizen.identity_forms import MAX_BODY_BYTES
from web.citizen.identity_once import Once
from web.citizen.identity_pages import END_STATUS
from web.citizen.identity_site import IdentityLimits
from web.citizen.identity_wording import WORDING_FILE, load_identity_wording
from web.citizen.limits import Rate

pytestmark = pytest.mark.anyio

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


@pytest.fixture
def identification() -> FakeIdentification:
    return FakeIdentification()


@pytest.fixture
async def client(identification: FakeIdentification) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(identification) as client:
        yield client


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


# ---- the way through -----------------------------------------------------------------------------


async def test_citizen_proves_who_he_is_in_two_steps(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    first = await opened(client)
    assert first.url.path == "/id"
    assert WORDING.pages["prove"]["title"] in first.text
    second = await sent(client, "prove", first, **FILLED)
    assert second.url.path == "/id"
    assert "138****5678" in second.text
    assert 'autocomplete="one-time-code"' in second.text
    done = await sent(client, "confirm", second, code=CODE)
    assert "已完成，可以回到对话继续" in done.text
    assert "陈**" in done.text
    assert 'href="/chat"' in done.text
    told = identification.said["prove"][0]
    assert told["factor"] == Factor(kind=FactorKind.BANK_CARD, value=CARD)
    assert (told["id_number"], told["consent"], told["browser"]) == (ID_NUMBER, True, "v" * 22)


async def test_query_password_is_the_other_choice(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    await sent(
        client,
        "prove",
        await opened(client),
        **FILLED | {"factor": "query_password", "bank_card": "", "query_password": PASSWORD},
    )
    assert identification.said["prove"][0]["factor"] == Factor(kind=FactorKind.QUERY_PASSWORD, value=PASSWORD)


async def test_unticked_box_is_no_consent(client: httpx.AsyncClient, identification: FakeIdentification) -> None:
    fields = {name: value for name, value in FILLED.items() if name != "consent"}
    await sent(client, "prove", await opened(client), **fields)
    assert identification.said["prove"][0]["consent"] is False


async def test_who_has_agreed_before_is_asked_again_only_for_a_new_notice(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    first = await opened(client, "web.step_up.1")
    assert 'name="consent"' not in first.text
    identification.refusals["prove"] = [IdentityRefused(Refusal.NO_CONSENT)]
    again = await sent(client, "prove", first, **FILLED)
    assert 'name="consent"' in again.text
    assert 'name="consent" value="yes" aria-invalid="true"' in again.text


async def test_another_code_can_be_sent(client: httpx.AsyncClient, identification: FakeIdentification) -> None:
    identification.again_after_s = 42
    page = await sent(client, "again", await at_code(client))
    assert len(identification.said["send_again"]) == 1
    assert re.search(r'data-again-in="4[0-2]"', page.text)


async def test_too_many_codes_wait_with_the_button(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    page = await at_code(client)
    identification.refusals["send_again"] = [IdentityRefused(Refusal.TOO_MANY_CODES, wait_s=600)]
    page = await sent(client, "again", page)
    assert "请10分钟后再试" in problem(page)
    assert re.search(r'data-again-in="(600|59\d)"', page.text)


async def test_link_tapped_again_goes_on_where_the_sign_in_is(client: httpx.AsyncClient) -> None:
    await at_code(client)
    assert "138****5678" in (await opened(client)).text


async def test_newer_link_begins_anew(client: httpx.AsyncClient) -> None:
    await at_code(client)
    assert 'name="id_number"' in (await opened(client, "web.bind.2")).text


async def test_sms_link_works_in_any_browser_and_says_how_to_go_back(client: httpx.AsyncClient) -> None:
    client.cookies.clear()
    done = await sent(client, "confirm", await at_code(client, "sms.bind.1"), code=CODE)
    assert "这个手机号" in done.text
    assert WORDING.pages["common"]["close_how"] in done.text
    assert 'href="/chat"' not in done.text


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", list(Refusal))
async def test_every_refusal_says_what_to_do_next(
    client: httpx.AsyncClient, identification: FakeIdentification, reason: Refusal
) -> None:
    identification.refusals["prove"] = [IdentityRefused(reason)]
    page = await sent(client, "prove", await opened(client), **FILLED)
    sentence = WORDING.refusal(reason)
    assert sentence in page.text
    assert "请" in sentence
    assert "{" not in sentence
    assert not any(secret in page.text for secret in SECRETS)


@pytest.mark.parametrize("reason", list(Refusal))
async def test_refused_code_says_what_to_do_next(
    client: httpx.AsyncClient, identification: FakeIdentification, reason: Refusal
) -> None:
    page = await at_code(client)
    identification.refusals["confirm"] = [IdentityRefused(reason)]
    assert WORDING.refusal(reason) in (await sent(client, "confirm", page, code=CODE)).text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "稍后"), (30, "30秒后"), (60, "1分钟后"), (599, "10分钟后"), (3600, "1小时后"), (86_400, "1天后")],
)
def test_wait_is_said_in_words(seconds: int, words: str) -> None:
    assert f"请{words}再试" in WORDING.refusal(Refusal.LOCKED, wait_s=seconds)


def test_lock_that_begins_with_a_mismatch_is_said_instead_of_tries() -> None:
    sentence = WORDING.refusal(Refusal.MISMATCH, wait_s=60, tries=0)
    assert sentence.endswith("请1分钟后再试。")
    assert "请1分钟后再试" not in WORDING.refusal(Refusal.MISMATCH, tries=3)


async def test_tries_left_are_said_and_neither_field_is_blamed(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    identification.refusals["prove"] = [IdentityRefused(Refusal.MISMATCH, attempts_left=3)]
    page = await sent(client, "prove", await opened(client), **FILLED)
    assert problem(page).endswith("还可以试3次。")
    assert "aria-invalid" not in page.text


async def test_malformed_field_is_marked(client: httpx.AsyncClient, identification: FakeIdentification) -> None:
    identification.refusals["prove"] = [IdentityRefused(Refusal.MALFORMED_ID)]
    page = await sent(client, "prove", await opened(client), **FILLED)
    assert re.search(r'<input id="id_number"[^>]*aria-invalid="true"', page.text)
    assert page.text.count("aria-invalid") == 1


async def test_wait_runs_down_while_the_page_is_looked_at(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    identification.refusals["prove"] = [IdentityRefused(Refusal.LOCKED, wait_s=300)]
    with time_machine.travel("2026-11-25T02:00:00Z", tick=False) as clock:
        first = await sent(client, "prove", await opened(client), **FILLED)
        assert "请5分钟后再试" in problem(first)
        clock.shift(241)
        assert "请59秒后再试" in problem(await client.get("/id"))


async def test_another_person_begins_anew_and_a_wrong_code_does_not(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    page = await sent(client, "confirm", await at_code(client), code="000000")
    assert "还可以试4次" in problem(page)
    assert 'name="code"' in page.text
    identification.refusals["confirm"] = [IdentityRefused(Refusal.ANOTHER_PERSON)]
    assert 'name="id_number"' in (await sent(client, "confirm", page, code=CODE)).text


@pytest.mark.parametrize("reason", [Refusal.LINK_EXPIRED, Refusal.LINK_USED, Refusal.OTHER_BROWSER, Refusal.LOCKED])
async def test_link_that_cannot_be_opened_leaves_the_address_and_says_how_to_get_one(
    client: httpx.AsyncClient, identification: FakeIdentification, reason: Refusal
) -> None:
    identification.refusals["open_link"] = [IdentityRefused(reason, wait_s=600 if reason is Refusal.LOCKED else 0)]
    page = await opened(client)
    assert page.url.path == f"/id/ended/{reason}"
    assert page.status_code == END_STATUS[reason]
    expected = "请10分钟后再试" if reason is Refusal.LOCKED else "验证身份"
    assert expected in page.text
    assert WEB not in str(page.url)


async def test_core_that_is_away_is_said_kindly_everywhere(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    away = TemporaryError("storage is away")
    identification.refusals["link_channel"] = [away]
    page = await opened(client)
    assert page.status_code == 503
    assert "12329" in page.text
    identification.refusals["prove"] = [away]
    assert problem(await sent(client, "prove", await opened(client), **FILLED)) == WORDING.refusal(Refusal.CORE_AWAY)


async def test_what_is_no_link_is_said_to_be_over(client: httpx.AsyncClient) -> None:
    assert (await opened(client, "guessed.bind.1")).url.path == "/id/ended/link_expired"


async def test_sign_in_that_was_left_lying_has_expired(client: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-11-25T02:00:00Z", tick=False) as clock:
        await opened(client)
        clock.shift(600)
        page = await client.get("/id")
    assert page.status_code == 410
    assert "验证身份" in page.text
    assert "<form" not in page.text


async def test_page_without_a_sign_in_says_how_to_get_one(client: httpx.AsyncClient) -> None:
    for page in (await client.get("/id"), await client.post("/id/prove", data=FILLED)):
        assert page.status_code == 410
        assert "验证身份" in page.text


async def test_end_nobody_knows_is_an_expired_page(client: httpx.AsyncClient) -> None:
    page = await client.get("/id/ended/<script>?wait=99999999999999999999")
    assert WORDING.ends["expired"]["title"] in page.text
    assert "<script>" not in page.text


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


# ---- words ---------------------------------------------------------------------------------------


async def test_notice_says_purpose_what_is_kept_how_long_and_rights(client: httpx.AsyncClient) -> None:
    page = await client.get("/id/notice")
    for words in (CENTRE.name, "做什么用", "保存多久", "解除绑定", "12329", "个人信息保护法", "单独同意"):
        assert words in page.text
    assert WORDING.pages["notice"]["edition"] in page.text
    assert WORDING.pages["notice"]["title"] in (await opened(client)).text


async def test_form_says_where_numbers_may_be_given_and_how_others_are_helped(client: httpx.AsyncClient) -> None:
    page = await opened(client)
    for words in ("只在这个页面填写", "验证码不要告诉任何人", "替家人或单位办理？", "授权委托书"):
        assert words in page.text


def test_every_end_has_words_and_a_status() -> None:
    assert set(WORDING.ends) == set(END_STATUS)
    assert all(end["title"] and end["text"] for end in WORDING.ends.values())


@pytest.mark.parametrize(
    ("old", "new"), [('version: "', 'version: "9'), ("  wrong_code:", "  other_code:"), ("common:", "common: [")]
)
def test_wording_that_cannot_be_used_is_one_sentence_for_the_operator(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "identity_wording.yml"
    path.write_text(WORDING_FILE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"identity_wording\.yml"):
        load_identity_wording(CENTRE, path)
