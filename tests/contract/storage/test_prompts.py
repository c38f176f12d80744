"""The contract of open questions and of words left for staff, on every database it runs on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hotline.domain.conversations import DeliveryStatus, Job, Owner
from hotline.domain.desk import HandoverState, Reason
from hotline.domain.messages import ChannelName, Inbound, InboundKind, Reply, TurnResult
from hotline.prompt_store import HELD, Asked, Question, Saying
from hotline.storage.rating_tables import WORDS
from tests.contract.storage.conftest import Migrated
from tests.databases import KINDS
from tests.unit.asides.kit import NOWHERE, Gateway, World

pytestmark = pytest.mark.anyio

SAYING = Saying(reply=Reply(text="留言已登记"), delivery=DeliveryStatus.PENDING)


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


async def job(gateway: Gateway, text: str = "留言") -> Job:
    """A message being worked, with its conversation as it is now."""
    gateway.said += 1
    inbound = Inbound(
        channel=ChannelName.WECHAT, external_id=f"{gateway.name}-{gateway.said}", contact_key="o1", text=text
    )
    accepted = await gateway.store.accept(inbound, worker=gateway.name)
    assert accepted.job is not None
    return accepted.job


def more(job: Job, gateway: Gateway, **changed: object) -> Question:
    """Words up to this message, for ten minutes."""
    asked = Question(
        asked=Asked.WORD_MORE,
        first=job.inbox_id - 1,
        last=job.inbox_id,
        by=job.inbox_id,
        until=gateway.world.clock() + timedelta(minutes=10),
    )
    return replace(asked, **changed)  # type: ignore[arg-type]


async def asked(gateway: Gateway) -> Question:
    """What the next message's job knows of the question."""
    return Question.of(await job(gateway, "?"))


async def left(gateway: Gateway, **changed: object) -> Question:
    """A word that was left, by a turn that is over."""
    now = await job(gateway, "我的贷款还没放")
    question = more(now, gateway, **changed)
    assert await gateway.prompts.ask(now, question)
    await finished(gateway, now)
    return question


async def finished(gateway: Gateway, now: Job) -> None:
    result = TurnResult(replies=())
    due = gateway.world.clock()
    await gateway.store.finish(
        now, result, status="done", delivery=DeliveryStatus.INLINE, worker=gateway.name, due_at=due
    )


async def test_a_question_is_what_the_next_message_knows_of(gateway: Gateway) -> None:
    now = await job(gateway)
    question = more(now, gateway)
    assert await gateway.prompts.ask(now, question) == question.on(now)
    await finished(gateway, now)
    assert await asked(gateway) == question


async def test_a_question_is_not_asked_in_place_of_another_one_than_was_known(gateway: Gateway) -> None:
    now = await job(gateway)
    assert await gateway.prompts.ask(now, more(now, gateway))
    assert await gateway.prompts.ask(now, replace(more(now, gateway), asked=Asked.CALLBACK)) is None


async def test_a_question_is_not_asked_of_somebody_who_is_with_a_person_by_now(gateway: Gateway) -> None:
    now = await job(gateway)
    await gateway.held.take_over(now.conversation_id, staff_id="a1", telling=NOWHERE)
    assert await gateway.prompts.ask(now, more(now, gateway)) is None


@pytest.mark.parametrize(
    ("code", "then"),
    [
        (Asked.RATING, Asked.NOTHING),
        (Asked.WORD, Asked.NOTHING),
        (Asked.CALLBACK, Asked.NOTHING),
        (Asked.WORD_MORE, Asked.WORD_CLOSING),
        (Asked.WORD_CLOSING, Asked.WORD_CLOSING),
    ],
)
async def test_with_a_person_a_question_lapses_and_words_stay(gateway: Gateway, code: Asked, then: Asked) -> None:
    question = await left(gateway, asked=code)
    await gateway.wait_for_person()
    now = await asked(gateway)
    assert now.asked is then
    assert (now.last == question.last) is bool(then)


async def test_back_with_the_bot_a_question_is_still_open(gateway: Gateway) -> None:
    await gateway.wait_for_person()
    question = await left(gateway, asked=Asked.CALLBACK)
    conversation = await gateway.conversation()
    await gateway.queue.leave(conversation.id, expected_version=conversation.owner_version)
    assert await asked(gateway) == question


async def test_a_word_is_what_the_citizen_said_between_two_messages_and_what_he_had_wanted(gateway: Gateway) -> None:
    wish = await gateway.note_wish(reason=Reason.COMPLAINT)
    assert await gateway.prompts.wanted((await gateway.conversation()).id) == wish
    first = await job(gateway, "留言")
    await finished(gateway, first)
    for text in ("一", "二", "三"):
        last = await job(gateway, text)
        await finished(gateway, last)
    question = Question(asked=Asked.WORD_MORE, subject=wish, first=first.inbox_id, last=last.inbox_id - 1)
    word = await gateway.prompts.word(first.conversation_id, question)
    assert (word.texts, word.reason) == (("一", "二"), Reason.COMPLAINT)


async def test_a_wish_that_was_served_is_no_open_one(gateway: Gateway) -> None:
    conversation = await gateway.serve()
    assert await gateway.prompts.wanted(conversation.id) == 0


async def test_words_are_due_after_their_time_and_each_for_one_process(both: list[Gateway]) -> None:
    first, second = both
    question = await left(first)
    again_at = first.world.clock() + timedelta(minutes=20)
    assert await first.prompts.claim_words(again_at=again_at, limit=9) == []
    first.world.clock.pass_(minutes=11)
    claimed = await asyncio.gather(*(each.prompts.claim_words(again_at=again_at, limit=9) for each in both))
    (pending,) = [each for found in claimed for each in found]
    assert (pending.address, pending.question.asked, pending.question.last) == ("o1", Asked.WORD_CLOSING, question.last)
    assert await second.prompts.claim_words(again_at=again_at, limit=9) == []
    first.world.clock.pass_(minutes=10)
    assert len(await second.prompts.claim_words(again_at=again_at, limit=9)) == 1, "left behind by who had claimed it"


async def test_words_of_who_has_gone_are_due_at_once(gateway: Gateway) -> None:
    await left(gateway)
    again_at = gateway.world.clock() + timedelta(minutes=1)
    gateway.world.orders.is_away = True
    gone = Inbound(channel=ChannelName.WECHAT, external_id="gone", contact_key="o1", kind=InboundKind.LEAVE)
    accepted = await gateway.store.accept(gone, worker="g1")
    assert accepted.job is not None
    assert await gateway.prompts.claim_words(again_at=again_at, limit=9) == [], "his last message is being worked"
    await finished(gateway, accepted.job)
    assert len(await gateway.prompts.claim_words(again_at=again_at, limit=9)) == 1


async def test_words_whose_conversation_is_being_worked_are_left_alone(gateway: Gateway) -> None:
    await left(gateway)
    gateway.world.clock.pass_(minutes=11)
    now = await job(gateway, "还有")
    again_at = gateway.world.clock() + timedelta(minutes=1)
    assert await gateway.prompts.claim_words(again_at=again_at, limit=9) == []
    await finished(gateway, now)
    assert len(await gateway.prompts.claim_words(again_at=again_at, limit=9)) == 1


async def test_what_is_settled_is_told_once_and_its_wish_is_done(both: list[Gateway]) -> None:
    first, _ = both
    wish = await first.note_wish()
    question = await left(first, subject=wish)
    conversation = await first.conversation()
    told = replace(question, asked=Asked.WORD_TOLD, until=None)
    settled = await asyncio.gather(
        *(each.prompts.settle(conversation.id, was=question, then=told, saying=SAYING) for each in both)
    )
    assert sorted(settled) == [False, True]
    assert await first.lines() == ["你好", "答：你好", "我的贷款还没放", "留言已登记"]
    (due,) = await first.store.lease_due(limit=9, lease_s=9)
    assert (due.author, due.contact_key) == ("system", "o1")
    (handover,) = await first.desks.handovers([conversation.contact_id], limit=9)
    assert handover.state is HandoverState.DONE
    assert (await asked(first)).asked is Asked.WORD_TOLD


async def test_in_a_closed_conversation_it_is_settled_and_nobody_is_told(gateway: Gateway) -> None:
    question = await left(gateway)
    conversation = await gateway.conversation()
    await gateway.hear("", kind=InboundKind.LEAVE)
    closed = (await gateway.lines())[-1]
    told = replace(question, asked=Asked.WORD_TOLD, until=None)
    assert not await gateway.prompts.settle(conversation.id, was=question, then=told, saying=SAYING)
    assert (await gateway.lines())[-1] == closed


async def test_who_holds_the_conversation_sees_what_was_told(gateway: Gateway) -> None:
    question = await left(gateway, asked=Asked.WORD_CLOSING)
    conversation = await gateway.conversation()
    await gateway.held.take_over(conversation.id, staff_id="a1", telling=NOWHERE)
    told = replace(question, asked=Asked.WORD_TOLD, until=None)
    assert await gateway.prompts.settle(conversation.id, was=question, then=told, saying=SAYING)
    assert (await gateway.conversation()).owner is Owner.AGENT
    assert (await gateway.lines())[-1] == "留言已登记"


def test_the_index_of_words_holds_what_is_held() -> None:
    assert set(re.findall(r"'(\w+)'", WORDS.text)) == {code.value for code in HELD}
