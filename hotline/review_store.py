"""The port for looking back: transcripts found by their words, and conversations scored for quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hotline.desk_store import Handover
from hotline.domain.messages import ChannelName


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a transcript is looked for by. Everything given must hold; ``words`` stand in a line as they are."""

    words: str = ""
    channel: ChannelName | None = None
    author: str = ""
    staff_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A line that fits."""

    seq: int
    conversation_id: str
    channel: ChannelName
    author: str
    staff_id: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """How well a conversation was handled. ``scores``: points by criterion, ``total`` their sum (0 to 100)."""

    handover_id: int
    agent_id: str
    reviewer_id: str
    scores: Mapping[str, int]
    total: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Average:
    """What an agent's reviews come to."""

    agent_id: str
    reviews: int
    mean: float


class Reviews(Protocol):
    """Every method is one transaction."""

    async def search(self, sought: Sought, *, before: int | None, limit: int) -> list[Found]:
        """The newest lines that fit, with ``seq`` < ``before``, newest first."""
        ...

    async def unreviewed(self, *, since: datetime, agent_id: str, limit: int) -> list[Handover]:
        """Conversations that ended since then and nobody has scored, in an order that is random but the same for the
        same day: whoever samples cannot choose what he likes to see."""
        ...

    async def handover(self, handover_id: int) -> Handover | None: ...

    async def put(self, review: Review) -> None:
        """The review stands; one of the same conversation by anybody is replaced."""
        ...

    async def reviews(self, *, agent_id: str, limit: int) -> Sequence[Review]:
        """An agent's reviews, newest first; of everybody where ``agent_id`` is empty."""
        ...

    async def averages(self, *, since: datetime) -> Sequence[Average]: ...
