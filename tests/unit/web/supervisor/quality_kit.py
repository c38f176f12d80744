"""Reviews, transcripts and ratings in memory, and a supervisor who looks back at them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import httpx
from fastapi import FastAPI

from hotline.audit_store import AuditEntry
from hotline.desk_store import Handover
from hotline.domain.messages import ChannelName
from hotline.domain.ratings import RatingCount, Score, Subject
from hotline.review_store import Average, Found, Review, Sought
from hotline.services.desk.reviewing import Reviewing, criteria
from tests.fake_desk import FakeDesk
from tests.unit.web.desk.desk_app import CENTRE, FakeEntrance, names_of
from tests.unit.web.desk.desk_kit import Visitor
from web.citizen.assets import static_files
from web.desk.site import DeskSite
from web.supervisor.quality import quality_router
from web.supervisor.quality_site import Records
from web.supervisor.search import search_router

FULL = {f"score-{each.code}": str(each.points) for each in criteria()}
"""A form in which nothing is taken off."""
RENT, OVERDUE, OWN, OPEN = 1, 2, 90, 91
"""Requests: two of wang's, one of the supervisor's own, one that has not ended."""


@dataclass
class FakeReviews:
    """Implements `hotline.review_store.Reviews` over the desk's talks."""

    desk: FakeDesk
    ended: dict[int, Handover] = field(default_factory=dict)
    kept: dict[int, Review] = field(default_factory=dict)
    sought: list[tuple[Sought, int | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for talk in self.desk.talks.values():
            handover = talk.at.handover
            if handover is not None and handover.agent_id:
                taken, ended = handover.queued_at + timedelta(seconds=41), self.desk.clock()
                self.ended[handover.id] = replace(
                    handover, accepted_at=taken, ended_at=ended, solved=True, summary="询问条件和限额，已答复。"
                )
        self.ended[OWN] = replace(self.ended[RENT], id=OWN, agent_id="lin")
        self.ended[OPEN] = replace(self.ended[RENT], id=OPEN, ended_at=None)

    async def search(self, sought: Sought, *, before: int | None, limit: int) -> list[Found]:
        self.sought.append((sought, before))
        fits = [
            Found(
                seq=line.seq,
                conversation_id=line.conversation_id,
                channel=line.channel,
                author=line.author,
                staff_id=line.by,
                text=line.text,
                at=line.at,
            )
            for talk in self.desk.talks.values()
            for line in talk.lines
            if sought.words in line.text and (before is None or line.seq < before)
        ]
        return sorted(fits, key=lambda each: -each.seq)[:limit]

    async def unreviewed(self, *, since: datetime, agent_id: str, limit: int) -> list[Handover]:
        left = [each for each in self.ended.values() if each.id not in self.kept and each.ended_at is not None]
        return [each for each in left if agent_id in ("", each.agent_id)][:limit]

    async def handover(self, handover_id: int) -> Handover | None:
        return self.ended.get(handover_id)

    async def put(self, review: Review) -> None:
        self.kept[review.handover_id] = review

    async def reviews(self, *, agent_id: str, limit: int) -> Sequence[Review]:
        return [each for each in self.kept.values() if agent_id in ("", each.agent_id)][:limit]

    async def averages(self, *, since: datetime) -> Sequence[Average]:
        agents = sorted({each.agent_id for each in self.kept.values()})
        totals = {agent: [each.total for each in self.kept.values() if each.agent_id == agent] for agent in agents}
        return [
            Average(agent_id=agent, reviews=len(all_), mean=sum(all_) / len(all_)) for agent, all_ in totals.items()
        ]


@dataclass
class FakeAudit:
    entries: list[AuditEntry] = field(default_factory=list)

    async def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


class Town:
    """Everything a supervisor looks back at."""

    def __init__(self, desk: FakeDesk) -> None:
        self.desk = desk
        self.reviews = FakeReviews(desk)
        self.audit = FakeAudit()
        self.asked_days: list[tuple[date, date]] = []
        self.counted: list[RatingCount] = [
            rated(Score.VERY_SATISFIED, 40),
            rated(Score.VERY_DISSATISFIED, 10),
            rated(None, 50),
            rated(Score.SATISFIED, 3, "wang"),
            rated(Score.DISSATISFIED, 1, "wang"),
            rated(Score.FAIR, 2, "chen"),
        ]

    async def counts(self, first: date, last: date) -> Sequence[RatingCount]:
        self.asked_days.append((first, last))
        return self.counted

    async def review(self, handover_id: int, *, off: int = 0, reason: str = "") -> Review:
        """The request has been scored by the supervisor, with points off for correctness."""
        scores = {each.code: each.points - (off if each.code == "correctness" else 0) for each in criteria()}
        review = Review(
            handover_id=handover_id,
            agent_id=self.reviews.ended[handover_id].agent_id,
            reviewer_id="lin",
            scores=scores,
            total=sum(scores.values()),
            reason=reason,
            at=self.desk.clock(),
        )
        await self.reviews.put(review)
        return review

    def app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)
        site = DeskSite(
            self.desk, FakeEntrance(self.desk), centre=CENTRE, names=names_of(self.desk), clock=self.desk.clock
        )
        records = Records(
            reviewing=Reviewing(self.reviews, audit=self.audit, clock=self.desk.clock),
            handover=self.reviews.handover,
            counts=self.counts,
            names=names_of(self.desk),
        )
        app.include_router(quality_router(site, records))
        app.include_router(search_router(site, records))
        app.mount("/static", static_files())
        return app


def rated(score: Score | None, count: int, agent: str = "") -> RatingCount:
    """How often; of the bot where no agent is named."""
    subject = Subject.AGENT if agent else Subject.BOT
    return RatingCount(score=score, subject=subject, channel=ChannelName.WEB, staff_id=agent, count=count)


@asynccontextmanager
async def looking_back(town: Town, staff_id: str) -> AsyncIterator[Visitor]:
    transport = httpx.ASGITransport(town.app())
    cookies = {"staff": staff_id} if staff_id else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://desk", cookies=cookies) as client:
        yield Visitor(town.desk, client)
