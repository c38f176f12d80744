"""The one request the gateway sends: what may be in it, and what citizen text may not do to Rasa."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import date
from typing import Any

MAX_TEXT_CHARS = 500
MAX_BODY_BYTES = 16 * 1024
MAX_ID_CHARS = 200
CHANNELS = ("web", "wechat", "sms", "voice")
EVENTS = {"start": "greet", "proved": "prove", "verified": "verify"}
"""What happens without words, and the intent it stands for."""
KINDS = ("text", *EVENTS)

_FULL_WIDTH_SLASH = "\uff0f"


class BadTurn(ValueError):
    """The request cannot be used; the message is one sentence for whoever sent it."""


@dataclass(frozen=True)
class Turn:
    """One message of one conversation, checked."""

    conversation_id: str
    message_id: str
    kind: str
    text: str
    channel: str
    locale: str
    as_of: str | None

    @classmethod
    def read(cls, data: Any) -> Turn:
        """The turn in a decoded JSON body.

        Raises:
            BadTurn: something is missing or is not what it should be.
        """
        if not isinstance(data, dict):
            raise BadTurn("The body must be a JSON object.")
        kind = _one_of(data, "kind", KINDS, default="text")
        text = _text(data)
        if kind == "text" and not text:
            raise BadTurn("text must not be empty.")
        return cls(
            conversation_id=_identifier(data, "conversation_id"),
            message_id=_identifier(data, "message_id"),
            kind=kind,
            text=text,
            channel=_one_of(data, "channel", CHANNELS),
            locale=str(data.get("locale") or "zh-CN")[:20],
            as_of=_day(data.get("as_of")),
        )

    @property
    def metadata(self) -> dict[str, str]:
        """What the actions must know beside the text."""
        return {"locale": self.locale} | ({"as_of": self.as_of} if self.as_of else {})


def authorised(header: str | None, token: str) -> bool:
    """Whether ``header`` is this token's Bearer header; takes the same time for every wrong one."""
    return bool(token) and hmac.compare_digest((header or "").encode(), f"Bearer {token}".encode())


def _identifier(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_ID_CHARS:
        raise BadTurn(f"{name} must be a string of 1 to {MAX_ID_CHARS} characters.")
    return value


def _one_of(data: dict[str, Any], name: str, allowed: tuple[str, ...], *, default: str | None = None) -> str:
    value = data.get(name, default)
    if value not in allowed:
        raise BadTurn(f"{name} must be one of {', '.join(allowed)}.")
    return str(value)


def _text(data: dict[str, Any]) -> str:
    """Plain text: Rasa reads a leading slash as a command with an intent in it, a citizen never means one."""
    text = data.get("text", "")
    if not isinstance(text, str):
        raise BadTurn("text must be a string.")
    text = text.encode("utf-8", "ignore").decode("utf-8").strip()[:MAX_TEXT_CHARS]
    return _FULL_WIDTH_SLASH + text[1:] if text.startswith("/") else text


def _day(value: Any) -> str | None:
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise BadTurn("as_of must be a date such as 2026-11-23.") from None
