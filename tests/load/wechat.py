"""One citizen's message as WeChat pushes it in safe mode, and the passive reply as WeChat reads it.

https://developers.weixin.qq.com/doc/service/guide/dev/push/encryption.html
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict

from hotline.settings import WeChatSettings
from sandbox.wechat_crypto import UnreadableReplyError, decrypt, encrypt, sign

SILENCE = frozenset({"", "success"})


class NoAnswer(Exception):
    """What came back is no answer; the text says in a few words what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The secrets that the platform and the account's server share."""

    token: str
    aes_key: str
    app_id: str
    original_id: str

    @classmethod
    def of(cls, settings: WeChatSettings) -> Account:
        """The account of these settings."""
        return cls(
            token=settings.token.get_secret_value(),
            aes_key=settings.aes_key.get_secret_value(),
            app_id=settings.app_id,
            original_id=settings.original_id,
        )


@dataclass(frozen=True, slots=True)
class Push:
    """A request as the platform makes it."""

    query: dict[str, str]
    body: bytes


def push(account: Account, text: str, *, openid: str, msg_id: int, now: int) -> Push:
    """A text message of ``openid``, sealed and signed with a nonce of its own."""
    message = (
        f"<xml><ToUserName>{_cdata(account.original_id)}</ToUserName><FromUserName>{_cdata(openid)}</FromUserName>"
        f"<CreateTime>{now}</CreateTime><MsgType>{_cdata('text')}</MsgType>"
        f"<Content>{_cdata(text)}</Content><MsgId>{msg_id}</MsgId></xml>"
    )
    sealed = encrypt(message, aes_key=account.aes_key, app_id=account.app_id)
    timestamp, nonce = str(now), secrets.token_hex(8)
    query = {
        "signature": sign(account.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "openid": openid,
        "encrypt_type": "aes",
        "msg_signature": sign(account.token, timestamp, nonce, sealed),
    }
    body = f"<xml><ToUserName>{_cdata(account.original_id)}</ToUserName><Encrypt>{_cdata(sealed)}</Encrypt></xml>"
    return Push(query, body.encode())


def reply_text(account: Account, body: str, *, openid: str) -> str:
    """The sentence the citizen sees. Raises NoAnswer for everything else."""
    if body.strip() in SILENCE:
        raise NoAnswer("silent")
    try:
        outer = _fields(body)
        expected = sign(account.token, outer.get("TimeStamp", ""), outer.get("Nonce", ""), outer.get("Encrypt", ""))
        if not hmac.compare_digest(expected.encode(), outer.get("MsgSignature", "").encode()):
            raise NoAnswer("bad signature")
        inner = _fields(decrypt(outer["Encrypt"], aes_key=account.aes_key, app_id=account.app_id))
    except (ExpatError, UnreadableReplyError, KeyError, ValueError) as error:
        raise NoAnswer("unreadable") from error
    if inner.get("ToUserName") != openid or inner.get("FromUserName") != account.original_id:
        raise NoAnswer("for somebody else")
    if inner.get("MsgType") != "text" or not inner.get("Content"):
        raise NoAnswer("no text")
    return inner["Content"]


def _fields(document: str) -> dict[str, str]:
    root: Any = xmltodict.parse(document, disable_entities=True).get("xml")
    if not isinstance(root, dict):
        raise NoAnswer("unreadable")
    return {name: value for name, value in root.items() if isinstance(value, str)}


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
