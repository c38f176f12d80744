"""The two doors a load goes through: WeChat's encrypted push, and Rasa's own REST channel."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import httpx

from tests.load.wechat import Account, NoAnswer, push, reply_text


class Line(Protocol):
    """Asks one question and returns what the citizen reads."""

    async def ask(self, client: httpx.AsyncClient, text: str, *, citizen: str) -> str:
        """The answer's text. Raises NoAnswer, or httpx.HTTPError where nothing came back."""


@dataclass(slots=True)
class WeChatLine:
    """``POST /channels/wechat`` as the platform does it."""

    url: str
    account: Account
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(time.time_ns() // 1000))

    async def ask(self, client: httpx.AsyncClient, text: str, *, citizen: str) -> str:
        """The text of the passive reply."""
        sent = push(self.account, text, openid=citizen, msg_id=next(self._numbers), now=int(time.time()))
        headers = {"content-type": "text/xml"}
        response = await client.post(self.url, params=sent.query, content=sent.body, headers=headers)
        if response.status_code != 200:
            raise NoAnswer(f"HTTP {response.status_code}")
        return reply_text(self.account, response.text, openid=citizen)


@dataclass(slots=True)
class RestLine:
    """``POST /webhooks/rest/webhook`` of a stock Rasa."""

    url: str

    async def ask(self, client: httpx.AsyncClient, text: str, *, citizen: str) -> str:
        """The texts of all bubbles."""
        response = await client.post(self.url, json={"sender": citizen, "message": text})
        if response.status_code != 200:
            raise NoAnswer(f"HTTP {response.status_code}")
        said = "\n".join(message["text"] for message in response.json() if message.get("text"))
        if not said.strip():
            raise NoAnswer("silent")
        return said


def described(line: WeChatLine | RestLine) -> dict[str, Any]:
    """A line as plain data, for another process."""
    if isinstance(line, WeChatLine):
        return {"kind": "wechat", "url": line.url, "account": asdict(line.account)}
    return {"kind": "rest", "url": line.url}


def line_of(description: Mapping[str, Any]) -> WeChatLine | RestLine:
    """What ``described`` wrote, as a line again."""
    if description["kind"] == "wechat":
        return WeChatLine(description["url"], Account(**description["account"]))
    return RestLine(description["url"])
