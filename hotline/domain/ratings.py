"""Satisfaction (好差评): five levels, given by citizens to the bot and to agents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from hotline.domain.messages import ChannelName


class Score(IntEnum):
    """The five levels of 好差评 (国办发〔2019〕51号): 非常满意, 满意, 基本满意, 不满意, 非常不满意."""

    VERY_DISSATISFIED = 1
    DISSATISFIED = 2
    FAIR = 3
    SATISFIED = 4
    VERY_SATISFIED = 5

    @property
    def is_poor(self) -> bool:
        """差评: it has to be looked into."""
        return self <= Score.DISSATISFIED


class Subject(StrEnum):
    """Whose service was rated."""

    BOT = "bot"
    AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """A rating that was asked for, and what came of it. ``handover_id`` is 0 and ``staff_id`` empty for the bot's;
    ``score`` is None until it is answered; ``order_no`` names the work order a poor one has become."""

    id: int
    conversation_id: str
    handover_id: int
    subject: Subject
    staff_id: str
    channel: ChannelName
    contact_id: int
    score: Score | None
    reason: str = field(repr=False)
    asked_at: datetime
    answered_at: datetime | None
    order_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingCount:
    """How often a score was given for something; ``score`` None: asked for and not answered."""

    score: Score | None
    subject: Subject
    channel: ChannelName
    staff_id: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Satisfaction:
    """What ratings come to."""

    asked: int
    rated: int
    satisfied: int

    @property
    def share(self) -> float | None:
        """满意度, 0 to 1: 非常满意, 满意 and 基本满意 among those who rated (住房公积金综合服务平台建设导则 §七.2);
        None where nobody did."""
        return self.satisfied / self.rated if self.rated else None

    @property
    def answered(self) -> float | None:
        """参评率, 0 to 1; None where nobody was asked."""
        return self.rated / self.asked if self.asked else None


def satisfaction(counts: Iterable[RatingCount]) -> Satisfaction:
    """The counts taken together."""
    asked = rated = satisfied = 0
    for each in counts:
        asked += each.count
        if each.score is not None:
            rated += each.count
            satisfied += each.count * (not each.score.is_poor)
    return Satisfaction(asked=asked, rated=rated, satisfied=satisfied)
