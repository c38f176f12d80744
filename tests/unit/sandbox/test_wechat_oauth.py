"""Web authorisation of the sandbox: the phone's openid behind a code that is good once."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from gateway_stand_in import CONFIG, OPENID

from sandbox.phone import STATIC
from sandbox.wechat_platform import Platform

pytestmark = pytest.mark.anyio

ASK = {
    "appid": CONFIG.app_id,
    "redirect_uri": f"{CONFIG.gateway_url}/id/wechat/callback",
    "response_type": "code",
    "scope": "snsapi_base",
    "state": "abc123",
}
ACCOUNT = {"appid": CONFIG.app_id, "secret": CONFIG.app_secret, "grant_type": "authorization_code"}


async def authorised(api: httpx.AsyncClient, **changes: str) -> httpx.Response:
    api.cookies.set("sandbox_openid", OPENID, path="/connect")
    return await api.get("/connect/oauth2/authorize", params=ASK | changes)


async def code(api: httpx.AsyncClient) -> str:
    response = await authorised(api)
    return parse_qs(urlsplit(response.headers["location"]).query)["code"][0]


async def exchanged(api: httpx.AsyncClient, given: str, **changes: str) -> Any:
    query = ACCOUNT | {"code": given} | changes
    return (await api.get("/wechat/sns/oauth2/access_token", params=query)).json()


async def test_browser_comes_back_with_a_code_for_the_phones_openid(api: httpx.AsyncClient) -> None:
    response = await authorised(api)
    assert response.status_code == 302
    back = urlsplit(response.headers["location"])
    assert back.geturl().startswith(ASK["redirect_uri"] + "?code=")
    assert parse_qs(back.query)["state"] == ["abc123"]
    answer = await exchanged(api, parse_qs(back.query)["code"][0])
    assert (answer["openid"], answer["scope"], answer["expires_in"]) == (OPENID, "snsapi_base", 7200)
    assert answer["access_token"]
    assert answer["refresh_token"]


async def test_code_is_good_once(api: httpx.AsyncClient) -> None:
    given = await code(api)
    assert (await exchanged(api, given))["openid"] == OPENID
    assert [(await exchanged(api, given))["errcode"] for _ in range(2)] == [40163, 40163]


async def test_code_is_good_for_five_minutes(api: httpx.AsyncClient, platform: Platform) -> None:
    early, late = await code(api), await code(api)
    platform.clock.ahead_s = 299
    assert (await exchanged(api, early))["openid"] == OPENID
    platform.clock.ahead_s = 300
    assert (await exchanged(api, late))["errcode"] == 40029


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"code": "guessed"}, 40029),
        ({"code": ""}, 41008),
        ({"appid": "wx0"}, 40013),
        ({"secret": "guessed"}, 40125),
        ({"grant_type": "client_credential"}, 40002),
    ],
)
async def test_exchange_needs_a_code_and_the_accounts_own_words(
    api: httpx.AsyncClient, changes: dict[str, str], errcode: int
) -> None:
    given = await code(api)
    assert (await exchanged(api, given, **changes))["errcode"] == errcode
    assert (await exchanged(api, given))["openid"] == OPENID


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"appid": "wx0"}, "appid"),
        ({"redirect_uri": "http://elsewhere.test/id"}, "redirect_uri"),
        ({"redirect_uri": "http://gateway.test.elsewhere.test/"}, "redirect_uri"),
        ({"scope": "everything"}, "scope"),
        ({"response_type": "token"}, "scope"),
    ],
)
async def test_wrong_question_is_answered_with_a_page(
    api: httpx.AsyncClient, changes: dict[str, str], words: str
) -> None:
    response = await authorised(api, **changes)
    assert response.status_code == 403
    assert words in response.text


@pytest.mark.parametrize("openid", ["", "nobody"])
async def test_browser_that_is_no_phone_is_sent_to_wechat(api: httpx.AsyncClient, openid: str) -> None:
    api.cookies.set("sandbox_openid", openid, path="/connect")
    response = await api.get("/connect/oauth2/authorize", params=ASK)
    assert response.status_code == 403
    assert "请在微信客户端打开链接" in response.text


async def test_exchange_can_be_slow(api: httpx.AsyncClient, platform: Platform) -> None:
    platform.faults.api_delay_s = 0.01
    assert (await exchanged(api, await code(api)))["openid"] == OPENID


def test_phone_says_who_opens_a_link_to_the_authorisation_page_alone() -> None:
    script = (STATIC / "phone.js").read_text(encoding="utf-8")
    assert "sandbox_openid=${encodeURIComponent(citizen.openid)}; path=/connect;" in script
