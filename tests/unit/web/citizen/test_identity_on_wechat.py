"""A link opened in WeChat: OAuth tells whose phone it is, or the page says kindly why it cannot."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from dev_app import CENTRE
from fake_identification import FakeIdentification
from fastapi import FastAPI

from hotline.settings import GatewaySettings, IdentitySettings, Settings, WeChatSettings
from sandbox.app import create_app as create_sandbox
from sandbox.config import SandboxConfig
from web.citizen import wechat_oauth
from web.citizen.identity import identity_router
from web.citizen.identity_wording import load_identity_wording
from web.citizen.wechat_oauth import OAuthFailed, OAuthProblem, WeChatOAuth

pytestmark = pytest.mark.anyio

GATEWAY, SANDBOX = "http://fund.test", "http://sandbox.test"
SETTINGS = Settings(
    gateway=GatewaySettings(public_url=GATEWAY),
    identity=IdentitySettings(wechat_oauth_url=f"{SANDBOX}/connect/oauth2/authorize"),
    wechat=WeChatSettings(api_base=f"{SANDBOX}/wechat"),
)
SECRET = SETTINGS.wechat.app_secret.get_secret_value()
LINK = "/id/wechat.bind.1"
WORDING = load_identity_wording(CENTRE)


class Phone:
    """WeChat's browser on somebody's phone, in front of a gateway and a sandbox."""

    def __init__(self, identification: FakeIdentification, *, settings: Settings = SETTINGS) -> None:
        self.sandbox = create_sandbox(SandboxConfig(gateway_url=GATEWAY))
        to_sandbox = httpx.ASGITransport(self.sandbox)
        app = FastAPI()
        wechat = WeChatOAuth(settings, transport=to_sandbox)
        app.include_router(identity_router(identification, settings, centre=CENTRE, wechat=wechat))
        mounts = {GATEWAY: httpx.ASGITransport(app), SANDBOX: to_sandbox}
        self.browser = httpx.AsyncClient(mounts=mounts, follow_redirects=True)
        self.holder(identification.openid)

    def holder(self, openid: str) -> None:
        self.browser.cookies.set("sandbox_openid", openid, domain="sandbox.test", path="/connect")

    async def get(self, path: str, *, follow: bool = True) -> httpx.Response:
        return await self.browser.get(GATEWAY + path, follow_redirects=follow)

    async def code(self) -> tuple[str, str]:
        """What WeChat would send back: the code and the state."""
        away = await self.get(LINK, follow=False)
        back = await self.browser.get(away.headers["location"], follow_redirects=False)
        query = parse_qs(urlsplit(back.headers["location"]).query)
        return query["code"][0], query["state"][0]


@pytest.fixture
def identification() -> FakeIdentification:
    return FakeIdentification()


@pytest.fixture
async def phone(identification: FakeIdentification) -> AsyncIterator[Phone]:
    phone = Phone(identification)
    async with phone.browser:
        yield phone


async def test_link_opens_as_the_openid_that_wechat_tells(phone: Phone, identification: FakeIdentification) -> None:
    page = await phone.get(LINK)
    assert page.url.path == "/id"
    assert "这个微信号" in page.text
    (told,) = identification.said["open_link"]
    assert told["openid"] == identification.openid
    assert len(str(told["browser"])) >= 40


async def test_link_is_nobody_elses(phone: Phone, identification: FakeIdentification) -> None:
    phone.holder("oSbx_huang_li_000000000003")
    page = await phone.get(LINK)
    assert page.url.path == "/id/ended/other_browser"
    assert WORDING.ends["other_browser"]["text"] in page.text


async def test_wechat_is_asked_in_its_own_order_and_told_no_token(phone: Phone) -> None:
    response = await phone.get(LINK, follow=False)
    address = urlsplit(response.headers["location"])
    assert list(parse_qs(address.query)) == ["appid", "redirect_uri", "response_type", "scope", "state"]
    assert address.fragment == "wechat_redirect"
    assert parse_qs(address.query)["redirect_uri"] == [f"{GATEWAY}/id/wechat/callback"]
    assert parse_qs(address.query)["scope"] == ["snsapi_base"]
    assert "wechat.bind.1" not in response.headers["location"]
    cookie = response.headers["set-cookie"].lower()
    assert all(flag in cookie for flag in ("httponly", "samesite=lax", "path=/id/wechat"))


async def test_code_leaves_the_address(phone: Phone) -> None:
    code, state = await phone.code()
    response = await phone.get(f"/id/wechat/callback?code={code}&state={state}", follow=False)
    assert (response.status_code, response.headers["location"]) == (303, "/id")


@pytest.mark.parametrize("query", ["code={code}&state=guessed", "code={code}", "state={state}", ""])
async def test_answer_to_another_browsers_question_is_refused(
    phone: Phone, identification: FakeIdentification, query: str
) -> None:
    code, state = await phone.code()
    page = await phone.get(f"/id/wechat/callback?{query.format(code=code, state=state)}")
    assert page.url.path == "/id/ended/wechat_again"
    assert WORDING.ends["wechat_again"]["text"] in page.text
    assert not identification.said["open_link"]


async def test_answer_without_a_question_is_refused(phone: Phone, identification: FakeIdentification) -> None:
    code, state = await phone.code()
    phone.browser.cookies.clear()
    assert (await phone.get(f"/id/wechat/callback?code={code}&state={state}")).url.path == "/id/ended/wechat_again"
    assert not identification.said["open_link"]


async def test_going_back_to_the_used_answer_is_harmless(phone: Phone, identification: FakeIdentification) -> None:
    code, state = await phone.code()
    for _ in range(2):
        page = await phone.get(f"/id/wechat/callback?code={code}&state={state}")
        assert page.url.path == "/id"
        assert "这个微信号" in page.text
    assert len(identification.said["open_link"]) == 1


async def test_used_code_is_refused(phone: Phone, identification: FakeIdentification) -> None:
    code, _ = await phone.code()
    wechat = WeChatOAuth(SETTINGS, transport=httpx.ASGITransport(phone.sandbox))
    assert await wechat.openid(code) == identification.openid
    with pytest.raises(OAuthFailed) as refused:
        await wechat.openid(code)
    assert refused.value.problem is OAuthProblem.BAD_CODE
    _, state = await phone.code()
    assert (await phone.get(f"/id/wechat/callback?code={code}&state={state}")).url.path == "/id/ended/wechat_again"


async def test_link_tapped_again_on_the_same_phone_goes_on_as_the_same_browser(
    phone: Phone, identification: FakeIdentification
) -> None:
    for _ in range(2):
        assert (await phone.get(LINK)).url.path == "/id"
    assert len({told["browser"] for told in identification.said["open_link"]}) == 1


async def test_wechat_that_is_away_is_said_kindly(phone: Phone, identification: FakeIdentification) -> None:
    phone.sandbox.state.platform.config = SandboxConfig(gateway_url=GATEWAY, app_secret="another")
    page = await phone.get(LINK)
    assert (page.url.path, page.status_code) == ("/id/ended/wechat_away", 503)
    assert "微信现在没有回应" in page.text
    assert not identification.said["open_link"]


async def test_account_without_a_web_domain_opens_links_without_asking(identification: FakeIdentification) -> None:
    identification.openid = ""
    settings = SETTINGS.model_copy(update={"identity": IdentitySettings(wechat_oauth=False)})
    phone = Phone(identification, settings=settings)
    async with phone.browser:
        assert (await phone.get(LINK)).url.path == "/id"
        assert (await phone.get("/id/wechat/callback?code=1&state=2")).url.path == "/id"


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> WeChatOAuth:
    return WeChatOAuth(SETTINGS, transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"errcode": 40029}, OAuthProblem.BAD_CODE),
        ({"errcode": 40163}, OAuthProblem.BAD_CODE),
        ({"errcode": 40125}, OAuthProblem.AWAY),
        ({"errcode": -1}, OAuthProblem.AWAY),
        ({"openid": "o", "is_snapshotuser": 1}, OAuthProblem.SNAPSHOT),
        ({"openid": 5}, OAuthProblem.AWAY),
        ({}, OAuthProblem.AWAY),
        ([], OAuthProblem.AWAY),
        ("not json", OAuthProblem.AWAY),
    ],
)
async def test_answer_that_names_nobody_has_a_page(answer: object, problem: OAuthProblem) -> None:
    body = httpx.Response(200, text=answer) if isinstance(answer, str) else httpx.Response(200, json=answer)
    with pytest.raises(OAuthFailed) as failed:
        await answering(lambda _: body).openid("c")
    assert failed.value.problem is problem
    assert problem.value in WORDING.ends


async def test_slow_wechat_is_given_up(monkeypatch: pytest.MonkeyPatch, phone: Phone) -> None:
    monkeypatch.setattr(wechat_oauth, "TIME_LIMIT_S", 0.05)
    phone.sandbox.state.platform.faults.api_delay_s = 5
    assert (await phone.get(LINK)).url.path == "/id/ended/wechat_away"


async def test_secret_and_code_reach_no_log_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def broken(request: httpx.Request) -> httpx.Response:
        assert request.url.params["secret"] == SECRET
        raise httpx.ConnectError(f"cannot reach {request.url}")

    for answer in (broken, lambda _: httpx.Response(200, json={"errcode": 40163})):
        with pytest.raises(OAuthFailed) as failed:
            await answering(answer).openid("the-code")
        told = f"{failed.value!r} {failed.value.__cause__!r} {caplog.text}"
        assert SECRET not in told
        assert "the-code" not in told
    assert "HTTP Request" in caplog.text
