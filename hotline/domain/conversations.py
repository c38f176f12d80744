"""Who holds a conversation, and what one turn of it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from hotline.domain.messages import ChannelName, InboundKind, Reply, TurnResult


class Owner(StrEnum):
    """Who answers; in ``wrap_up`` the agent has said goodbye and writes down what it was about, and the bot answers
    again as soon as the citizen says something. Every change raises the conversation's ``owner_version``; an answer of
    the bot made under an older version is dropped."""

    BOT = "bot"
    QUEUED = "queued"
    AGENT = "agent"
    WRAP_UP = "wrap_up"


ALLOWED_CHANGES: Mapping[Owner, frozenset[Owner]] = {
    Owner.BOT: frozenset({Owner.QUEUED, Owner.AGENT}),
    Owner.QUEUED: frozenset({Owner.AGENT, Owner.BOT}),
    Owner.AGENT: frozenset({Owner.AGENT, Owner.WRAP_UP, Owner.QUEUED}),
    Owner.WRAP_UP: frozenset({Owner.AGENT, Owner.BOT}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One stored message waiting for its turn, with its conversation as it was when claimed."""

    inbox_id: int
    external_id: str
    conversation_id: str
    contact_id: int
    contact_key: str
    channel: ChannelName
    kind: InboundKind
    text: str
    meta: Mapping[str, str]
    as_of: date | None
    received_at: datetime
    attempts: int
    owner: Owner
    owner_version: int
    asked: str = ""
    """What the gateway has asked in the conversation and waits to hear, about what, and until when
    (`hotline.prompt_store.Question`); empty: nothing."""
    asked_about: str = ""
    asked_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of an incoming message. ``job`` is set when this process now holds the conversation and
    must work it; ``new`` is False for a repeated delivery."""

    inbox_id: int
    new: bool
    job: Job | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """A finished turn as stored."""

    inbox_id: int
    conversation_id: str
    replies: tuple[Reply, ...]
    result: TurnResult
    delivery_status: str | None
    delivery_id: str | None


class DeliveryStatus(StrEnum):
    """Life of an outbox row. ``inline``: went back in the webhook's response; ``stored``: the line in
    storage is the delivery (web page); ``sending``: leased by a worker,
    nobody else may take it; ``unknown``: the vendor may have it, so it is not sent again."""

    PENDING = "pending"
    SENDING = "sending"
    INLINE = "inline"
    STORED = "stored"
    SENT = "sent"
    DROPPED = "dropped"
    FAILED = "failed"
    UNKNOWN = "unknown"
