"""Supervisors look back: who may, what is refused, what the audit trail keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from hotline.audit_store import AuditEntry
from hotline.desk_store import Handover
from hotline.domain.desk import HandoverState
from hotline.review_store import Average, Found, Review, Sought
from hotline.services.desk.reviewing import Reviewing, ReviewRefused, criteria
from tests.core_kit import AGENT
from tests.unit.desk.records import a_handover

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
BOSS = replace(AGENT, staff_id="s1", supervises=True)
FULL = {each.code: each.points for each in criteria()}
ENDED = a_handover(id=7, state=HandoverState.DONE)


@dataclass
class FakeReviews:
    ended: dict[int, Handover] = field(default_factory=lambda: {7: ENDED})
    kept: list[Review] = field(default_factory=list)
    sought: list[Sought] = field(default_factory=list)

    async def search(self, sought: Sought, *, before: int | None, limit: int) -> list[Found]:
        self.sought.append(sought)
        return []

    async def unreviewed(self, *, since: datetime, agent_id: str, limit: int) -> list[Handover]:
        return list(self.ended.values())[:limit]

    async def handover(self, handover_id: int) -> Handover | None:
        return self.ended.get(handover_id)

    async def put(self, review: Review) -> None:
        self.kept.append(review)

    async def reviews(self, *, agent_id: str, limit: int) -> Sequence[Review]:
        return [each for each in self.kept if agent_id in ("", each.agent_id)]

    async def averages(self, *, since: datetime) -> Sequence[Average]:
        return []


@dataclass
class FakeAudit:
    entries: list[AuditEntry] = field(default_factory=list)

    async def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


@dataclass
class Office:
    reviews: FakeReviews = field(default_factory=FakeReviews)
    audit: FakeAudit = field(default_factory=FakeAudit)

    @property
    def reviewing(self) -> Reviewing:
        return Reviewing(self.reviews, audit=self.audit, clock=lambda: NOW)


@pytest.fixture
def office() -> Office:
    return Office()


def test_the_points_come_to_a_hundred() -> None:
    assert sum(FULL.values()) == 100


async def test_a_conversation_is_scored_once_and_that_is_on_record(office: Office) -> None:
    made = await office.reviewing.score(7, {**FULL, "courtesy": 5}, agent=BOSS, reason="没有致歉")
    assert (made.total, made.agent_id, made.reviewer_id) == (85, "a1", "s1")
    assert office.reviews.kept == [made]
    assert [(each.action, each.detail["reference"]) for each in office.audit.entries] == [("conversation.scored", "7")]


@pytest.mark.parametrize(
    ("handover_id", "scores", "reason", "code"),
    [
        (8, FULL, "好", "gone"),
        (7, {**FULL, "courtesy": 21}, "多了", "scores"),
        (7, {**FULL, "courtesy": -1}, "少了", "scores"),
        (7, {"courtesy": 20}, "缺了", "scores"),
        (7, {**FULL, "courtesy": 5}, " ", "reason"),
        (7, {**FULL, "courtesy": 5}, "长" * 501, "reason"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_kept(
    office: Office, handover_id: int, scores: dict[str, int], reason: str, code: str
) -> None:
    with pytest.raises(ReviewRefused, match=code):
        await office.reviewing.score(handover_id, scores, agent=BOSS, reason=reason)
    assert office.reviews.kept == []


async def test_nobody_scores_himself_and_agents_score_nobody(office: Office) -> None:
    with pytest.raises(ReviewRefused, match="own"):
        await office.reviewing.score(7, FULL, agent=replace(BOSS, staff_id="a1"), reason="")
    with pytest.raises(ReviewRefused, match="not_allowed"):
        await office.reviewing.score(7, FULL, agent=AGENT, reason="")


async def test_agents_see_their_own_reviews_alone(office: Office) -> None:
    await office.reviewing.score(7, FULL, agent=BOSS, reason="")
    assert len(await office.reviewing.reviews(agent=AGENT, of="somebody else")) == 1
    assert await office.reviewing.reviews(agent=replace(AGENT, staff_id="a2"), of="a1") == []


async def test_a_search_is_on_record_without_the_number_that_was_typed(office: Office) -> None:
    await office.reviewing.search(Sought(words="13800138000 租房"), agent=BOSS)
    assert "13800138000" not in str(office.audit.entries) + str(office.reviews.sought)


@pytest.mark.parametrize("words", ["", "租"])
async def test_too_little_to_look_for_is_refused(office: Office, words: str) -> None:
    with pytest.raises(ReviewRefused, match="words"):
        await office.reviewing.search(Sought(words=words), agent=BOSS)


async def test_agents_do_not_search_other_peoples_conversations(office: Office) -> None:
    with pytest.raises(ReviewRefused, match="not_allowed"):
        await office.reviewing.search(Sought(words="租房"), agent=AGENT)
    assert office.audit.entries == []
