"""Who and what there is on Twilio's side: the account, messages, calls; and how a request is signed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from sandbox.twilio_live import Live


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What both sides know: read from the environment that the gateway reads too."""

    sid: str
    token: str
    number: str
    gateway: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Account:
        get = environment.get
        return cls(
            sid=get("GJJ_TWILIO__ACCOUNT_SID", "AC00000000000000000000000000012329"),
            token=get("GJJ_TWILIO__AUTH_TOKEN", "sandbox-twilio-auth-token"),
            number=get("GJJ_TWILIO__NUMBER", "+8612329"),
            gateway=get("GJJ_GATEWAY__PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message on its way to a citizen."""

    sid: str
    to: str
    sender: str
    body: str
    units: int
    parts: int
    at: str


@dataclass(slots=True, kw_only=True)
class Call:
    """A call that is up or over, as Twilio and the caller know it."""

    sid: str
    caller: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    gather: dict[str, str] | None = None
    action: str = ""
    rest: list[ElementTree.Element] = field(default_factory=list)
    document: str = ""
    base: str = ""
    ended: bool = False
    live: Live | None = None
    """What goes on by itself: a relay, an agent's telephone."""
    going_on: asyncio.Task[None] | None = None
    recording: dict[str, str] = field(default_factory=dict)
    """Its id, how it stands and who is told of its end; empty: nothing was ever recorded."""
    pressed: str = ""
    """Keys of an entry that is not finished."""
    pause: asyncio.Task[None] | None = None
    """Ends that entry when no further key comes."""
    keys: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


def sign(url: str, form: Mapping[str, str], *, token: str) -> str:
    """X-Twilio-Signature: base64 of HMAC-SHA1 over the address and every name and value, sorted by name."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def units(text: str) -> int:
    """Length in UCS-2 units."""
    return len(text.encode("utf-16-be")) // 2


def parts(text: str) -> int:
    """How many parts a Chinese message of this text is billed as."""
    length = units(text)
    return 1 if length <= 70 else -(-length // 67)
