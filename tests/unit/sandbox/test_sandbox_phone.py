"""The phone: what its buttons do, what it shows live, and that it needs no other host."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from gateway_stand_in import CONFIG, OPENID, text_reply

from sandbox.config import SandboxConfig
from sandbox.phone import STATIC, as_sse
from sandbox.wechat_account import account
from sandbox.wechat_platform import Platform

pytestmark = pytest.mark.anyio

PAGE_FILES = ("phone.html", "phone.css", "phone.js", "phone_account.svg")


async def test_page_and_its_files_are_served_with_a_strict_policy(api: httpx.AsyncClient) -> None:
    page = await api.get("/phone")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for path in re.findall(r'(?:src|href)="(/phone/static/[^"]+)"', page.text):
        assert (await api.get(path)).status_code == 200


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fconfig.py", "%2e%2e/app.py", "phone.html.bak"])
async def test_nothing_else_is_served(api: httpx.AsyncClient, name: str) -> None:
    assert (await api.get(f"/phone/static/{name}")).status_code == 404


@pytest.mark.parametrize("name", PAGE_FILES)
def test_page_needs_no_other_host(name: str) -> None:
    text = (STATIC / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|[\"'(]//[a-z]", text)
    assert "innerHTML" not in text


async def test_account_has_a_menu_wechat_would_accept(api: httpx.AsyncClient) -> None:
    shown = (await api.get("/phone/account")).json()
    assert len(shown["menu"]) == 3
    assert all(1 <= len(key["entries"]) <= 5 for key in shown["menu"])
    # Limits of https://developers.weixin.qq.com/doc/service/guide/product/menu/intro.html
    assert all(len(key["label"].encode()) <= 16 for key in shown["menu"])
    assert all(len(entry["says"].encode()) <= 128 for key in shown["menu"] for entry in key["entries"])
    assert len({one["openid"] for one in shown["citizens"]}) == len(shown["citizens"]) >= 3


@pytest.mark.parametrize(
    ("action", "fields", "expected"),
    [
        ("say", {"text": "你好"}, {"MsgType": "text", "Content": "你好"}),
        ("say", {"text": "租房", "menu_id": "2"}, {"Content": "租房", "bizmsgmenuid": "2"}),
        ("speak", {"text": "租房"}, {"MsgType": "voice", "Recognition": "租房。"}),
        ("picture", {}, {"MsgType": "image"}),
        ("menu", {"key": "转人工"}, {"MsgType": "event", "Event": "CLICK", "EventKey": "转人工"}),
        ("follow", {}, {"MsgType": "event", "Event": "subscribe"}),
    ],
)
async def test_button_pushes_what_it_stands_for(
    api: httpx.AsyncClient, platform: Platform, gateway: Any, action: str, fields: dict[str, str], expected: Any
) -> None:
    response = await api.post(f"/phone/{action}", json={"openid": OPENID, **fields})
    await platform.idle()
    assert response.status_code == 202
    (message,) = gateway.messages
    assert expected.items() <= message.items()


async def test_following_twice_and_leaving_twice_happen_once(
    api: httpx.AsyncClient, platform: Platform, gateway: Any
) -> None:
    for action in ("follow", "follow", "unfollow", "unfollow"):
        await api.post(f"/phone/{action}", json={"openid": OPENID})
    await platform.idle()
    assert sorted(message["Event"] for message in gateway.messages) == ["subscribe", "unsubscribe"]


@pytest.mark.parametrize("action", ["say", "speak", "picture", "menu", "follow", "unfollow"])
async def test_stranger_is_not_found(api: httpx.AsyncClient, action: str) -> None:
    form = {"openid": "nobody", "text": "你好"} if action in {"say", "speak"} else {"openid": "nobody"}
    response = await api.post(f"/phone/{action}", json=form | ({"key": "x"} if action == "menu" else {}))
    assert response.status_code == 404


async def test_blank_text_is_not_sent(api: httpx.AsyncClient) -> None:
    assert (await api.post("/phone/say", json={"openid": OPENID, "text": ""})).status_code == 422


async def test_phone_shows_old_lines_and_then_new_ones(platform: Platform, gateway: Any) -> None:
    gateway.answers = [text_reply("能。")]
    await platform.say(OPENID, "能提取吗")
    stream = as_sse(platform.chat(OPENID), after=1)
    state, answer = await anext(stream), await anext(stream)
    assert "event: state" in state
    assert answer.startswith("id: 2\nevent: line\ndata: ")
    assert json.loads(answer.partition("data: ")[2])["text"] == "能。"
    platform.chat(OPENID).show_typing(on=True)
    assert "event: typing" in await anext(stream)
    platform.chat(OPENID).add("account", "一行\n两行", via="pushed")
    assert '"on": false' in await anext(stream)
    pushed = await anext(stream)
    assert pushed.count("\n") == 4
    assert json.loads(pushed.partition("data: ")[2])["text"] == "一行\n两行"
    await stream.aclose()


async def test_closed_phone_is_forgotten(platform: Platform) -> None:
    chat = platform.chat(OPENID)
    stream = as_sse(chat, after=0)
    await anext(stream)
    assert chat.watchers == 1
    await stream.aclose()
    assert chat.watchers == 0


async def test_open_phone_learns_of_a_reset(platform: Platform) -> None:
    stream = as_sse(platform.chat(OPENID), after=0)
    await anext(stream)
    platform.reset()
    assert "event: restart" in await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_health_and_start_page(api: httpx.AsyncClient) -> None:
    assert (await api.get("/health")).json() == {"status": "ok"}
    assert (await api.get("/")).headers["location"] == "/phone"


def test_configuration_comes_from_the_applications_variables() -> None:
    environ = {"GJJ_WECHAT__TOKEN": "t", "GJJ_GATEWAY__PUBLIC_URL": "http://g/", "GJJ_SANDBOX__PORT": "9", "OTHER": "x"}
    config = SandboxConfig.from_env(environ)
    assert (config.token, config.port, config.webhook_url) == ("t", 9, "http://g/channels/wechat")
    assert SandboxConfig.from_env({"GJJ_WECHAT__TOKEN": ""}) == SandboxConfig()


def test_defaults_are_those_of_the_application() -> None:
    from hotline.settings import Settings

    ours, theirs = SandboxConfig(), Settings()
    assert ours.token == theirs.wechat.token.get_secret_value()
    assert ours.aes_key == theirs.wechat.aes_key.get_secret_value()
    assert ours.app_secret == theirs.wechat.app_secret.get_secret_value()
    assert (ours.app_id, ours.original_id) == (theirs.wechat.app_id, theirs.wechat.original_id)
    assert (ours.gateway_url, ours.port) == (theirs.gateway.public_url, theirs.sandbox.port)
    assert theirs.wechat.api_base == f"http://{ours.host}:{ours.port}/wechat"
    assert CONFIG.push_timeout_s < ours.push_timeout_s == 5.0


def test_account_file_has_the_bubble_wechat_shows() -> None:
    assert account().fault == "该公众号提供的服务出现故障，请稍后再试"
