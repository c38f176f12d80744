"""Filings whose answer was lost are settled once, on what the core system says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace

import pytest

from hotline.domain.fund import Application, NewApplication
from hotline.fund_system import FundRefused, FundUnknown
from hotline.private_store import NOT_SENT, Submission, SubmissionState
from hotline.services.verification import ASK_AFTER, AT_ONCE, LOST_AFTER, NOBODY, Verification
from tests.fake_fund import FakeFundSystem, a_person, an_account
from tests.own_kit import NOW, MemoryDrafts, MemorySubmissions, RecordedAudit

pytestmark = pytest.mark.anyio

FIELDS = {"promise": "yes"}


@dataclass
class Known:
    """Knows persons by the number after ``id-``, and some not at all."""

    strangers: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)

    async def registered(self, person_id: str) -> object | None:
        if person_id in self.strangers:
            return None
        return SimpleNamespace(person_no="" if person_id in self.erased else person_id.removeprefix("id-"))


@dataclass
class Forgetful(FakeFundSystem):
    """Does not know some persons any more."""

    forgotten: set[str] = field(default_factory=set)

    async def submission(self, person_no: str, *, key: str) -> Application | None:
        if person_no in self.forgotten:
            raise FundRefused("not_found")
        return await super().submission(person_no, key=key)


class Scene:
    """Some people with one filing each."""

    def __init__(self) -> None:
        self.fund = Forgetful(now=lambda: NOW)
        self.drafts, self.submissions, self.audit = MemoryDrafts(), MemorySubmissions(), RecordedAudit()
        self.known, self.told, self.later = Known(), list[Submission](), timedelta()

    async def files(self, number: str, *, arrives: bool) -> str:
        """A filing whose answer was lost; its key."""
        self.fund.add(a_person(person_no=number), accounts=[an_account()])
        await self.drafts.save(f"id-{number}", "withdraw-retire", fields=FIELDS, step="")
        key = f"key-{number}"
        await self.submissions.begin(f"id-{number}", "withdraw-retire", key=key)
        if arrives:
            self.fund.lose_answers = True
            new = NewApplication(
                person_no=number, business="withdraw-retire", fields=FIELDS, confirmed_at=NOW, channel="web"
            )
            with pytest.raises(FundUnknown):
                await self.fund.submit(new, key=key)
            self.fund.lose_answers = False
        await self.submissions.settle(key, SubmissionState.UNKNOWN)
        return key

    async def looks(self, later: timedelta = ASK_AFTER * 2) -> int:
        async def tell(settled: Submission) -> None:
            self.told.append(settled)

        verification = Verification(
            self.fund,
            self.submissions,
            self.drafts,
            bindings=self.known,  # type: ignore[arg-type]  # what verification uses of it
            audit=self.audit,
            clock=lambda: NOW + later,
            tell=tell,
        )
        return await verification.run_due()


async def test_what_arrived_is_settled_with_its_number_and_told() -> None:
    scene = Scene()
    key = await scene.files("P1", arrives=True)
    assert await scene.looks() == 1
    settled = scene.submissions.kept[key]
    assert (settled.state, settled.application_no) == (SubmissionState.SUBMITTED, "B000001")
    assert scene.told == [settled]
    assert scene.drafts.kept == {}
    (entry,) = scene.audit.entries
    assert (entry.action, entry.subject, entry.purpose) == (
        "application.verified.submitted",
        "id-P1",
        "withdraw-retire",
    )
    assert entry.detail == {"reference": "B000001"}


async def test_a_turn_may_still_be_working_on_a_young_filing() -> None:
    scene = Scene()
    await scene.files("P1", arrives=True)
    assert await scene.looks(ASK_AFTER / 2) == 0
    assert "submission" not in scene.fund.calls


async def test_what_never_arrived_is_given_up_after_a_minute_and_its_draft_is_another_filing() -> None:
    scene = Scene()
    key = await scene.files("P1", arrives=False)
    before = scene.drafts.kept["id-P1", "withdraw-retire"]
    assert await scene.looks(LOST_AFTER) == 0
    assert await scene.looks(LOST_AFTER + timedelta(seconds=1)) == 1
    assert (scene.submissions.kept[key].state, scene.submissions.kept[key].error) == (
        SubmissionState.REFUSED,
        NOT_SENT,
    )
    after = scene.drafts.kept["id-P1", "withdraw-retire"]
    assert (after.fields, after.updated_at > before.updated_at) == (before.fields, True)
    assert scene.audit.actions == ["application.verified.refused"]


async def test_settling_twice_tells_nobody_twice() -> None:
    scene = Scene()
    await scene.files("P1", arrives=True)
    assert [await scene.looks(), await scene.looks()] == [1, 0]
    assert len(scene.told) == 1


async def test_a_slower_process_leaves_a_new_draft_alone() -> None:
    """Both saw the filing open; the faster one settled it, and the citizen has begun another."""
    scene = Scene()
    key = await scene.files("P1", arrives=False)
    seen = [scene.submissions.kept[key]]
    await scene.looks(LOST_AFTER * 2)
    newer = await scene.drafts.save("id-P1", "withdraw-retire", fields={"promise": "again"}, step="")

    async def as_before(moment: object, *, limit: int) -> list[Submission]:
        return seen

    scene.submissions.open_before = as_before  # type: ignore[method-assign]
    assert await scene.looks(LOST_AFTER * 2) == 0
    assert scene.drafts.kept["id-P1", "withdraw-retire"] == newer


async def test_while_the_core_system_is_away_nobody_is_asked_about() -> None:
    scene = Scene()
    for number in ("P1", "P2"):
        await scene.files(number, arrives=True)
    scene.fund.away = True
    asked = len(scene.fund.calls)
    assert await scene.looks(LOST_AFTER * 2) == 0
    assert len(scene.fund.calls) == asked + 1
    assert {each.state for each in scene.submissions.kept.values()} == {SubmissionState.UNKNOWN}


async def test_one_person_nobody_knows_does_not_hold_up_the_others() -> None:
    scene = Scene()
    for number in ("P1", "P2", "P3"):
        await scene.files(number, arrives=True)
    scene.fund.forgotten = {"P1"}
    assert await scene.looks() == 2
    assert [settled.person_id for settled in scene.told] == ["id-P2", "id-P3"]


async def test_of_a_person_who_was_erased_nothing_is_asked_and_nobody_is_told() -> None:
    scene = Scene()
    for number in ("P1", "P2"):
        await scene.files(number, arrives=True)
    scene.known.strangers, scene.known.erased = {"id-P1"}, {"id-P2"}
    asked = len(scene.fund.calls)
    assert [await scene.looks(), await scene.looks()] == [2, 0]
    assert (scene.told, len(scene.fund.calls)) == ([], asked)
    assert {each.error for each in scene.submissions.kept.values()} == {NOBODY}


async def test_a_few_are_asked_about_at_a_time() -> None:
    scene = Scene()
    for at in range(AT_ONCE + 5):
        await scene.files(f"P{at}", arrives=True)
    assert [await scene.looks(), await scene.looks()] == [AT_ONCE, 5]
