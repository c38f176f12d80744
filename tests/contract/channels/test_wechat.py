"""The WeChat channel in front of the sandbox platform, whose cipher is its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
from kit import ChannelContract, IncomingCase, OutgoingCase, Subject

from channels.wechat.channel import WeChatChannel
from hotline.domain.messages import Choice, InboundKind, Reply
from hotline.ports import WebhookRequest, WebhookResponse
from hotline.settings import WeChatSettings
from sandbox.app import create_app
from sandbox.config import SandboxConfig
from sandbox.wechat_crypto import sign
from sandbox.wechat_platform import Platform
from sandbox.wechat_push import opened, sealed

NOW = 1767225601
OPENID = "oSbx_chen_xiaoshan_000000001"
CONFIG = SandboxConfig()
FIXTURES = Path(__file__).parents[2] / "fixtures" / "wechat"
URL = "http://127.0.0.1:8000/channels/wechat"


def pushed(name: str, *, config: SandboxConfig = CONFIG, timestamp: int = NOW) -> WebhookRequest:
    """The fixture as the platform would push it."""
    return pushed_xml((FIXTURES / f"{name}.xml").read_text(encoding="utf-8"), name, config=config, timestamp=timestamp)


def pushed_xml(xml: str, nonce: str, *, config: SandboxConfig = CONFIG, timestamp: int = NOW) -> WebhookRequest:
    query, body = sealed(config, xml, openid=OPENID, stamp=(str(timestamp), nonce))
    return WebhookRequest(method="POST", url=f"{URL}?{httpx.QueryParams(query)}", headers={}, query=query, body=body)


def handshake(*, echostr: str = "5837438192745") -> WebhookRequest:
    stamp = (str(NOW), "246813579")
    query = {"signature": sign(CONFIG.token, *stamp), "timestamp": stamp[0], "nonce": stamp[1], "echostr": echostr}
    return WebhookRequest(method="GET", url=f"{URL}?{httpx.QueryParams(query)}", headers={}, query=query, body=b"")


def forge(request: WebhookRequest) -> WebhookRequest:
    """Signed with a token that is not ours."""
    stamp = (request.query["timestamp"], request.query["nonce"])
    query = dict(request.query) | {"signature": sign("guessed", *stamp)}
    if "msg_signature" in query:
        query["msg_signature"] = sign("guessed", *stamp, "whatever")
    return dataclasses.replace(request, query=query)


def in_plain_mode() -> WebhookRequest:
    request = pushed("text")
    query = {name: value for name, value in request.query.items() if name not in {"msg_signature", "encrypt_type"}}
    return dataclasses.replace(request, query=query, body=(FIXTURES / "text.xml").read_bytes())


class Nonces:
    """A ReplayGuard for one process."""

    def __init__(self) -> None:
        self.seen: dict[str, list[str]] = {}

    async def uses(self, scope: str, nonce: str, fingerprint: str, *, ttl_s: int) -> int | None:
        known = self.seen.setdefault(f"{scope} {nonce}", [])
        known.append(fingerprint)
        return len(known) - 1 if known[0] == fingerprint else None


def read(response: WebhookResponse) -> Sequence[str]:
    return () if response.body == "success" else (opened(CONFIG, response.body)["Content"],)


def linked(shown: Sequence[str]) -> None:
    (text,) = shown
    assert text.startswith("您想了解哪一项？\n\n1. <a href=")
    assert "weixin://bizmsgmenu?msgmenucontent=租房怎么提取&msgmenuid=1" in text
    assert "msgmenucontent=A%26B%20%22C%22&msgmenuid=2" in text
    assert text.endswith("点蓝色文字，或回复前面的数字。")


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><xml><FromUserName>x</FromUserName><C>&b;</C></xml>'
XXE = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><FromUserName>&f;</FromUserName></xml>'
OTHER_APP = dataclasses.replace(CONFIG, app_id="wx9999999999999999")
OTHER_KEY = dataclasses.replace(CONFIG, aes_key="Z" * 42 + "A")
CHOICES = (Choice(label="租房", text="租房怎么提取"), Choice(label="<其他>", text='A&B "C"'))
ASKING = (Reply(text="您想了解哪一项？", choices=CHOICES),)


class TestWeChat(ChannelContract):
    incoming = (
        IncomingCase(name="handshake", request=handshake(), response_body="5837438192745"),
        IncomingCase(name="handshake that is no number", request=handshake(echostr="<b>\n"), refused=400),
        IncomingCase(
            name="text",
            request=pushed("text"),
            inbound={
                "kind": InboundKind.TEXT,
                "text": "租房怎么提取公积金？",
                "contact_key": OPENID,
                "sent_at": datetime(2026, 1, 1, tzinfo=UTC),
            },
        ),
        IncomingCase(
            name="tapped link", request=pushed("tapped_link"), inbound={"kind": "text", "text": "租房提取多久到账"}
        ),
        IncomingCase(name="voice", request=pushed("voice"), inbound={"kind": "text", "text": "公积金贷款利率是多少"}),
        IncomingCase(
            name="voice without recognition",
            request=pushed("voice_unrecognised"),
            inbound={"kind": "unsupported", "text": ""},
        ),
        IncomingCase(name="image", request=pushed("image"), inbound={"kind": "unsupported"}),
        IncomingCase(name="follow", request=pushed("event_subscribe"), inbound={"kind": "start", "text": ""}),
        IncomingCase(name="scan", request=pushed("event_scan"), inbound={"kind": "start"}),
        IncomingCase(name="unfollow", request=pushed("event_unsubscribe"), inbound={"kind": "leave"}),
        IncomingCase(
            name="menu key", request=pushed("event_click"), inbound={"kind": "text", "text": "查询我的公积金余额"}
        ),
        IncomingCase(name="menu link", request=pushed("event_view"), inbound={"kind": "ignored"}),
        IncomingCase(name="location", request=pushed("event_location"), inbound={"kind": "ignored"}),
        IncomingCase(name="notice sent", request=pushed("event_template_sent"), inbound={"kind": "ignored"}),
        IncomingCase(name="unknown event", request=pushed("event_unknown"), inbound={"kind": "ignored"}),
        IncomingCase(name="stale", request=pushed("text", timestamp=NOW - 301), refused=403),
        IncomingCase(name="from the future", request=pushed("text", timestamp=NOW + 301), refused=403),
        IncomingCase(name="another app", request=pushed("text", config=OTHER_APP), refused=403),
        IncomingCase(name="another key", request=pushed("text", config=OTHER_KEY), refused=403),
        IncomingCase(name="plain mode", request=in_plain_mode(), refused=403),
        IncomingCase(name="entity bomb", request=pushed_xml(BOMB, "bomb"), refused=400),
        IncomingCase(name="outside entity", request=pushed_xml(XXE, "xxe"), refused=400),
        IncomingCase(name="no sender", request=pushed_xml("<xml><MsgType>text</MsgType></xml>", "none"), refused=400),
        IncomingCase(name="json inside", request=pushed_xml('{"MsgType": "text"}', "json"), refused=400),
        IncomingCase(
            name="json outside", request=dataclasses.replace(pushed("text"), body=b'{"Encrypt": "x"}'), refused=400
        ),
        IncomingCase(
            name="truncated", request=dataclasses.replace(pushed("text"), body=pushed("text").body[:200]), refused=400
        ),
        IncomingCase(
            name="too large",
            request=dataclasses.replace(pushed("text"), body=b"<xml>" + b" " * 2**20 + b"</xml>"),
            refused=400,
        ),
    )
    outgoing = (
        OutgoingCase(name="passive", replies=(Reply(text="能。"),), texts=("能。",), inline=True),
        OutgoingCase(
            name="two bubbles in one passive reply",
            replies=(Reply(text="能。"), Reply(text="还想问什么？")),
            texts=("能。\n\n还想问什么？",),
            inline=True,
        ),
        OutgoingCase(name="end of CDATA", replies=(Reply(text="a]]>b]]]]>>"),), texts=("a]]>b]]]]>>",), inline=True),
        OutgoingCase(name="NUL and surrogates", replies=(Reply(text="a\0b\ud800c"),), texts=("abc",), inline=True),
        OutgoingCase(name="nothing to say", replies=(), texts=(), inline=True),
        OutgoingCase(name="too long for a passive reply", replies=(Reply(text="长" * 683),), texts=(), inline=True),
        OutgoingCase(name="links", replies=ASKING, check=linked, inline=True),
        OutgoingCase(name="pushed", replies=(Reply(text="能。\n“可以”"),), texts=("能。\n“可以”",)),
        OutgoingCase(name="pushed links", replies=ASKING, check=linked),
        OutgoingCase(name="2048 bytes", replies=(Reply(text="长" * 682 + "ab"),), texts=("长" * 682 + "ab",)),
        OutgoingCase(
            name="2049 bytes",
            replies=(Reply(text="长" * 341 + "。" + "短" * 341),),
            texts=("（1/2）" + "长" * 341 + "。", "（2/2）" + "短" * 341),
        ),
    )

    def subject(self) -> Subject:
        app = create_app(CONFIG)
        platform: Platform = app.state.platform
        platform.clock.read = lambda: NOW
        chat = platform.chat(OPENID)
        chat.follows = True
        chat.open_window("message")
        settings = WeChatSettings(api_base="http://sandbox/wechat")
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app))
        return Subject(
            channel=WeChatChannel(settings, Nonces(), client=client, clock=lambda: NOW),
            contact_key=OPENID,
            seen=lambda: [line.text for line in chat.lines if line.via == "pushed"],
            read=read,
            forge=forge,
            secrets=(
                CONFIG.token,
                CONFIG.aes_key,
                CONFIG.app_secret,
                "access_token=",
                OPENID,
                "租房怎么提取公积金",
            ),
            piece_limit=2048,
            piece_size=lambda text: len(text.encode()),
        )
