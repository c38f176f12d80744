"""ConversationRelay's messages: pure functions.

The form is https://www.twilio.com/docs/voice/conversationrelay/websocket-messages. What the attribute ``events`` asks
for is not on that page: it comes as ``{"type": "info", "name": "agentSpeaking" | "clientSpeaking", "value": "on" |
"off"}`` and ``{"type": "info", "name": "tokensPlayed", "value": the words}``, the latter for every clause that has been
heard, and nothing here relies on their coming.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

MAX_CHARACTERS: Final = 16_384
"""Of one message. A caller's longest turn is far below."""
_MOST_WORDS: Final = 2_000

_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_KEY = re.compile(r"[0-9*#]")
_KIND = re.compile(r"[A-Za-z_-]{1,32}")
_LEADING_WORDS = re.compile(r"[A-Za-z ,]{1,60}")
_CODE = re.compile(r"\b\d{5}\b")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Malformed(ValueError):
    """Not a message of ConversationRelay's. The text says what is wrong with it and nothing of what it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The first message of every socket."""

    call: str
    account: str
    caller: str = field(default="", repr=False)
    called: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What our own document gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What the caller says: all of the turn so far, or (``last``) the whole turn."""

    words: str = field(repr=False)
    last: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Dtmf:
    """One key."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupt:
    """The caller broke in by voice or key; nothing more of what was sent is played. ``heard``: what he has heard of the
    clause that was being said."""

    heard: str
    after_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaking:
    """Somebody has begun or ended speaking: the caller, or (``ours``) the voice."""

    ours: bool
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """The caller has heard these words of ours."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Twilio could not do something. ``summary`` is safe to log: Twilio quotes in an error what it was sent."""

    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A message of a kind that is not used here."""

    kind: str


Incoming: TypeAlias = Setup | Prompt | Dtmf | Interrupt | Speaking | Played | Fault | Unknown


def decode(message: str) -> Incoming:
    """One message from Twilio. Raises Malformed."""
    if len(message) > MAX_CHARACTERS:
        raise Malformed("too long")
    try:
        fields = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise Malformed("no JSON") from error
    if not isinstance(fields, dict):
        raise Malformed("no object")
    kind = fields.get("type")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise Malformed("no type")
    reader = _READERS.get(kind)
    return reader(fields) if reader else Unknown(kind=kind)


def text(token: str, *, last: bool, interruptible: bool, preemptible: bool = True) -> str:
    """Words to be said. ``preemptible``: what is sent after them cuts them off."""
    return _encoded(type="text", token=token, last=last, interruptible=interruptible, preemptible=preemptible)


def play(source: str, *, loop: int, interruptible: bool, preemptible: bool = True) -> str:
    """A sound from a public address, ``loop`` times (0: until something else is said)."""
    return _encoded(type="play", source=source, loop=loop, interruptible=interruptible, preemptible=preemptible)


def send_digits(digits: str) -> str:
    """Keys pressed towards the caller's telephone."""
    return _encoded(type="sendDigits", digits=digits)


def language(*, speaks: str, hears: str) -> str:
    """From now on other languages are spoken and heard."""
    return _encoded(type="language", ttsLanguage=speaks, transcriptionLanguage=hears)


def end(handoff: Mapping[str, str]) -> str:
    """The relay is over; Twilio brings ``handoff`` to the address that the document named. No personal data in it."""
    return _encoded(type="end", handoffData=json.dumps(handoff))


def handoff_of(data: str) -> dict[str, str]:
    """What `end` was given, as it comes back; empty where it is not ours."""
    try:
        found = json.loads(data or "{}")
    except (ValueError, RecursionError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _setup(fields: Mapping[str, Any]) -> Setup:
    call = _string(fields, "callSid")
    if not _CALL_SID.fullmatch(call):
        raise Malformed("callSid")
    given = fields.get("customParameters") or {}
    if not isinstance(given, dict) or len(given) > 20:
        raise Malformed("customParameters")
    return Setup(
        call=call,
        account=_string(fields, "accountSid"),
        caller=_optional(fields, "from")[:64],
        called=_optional(fields, "to")[:64],
        parameters={str(name)[:64]: str(value)[:256] for name, value in given.items()},
    )


def _prompt(fields: Mapping[str, Any]) -> Prompt:
    last = fields.get("last", True)
    if not isinstance(last, bool):
        raise Malformed("last")
    return Prompt(words=_clean(_string(fields, "voicePrompt"))[:_MOST_WORDS], last=last)


def _dtmf(fields: Mapping[str, Any]) -> Dtmf:
    key = _string(fields, "digit")
    if not _KEY.fullmatch(key):
        raise Malformed("digit")
    return Dtmf(key=key)


def _interrupt(fields: Mapping[str, Any]) -> Interrupt:
    # Twilio's page shows the duration as text, its messages have a number.
    given = fields.get("durationUntilInterruptMs")
    digits = str(given) if isinstance(given, int | str) and not isinstance(given, bool) else ""
    after_ms = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 7 else None
    return Interrupt(heard=_clean(_optional(fields, "utteranceUntilInterrupt"))[:_MOST_WORDS], after_ms=after_ms)


def _info(fields: Mapping[str, Any]) -> Speaking | Played | Unknown:
    name, value = fields.get("name"), fields.get("value")
    if name in ("agentSpeaking", "clientSpeaking") and value in ("on", "off"):
        return Speaking(ours=name == "agentSpeaking", on=value == "on")
    if name == "tokensPlayed" and isinstance(value, str):
        return Played(words=_clean(value)[:_MOST_WORDS])
    return Unknown(kind="info")


def _fault(fields: Mapping[str, Any]) -> Fault:
    said = _optional(fields, "description")
    words, code = _LEADING_WORDS.match(said), _CODE.search(said[:120])
    parts = (words.group().strip(" ,") if words else "", code.group() if code else "")
    return Fault(summary=" ".join(part for part in parts if part) or "unsaid")


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Incoming]]] = {
    "setup": _setup,
    "prompt": _prompt,
    "dtmf": _dtmf,
    "interrupt": _interrupt,
    "info": _info,
    "error": _fault,
}


def _string(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise Malformed(name)
    return value


def _optional(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def _clean(words: str) -> str:
    return _UNPRINTABLE.sub("", words).strip()


def _encoded(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False)
