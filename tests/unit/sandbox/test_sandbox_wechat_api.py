"""Tokens, message interface and controls of the sandbox platform."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from gateway_stand_in import CONFIG, OPENID

from sandbox.wechat_platform import Platform

pytestmark = pytest.mark.anyio

TOKEN_FORM = {"grant_type": "client_credential", "appid": CONFIG.app_id, "secret": CONFIG.app_secret}


def text_to(openid: str, content: Any = "好") -> dict[str, Any]:
    return {"touser": openid, "msgtype": "text", "text": {"content": content}}


async def follow(platform: Platform) -> None:
    await platform.event(OPENID, "subscribe", EventKey="")


async def test_stable_token_stays_the_same_until_five_minutes_before_its_end(
    api: httpx.AsyncClient, platform: Platform
) -> None:
    async def token() -> str:
        return (await api.post("/wechat/cgi-bin/stable_token", json=TOKEN_FORM)).json()["access_token"]

    first = await token()
    assert await token() == first
    platform.clock.ahead_s = 6901
    second = await token()
    assert second != first
    assert [platform.tokens.check(one) for one in (first, second)] == [0, 0]
    platform.clock.ahead_s = 7201
    assert platform.tokens.check(first) == 42001


async def test_forced_renewal_is_limited(api: httpx.AsyncClient, platform: Platform) -> None:
    forced = TOKEN_FORM | {"force_refresh": True}
    assert "access_token" in (await api.post("/wechat/cgi-bin/stable_token", json=forced)).json()
    assert (await api.post("/wechat/cgi-bin/stable_token", json=forced)).json()["errcode"] == 45009
    platform.clock.ahead_s = 31
    assert "access_token" in (await api.post("/wechat/cgi-bin/stable_token", json=forced)).json()


@pytest.mark.parametrize(("field", "errcode"), [("grant_type", 40002), ("appid", 40013), ("secret", 40125)])
async def test_token_needs_the_accounts_own_words(api: httpx.AsyncClient, field: str, errcode: int) -> None:
    response = await api.post("/wechat/cgi-bin/stable_token", json=TOKEN_FORM | {field: "wrong"})
    assert response.json()["errcode"] == errcode


async def test_classic_token_is_not_given(api: httpx.AsyncClient) -> None:
    assert (await api.get("/wechat/cgi-bin/token")).status_code == 410


@pytest.mark.parametrize(("token", "errcode"), [("", 41001), ("guessed", 40001)])
async def test_call_needs_a_token_of_the_platform(call: Any, token: str, errcode: int) -> None:
    assert (await call("message/custom/send", text_to(OPENID), token=token))["errcode"] == errcode


async def test_tokens_expire_on_demand(api: httpx.AsyncClient, call: Any, platform: Platform) -> None:
    await follow(platform)
    old, _ = platform.tokens.give()
    await api.post("/wechat/sandbox/expire-token", params={"errcode": 40001})
    assert (await call("message/custom/send", text_to(OPENID), token=old))["errcode"] == 40001
    assert (await call("message/custom/send", text_to(OPENID)))["errcode"] == 0


async def test_five_messages_after_a_message_and_not_one_more(call: Any, platform: Platform) -> None:
    platform.chat(OPENID).follows = True
    await platform.say(OPENID, "你好")
    codes = [(await call("message/custom/send", text_to(OPENID)))["errcode"] for _ in range(6)]
    assert codes == [0] * 5 + [45047]
    await platform.say(OPENID, "还在吗")
    assert (await call("message/custom/send", text_to(OPENID)))["errcode"] == 0


@pytest.mark.parametrize("event", ["subscribe", "CLICK", "SCAN"])
async def test_three_messages_in_the_minute_after_an_event(call: Any, platform: Platform, event: str) -> None:
    await platform.event(OPENID, event, EventKey="x")
    platform.chat(OPENID).follows = True
    codes = [(await call("message/custom/send", text_to(OPENID)))["errcode"] for _ in range(4)]
    assert codes == [0] * 3 + [45047]
    platform.clock.ahead_s = 60
    assert (await call("message/custom/send", text_to(OPENID)))["errcode"] == 45015


async def test_tapped_link_counts_as_an_event(call: Any, platform: Platform, gateway: Any) -> None:
    platform.chat(OPENID).follows = True
    await platform.say(OPENID, "租房提取", menu_id="1")
    assert gateway.messages[0]["bizmsgmenuid"] == "1"
    platform.clock.ahead_s = 61
    assert (await call("message/custom/send", text_to(OPENID)))["errcode"] == 45015


async def test_window_of_a_message_lasts_two_days(api: httpx.AsyncClient, call: Any, platform: Platform) -> None:
    platform.chat(OPENID).follows = True
    await platform.say(OPENID, "你好")
    await api.post("/wechat/sandbox/advance", params={"seconds": 48 * 3600 - 1})
    assert (await call("message/custom/send", text_to(OPENID)))["errcode"] == 0
    await api.post("/wechat/sandbox/advance", params={"seconds": 1})
    assert (await call("message/custom/send", text_to(OPENID)))["errcode"] == 45015


@pytest.mark.parametrize(
    ("form", "errcode"),
    [
        (text_to("nobody"), 40003),
        ({}, 47001),
        ({"touser": OPENID, "msgtype": "card"}, 40008),
        (text_to(OPENID, ""), 44004),
        (text_to(OPENID, 5), 44004),
        ({"touser": OPENID, "msgtype": "text", "text": "plain"}, 44004),
        (text_to(OPENID, "长" * 683), 45002),
        (text_to(OPENID, "长" * 682 + "ab"), 0),
    ],
)
async def test_message_is_checked(call: Any, platform: Platform, form: dict[str, Any], errcode: int) -> None:
    await follow(platform)
    assert (await call("message/custom/send", form))["errcode"] == errcode


async def test_who_does_not_follow_cannot_be_written_to(call: Any, platform: Platform) -> None:
    assert (await call("message/custom/send", text_to(OPENID)))["errcode"] == 43004


async def test_typing_is_shown_until_a_message_comes(call: Any, platform: Platform) -> None:
    await follow(platform)
    typing = {"touser": OPENID, "command": "Typing"}
    assert (await call("message/custom/typing", typing))["errcode"] == 0
    assert (await call("message/custom/typing", typing))["errcode"] == 45081
    assert (await call("message/custom/typing", typing | {"command": "Dance"}))["errcode"] == 45072
    await call("message/custom/send", text_to(OPENID))
    assert platform.chat(OPENID).typing_until == 0.0


async def test_interface_fails_as_told(api: httpx.AsyncClient, call: Any, platform: Platform) -> None:
    await follow(platform)
    await api.post("/wechat/sandbox/faults", json={"api_errcodes": [-1, 45009]})
    codes = [(await call("message/custom/send", text_to(OPENID)))["errcode"] for _ in range(3)]
    assert codes == [-1, 45009, 0]


async def test_unknown_fault_is_refused(api: httpx.AsyncClient) -> None:
    assert (await api.post("/wechat/sandbox/faults", json={"explode": True})).status_code == 422


async def test_controls_push_events_check_the_server_and_list_what_happened(
    api: httpx.AsyncClient, platform: Platform
) -> None:
    assert (await api.post("/wechat/sandbox/handshake")).json() == {"ok": True}
    await api.post("/wechat/sandbox/event", params={"openid": OPENID, "event": "VIEW", "event_key": "u"})
    await platform.idle()
    record = (await api.get("/wechat/sandbox/pushes")).json()["pushes"][0]
    assert (record["what"], record["outcome"], record["attempt"]) == ("VIEW", "silent", 1)
    await api.post("/wechat/sandbox/reset")
    assert (await api.get("/wechat/sandbox/pushes")).json()["pushes"] == []
