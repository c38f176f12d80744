"""The sealed envelope round every message: signature, AES keys, app id, and XML without traps.

Rules: https://developers.weixin.qq.com/doc/service/guide/dev/push/encryption.html
"""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.parsers.expat import ExpatError

import xmltodict
from wechatpy.crypto import PrpCrypto
from wechatpy.exceptions import InvalidAppIdException
from wechatpy.utils import WeChatSigner

from hotline.errors import ConfigError
from hotline.ports import RefusedRequest, WebhookRequest
from hotline.settings import WeChatSettings

MAX_BODY_BYTES: Final = 1024 * 1024
CURRENT, PREVIOUS = "current", "previous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What was inside: the flat fields of the message, and the name of the key that opened it."""

    fields: Mapping[str, str]
    key_name: str


class _Cipher(PrpCrypto):  # type: ignore[misc]
    """WeChat's AES. Its key doubles as the IV, so the 16 leading bytes alone keep equal texts apart:
    they come from the system's generator, not from the library's predictable one."""

    def get_random_string(self) -> str:
        return secrets.token_hex(8)


class Envelope:
    """Opens and seals with one account's secrets. Holds no state of its own."""

    def __init__(self, settings: WeChatSettings) -> None:
        self._token = settings.token.get_secret_value()
        self._app_id = settings.app_id
        self._freshness_s = settings.freshness_s
        self._ciphers = {CURRENT: _cipher(settings.aes_key.get_secret_value())}
        if settings.previous_aes_key is not None:
            self._ciphers[PREVIOUS] = _cipher(settings.previous_aes_key.get_secret_value())

    def greet(self, request: WebhookRequest, now: float) -> str:
        """The echo that proves to WeChat that the token is known here. Raises RefusedRequest."""
        timestamp, nonce = self._stamp(request, now)
        echo = request.query.get("echostr", "")
        if not (0 < len(echo) <= 128 and echo.isascii() and echo.isprintable()):
            raise RefusedRequest(400, "no usable echostr")
        self._check(request.query.get("signature", ""), timestamp, nonce)
        return echo

    def open(self, request: WebhookRequest, now: float) -> Opened:
        """The message inside, proved to be WeChat's, for this account and fresh. Raises RefusedRequest."""
        timestamp, nonce = self._stamp(request, now)
        encrypted = parse_xml(request.body).get("Encrypt", "")
        if not encrypted or "msg_signature" not in request.query:
            # The plain `signature` covers no body, so a plain message could be anybody's.
            raise RefusedRequest(403, "message is not in safe mode")
        self._check(request.query["msg_signature"], timestamp, nonce, encrypted)
        for name, cipher in self._ciphers.items():
            inner = _decrypt(cipher, encrypted, self._app_id)
            if inner is not None:
                return Opened(fields=parse_xml(inner), key_name=name)
        raise RefusedRequest(403, "no key of ours opens it for this app id")

    def seal(self, xml: str, key_name: str, now: float) -> str:
        """The encrypted form of a passive reply, under the key that opened its question."""
        cipher = self._ciphers.get(key_name) or self._ciphers[CURRENT]
        encrypted = cipher.encrypt(xml, self._app_id).decode("ascii")
        timestamp, nonce = str(int(now)), secrets.token_hex(8)
        signature = self._sign(timestamp, nonce, encrypted)
        return (
            f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt>"
            f"<MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        )

    def _stamp(self, request: WebhookRequest, now: float) -> tuple[str, str]:
        timestamp, nonce = request.query.get("timestamp", ""), request.query.get("nonce", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            raise RefusedRequest(400, "no timestamp")
        if not (0 < len(nonce) <= 64 and nonce.isascii()):
            raise RefusedRequest(400, "no nonce")
        if abs(now - int(timestamp)) > self._freshness_s:
            raise RefusedRequest(403, "timestamp is stale")
        return timestamp, nonce

    def _check(self, signature: str, *signed: str) -> None:
        given = signature.encode("utf-8", "replace")
        if not hmac.compare_digest(self._sign(*signed).encode("ascii"), given):
            raise RefusedRequest(403, "signature does not match")

    def _sign(self, *signed: str) -> str:
        signer = WeChatSigner()
        signer.add_data(self._token, *signed)
        return str(signer.signature)


def parse_xml(document: bytes | str) -> dict[str, str]:
    """The text fields directly under the root; nested ones are left out. Entities are never expanded.

    Raises:
        RefusedRequest: 400 for anything that is not one small, complete XML document.
    """
    if len(document) > MAX_BODY_BYTES:
        raise RefusedRequest(400, "body is too large")
    try:
        text = document.decode("utf-8") if isinstance(document, bytes) else document
        parsed = xmltodict.parse(text, disable_entities=True)
    except (ExpatError, ValueError) as error:
        raise RefusedRequest(400, "body is not safe XML") from error
    root = next(iter(parsed.values()))
    if not isinstance(root, dict):
        raise RefusedRequest(400, "body has no fields")
    return {name: value for name, value in root.items() if isinstance(value, str)}


def _cipher(aes_key: str) -> _Cipher:
    """Raises ConfigError unless the key is the 43 characters WeChat's settings page shows."""
    try:
        key = base64.b64decode(aes_key + "=", validate=True)
    except ValueError as error:
        raise ConfigError("The WeChat EncodingAESKey is not base64 text of 43 characters.") from error
    if len(key) != 32:
        raise ConfigError("The WeChat EncodingAESKey must have exactly 43 characters.")
    return _Cipher(key)


def _decrypt(cipher: _Cipher, encrypted: str, app_id: str) -> str | None:
    """The plain text, or None when it was sealed with another key or for another app."""
    try:
        return str(cipher.decrypt(encrypted, app_id))
    except (ValueError, struct.error, IndexError, InvalidAppIdException):
        # A wrong key yields noise, which fails in whichever of these ways comes first.
        return None
