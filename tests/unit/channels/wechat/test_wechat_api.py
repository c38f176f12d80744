"""One token for all callers, one retry, and every errcode by its meaning."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from channels.wechat.api import TIMEOUT, WeChatApi
from hotline.ports import SendError, SendReason
from hotline.settings import WeChatSettings

pytestmark = pytest.mark.anyio

R = SendReason


def api_over(handler: Callable[[httpx.Request], Any], clock: Any) -> WeChatApi:
    client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return WeChatApi(WeChatSettings(api_base="https://wechat.test"), client, clock=clock)


async def eight(api: WeChatApi) -> list[str]:
    results: list[str] = []

    async def send() -> None:
        results.append(await api.send_text("openid-1", "好"))

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(send)
    return results


async def test_eight_workers_fetch_one_token(vendor: Any, clock: Any) -> None:
    assert len(await eight(api_over(vendor, clock))) == 8
    assert vendor.count("stable_token") == 1


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_storm_of_rejected_tokens_makes_exactly_one_refresh(vendor: Any, clock: Any, errcode: int) -> None:
    async def handler(request: httpx.Request) -> httpx.Response:
        await anyio.sleep(0.005)
        if request.url.params.get("access_token") == "token-1":
            return httpx.Response(200, json={"errcode": errcode, "errmsg": "x"})
        return vendor(request)

    api = api_over(handler, clock)
    assert len(await eight(api)) == 8
    assert vendor.count("stable_token") == 2
    assert vendor.count("send") == 8


async def test_token_that_is_rejected_twice_is_not_tried_a_third_time(vendor: Any, clock: Any) -> None:
    vendor.errcodes = [40001, 40001]
    with pytest.raises(SendError) as caught:
        await api_over(vendor, clock).send_text("openid-1", "好")
    assert caught.value.reason is R.CONFIG
    assert vendor.count("send") == 2


async def test_token_is_renewed_five_minutes_before_its_end(vendor: Any, clock: Any) -> None:
    api = api_over(vendor, clock)
    await api.send_text("openid-1", "好")
    clock.now += 6899
    await api.send_text("openid-1", "好")
    assert vendor.count("stable_token") == 1
    clock.now += 1
    await api.send_text("openid-1", "好")
    assert vendor.count("stable_token") == 2


async def test_token_is_asked_for_without_force(clock: Any) -> None:
    asked: list[dict[str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("stable_token"):
            asked.append(json.loads(request.read()))
        return httpx.Response(200, json={"access_token": "t", "expires_in": 7200})

    await api_over(handler, clock).send_text("openid-1", "好")
    assert asked[0]["grant_type"] == "client_credential"
    assert asked[0]["force_refresh"] is False


async def test_chinese_leaves_unescaped_and_in_time(clock: Any) -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"access_token": "t", "expires_in": 7200})

    await api_over(handler, clock).send_text("openid-1", "能。“可以”")
    sent = requests[-1]
    assert "能。“可以”".encode() in sent.content
    assert sent.extensions["timeout"] == {"connect": 2.0, "read": 5.0, "write": 5.0, "pool": 5.0}
    assert TIMEOUT.connect == 2.0


@pytest.mark.parametrize(
    ("errcode", "reason", "retryable"),
    [
        (-1, R.CONNECTION, True),
        (40003, R.RECIPIENT_GONE, False),
        (40013, R.CONFIG, False),
        (40125, R.CONFIG, False),
        (40164, R.CONFIG, False),
        (43004, R.RECIPIENT_GONE, False),
        (43019, R.RECIPIENT_GONE, False),
        (45002, R.CONTENT, False),
        (45009, R.THROTTLED, True),
        (45011, R.THROTTLED, True),
        (45015, R.THROTTLED, False),
        (45047, R.THROTTLED, False),
        (48001, R.CONFIG, False),
        (48002, R.RECIPIENT_GONE, False),
        (50007, R.CONFIG, False),
        (99999, R.REJECTED, False),
    ],
)
async def test_errcode_becomes_a_send_error(
    vendor: Any, clock: Any, errcode: int, reason: SendReason, retryable: bool
) -> None:
    vendor.errcodes = [errcode]
    with pytest.raises(SendError) as caught:
        await api_over(vendor, clock).send_text("openid-1", "好")
    error = caught.value
    assert (error.reason, error.retryable, error.unknown) == (reason, retryable, False)
    assert (error.retry_after_s > 0) is retryable
    assert vendor.count("send") == 1


@pytest.mark.parametrize(
    ("fault", "unknown"),
    [
        (httpx.ConnectError, False),
        (httpx.ConnectTimeout, False),
        (httpx.PoolTimeout, False),
        (httpx.ReadTimeout, True),
        (httpx.WriteTimeout, True),
        (httpx.ReadError, True),
        (httpx.RemoteProtocolError, True),
    ],
)
async def test_broken_line_says_whether_the_message_may_have_left(
    vendor: Any, clock: Any, fault: type[httpx.TransportError], unknown: bool
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("send"):
            raise fault("broken", request=request)
        return vendor(request)

    with pytest.raises(SendError) as caught:
        await api_over(handler, clock).send_text("openid-1", "好")
    assert (caught.value.reason, caught.value.unknown, caught.value.retryable) == (R.CONNECTION, unknown, not unknown)


async def test_broken_line_to_the_token_may_be_tried_again(clock: Any) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    with pytest.raises(SendError) as caught:
        await api_over(handler, clock).send_text("openid-1", "好")
    assert (caught.value.retryable, caught.value.unknown) == (True, False)


@pytest.mark.parametrize(
    ("response", "reason", "unknown"),
    [
        (httpx.Response(502, text="bad gateway"), R.CONNECTION, True),
        (httpx.Response(200, text="<html>"), R.CONNECTION, True),
        (httpx.Response(200, json=[1]), R.CONNECTION, True),
        (httpx.Response(503), R.THROTTLED, False),
    ],
)
async def test_unreadable_answer_is_a_send_error(
    vendor: Any, clock: Any, response: httpx.Response, reason: SendReason, unknown: bool
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return response if request.url.path.endswith("send") else vendor(request)

    with pytest.raises(SendError) as caught:
        await api_over(handler, clock).send_text("openid-1", "好")
    assert (caught.value.reason, caught.value.unknown) == (reason, unknown)


@pytest.mark.parametrize("answer", [{}, {"access_token": "t"}, {"access_token": "t", "expires_in": "soon"}])
async def test_answer_without_a_token_is_a_send_error(clock: Any, answer: dict[str, str]) -> None:
    with pytest.raises(SendError) as caught:
        await api_over(lambda _: httpx.Response(200, json=answer), clock).send_text("openid-1", "好")
    assert caught.value.retryable


async def test_token_is_in_no_log_and_in_no_error(vendor: Any, clock: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def handler(request: httpx.Request) -> httpx.Response:
        if vendor.count("send"):
            raise httpx.ReadTimeout("slow", request=request)
        return vendor(request)

    api = api_over(handler, clock)
    await api.send_text("openid-1", "好")
    with pytest.raises(SendError) as caught:
        await api.send_text("openid-1", "好")
    assert "HTTP Request: POST https://wechat.test/cgi-bin/message/custom/send" in caplog.text
    assert "token-1" not in caplog.text
    assert "token-1" not in repr(caught.value)
    assert caught.value.__cause__ is None
