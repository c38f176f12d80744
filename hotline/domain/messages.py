"""Messages as the core sees them: no vendor, no wire format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class ChannelName(StrEnum):
    """The doors a citizen comes in by. The value is also the channel name Rasa and the answers see."""

    WEB = "web"
    WECHAT = "wechat"
    SMS = "sms"
    VOICE = "voice"


class InboundKind(StrEnum):
    """What happened at the citizen's end."""

    TEXT = "text"
    """Typed or spoken words, pressed digits, or the text of a chosen button or menu key."""
    START = "start"
    """Followed the account, opened the page, the call was answered: the bot greets."""
    SILENCE = "silence"
    """The caller said and pressed nothing."""
    UNSUPPORTED = "unsupported"
    """A picture, a voice note without recognition, a location …: answered kindly, not understood."""
    LEAVE = "leave"
    """Unfollowed or hung up: the conversation closes, nothing is answered."""
    PROVED = "proved"
    """Not said by anybody: the citizen has just proven who he is, and what waited for that goes on."""
    VERIFIED = "verified"
    """Not said by anybody: it is now known what became of an application whose filing was in doubt."""
    IGNORED = "ignored"
    """Kept so that a repetition is recognised; nothing is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One thing a citizen did, decoded by a channel.

    ``external_id`` is unique within the channel for ever and the same for every repeated delivery.
    ``contact_key`` is the citizen's address on the channel (openid, E.164 number, call id, visitor id).
    ``session_key`` separates conversations that must not mix (a call id on the telephone); empty elsewhere.
    """

    channel: ChannelName
    external_id: str
    contact_key: str
    kind: InboundKind = InboundKind.TEXT
    text: str = ""
    session_key: str = ""
    sent_at: datetime | None = None
    as_of: date | None = None
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A quick reply: ``label`` is shown, ``text`` is what choosing it says. With ``url`` it opens that page instead;
    channels without pages leave it out."""

    label: str
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One bubble of an answer, before a channel gives it its own form."""

    text: str
    choices: tuple[Choice, ...] = ()
    ends_call: bool = False
    """The telephone hangs up after saying this; other channels ignore it."""
    keypad: str = ""
    """A `hotline.domain.identity.Purpose`: after these words the telephone collects a proof of identity by keypad.
    Other channels have links for it."""


class Outcome(StrEnum):
    """How a turn ended, for the record and for `hotline ask` and `eval`."""

    ANSWERED = "answered"
    CLARIFIED = "clarified"
    HANDOFF = "handoff"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNote:
    """A source as an answer cites it. ``issued_on`` is ISO; ``strength`` as in knowledge_base."""

    title: str
    issued_on: str | None = None
    url: str | None = None
    strength: str = "official"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """What the dialogue is told. ``text`` is already redacted and at most 500 characters."""

    conversation_id: str
    message_id: str
    text: str
    kind: InboundKind
    channel: ChannelName
    locale: str = "zh-CN"
    as_of: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnResult:
    """What the dialogue decided to say, and why."""

    replies: tuple[Reply, ...]
    outcome: Outcome = Outcome.ANSWERED
    intent: str = ""
    confidence: float = 0.0
    matter: str | None = None
    aspect: str | None = None
    candidates: tuple[str, ...] = ()
    """Matter codes answered or offered, best first."""
    sources: tuple[SourceNote, ...] = ()
    hand_over: str | None = None
    """Reason code when a person is wanted: requested, complaint, failed_twice …"""
    degraded: bool = False
    """True when the answer came from knowledge search alone because Rasa did not answer."""
    ms: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the citizen has said of his case so far: values of knowledge_base.model.FACTS. For whoever takes over."""
