"""The platform pushes as WeChat does."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from gateway_stand_in import CONFIG, OPENID, sealed_reply, text_reply

from sandbox.wechat_account import account
from sandbox.wechat_crypto import UnreadableReplyError, decrypt, encrypt
from sandbox.wechat_platform import Platform
from sandbox.wechat_push import handshake

pytestmark = pytest.mark.anyio


def shown(platform: Platform, author: str) -> list[str]:
    return [line.text for line in platform.chat(OPENID).lines if line.author == author]


async def test_typed_text_is_pushed_sealed_and_its_answer_shown(platform: Platform, gateway: Any) -> None:
    gateway.answers = [text_reply("能。")]
    await platform.say(OPENID, "能提取吗 ]]> <b>")
    (message,) = gateway.messages
    assert message["Content"] == "能提取吗 ]]> <b>"
    assert (message["FromUserName"], message["ToUserName"]) == (OPENID, CONFIG.original_id)
    assert message["MsgId"].isdigit()
    assert gateway.queries[0]["encrypt_type"] == "aes"
    assert shown(platform, "account") == ["能。"]


@pytest.mark.parametrize("answer", ["success", ""])
async def test_acknowledgement_shows_nothing(platform: Platform, gateway: Any, answer: str) -> None:
    gateway.answers = [answer]
    await platform.say(OPENID, "你好")
    assert shown(platform, "account") == []
    assert shown(platform, "system") == []


@pytest.mark.parametrize("fault", [1.0, 500, 403, httpx.ConnectError("down")])
async def test_three_tries_of_one_message_and_then_the_fault_bubble(
    platform: Platform, gateway: Any, fault: Any
) -> None:
    gateway.answers = [fault] * 3 + [text_reply("too late")]
    await platform.say(OPENID, "你好")
    assert len(gateway.messages) == 3
    assert len({message["MsgId"] for message in gateway.messages}) == 1
    assert shown(platform, "system") == [account().fault]
    assert shown(platform, "account") == []


async def test_answer_to_the_third_try_is_shown(platform: Platform, gateway: Any) -> None:
    gateway.answers = [1.0, 500, text_reply("能。")]
    await platform.say(OPENID, "你好")
    assert shown(platform, "account") == ["能。"]
    assert shown(platform, "system") == []
    assert [record.outcome for record in platform.pushes] == ["timeout", "HTTP 500", "answered"]


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "<xml><MsgType>text</MsgType><Content>plain</Content></xml>",
        text_reply("能。").replace("<MsgSignature>", "<MsgSignature>0"),
        text_reply("能。", to="somebody-else"),
        text_reply("长" * 683),
        sealed_reply({"ToUserName": OPENID, "FromUserName": CONFIG.original_id, "MsgType": "card"}),
    ],
)
async def test_malformed_answer_shows_the_fault_bubble_at_once(platform: Platform, gateway: Any, body: str) -> None:
    gateway.answers = [body]
    await platform.say(OPENID, "你好")
    assert len(gateway.messages) == 1
    assert shown(platform, "system") == [account().fault]


async def test_lost_answer_makes_the_platform_try_again(platform: Platform, gateway: Any) -> None:
    platform.faults.drop_responses = 1
    gateway.answers = [text_reply("能。"), text_reply("能。")]
    await platform.say(OPENID, "你好")
    assert len(gateway.messages) == 2
    assert shown(platform, "account") == ["能。"]


@pytest.mark.parametrize(("same_stamp", "stamps"), [(True, 1), (False, 2)])
async def test_try_is_stamped_as_told(platform: Platform, gateway: Any, same_stamp: bool, stamps: int) -> None:
    platform.faults.same_stamp = same_stamp
    gateway.answers = [500, "success"]
    await platform.say(OPENID, "你好")
    assert len({query["nonce"] for query in gateway.queries}) == stamps


async def test_duplicate_reaches_the_server_twice_and_is_shown_once(platform: Platform, gateway: Any) -> None:
    platform.faults.duplicate = 1
    gateway.answers = [text_reply("能。"), "success"]
    await platform.say(OPENID, "你好")
    assert len({message["MsgId"] for message in gateway.messages}) == 1
    assert len(gateway.messages) == 2
    assert shown(platform, "account") == ["能。"]


async def test_unfollowing_shows_no_fault(platform: Platform, gateway: Any) -> None:
    gateway.answers = [500, 500, 500]
    await platform.event(OPENID, "unsubscribe", EventKey="")
    assert shown(platform, "system") == [account().unfollowed]


async def test_voice_carries_recognition_only_where_there_is_some(platform: Platform, gateway: Any) -> None:
    await platform.speak(OPENID, "租房提取")
    await platform.speak(OPENID, "")
    assert gateway.messages[0]["Recognition"] == "租房提取。"
    assert "Recognition" not in gateway.messages[1]


async def test_menu_key_is_an_event_without_msg_id(platform: Platform, gateway: Any) -> None:
    await platform.event(OPENID, "CLICK", EventKey="转人工")
    (message,) = gateway.messages
    assert (message["Event"], message["EventKey"]) == ("CLICK", "转人工")
    assert "MsgId" not in message


async def test_handshake_succeeds_only_with_a_server_that_answers(platform: Platform) -> None:
    assert await handshake(CONFIG, platform.client, platform.clock)
    silent = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, text="hello")))
    assert not await handshake(CONFIG, silent, platform.clock)


async def test_reset_gives_up_what_is_under_way(platform: Platform, gateway: Any) -> None:
    gateway.answers = [1.0, 1.0, 1.0]
    platform.say(OPENID, "你好")
    platform.reset()
    await platform.idle()
    assert platform.chat(OPENID).lines == []


def test_cipher_opens_what_it_sealed_and_nothing_else() -> None:
    key, app_id = CONFIG.aes_key, CONFIG.app_id
    assert decrypt(encrypt("<xml>好</xml>", aes_key=key, app_id=app_id), aes_key=key, app_id=app_id) == "<xml>好</xml>"
    for encrypted in ("", "AAAA", "!", encrypt("x", aes_key=key, app_id="another")):
        with pytest.raises(UnreadableReplyError):
            decrypt(encrypted, aes_key=key, app_id=app_id)
