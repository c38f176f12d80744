"""SMS and telephone in their Twilio form keep the channel contract."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree

import httpx
from kit import ChannelContract, IncomingCase, OutgoingCase, Subject

from channels.sms.channel import SmsChannel
from channels.sms.codec import parts
from channels.voice.channel import VoiceChannel
from channels.voice.wording import wording
from hotline.domain.messages import Choice, InboundKind, Reply
from hotline.ports import WebhookRequest, WebhookResponse
from hotline.settings import TwilioSettings

SETTINGS = TwilioSettings(api_base="http://sandbox.example/twilio")
PUBLIC = "https://hotline.example"
FIXTURES = Path(__file__).parents[2] / "fixtures"
CITIZEN = "+8613800138000"
TOKEN = SETTINGS.auth_token.get_secret_value()
CHOICES = (Choice(label="租房提取", text="租房提取公积金"), Choice(label="购房提取", text="购房提取公积金"))


def _form(path: str) -> dict[str, str]:
    return dict(json.loads((FIXTURES / path).read_text(encoding="utf-8"))["form"])


def _post(form: dict[str, str], address: str, *, token: str = TOKEN) -> WebhookRequest:
    url = PUBLIC + address
    text = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    headers = {
        "x-twilio-signature": base64.b64encode(digest).decode(),
        "content-type": "application/x-www-form-urlencoded",
    }
    query = dict(parse_qsl(urlsplit(url).query))
    return WebhookRequest(method="POST", url=url, headers=headers, query=query, body=urlencode(form).encode())


def _forged(request: WebhookRequest) -> WebhookRequest:
    form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    other = _post(form, request.url.removeprefix(PUBLIC), token="guessed")
    return dataclasses.replace(request, headers=other.headers)


def _texts(response: WebhookResponse, tag: str) -> list[str]:
    if not response.body:
        return []
    return [element.text or "" for element in ElementTree.fromstring(response.body).iter(tag)]  # noqa: S314


SMS = _form("sms/inbound_text.json")


def _sms(number: int, **change: str) -> WebhookRequest:
    return _post(SMS | {"MessageSid": f"SM{number:032x}"} | change, "/channels/sms")


class TestSms(ChannelContract):
    incoming = (
        IncomingCase(
            name="question",
            request=_post(SMS, "/channels/sms"),
            inbound={
                "external_id": "SM0123456789abcdef0123456789abcdef",
                "contact_key": CITIZEN,
                "kind": InboundKind.TEXT,
                "text": "租房可以提取公积金吗？",
            },
        ),
        IncomingCase(name="emoji", request=_sms(2, Body="好的😀"), inbound={"text": "好的😀"}),
        IncomingCase(name="empty", request=_sms(3, Body=""), inbound={"kind": InboundKind.UNSUPPORTED}),
        IncomingCase(name="picture", request=_sms(4, NumMedia="1"), inbound={"kind": InboundKind.UNSUPPORTED}),
        IncomingCase(
            name="opt out",
            request=_sms(5, Body="STOP"),
            inbound={"kind": InboundKind.LEAVE, "meta": {"opt_out": "1"}},
        ),
        IncomingCase(
            name="delivery report",
            request=_post(SMS | {"MessageStatus": "delivered"}, "/channels/sms/status?delivery=d1"),
            response_body="",
        ),
        IncomingCase(name="no sid", request=_post(SMS | {"MessageSid": ""}, "/channels/sms"), refused=400),
        IncomingCase(name="other account", request=_sms(6, AccountSid="AC" + "9" * 32), refused=403),
    )
    outgoing = (
        OutgoingCase(name="signed", replies=(Reply(text="能提取。"),), texts=("【广州公积金】能提取。",)),
        OutgoingCase(
            name="in the response", replies=(Reply(text="能提取。"),), texts=("【广州公积金】能提取。",), inline=True
        ),
        OutgoingCase(
            name="choices",
            replies=(Reply(text="您想问哪一项？", choices=CHOICES),),
            texts=("【广州公积金】您想问哪一项？\n回复1租房提取\n回复2购房提取",),
        ),
        OutgoingCase(
            name="too long",
            replies=(Reply(text="能提取。每人每月最高两千元。" * 30),),
            check=lambda seen: _is_shortened(seen),
        ),
    )

    def subject(self) -> Subject:
        taken: list[str] = []

        def twilio(request: httpx.Request) -> httpx.Response:
            taken.append(parse_qs(request.content.decode())["Body"][0])
            return httpx.Response(201, json={"sid": "SM" + "9" * 32})

        transport = httpx.MockTransport(twilio)
        return Subject(
            channel=SmsChannel(SETTINGS, PUBLIC, signature="广州公积金", transport=transport),
            contact_key=CITIZEN,
            seen=lambda: taken,
            read=lambda response: _texts(response, "Message"),
            forge=_forged,
            secrets=(TOKEN, CITIZEN, "13800138000"),
        )


def _is_shortened(seen: Sequence[str]) -> None:
    (message,) = seen
    assert parts(message) == 2
    assert message.endswith("。详询12329")


CALL = _form("voice/call.json")
SID = CALL["CallSid"]


def _turn(number: int, **given: str) -> WebhookRequest:
    return _post(CALL | given, f"/channels/voice?turn={number}")


class TestVoice(ChannelContract):
    incoming = (
        IncomingCase(
            name="speech",
            request=_turn(1, SpeechResult="租房能提取吗", Confidence="0.9"),
            inbound={
                "external_id": f"{SID}:1",
                "contact_key": CITIZEN,
                "session_key": SID,
                "kind": InboundKind.TEXT,
                "text": "租房能提取吗",
            },
        ),
        IncomingCase(
            name="call start",
            request=_post(CALL, "/channels/voice"),
            inbound={"external_id": f"{SID}:0", "kind": InboundKind.START},
        ),
        IncomingCase(name="person", request=_turn(2, Digits="0"), inbound={"text": "转人工", "meta": {"via": "dtmf"}}),
        IncomingCase(name="again", request=_turn(3, Digits="*"), inbound={"text": "重听"}),
        IncomingCase(name="key", request=_turn(4, Digits="3"), inbound={"text": "3"}),
        IncomingCase(name="silence", request=_turn(5), inbound={"kind": InboundKind.SILENCE}),
        IncomingCase(
            name="withheld",
            request=_turn(6, From="anonymous", SpeechResult="余额"),
            inbound={"contact_key": SID, "session_key": SID},
        ),
        IncomingCase(
            name="end",
            request=_post(CALL | {"CallStatus": "completed"}, "/channels/voice/status"),
            inbound={"external_id": f"{SID}:end", "kind": InboundKind.LEAVE},
        ),
        IncomingCase(name="ringing", request=_post(CALL, "/channels/voice/status"), response_body=""),
        IncomingCase(name="no sid", request=_turn(1, CallSid=""), refused=400),
        IncomingCase(name="address not ours", request=_post(CALL, "/channels/voice?turn=x"), refused=400),
    )
    outgoing = (
        OutgoingCase(name="answer", replies=(Reply(text="能提取。"),), texts=("能提取。",), inline=True),
        OutgoingCase(
            name="basis is not read",
            replies=(Reply(text="能提取，最高2,000元/月。\n依据：某办法第3条"),),
            texts=("能提取，最高2000元每月。",),
            inline=True,
        ),
        OutgoingCase(
            name="menu",
            replies=(Reply(text="您想问哪一项？", choices=CHOICES),),
            texts=("您想问哪一项？", "租房提取请按1，购房提取请按2。"),
            inline=True,
        ),
    )

    def subject(self) -> Subject:
        words = wording()
        greeting = words.greeting.partition("{centre}")[0]
        own = {*words.silence, *words.waiting}

        def read(response: WebhookResponse) -> list[str]:
            # The greeting and words of patience are the telephone's own: no answer.
            return [text for text in _texts(response, "Say") if text not in own and not text.startswith(greeting)]

        return Subject(
            channel=VoiceChannel(SETTINGS, PUBLIC, centre="广州公积金"),
            contact_key=CITIZEN,
            seen=tuple,
            read=read,
            forge=_forged,
            secrets=(TOKEN, CITIZEN, "13800138000"),
        )
