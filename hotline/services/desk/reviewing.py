"""Supervisors look back: transcripts found by their words, and conversations sampled and scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from hotline.audit_store import ActorKind, Audit, AuditEntry
from hotline.desk_store import Handover
from hotline.domain.desk import Agent
from hotline.domain.redaction import redact
from hotline.errors import HotlineError
from hotline.review_store import Average, Found, Review, Reviews, Sought
from hotline.wording import mask

PAGE: Final = 50
SHORTEST_WORDS: Final = 2
SHORTEST_REASON: Final = 2
LONGEST_REASON: Final = 500
SAMPLE_DAYS: Final = 7


class ReviewRefused(HotlineError):
    """``code`` says why: not_allowed, words, scores, reason, own, gone."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One thing a conversation is scored by."""

    code: str
    name: str
    points: int
    asks: str


@cache
def criteria() -> tuple[Criterion, ...]:
    """In the order they are scored; their points come to 100."""
    loaded: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("criteria.yml").read_text(encoding="utf-8"))
    return tuple(Criterion(code=code, **rest) for code, rest in loaded.items())


class Reviewing:
    """For supervisors alone; every search and every score is in the audit trail."""

    def __init__(self, reviews: Reviews, *, audit: Audit, clock: Callable[[], datetime]) -> None:
        self._reviews = reviews
        self._audit = audit
        self._clock = clock

    async def search(self, sought: Sought, *, agent: Agent, before: int | None = None) -> Sequence[Found]:
        """The newest lines that fit. Words that hold a personal number find nothing, since none is stored.

        Raises:
            ReviewRefused: not a supervisor, or there is too little to look for.
        """
        _only_supervisors(agent)
        words = redact(sought.words.strip(), mask()).text
        if 0 < len(words) < SHORTEST_WORDS or not (words or sought.staff_id or sought.since):
            raise ReviewRefused("words")
        await self._record("transcripts.searched", agent, detail={"words": words})
        wanted = Sought(
            words=words,
            channel=sought.channel,
            author=sought.author,
            staff_id=sought.staff_id,
            since=sought.since,
            until=sought.until,
        )
        return await self._reviews.search(wanted, before=before, limit=PAGE)

    async def sample(self, *, agent: Agent, of: str = "", count: int = 5) -> Sequence[Handover]:
        """Conversations of the last week to be scored, drawn and not chosen; of one agent where ``of`` names him."""
        _only_supervisors(agent)
        since = self._clock() - timedelta(days=SAMPLE_DAYS)
        return await self._reviews.unreviewed(since=since, agent_id=of, limit=min(count, PAGE))

    async def score(self, handover_id: int, scores: Mapping[str, int], *, agent: Agent, reason: str) -> Review:
        """The conversation is scored; scoring again replaces it. Points taken off need a reason.

        Raises:
            ReviewRefused: not a supervisor, own conversation, points that do not exist, no reason.
        """
        _only_supervisors(agent)
        handover = await self._reviews.handover(handover_id)
        if handover is None or not handover.agent_id or handover.ended_at is None:
            raise ReviewRefused("gone")
        if handover.agent_id == agent.staff_id:
            raise ReviewRefused("own")
        review = Review(
            handover_id=handover_id,
            agent_id=handover.agent_id,
            reviewer_id=agent.staff_id,
            scores=_checked(scores),
            total=sum(scores.values()),
            reason=_reason(reason, full=sum(scores.values()) == sum(each.points for each in criteria())),
            at=self._clock(),
        )
        await self._record("conversation.scored", agent, detail={"reference": str(handover_id), "total": review.total})
        await self._reviews.put(review)
        return review

    async def reviews(self, *, agent: Agent, of: str = "") -> Sequence[Review]:
        """The last reviews; who does not supervise sees his own."""
        return await self._reviews.reviews(agent_id=of if agent.supervises else agent.staff_id, limit=PAGE)

    async def averages(self, *, agent: Agent, days: int = 30) -> Sequence[Average]:
        _only_supervisors(agent)
        return await self._reviews.averages(since=self._clock() - timedelta(days=days))

    async def _record(self, action: str, agent: Agent, *, detail: Mapping[str, str | int]) -> None:
        entry = AuditEntry(
            actor_kind=ActorKind.STAFF, actor_id=agent.staff_id, action=action, purpose="quality", detail=dict(detail)
        )
        await self._audit.record(entry)


def _only_supervisors(agent: Agent) -> None:
    if not agent.supervises:
        raise ReviewRefused("not_allowed")


def _checked(scores: Mapping[str, int]) -> dict[str, int]:
    most = {each.code: each.points for each in criteria()}
    if set(scores) != set(most) or any(not 0 <= scores[code] <= points for code, points in most.items()):
        raise ReviewRefused("scores")
    return {code: scores[code] for code in most}


def _reason(reason: str, *, full: bool) -> str:
    said = redact(" ".join(reason.split()), mask()).text
    if len(said) > LONGEST_REASON or (not full and len(said) < SHORTEST_REASON):
        raise ReviewRefused("reason")
    return said
