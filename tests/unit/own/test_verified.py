"""A filing in doubt is settled and its owner told, whatever he is doing meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName
from hotline.private_store import NOT_SENT, SubmissionState
from hotline.services.verification import Verification
from tests.own_kit import NOW, Counter, text_of
from tests.unit.own.forms import CONFIRMED, LEAVE, RENT, at_summary, begun
from tests.unit.own.kit import PERSON, at_counter

pytestmark = pytest.mark.anyio


class Registered:
    """Everybody is, under the number he has in these tests."""

    async def registered(self, person_id: str) -> object:
        return SimpleNamespace(person_no=person_id.removeprefix("id-"))


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


async def verified(counter: Counter, *, after_s: int) -> list[str]:
    """What is told when verification looks so many seconds later."""
    told: list[str] = []

    async def tell(_: object) -> None:
        told.append(text_of(await counter.says("", "verify")))

    clock = Clock()
    clock.now += timedelta(seconds=after_s)
    verification = Verification(
        counter.fund,
        counter.submissions,
        counter.drafts,
        bindings=Registered(),  # type: ignore[arg-type]  # what verification uses of it
        audit=counter.audit,
        clock=clock,
        tell=tell,
    )
    assert await verification.run_due() == len(told)
    return told


async def in_doubt(*, arrived: bool) -> Counter:
    counter = at_counter()
    await at_summary(counter)
    counter.fund.lose_answers = True
    await counter.says(CONFIRMED)
    counter.fund.lose_answers = False
    if not arrived:
        counter.fund._done.clear()
        for held in counter.fund._held.values():
            held.applications.clear()
    return counter


async def test_a_filing_that_arrived_is_found_and_told() -> None:
    counter = await in_doubt(arrived=True)
    assert await verified(counter, after_s=5) == []
    assert await verified(counter, after_s=15) == ["“租房提取”核实好了：已提交，编号B000001。"]
    assert counter.drafts.kept == {}
    assert await verified(counter, after_s=30) == []


async def test_a_filing_that_never_arrived_is_given_up_after_a_minute_and_can_be_filed_again() -> None:
    counter = await in_doubt(arrived=False)
    assert await verified(counter, after_s=30) == []
    (told,) = await verified(counter, after_s=90)
    assert told.startswith("“租房提取”核实好了：没有提交成功，已填的内容还在。")
    (kept,) = counter.submissions.kept.values()
    assert (kept.state, kept.error) == (SubmissionState.REFUSED, NOT_SENT)
    await counter.says("接着办", "apply")
    assert text_of(await counter.says(CONFIRMED)).startswith("已提交。")
    assert len(counter.submissions.kept) == 2


async def test_while_the_core_system_is_away_nothing_is_settled() -> None:
    counter = await in_doubt(arrived=True)
    counter.fund.away = True
    assert await verified(counter, after_s=90) == []
    counter.fund.away = False
    assert len(await verified(counter, after_s=90)) == 1


async def test_the_news_does_not_end_what_was_begun_meanwhile() -> None:
    counter = await in_doubt(arrived=True)
    await counter.says("算月供", "calculate")
    assert await verified(counter, after_s=15) == ["“租房提取”核实好了：已提交，编号B000001。"]
    assert text_of(await counter.says("50万")) == "打算贷多少年？"


async def test_the_news_comes_even_where_the_proof_has_run_out_in_the_middle_of_a_form() -> None:
    counter = await in_doubt(arrived=True)
    await begun(counter, LEAVE)
    await counter.says("帮我把武汉的公积金转过来", "apply")
    counter.knows(PERSON, level=Level.BOUND)
    assert await verified(counter, after_s=15) == ["“租房提取”核实好了：已提交，编号B000001。"]
    assert (counter.context.task or {})["asking"] == "from_city"


async def test_a_refusal_that_is_found_later_is_told_as_one() -> None:
    counter = at_counter()
    await counter.submissions.begin(f"id-{PERSON}", RENT.code, key="k")
    await counter.submissions.settle("k", SubmissionState.REFUSED, error="not_eligible")
    assert text_of(await counter.says("", "verify")) == "“租房提取”核实好了：没有被受理。要了解原因，请转人工。"


async def test_news_that_come_late_or_are_still_open_lead_to_the_progress() -> None:
    counter = at_counter()
    await counter.submissions.begin(f"id-{PERSON}", RENT.code, key="k")
    assert "可以问我“办理进度”" in text_of(await counter.says("", "verify"))
    counter.submissions.now = NOW - timedelta(hours=1)
    await counter.submissions.settle("k", SubmissionState.SUBMITTED, application_no="B1")
    assert "可以问我“办理进度”" in text_of(await counter.says("", "verify"))


async def test_whoever_is_unbound_meanwhile_is_told_nothing() -> None:
    counter = at_counter(channel=ChannelName.WEB, level=None)
    await counter.submissions.begin(f"id-{PERSON}", RENT.code, key="k")
    await counter.submissions.settle("k", SubmissionState.SUBMITTED, application_no="B000001")
    text = text_of(await counter.says("", "verify"))
    assert "B000001" not in text
    assert "租房" not in text
