"""How WeChat delivers to the account's server: sealed, five seconds, three tries, and then the fault bubble.

https://developers.weixin.qq.com/doc/service/guide/product/message/Passive_user_reply_message.html
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from xml.parsers.expat import ExpatError

import httpx
import xmltodict

from sandbox.config import SandboxConfig
from sandbox.wechat_account import account
from sandbox.wechat_chats import Chat
from sandbox.wechat_crypto import UnreadableReplyError, decrypt, encrypt, sign

TRIES: Final = 3
MAX_TEXT_BYTES: Final = 2048
_NUMERIC = frozenset({"CreateTime", "MsgId"})


@dataclass(slots=True, kw_only=True)
class Faults:
    """What goes wrong on purpose. Counters run down as they are used."""

    drop_responses: int = 0
    """So many answers of the server get lost on the way back, and the message is sent again."""
    duplicate: int = 0
    """So many messages arrive twice at the same moment."""
    same_stamp: bool = False
    """A repeated try keeps timestamp and nonce; otherwise each try is stamped anew."""
    api_delay_s: float = 0.0
    api_errcodes: list[int] | None = None
    """Answered to the next calls of the message interface, one each."""

    def use(self, name: str) -> bool:
        left = int(getattr(self, name))
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRecord:
    """One try, for tests and for curious people."""

    openid: str
    what: str
    msg_id: str
    attempt: int
    outcome: str
    """answered, silent, lost, timeout, unreachable, HTTP status, or unreadable"""
    ms: int


class _TryAgain(Exception):
    """No answer in time; the text says why."""


@dataclass(frozen=True, slots=True)
class Pusher:
    """Delivers one message."""

    config: SandboxConfig
    client: httpx.AsyncClient
    clock: Callable[[], float]
    faults: Faults
    records: deque[PushRecord]

    async def deliver(self, chat: Chat, message: Mapping[str, str]) -> None:
        """The message was answered, or three tries failed and the chat shows that the account is out of order."""
        if self.faults.use("duplicate"):
            both = await asyncio.gather(self._tries(chat, message), self._tries(chat, message))
            reply = both[0] or both[1]
        else:
            reply = await self._tries(chat, message)
        if message.get("Event") == "unsubscribe":
            return
        if reply is None:
            chat.add("system", account().fault)
        elif reply:
            chat.add("account", reply, via="passive")

    async def _tries(self, chat: Chat, message: Mapping[str, str]) -> str | None:
        """The passive text, empty for none; None when the server did not answer as it must."""
        stamp = _stamp(self.clock)
        for attempt in range(1, TRIES + 1):
            started = time.monotonic()
            if attempt > 1 and not self.faults.same_stamp:
                stamp = _stamp(self.clock)
            try:
                reply = await self._try(message, *stamp)
                outcome = "answered" if reply else "silent"
                return reply
            except _TryAgain as reason:
                outcome = str(reason)
            except (UnreadableReplyError, ExpatError, ValueError):
                outcome = "unreadable"
                return None
            finally:
                self._record(chat, message, attempt, outcome, started)
        return None

    async def _try(self, message: Mapping[str, str], timestamp: str, nonce: str) -> str:
        try:
            async with asyncio.timeout(self.config.push_timeout_s):
                response = await self._post(message, timestamp, nonce)
        except TimeoutError as error:
            raise _TryAgain("timeout") from error
        except httpx.HTTPError as error:
            raise _TryAgain("unreachable") from error
        if self.faults.use("drop_responses"):
            raise _TryAgain("lost")
        if response.status_code != 200:
            raise _TryAgain(f"HTTP {response.status_code}")
        return self._read(response.text, message["FromUserName"])

    async def _post(self, message: Mapping[str, str], timestamp: str, nonce: str) -> httpx.Response:
        query, body = sealed(self.config, _xml(message), openid=message["FromUserName"], stamp=(timestamp, nonce))
        headers = {"content-type": "text/xml", "user-agent": "Mozilla/4.0"}
        return await self.client.post(
            self.config.webhook_url, params=query, content=body, headers=headers, timeout=self.config.push_timeout_s
        )

    def _read(self, body: str, openid: str) -> str:
        """The text of a passive reply, empty for none. Raises as `opened` does."""
        if body.strip() in {"", "success"}:
            return ""
        inner = opened(self.config, body)
        if (inner.get("ToUserName"), inner.get("FromUserName")) != (openid, self.config.original_id):
            raise UnreadableReplyError("reply is for somebody else")
        text = inner.get("Content", "")
        if inner.get("MsgType") != "text" or not text or len(text.encode()) > MAX_TEXT_BYTES:
            raise UnreadableReplyError("reply cannot be shown")
        return text

    def _record(self, chat: Chat, message: Mapping[str, str], attempt: int, outcome: str, started: float) -> None:
        what = message.get("Event") or message["MsgType"]
        self.records.append(
            PushRecord(
                openid=chat.openid,
                what=what,
                msg_id=message.get("MsgId", ""),
                attempt=attempt,
                outcome=outcome,
                ms=round((time.monotonic() - started) * 1000),
            )
        )


def sealed(
    config: SandboxConfig, message_xml: str, *, openid: str, stamp: tuple[str, str]
) -> tuple[dict[str, str], bytes]:
    """Query and body of one push in safe mode. ``stamp`` is timestamp and nonce."""
    encrypted = encrypt(message_xml, aes_key=config.aes_key, app_id=config.app_id)
    query = {
        "signature": sign(config.token, *stamp),
        "timestamp": stamp[0],
        "nonce": stamp[1],
        "openid": openid,
        "encrypt_type": "aes",
        "msg_signature": sign(config.token, *stamp, encrypted),
    }
    return query, _xml({"ToUserName": config.original_id, "Encrypt": encrypted}).encode()


def opened(config: SandboxConfig, body: str) -> dict[str, str]:
    """The fields of a sealed reply. Raises UnreadableReplyError, ExpatError or ValueError for anything else."""
    outer = _fields(body)
    encrypted = outer.get("Encrypt", "")
    expected = sign(config.token, outer.get("TimeStamp", ""), outer.get("Nonce", ""), encrypted)
    if not encrypted or not hmac.compare_digest(expected, outer.get("MsgSignature", "")):
        raise UnreadableReplyError("reply is not sealed")
    return _fields(decrypt(encrypted, aes_key=config.aes_key, app_id=config.app_id))


async def handshake(config: SandboxConfig, client: httpx.AsyncClient, clock: Callable[[], float]) -> bool:
    """True when the account's server proves that it knows the token, as when its address is saved."""
    timestamp, nonce = _stamp(clock)
    echo = str(secrets.randbelow(10**19))
    query = {
        "signature": sign(config.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": echo,
    }
    try:
        response = await client.get(config.webhook_url, params=query, timeout=config.push_timeout_s)
    except httpx.HTTPError:
        return False
    return response.status_code == 200 and response.text == echo


def _stamp(clock: Callable[[], float]) -> tuple[str, str]:
    return str(int(clock())), str(secrets.randbelow(2**31))


def _xml(fields: Mapping[str, str]) -> str:
    """In the platform's form: numbers bare, everything else in CDATA."""
    return f"<xml>{''.join(_element(name, value) for name, value in fields.items())}</xml>"


def _element(name: str, value: str) -> str:
    if name in _NUMERIC:
        return f"<{name}>{value}</{name}>\n"
    safe = value.replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{safe}]]></{name}>\n"


def _fields(document: str) -> dict[str, str]:
    root = xmltodict.parse(document).get("xml")
    if not isinstance(root, dict):
        raise UnreadableReplyError("reply has no fields")
    return {name: value for name, value in root.items() if isinstance(value, str)}
