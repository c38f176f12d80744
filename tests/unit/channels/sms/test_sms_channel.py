"""The SMS channel towards Twilio."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote
from xml.etree import ElementTree

import httpx
import pytest
from pydantic import SecretStr

from channels.sms.channel import SmsChannel
from channels.twilio_signature import verified_form
from hotline.domain.messages import ChannelName, InboundKind, Reply
from hotline.ports import Delivery, Received, RefusedRequest, SendError, SendReason, WebhookRequest
from hotline.settings import TwilioSettings

pytestmark = pytest.mark.anyio
Signed = Callable[..., WebhookRequest]
URL = "https://hotline.example/channels/sms"
DELIVERY = Delivery(delivery_id="d/1", contact_key="+8613800138000", replies=(Reply(text="能提取。"),))


async def test_text_is_decoded(channel: SmsChannel, signed: Signed, payload: dict[str, Any]) -> None:
    inbound = (await channel.receive(signed(payload["form"], url=URL))).inbound
    assert inbound is not None
    assert inbound.channel is ChannelName.SMS
    assert inbound.kind is InboundKind.TEXT
    assert inbound.external_id == "SM0123456789abcdef0123456789abcdef"
    assert inbound.contact_key == "+8613800138000"
    assert inbound.text == "租房可以提取公积金吗？"
    assert inbound.session_key == ""


async def test_replayed_message_has_the_same_identity(
    channel: SmsChannel, signed: Signed, payload: dict[str, Any]
) -> None:
    request = signed(payload["form"], url=URL)
    assert await channel.receive(request) == await channel.receive(request)


async def _refused(channel: SmsChannel, request: WebhookRequest) -> int:
    with pytest.raises(RefusedRequest) as caught:
        await channel.receive(request)
    return caught.value.status


async def test_unsigned_request_is_refused(channel: SmsChannel, signed: Signed, payload: dict[str, Any]) -> None:
    request = signed(payload["form"], url=URL)
    bare = {"content-type": request.headers["content-type"]}
    assert await _refused(channel, dataclasses.replace(request, headers=bare)) == 403


@pytest.mark.parametrize("signature", ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "签名"])
async def test_wrong_signature_is_refused(
    channel: SmsChannel, signed: Signed, payload: dict[str, Any], signature: str
) -> None:
    request = signed(payload["form"], url=URL)
    headers = {**request.headers, "x-twilio-signature": signature}
    assert await _refused(channel, dataclasses.replace(request, headers=headers)) == 403


async def test_changed_field_is_refused(channel: SmsChannel, signed: Signed, payload: dict[str, Any]) -> None:
    request = signed(payload["form"], url=URL)
    changed = request.body.replace(b"13800138000", b"13900139000")
    assert await _refused(channel, dataclasses.replace(request, body=changed)) == 403


async def test_https_signature_does_not_open_the_http_address(
    channel: SmsChannel, signed: Signed, payload: dict[str, Any]
) -> None:
    request = signed(payload["form"], url=URL.replace("https", "http"), signed_url=URL)
    assert await _refused(channel, request) == 403


async def test_explicit_port_is_the_same_address(channel: SmsChannel, signed: Signed, payload: dict[str, Any]) -> None:
    request = signed(payload["form"], url=URL, signed_url="https://hotline.example:443/channels/sms")
    assert (await channel.receive(request)).inbound is not None


@pytest.mark.parametrize(("scheme", "accepted"), [("https", True), ("http", False)])
def test_published_example_of_twilio_is_judged_as_published(
    published: dict[str, Any], scheme: str, accepted: bool
) -> None:
    form = published["form"]
    request = WebhookRequest(
        method="POST",
        url=published["url"].replace("https", scheme),
        headers={
            "x-twilio-signature": published["signature"],
            "content-type": "application/x-www-form-urlencoded",
        },
        query={},
        body="&".join(f"{name}={quote(value)}" for name, value in form.items()).encode(),
    )
    with pytest.raises(RefusedRequest) as caught:
        verified_form(request, TwilioSettings(auth_token=SecretStr(published["token"])))
    # The example names no account, so a right signature comes as far as that check.
    assert caught.value.reason == ("another account" if accepted else "wrong signature")


async def test_other_account_is_refused(channel: SmsChannel, signed: Signed, payload: dict[str, Any]) -> None:
    form = payload["form"] | {"AccountSid": "AC" + "9" * 32}
    assert await _refused(channel, signed(form, url=URL)) == 403


@pytest.mark.parametrize(
    "body",
    [
        b"MessageSid=SM1&MessageSid=SM2",
        b"Body=%FF%FE",
        b"Body=%ZZ",
        b"Body",
        b"Body=\xe4\xbd\xa0",
        b"",
        b"&".join(b"a%d=1" % number for number in range(200)),
    ],
)
async def test_unclean_forms_are_refused(
    channel: SmsChannel, signed: Signed, payload: dict[str, Any], body: bytes
) -> None:
    assert await _refused(channel, signed(payload["form"], url=URL, body=body)) in {400, 403}


@pytest.mark.parametrize(
    ("name", "value"),
    [("MessageSid", ""), ("MessageSid", "SM1"), ("From", ""), ("From", "+86 138; drop"), ("NumMedia", "many")],
)
async def test_signed_form_without_its_fields_is_refused(
    channel: SmsChannel, signed: Signed, payload: dict[str, Any], name: str, value: str
) -> None:
    assert await _refused(channel, signed(payload["form"] | {name: value}, url=URL)) == 400


@pytest.mark.parametrize(("change", "status"), [({"method": "GET"}, 405), ({"url": URL + "/else"}, 404)])
async def test_other_methods_and_addresses_are_refused(
    channel: SmsChannel, signed: Signed, payload: dict[str, Any], change: dict[str, str], status: int
) -> None:
    assert await _refused(channel, dataclasses.replace(signed(payload["form"], url=URL), **change)) == status


async def test_json_body_is_refused(channel: SmsChannel, signed: Signed, payload: dict[str, Any]) -> None:
    request = signed(payload["form"], url=URL)
    headers = {**request.headers, "content-type": "application/json"}
    assert await _refused(channel, dataclasses.replace(request, headers=headers)) == 400


@pytest.mark.parametrize("change", [{"Body": ""}, {"Body": " \n"}, {"NumMedia": "1"}])
async def test_pictures_and_empty_messages_are_unsupported(
    channel: SmsChannel, signed: Signed, payload: dict[str, Any], change: dict[str, str]
) -> None:
    received = await channel.receive(signed(payload["form"] | change, url=URL))
    assert received.inbound is not None
    assert received.inbound.kind is InboundKind.UNSUPPORTED


@pytest.mark.parametrize("word", ["TD", "td", "退订", " 退订。", "T", "STOP", "Stop", "ＴＤ"])
async def test_opting_out_leaves(channel: SmsChannel, signed: Signed, payload: dict[str, Any], word: str) -> None:
    received = await channel.receive(signed(payload["form"] | {"Body": word}, url=URL))
    assert received.inbound is not None
    assert received.inbound.kind is InboundKind.LEAVE
    assert received.inbound.meta == {"opt_out": "1"}


@pytest.mark.parametrize("text", ["怎么退订短信通知", "stop付款会怎样", "T恤"])
async def test_question_about_opting_out_is_a_question(
    channel: SmsChannel, signed: Signed, payload: dict[str, Any], text: str
) -> None:
    received = await channel.receive(signed(payload["form"] | {"Body": text}, url=URL))
    assert received.inbound is not None
    assert received.inbound.kind is InboundKind.TEXT


@pytest.mark.parametrize(
    ("change", "confirmed"),
    [({"Body": "退订"}, True), ({"Body": "STOP"}, False), ({"Body": "退订", "OptOutType": "STOP"}, False)],
)
async def test_opting_out_is_confirmed_once(
    channel: SmsChannel, signed: Signed, payload: dict[str, Any], change: dict[str, str], confirmed: bool
) -> None:
    received = await channel.receive(signed(payload["form"] | change, url=URL))
    said = _messages(channel, received, ())
    assert [("退订" in text) for text in said] == ([True] if confirmed else [])


def _messages(channel: SmsChannel, received: Received, replies: tuple[Reply, ...] | None) -> list[str]:
    response = channel.respond(received, replies)
    assert response.status == 200
    assert response.media_type.startswith("text/xml")
    return [message.text or "" for message in ElementTree.fromstring(response.body).iter("Message")]  # noqa: S314


async def test_answer_in_time_rides_in_the_response(
    channel: SmsChannel, signed: Signed, payload: dict[str, Any]
) -> None:
    received = await channel.receive(signed(payload["form"], url=URL))
    assert _messages(channel, received, (Reply(text="能提取。"),)) == ["【广州公积金】能提取。"]
    assert _messages(channel, received, None) == []
    assert _messages(channel, received, ()) == []


async def test_answer_cannot_break_out_of_its_document(
    channel: SmsChannel, signed: Signed, payload: dict[str, Any]
) -> None:
    received = await channel.receive(signed(payload["form"], url=URL))
    nasty = "<Hangup/> & ]]> \x00\x0b\ufffe'\""
    assert _messages(channel, received, (Reply(text=nasty),)) == ["【广州公积金】<Hangup/> & ]]> '\""]


async def test_status_report_is_answered_at_once(channel: SmsChannel, signed: Signed, payload: dict[str, Any]) -> None:
    form = {name: payload["form"][name] for name in ("MessageSid", "AccountSid", "From", "To")}
    received = await channel.receive(signed(form | {"MessageStatus": "delivered"}, url=URL + "/status?delivery=d1"))
    assert received.inbound is None
    assert received.response is not None
    assert received.response.status == 204
    assert channel.respond(received, None) is received.response


async def test_unsigned_status_report_is_refused(channel: SmsChannel, signed: Signed, payload: dict[str, Any]) -> None:
    request = signed(payload["form"], url=URL + "/status", signed_url=URL)
    assert await _refused(channel, request) == 403


def test_wait_stays_below_what_twilio_allows(settings: TwilioSettings) -> None:
    patient = settings.model_copy(update={"reply_wait_s": 60.0})
    assert SmsChannel(patient, "https://hotline.example").capabilities.reply_wait_s == 12.0
    assert SmsChannel(settings, "https://hotline.example").capabilities.reply_wait_s == 6.0


async def test_sent_message_reaches_the_configured_address(channel: SmsChannel, twilio: Any) -> None:
    receipt = await channel.send(DELIVERY)
    assert receipt.vendor_id == "SM" + "9" * 32
    (request,) = twilio.requests
    assert str(request.url) == (
        "http://sandbox.example/twilio/2010-04-01/Accounts/AC00000000000000000000000000012329/Messages.json"
    )
    user, _, password = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).partition(b":")
    assert (user, password) == (b"AC00000000000000000000000000012329", b"sandbox-twilio-auth-token")
    assert parse_qs(request.content.decode()) == {
        "To": ["+8613800138000"],
        "From": ["+8612329"],
        "Body": ["【广州公积金】能提取。"],
        "StatusCallback": ["https://hotline.example/channels/sms/status?delivery=d%2F1"],
    }


async def test_empty_base_means_twilio_itself(twilio: Any) -> None:
    real = SmsChannel(TwilioSettings(api_base=""), "https://hotline.example", transport=httpx.MockTransport(twilio))
    await real.send(DELIVERY)
    assert twilio.requests[0].url.host == "api.twilio.com"


def _error(code: int, status: int = 400) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": "To +8613800138000 is wrong", "status": status})


@pytest.mark.parametrize(
    ("answer", "reason", "retryable", "unknown"),
    [
        (_error(21610), SendReason.RECIPIENT_GONE, False, False),
        (_error(21211), SendReason.REJECTED, False, False),
        (_error(21614), SendReason.REJECTED, False, False),
        (_error(20429, 429), SendReason.THROTTLED, True, False),
        (_error(99999, 429), SendReason.THROTTLED, True, False),
        (_error(20003, 401), SendReason.CONFIG, False, False),
        (_error(99999, 403), SendReason.CONFIG, False, False),
        (_error(21617), SendReason.CONTENT, False, False),
        (_error(99999), SendReason.REJECTED, False, False),
        (_error(20500, 500), SendReason.CONNECTION, False, True),
        (_error(20503, 503), SendReason.CONNECTION, True, False),
        (httpx.Response(502, text="<html>"), SendReason.CONNECTION, False, True),
        (httpx.Response(201, text="<html>"), SendReason.CONNECTION, False, True),
        (httpx.Response(201, json=[]), SendReason.CONNECTION, False, True),
        (httpx.Response(201, json={"sid": "SM1", "error_code": 21610}), SendReason.RECIPIENT_GONE, False, False),
        (httpx.ConnectError("refused"), SendReason.CONNECTION, True, False),
        (httpx.ConnectTimeout("slow"), SendReason.CONNECTION, True, False),
        (httpx.ReadTimeout("slow"), SendReason.CONNECTION, False, True),
        (httpx.RemoteProtocolError("cut"), SendReason.CONNECTION, False, True),
    ],
)
async def test_failures_are_told_apart(
    channel: SmsChannel, twilio: Any, answer: Any, reason: SendReason, retryable: bool, unknown: bool
) -> None:
    twilio.answers = [answer]
    with pytest.raises(SendError) as caught:
        await channel.send(DELIVERY)
    error = caught.value
    assert (error.reason, error.retryable, error.unknown) == (reason, retryable, unknown)
    assert "13800138000" not in str(error)
    assert len(twilio.requests) == 1


@pytest.mark.parametrize("base", ["gopher://sandbox.example", "http://sand box:port", "no-scheme"])
async def test_wrong_address_is_a_matter_of_settings(base: str) -> None:
    wrong = SmsChannel(TwilioSettings(api_base=base), "https://hotline.example")
    with pytest.raises(SendError) as caught:
        await wrong.send(DELIVERY)
    assert (caught.value.reason, caught.value.retryable) == (SendReason.CONFIG, False)


async def test_nothing_is_sent_for_nothing_to_say(channel: SmsChannel, twilio: Any) -> None:
    with pytest.raises(SendError) as caught:
        await channel.send(dataclasses.replace(DELIVERY, replies=()))
    assert caught.value.reason is SendReason.CONTENT
    assert twilio.requests == []
