"""The contract of ratings, on every database it runs on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from hotline.domain.conversations import DeliveryStatus, Job
from hotline.domain.messages import ChannelName, Inbound, Reply, TurnResult
from hotline.domain.ratings import RatingCount, Score, Subject
from hotline.prompt_store import Asked, NewRating, Question, Saying
from hotline.storage.tables import bindings, persons
from tests.contract.storage.conftest import Migrated
from tests.databases import KINDS
from tests.unit.asides.kit import NOWHERE, START, Gateway, World

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 25)
SAYING = Saying(reply=Reply(text="满意吗"), delivery=DeliveryStatus.PENDING)
LATER = Question(asked=Asked.RATING_LATER, until=START + timedelta(minutes=30))


@pytest.fixture(params=KINDS)
async def both(request: pytest.FixtureRequest, tmp_path: Path, migrated: Migrated) -> AsyncIterator[list[Gateway]]:
    """Two processes on one database, and a conversation in it."""
    async with migrated(request.param, tmp_path) as url:
        world = World(url)
        processes = [Gateway(world, name) for name in ("g1", "g2")]
        await processes[0].hear("你好")
        yield processes
        for process in processes:
            await process.database.close()


@pytest.fixture
def gateway(both: list[Gateway]) -> Gateway:
    return both[0]


async def job(gateway: Gateway, *, who: str = "o1", channel: ChannelName = ChannelName.WECHAT) -> Job:
    gateway.said += 1
    inbound = Inbound(channel=channel, external_id=f"{gateway.name}-{gateway.said}", contact_key=who, text="再见")
    accepted = await gateway.store.accept(inbound, worker=gateway.name)
    assert accepted.job is not None
    return accepted.job


async def new(gateway: Gateway, *, who: str = "o1", **changed: object) -> NewRating:
    """An agent's rating, of the hand-over 1 unless told otherwise."""
    rating = NewRating(
        conversation_id=(await gateway.conversation(who)).id,
        subject=Subject.AGENT,
        handover_id=1,
        staff_id="a1",
        until=gateway.world.clock() + timedelta(minutes=30),
    )
    return replace(rating, **changed)  # type: ignore[arg-type]


async def ask_in_turn(gateway: Gateway, job: Job, *, least_answers: int = 1) -> Question | None:
    now = gateway.world.clock()
    rating = NewRating(conversation_id=job.conversation_id, subject=Subject.BOT, until=now + timedelta(minutes=30))
    return await gateway.ratings.ask_in_turn(
        job, rating, least_answers=least_answers, not_since=now - timedelta(hours=24)
    )


async def bind(gateway: Gateway, *contacts: tuple[ChannelName, str], unbound_at: datetime | None = None) -> None:
    """All of these are one person's."""
    names = ("person_no", "person_no_hash", "id_number", "id_number_hash", "mobile", "name_masked")
    async with gateway.database.write() as tx:
        await tx.execute(insert(persons).values(id="p1", registered_at=START, **dict.fromkeys(names, "x")))
        for channel, address in contacts:
            values = {"channel": channel, "address": address, "person_id": "p1", "bound_at": START}
            await tx.execute(insert(bindings).values(**values, unbound_at=unbound_at))


async def test_two_processes_ask_for_a_rating_once(both: list[Gateway]) -> None:
    rating = await new(both[0])
    assert sorted(await asyncio.gather(*(each.ratings.ask(rating, SAYING) for each in both))) == [False, True]
    assert (await both[0].lines()).count("满意吗") == 1
    (due,) = await both[0].store.lease_due(limit=9, lease_s=9)
    assert due.author == "system"


@pytest.mark.parametrize(
    ("code", "minutes", "free"),
    [
        (Asked.WORD, 1, False),
        (Asked.WORD, -1, True),
        (Asked.CALLBACK, 1, False),
        (Asked.RATING, 1, False),
        (Asked.RATING, -1, True),
        (Asked.WORD_MORE, -1, False),
        (Asked.WORD_CLOSING, -1, False),
        (Asked.WORD_TOLD, 1, True),
    ],
)
async def test_nothing_that_is_being_asked_is_pushed_aside(
    gateway: Gateway, code: Asked, minutes: int, free: bool
) -> None:
    until = gateway.world.clock() + timedelta(minutes=minutes)
    assert await gateway.prompts.ask(await job(gateway), Question(asked=code, until=until))
    assert await gateway.ratings.ask(await new(gateway), SAYING) is free


async def test_a_conversation_that_there_is_not_is_not_asked(gateway: Gateway) -> None:
    assert not await gateway.ratings.ask(await new(gateway, conversation_id="nowhere"), SAYING)


async def test_a_turn_that_may_ask_has_the_question_open(gateway: Gateway) -> None:
    now = await job(gateway)
    question = await ask_in_turn(gateway, now)
    assert question is not None
    assert (question.asked, question.by) == (Asked.RATING, now.inbox_id)
    assert await ask_in_turn(gateway, question.on(now)) is None


async def test_it_is_not_asked_before_the_bot_has_answered_enough(gateway: Gateway) -> None:
    assert await ask_in_turn(gateway, await job(gateway), least_answers=2) is None


async def test_it_is_not_asked_where_a_person_has_taken_over_or_something_else_is_asked(gateway: Gateway) -> None:
    now = await job(gateway)
    await gateway.prompts.ask(now, Question(asked=Asked.CALLBACK, until=START))
    assert await ask_in_turn(gateway, now) is None
    await gateway.held.take_over(now.conversation_id, staff_id="a1", telling=NOWHERE)
    assert await ask_in_turn(gateway, now) is None
    assert await gateway.ratings.counts(TODAY, TODAY) == []


@pytest.mark.parametrize("bound", [True, False])
async def test_a_person_is_asked_once_a_day_whatever_channels_he_uses(both: list[Gateway], bound: bool) -> None:
    first, second = both
    await first.hear("你好", who="v1", channel=ChannelName.WEB)
    contacts = ((ChannelName.WECHAT, "o1"), (ChannelName.WEB, "v1"))
    await bind(first, *contacts, unbound_at=None if bound else START)
    jobs = (await job(first), await job(second, who="v1", channel=ChannelName.WEB))
    asked = await asyncio.gather(*(ask_in_turn(each, now) for each, now in zip(both, jobs, strict=True)))
    assert len([each for each in asked if each]) == (1 if bound else 2)


async def test_a_score_is_kept_and_the_next_question_asked_in_one(gateway: Gateway) -> None:
    now = await job(gateway)
    question = await ask_in_turn(gateway, now)
    assert question is not None
    now = question.on(now)
    then = replace(question, asked=Asked.RATING_REASON)
    await gateway.ratings.rate(now, question.subject, Score.DISSATISFIED, then=then)
    rating = await gateway.ratings.explain(then.on(now), question.subject, "答非所问", then=LATER)
    assert rating is not None
    assert (rating.score, rating.reason, rating.order_no) == (Score.DISSATISFIED, "答非所问", "")
    assert (rating.subject, rating.channel, rating.answered_at) == (Subject.BOT, ChannelName.WECHAT, START)
    await gateway.store.finish(
        now, TurnResult(replies=()), status="done", delivery=DeliveryStatus.INLINE, worker="g1", due_at=START
    )
    assert Question.of(await job(gateway)) == LATER
    assert await gateway.ratings.explain(now, 4711, "答非所问", then=LATER) is None


async def test_poor_ratings_are_listed_until_they_are_orders(gateway: Gateway) -> None:
    ids = []
    for number, score in enumerate((Score.FAIR, Score.DISSATISFIED, Score.VERY_DISSATISFIED), 1):
        who = f"o{number}"
        await gateway.hear("你好", who=who)
        now = await job(gateway, who=who)
        question = await ask_in_turn(gateway, now)
        assert question is not None
        gateway.world.clock.pass_(seconds=1)
        await gateway.ratings.rate(question.on(now), question.subject, score, then=LATER)
        ids.append(question.subject)
    end = gateway.world.clock() + timedelta(seconds=1)
    before = {"after": START, "before": end, "limit": 9}
    assert [each.id for each in await gateway.ratings.unordered(**before)] == ids[1:]
    assert await gateway.ratings.unordered(after=START, before=START, limit=9) == []
    assert await gateway.ratings.unordered(after=end, before=end, limit=9) == []
    await gateway.ratings.ordered(ids[1], "GD20261125-000014")
    assert [each.id for each in await gateway.ratings.unordered(**before)] == ids[2:]


async def test_counts_are_by_score_subject_channel_and_member_of_staff_and_day_of_china(gateway: Gateway) -> None:
    gateway.world.clock.now = datetime(2026, 11, 25, 15, 59, tzinfo=UTC)
    await gateway.ratings.ask(await new(gateway), SAYING)
    await gateway.hear("满意")
    gateway.world.clock.now = datetime(2026, 11, 25, 16, 31, tzinfo=UTC)
    await gateway.ratings.ask(await new(gateway, handover_id=2, staff_id="a2"), SAYING)

    def count(score: Score | None, staff_id: str) -> RatingCount:
        return RatingCount(score=score, subject=Subject.AGENT, channel=ChannelName.WECHAT, staff_id=staff_id, count=1)

    assert await gateway.ratings.counts(TODAY, TODAY) == [count(Score.SATISFIED, "a1")]
    tomorrow = TODAY + timedelta(days=1)
    both_days = await gateway.ratings.counts(TODAY, tomorrow)
    assert sorted(both_days, key=lambda each: each.staff_id) == [count(Score.SATISFIED, "a1"), count(None, "a2")]
