"""The web page as a channel, and its visitors."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from channels.webchat import visitors as visitors_module
from channels.webchat.channel import WebChatChannel
from channels.webchat.visitors import Visitors
from hotline.domain.messages import ChannelName, InboundKind, Reply
from hotline.ports import Channel, Delivery, Received, RefusedRequest, WebhookRequest

pytestmark = pytest.mark.anyio
ID = "3f2b8c1e-5a47-4c1d-9e0f-0123456789ab"
VISITORS = Visitors(SecretStr("fixture-secret"), secure=False)
VISITOR = VISITORS.new()


def request(path: str, *, text: str = "租房能提多少", cookie: str | None = None) -> WebhookRequest:
    value = f"visitor={VISITORS.sign(VISITOR)}" if cookie is None else cookie
    return WebhookRequest(
        method="POST",
        url=f"http://127.0.0.1:8000{path}",
        headers={"cookie": value},
        query={},
        body=json.dumps({"id": ID, "text": text}).encode(),
    )


async def test_message_becomes_an_inbound_of_its_visitor() -> None:
    received = await WebChatChannel(VISITORS).receive(request("/chat/messages"))
    assert received.inbound is not None
    assert received.inbound.channel is ChannelName.WEB
    assert received.inbound.contact_key == VISITOR
    assert received.inbound.external_id == f"{VISITOR}:{ID}"
    assert (received.inbound.kind, received.inbound.text) == (InboundKind.TEXT, "租房能提多少")


async def test_every_start_of_one_visitor_is_the_same_delivery() -> None:
    channel = WebChatChannel(VISITORS)
    first, second = [(await channel.receive(request("/chat/start"))).inbound for _ in range(2)]
    assert first == second
    assert first is not None
    assert first.kind is InboundKind.START


@pytest.mark.parametrize(
    ("bad", "status", "reason"),
    [
        (request("/chat/messages", cookie=""), 401, "no_visitor"),
        (request("/chat/messages", cookie=f"visitor={VISITOR}"), 401, "no_visitor"),
        (request("/chat/messages", text=" "), 422, "empty"),
        (request("/chat/messages", text="金" * 1001), 422, "too_long"),
        (request("/chat/elsewhere"), 404, "unknown_path"),
    ],
)
async def test_bad_request_is_refused_with_its_reason(bad: WebhookRequest, status: int, reason: str) -> None:
    with pytest.raises(RefusedRequest) as caught:
        await WebChatChannel(VISITORS).receive(bad)
    assert (caught.value.status, caught.value.reason) == (status, reason)


async def test_response_acknowledges_and_carries_no_reply() -> None:
    response = WebChatChannel(VISITORS).respond(Received(), [Reply(text="能提。")])
    assert response.status == 202
    assert json.loads(response.body) == {"accepted": True}
    assert not WebChatChannel(VISITORS).fits_inline([Reply(text="能提。")])


async def test_stored_line_counts_as_delivered() -> None:
    channel: Channel = WebChatChannel(VISITORS)
    receipt = await channel.send(Delivery(delivery_id="d1", contact_key=VISITOR, replies=[Reply(text="能提。")]))
    assert receipt.vendor_id == "d1"
    assert channel.capabilities.can_push
    assert not channel.capabilities.replies_inline


def test_visitor_is_recognised_among_other_cookies() -> None:
    assert VISITORS.recognise(f"theme=dark; visitor={VISITORS.sign(VISITOR)}; a=b") == VISITOR


@pytest.mark.parametrize(
    "change", [lambda s: s[:-5] + ("A" if s[-5] != "A" else "B") + s[-4:], lambda s: "x" + s[1:], str.upper]
)
def test_changed_cookie_is_nobody(change: object) -> None:
    signed = VISITORS.sign("a" * 22)
    assert VISITORS.recognise(f"visitor={change(signed)}") is None  # type: ignore[operator]


def test_cookie_signed_with_another_secret_is_nobody() -> None:
    other = Visitors(SecretStr("another-secret"), secure=False)
    assert VISITORS.recognise(f"visitor={other.sign(VISITOR)}") is None


def test_cookie_older_than_its_age_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    signed = VISITORS.sign(VISITOR)
    monkeypatch.setattr(visitors_module, "MAX_AGE_S", -1)
    assert VISITORS.recognise(f"visitor={signed}") is None


def test_visitors_differ_and_https_gets_the_host_prefix() -> None:
    assert len({VISITORS.new() for _ in range(100)}) == 100
    assert Visitors(SecretStr("s"), secure=True).cookie_name == "__Host-visitor"
