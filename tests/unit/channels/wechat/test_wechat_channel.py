"""What the channel adds to codec and interface: keys, replays, quotas, progress."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from channels.wechat.channel import WeChatChannel
from channels.wechat.quota import Grant, InMemoryQuotaStore, Quota
from hotline.domain.messages import InboundKind, Reply
from hotline.errors import ConfigError
from hotline.ports import Delivery, Received, RefusedRequest, SendError, SendReason, WebhookRequest
from hotline.settings import WeChatSettings
from sandbox.config import SandboxConfig
from sandbox.wechat_push import opened

pytestmark = pytest.mark.anyio

Seal = Callable[..., WebhookRequest]
OLD_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFA"
OLD = SandboxConfig(aes_key=OLD_KEY)


def delivery(text: str, delivery_id: str = "d-1") -> Delivery:
    return Delivery(delivery_id=delivery_id, contact_key="openid-1", replies=(Reply(text=text),))


async def test_previous_key_opens_and_seals_the_answer(nonces: Any, clock: Any, seal: Seal) -> None:
    both = WeChatSettings(previous_aes_key=SecretStr(OLD_KEY))
    channel = WeChatChannel(both, nonces, client=httpx.AsyncClient(), clock=clock)
    received = await channel.receive(seal(config=OLD))
    assert received.inbound is not None
    assert received.inbound.text == "你好"
    answer = channel.respond(received, (Reply(text="您好。"),))
    assert opened(OLD, answer.body)["Content"] == "您好。"


async def test_previous_key_is_refused_once_it_is_not_set(channel: WeChatChannel, seal: Seal) -> None:
    with pytest.raises(RefusedRequest) as caught:
        await channel.receive(seal(config=OLD))
    assert caught.value.status == 403


async def test_answer_comes_from_the_account_that_was_written_to(channel: WeChatChannel, seal: Seal) -> None:
    received = await channel.receive(seal())
    answer = channel.respond(received, (Reply(text="您好。"),))
    fields = opened(SandboxConfig(), answer.body)
    assert (fields["FromUserName"], fields["ToUserName"], fields["MsgType"]) == ("gh_sandbox12329", "openid-1", "text")


async def test_context_holds_no_secret(channel: WeChatChannel, seal: Seal) -> None:
    received = await channel.receive(seal())
    assert received.context == {"to": "openid-1", "sender": "gh_sandbox12329", "key": "current"}


@pytest.mark.parametrize("key", ["short", "!" * 43, "A" * 44])
def test_unusable_key_is_said_at_start(nonces: Any, key: str) -> None:
    with pytest.raises(ConfigError):
        WeChatChannel(WeChatSettings(aes_key=SecretStr(key)), nonces, client=httpx.AsyncClient())


async def test_three_tries_at_once_are_let_through_as_one_message(channel: WeChatChannel, seal: Seal) -> None:
    request, seen = seal(), []

    async def receive() -> None:
        seen.append((await channel.receive(request)).inbound)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(receive)
    assert len(seen) == 3
    assert len({inbound.external_id for inbound in seen}) == 1


async def test_try_with_a_new_stamp_is_the_same_message(channel: WeChatChannel, seal: Seal) -> None:
    first = await channel.receive(seal(nonce="1"))
    again = await channel.receive(seal(nonce="2"))
    assert first.inbound == again.inbound


async def test_try_that_is_sealed_anew_under_the_same_stamp_is_let_through(channel: WeChatChannel, seal: Seal) -> None:
    first, again = seal(), seal()
    assert first.query["nonce"] == again.query["nonce"]
    assert first.query["msg_signature"] != again.query["msg_signature"]
    assert (await channel.receive(first)).inbound == (await channel.receive(again)).inbound


async def test_used_nonce_with_another_body_is_refused_every_time(channel: WeChatChannel, seal: Seal) -> None:
    await channel.receive(seal())
    other = seal({"Content": "转人工", "MsgId": "1002"})
    for _ in range(3):
        with pytest.raises(RefusedRequest) as caught:
            await channel.receive(other)
        assert caught.value.status == 403


async def test_message_whose_nonce_was_misused_is_still_let_through(channel: WeChatChannel, seal: Seal) -> None:
    request = seal()
    await channel.receive(request)
    with pytest.raises(RefusedRequest):
        await channel.receive(seal({"Content": "转人工", "MsgId": "1002"}))
    assert (await channel.receive(request)).inbound is not None


async def test_endless_repetition_is_refused(channel: WeChatChannel, seal: Seal) -> None:
    request = seal()
    for _ in range(9):
        await channel.receive(request)
    with pytest.raises(RefusedRequest):
        await channel.receive(request)


async def test_nonces_are_remembered_longer_than_a_stamp_is_fresh(
    channel: WeChatChannel, nonces: Any, seal: Seal
) -> None:
    await channel.receive(seal())
    assert set(nonces.seen.values()) == {600}
    assert all(scope == "wechat" and len(key) <= 80 for scope, key in nonces.seen)


async def test_forged_request_leaves_no_trace(channel: WeChatChannel, nonces: Any, vendor: Any, seal: Seal) -> None:
    request = seal()
    forged = dataclasses.replace(request, query=dict(request.query) | {"msg_signature": "0" * 40})
    with pytest.raises(RefusedRequest):
        await channel.receive(forged)
    assert nonces.seen == {}
    assert await channel.allowance("openid-1") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    body=st.binary(max_size=200),
    query=st.dictionaries(st.sampled_from(["timestamp", "nonce", "msg_signature", "echostr"]), st.text(), max_size=4),
    method=st.sampled_from(["GET", "POST", "PUT"]),
)
async def test_any_request_is_refused_and_nothing_else_is_raised(
    channel: WeChatChannel, body: bytes, query: dict[str, str], method: str
) -> None:
    stamped = {"timestamp": "1767225600", "nonce": "1"} | query
    with pytest.raises(RefusedRequest):
        await channel.receive(WebhookRequest(method=method, url="x", headers={}, query=stamped, body=body))


async def test_stamp_is_fresh_up_to_the_limit(channel: WeChatChannel, clock: Any, seal: Seal) -> None:
    assert (await channel.receive(seal(timestamp=clock() - 300))).inbound is not None
    with pytest.raises(RefusedRequest):
        await channel.receive(seal(timestamp=clock() - 301, nonce="2"))


async def test_long_answer_is_acknowledged_and_left_to_send(channel: WeChatChannel, vendor: Any, seal: Seal) -> None:
    received = await channel.receive(seal())
    long = (Reply(text="可以提取。" * 200),)
    assert not channel.fits_inline(long)
    assert channel.respond(received, long) == channel.respond(received, None)
    await channel.send(Delivery(delivery_id="d-1", contact_key="openid-1", replies=long))
    assert len(vendor.texts) == 2


async def test_sixth_push_is_refused_before_wechat_is_called(channel: WeChatChannel, vendor: Any, seal: Seal) -> None:
    await channel.receive(seal())
    for number in range(5):
        await channel.send(delivery("好", f"d-{number}"))
    with pytest.raises(SendError) as caught:
        await channel.send(delivery("好", "d-6"))
    assert (caught.value.reason, caught.value.retryable) == (SendReason.THROTTLED, False)
    assert vendor.count("send") == 5


async def test_answer_that_does_not_fit_the_window_is_not_begun(
    channel: WeChatChannel, vendor: Any, seal: Seal
) -> None:
    await channel.receive(seal({"MsgType": "event", "Event": "CLICK", "EventKey": "余额", "MsgId": ""}))
    with pytest.raises(SendError):
        await channel.send(delivery("可以提取。" * 600))
    assert vendor.count("send") == 0


async def test_new_message_opens_a_full_window_again(channel: WeChatChannel, clock: Any, seal: Seal) -> None:
    await channel.receive(seal())
    await channel.send(delivery("好"))
    clock.now += 10
    await channel.receive(seal({"MsgId": "1002"}, nonce="2"))
    left = await channel.allowance("openid-1")
    assert left is not None
    assert (left.left, left.until) == (5, clock() + 48 * 3600)


async def test_second_try_of_a_message_opens_nothing(channel: WeChatChannel, seal: Seal) -> None:
    await channel.receive(seal(nonce="1"))
    await channel.send(delivery("好"))
    await channel.receive(seal(nonce="2"))
    left = await channel.allowance("openid-1")
    assert left is not None
    assert left.left == 4


async def test_window_ends_after_two_days(channel: WeChatChannel, clock: Any, seal: Seal) -> None:
    await channel.receive(seal())
    clock.now += 48 * 3600
    with pytest.raises(SendError) as caught:
        await channel.send(delivery("好"))
    assert caught.value.reason is SendReason.THROTTLED


async def test_unfollow_ends_all_windows(channel: WeChatChannel, vendor: Any, seal: Seal) -> None:
    await channel.receive(seal())
    gone = await channel.receive(seal({"MsgType": "event", "Event": "unsubscribe", "MsgId": ""}, nonce="2"))
    assert gone.inbound is not None
    assert gone.inbound.kind is InboundKind.LEAVE
    with pytest.raises(SendError):
        await channel.send(delivery("好"))
    assert vendor.count("send") == 0


async def test_citizen_nothing_is_known_of_is_left_to_wechat(channel: WeChatChannel, vendor: Any) -> None:
    await channel.send(delivery("好"))
    assert vendor.count("send") == 1


async def test_wechats_own_count_wins(channel: WeChatChannel, vendor: Any, seal: Seal) -> None:
    await channel.receive(seal())
    vendor.errcodes = [45047]
    with pytest.raises(SendError):
        await channel.send(delivery("好"))
    with pytest.raises(SendError):
        await channel.send(delivery("好"))
    assert vendor.count("send") == 1


async def test_push_that_surely_failed_is_not_counted(channel: WeChatChannel, vendor: Any, seal: Seal) -> None:
    await channel.receive(seal())
    vendor.errcodes = [-1]
    with pytest.raises(SendError) as caught:
        await channel.send(delivery("好"))
    assert caught.value.retryable
    left = await channel.allowance("openid-1")
    assert left is not None
    assert left.left == 5


async def test_retry_goes_on_where_it_stopped(channel: WeChatChannel, vendor: Any, seal: Seal) -> None:
    await channel.receive(seal())
    long = delivery("可以提取。" * 350)
    vendor.errcodes = [0, -1]
    with pytest.raises(SendError):
        await channel.send(long)
    await channel.send(long)
    marks = [text.partition('"content": "')[2][:5] for text in vendor.texts]
    assert marks == ["（1/3）", "（2/3）", "（3/3）"]


async def test_message_that_comes_in_while_an_answer_goes_out_keeps_its_window() -> None:
    store = InMemoryQuotaStore()
    first = Quota().granted(Grant.MESSAGE, 0.0)
    assert first is not None
    assert await store.put("a", first)
    stale = first.spent(1.0)
    newer = first.granted(Grant.MESSAGE, 1000.0)
    assert newer is not None
    assert await store.put("a", newer)
    assert stale is not None
    assert not await store.put("a", stale)
    assert await store.get("a") == newer


async def test_typing_is_shown_and_costs_no_message(channel: WeChatChannel, vendor: Any, seal: Seal) -> None:
    await channel.receive(seal())
    vendor.errcodes = [45081]
    await channel.show_typing("openid-1")
    left = await channel.allowance("openid-1")
    assert vendor.count("typing") == 1
    assert left is not None
    assert left.left == 5


async def test_empty_answer_sends_nothing(channel: WeChatChannel, vendor: Any) -> None:
    await channel.send(Delivery(delivery_id="d", contact_key="openid-1", replies=()))
    assert vendor.calls == []
    assert channel.respond(Received(context={}), ()).body == "success"
