"""Conversations drawn and scored, what the scores come to, and what citizens said of the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from hotline.agent_desk import DeskRefused
from hotline.desk_store import Handover
from hotline.domain.clock import SHANGHAI
from hotline.domain.ratings import RatingCount, Satisfaction, Score, Subject, satisfaction
from hotline.review_store import Average, Review
from hotline.services.desk.reviewing import LONGEST_REASON, PAGE, ReviewRefused, criteria
from web.desk.entrance import Member
from web.desk.forms import number, read_form
from web.desk.site import DeskSite
from web.supervisor.quality_site import BadInput, QualitySite, Records, record_number

DAYS: Final = 30
DRAWN: Final = 5
OF_REQUEST: Final = "/supervisor/quality/{handover_id}"
LEVELS: Final = tuple(sorted(Score, reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an agent, the bot or everybody stands: what supervisors found, and what citizens said by level."""

    name: str
    reviews: int
    mean: float | None
    levels: Sequence[int]
    citizens: Satisfaction


def quality_router(site: DeskSite, records: Records) -> APIRouter:
    """Routes under ``/supervisor/quality``, and the agents' look at their own reviews."""
    quality = QualitySite(site, records)
    pages = _QualityPages(quality)
    routes = APIRouter(include_in_schema=False)
    for method, path, handler in (
        ("GET", "/supervisor/quality", pages.overview),
        ("GET", "/supervisor/quality/sample", pages.sample),
        ("GET", OF_REQUEST, pages.conversation),
        ("POST", OF_REQUEST, pages.score),
    ):
        routes.add_route(path, quality.guarded(handler), methods=[method])
    routes.add_route("/desk/reviews", quality.guarded(pages.own, supervisor=False), methods=["GET"])
    return routes


class _QualityPages:
    """Handlers; all but ``own`` for supervisors alone."""

    def __init__(self, site: QualitySite) -> None:
        self._site = site
        self._records = site.records
        self._reviewing = site.records.reviewing

    async def overview(self, request: Request, member: Member) -> Response:
        names = await self._site.desk.names()
        reviews = await self._reviewing.reviews(agent=member.agent)
        return self._site.page(
            "quality",
            member,
            standings=await self._standings(member, names),
            levels=LEVELS,
            reviews=[(each, lost(each)) for each in reviews],
            names=names,
            drawn=DRAWN,
            days=DAYS,
            saved=number(request.query_params.get("saved")),
        )

    async def sample(self, request: Request, member: Member) -> Response:
        """Conversations drawn to be scored; what the supervisor handled himself is not among them."""
        names = await self._site.desk.names()
        of = request.query_params.get("of", "")
        if of and of not in names:
            raise BadInput("unreadable")
        found = await self._reviewing.sample(agent=member.agent, of=of, count=PAGE)
        drawn = [each for each in found if each.agent_id != member.agent.staff_id][:DRAWN]
        show = await self._site.desk.showing()
        return self._site.desk.fragment(
            "supervisor/sample.html",
            drawn=[(each, show.matter(each.wrap_reason or each.matter)) for each in drawn],
            sample=",".join(str(each.id) for each in drawn),
            names=names,
        )

    async def conversation(self, request: Request, member: Member) -> Response:
        """The conversation beside the form it is scored with."""
        handover = await self._handover(request)
        try:
            talk = await self._site.transcript(handover.conversation_id, member) if handover else None
        except DeskRefused:
            talk = None
        if handover is None or talk is None:
            return self._site.page("quality_gone", member, status=404)
        show = await self._site.desk.showing()
        return self._site.page(
            "quality_score",
            member,
            **talk,
            **_place(request, handover.id),
            handover=handover,
            matter=show.matter(handover.wrap_reason or handover.matter),
            criteria=criteria(),
            given=await self._given(handover, member),
            full=sum(each.points for each in criteria()),
            longest=LONGEST_REASON,
            refused=_not_to_be_scored(handover, member),
        )

    async def score(self, request: Request, member: Member) -> Response:
        """The conversation is scored; the answer says where the next one is."""
        form = await read_form(request)
        handover_id = record_number(request.path_params["handover_id"])
        if handover_id is None:
            raise ReviewRefused("gone")
        points = {each.code: number(form.get(f"score-{each.code}")) for each in criteria()}
        given = {code: value for code, value in points.items() if value is not None}
        reason = form.get("reason", "").replace("\0", "")
        review = await self._reviewing.score(handover_id, given, agent=member.agent, reason=reason)
        onward = _place(request, handover_id)["onward"] or "/supervisor/quality?"
        told = self._site.words["saved"].format(total=review.total)
        return self._site.desk.data(
            {"total": review.total, "message": told, "next": f"{onward}&saved={review.total}".replace("?&", "?")}
        )

    async def own(self, request: Request, member: Member) -> Response:
        """What others found of the conversations of whoever asks."""
        reviews = await self._reviewing.reviews(agent=member.agent, of=member.agent.staff_id)
        return self._site.page(
            "reviews",
            member,
            reviews=[(each, lost(each)) for each in reviews],
            names=await self._site.desk.names(),
            mean=sum(each.total for each in reviews) / len(reviews) if reviews else None,
        )

    async def _handover(self, request: Request) -> Handover | None:
        """A request an agent took, by its number in the address."""
        handover_id = record_number(request.path_params["handover_id"])
        handover = await self._records.handover(handover_id) if handover_id is not None else None
        return handover if handover is not None and handover.agent_id else None

    async def _given(self, handover: Handover, member: Member) -> Review | None:
        """How it was scored before."""
        known = await self._reviewing.reviews(agent=member.agent, of=handover.agent_id)
        return next((each for each in known if each.handover_id == handover.id), None)

    async def _standings(self, member: Member, names: Mapping[str, str]) -> list[Standing]:
        today = self._site.desk.clock().astimezone(SHANGHAI).date()
        counts = await self._records.counts(today - timedelta(days=DAYS - 1), today)
        averages = {each.agent_id: each for each in await self._reviewing.averages(agent=member.agent, days=DAYS)}
        rated = {each.staff_id for each in counts if each.subject is Subject.AGENT}
        unknown = self._site.desk.wording.words["unknown_agent"]
        agents = sorted((names.get(each, unknown), each) for each in {*averages, *rated})
        bot = [each for each in counts if each.subject is Subject.BOT]
        return [
            _standing(self._site.words["bot"], [], bot),
            *(
                _standing(
                    name,
                    [averages[agent]] if agent in averages else [],
                    [each for each in counts if each.subject is Subject.AGENT and each.staff_id == agent],
                )
                for name, agent in agents
            ),
            _standing(self._site.words["total"], list(averages.values()), counts),
        ]


def lost(review: Review) -> list[tuple[str, int]]:
    """Criteria that points were taken off for, and how many."""
    taken = [(each.name, each.points - review.scores.get(each.code, each.points)) for each in criteria()]
    return [(name, points) for name, points in taken if points > 0]


def _standing(name: str, averages: Sequence[Average], counts: Iterable[RatingCount]) -> Standing:
    counts = list(counts)
    reviews = sum(each.reviews for each in averages)
    return Standing(
        name=name,
        reviews=reviews,
        mean=sum(each.mean * each.reviews for each in averages) / reviews if reviews else None,
        levels=[sum(each.count for each in counts if each.score is level) for level in LEVELS],
        citizens=satisfaction(counts),
    )


def _place(request: Request, handover_id: int) -> dict[str, Any]:
    """Where in the sample of the address the request stands, and the address of the next one; empty after the last."""
    sample = request.query_params.get("sample", "")
    ids = list(dict.fromkeys(each for part in sample.split(",")[:PAGE] if (each := record_number(part)) is not None))
    at = ids.index(handover_id) if handover_id in ids else -1
    known = ",".join(str(each) for each in ids)
    following = ids[at + 1] if 0 <= at < len(ids) - 1 else None
    return {
        "at": at + 1,
        "of": len(ids),
        "sample": known,
        "onward": f"/supervisor/quality/{following}?sample={known}" if following is not None else "",
        "saved": number(request.query_params.get("saved")),
    }


def _not_to_be_scored(handover: Handover, member: Member) -> str:
    """The code of why this supervisor cannot score it, or empty."""
    if handover.ended_at is None:
        return "gone"
    return "own" if handover.agent_id == member.agent.staff_id else ""
