"""What goes on in a call by itself while nobody asks the gateway anything: a relay, or an agent's telephone ringing."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol
from xml.etree import ElementTree

import httpx

Post = Callable[[str, Mapping[str, str]], Awaitable[httpx.Response]]

AGENT_DOES: Final = frozenset({"answer", "busy", "no-answer", "hang_up"})


class Live(Protocol):
    """Something that goes on until it is over."""

    @property
    def state(self) -> str:
        """``relay``, ``ringing`` or ``agent``."""
        ...

    async def hang_up(self) -> None:
        """The caller has gone."""
        ...


class AgentPhone:
    """An agent's telephone; what becomes of its ringing is told from outside."""

    def __init__(self, post: Post, heard: list[dict[str, Any]], *, call: str, noun: ElementTree.Element) -> None:
        """``noun`` is the <Sip> or <Number> that is rung."""
        self._post = post
        self._heard = heard
        self._call = call
        self._noun = noun
        self._told: asyncio.Queue[str] = asyncio.Queue()
        self.state = "ringing"

    async def run(self, *, ring_s: float) -> dict[str, str]:
        """The fields by which the document's action is told of it."""
        self._heard.append({"kind": "dial", "text": (self._noun.text or "").strip()})
        try:
            does = await asyncio.wait_for(self._told.get(), ring_s)
        except TimeoutError:
            does = "no-answer"
        if does == "caller":
            return {"DialCallStatus": "canceled", "CallStatus": "completed"}
        if does != "answer":
            status = does if does in ("busy", "no-answer") else "no-answer"
            self._heard.append({"kind": "missed", "text": status})
            return {"DialCallStatus": status}
        await self._whisper()
        self.state = "agent"
        self._heard.append({"kind": "joined", "text": ""})
        does = await self._told.get()
        self._heard.append({"kind": "parted", "text": ""})
        over = {"CallStatus": "completed"} if does == "caller" else {}
        return {"DialCallStatus": "completed", "DialCallDuration": "30", "DialBridged": "true", **over}

    def does(self, what: str) -> None:
        """What the agent does: one of ``AGENT_DOES``."""
        self._told.put_nowait(what)

    async def hang_up(self) -> None:
        self.does("caller")

    async def _whisper(self) -> None:
        """The agent's own leg plays what stands at the noun's address before the two are joined."""
        form = {"CallSid": "CA" + secrets.token_hex(16), "ParentCallSid": self._call, "CallStatus": "in-progress"}
        with suppress(httpx.HTTPError, ElementTree.ParseError):
            answer = await self._post(self._noun.get("url", ""), form)
            for said in ElementTree.fromstring(answer.text).iter("Say"):  # noqa: S314 - our own gateway's document
                self._heard.append({"kind": "whisper", "text": said.text or ""})
