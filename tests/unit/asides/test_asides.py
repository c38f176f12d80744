"""What costs nothing, what is asked by number, and who is too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hotline.domain.conversations import Job, Owner
from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName, Inbound, InboundKind, Outcome, Reply, TurnResult
from hotline.domain.work_order_numbers import number_of
from hotline.prompt_store import Asked, Question
from hotline.services.asides.asides import Asides, queue_choices
from tests.unit.asides.kit import NOWHERE, START, Gateway

pytestmark = pytest.mark.anyio

ORDER = number_of(START.date(), 1)
JOB = Job(
    inbox_id=7,
    external_id="m",
    conversation_id="c",
    contact_id=1,
    contact_key="o1",
    channel=ChannelName.WECHAT,
    kind=InboundKind.TEXT,
    text="租房能提多少",
    meta={},
    as_of=None,
    received_at=START,
    attempts=1,
    owner=Owner.BOT,
    owner_version=0,
)
ANSWER = TurnResult(replies=(Reply(text="答"),), intent="ask_knowledge", matter="withdraw-rent")


class Untouchable:
    """Whoever asks it for anything has looked something up."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} was looked up")


@pytest.mark.parametrize(
    "job",
    [
        JOB,
        replace(JOB, kind=InboundKind.START, text=""),
        replace(JOB, kind=InboundKind.LEAVE, text=""),
        replace(JOB, kind=InboundKind.SILENCE, text=""),
        replace(JOB, text="满意"),
        Question(asked=Asked.WORD_TOLD, first=1, last=2, by=3).on(JOB),
        Question(asked=Asked.CALLBACK_TOLD, first=1, by=3).on(JOB),
        Question(asked=Asked.RATING_LATER, subject=1, until=START + timedelta(minutes=9)).on(JOB),
        Question(asked=Asked.RATING, subject=1, until=START - timedelta(minutes=9)).on(replace(JOB, text="1")),
        replace(JOB, asked="something newer", asked_about="?"),
    ],
)
async def test_an_ordinary_message_costs_no_look_at_storage(job: Job) -> None:
    asides = Asides(Untouchable())  # type: ignore[arg-type]
    assert await asides.answer(job) is None
    assert await asides.while_queued(replace(job, owner=Owner.QUEUED)) is None
    assert await asides.rating_after(job, ANSWER) is None


@pytest.mark.parametrize(
    "result",
    [
        ANSWER,
        replace(ANSWER, intent="goodbye", outcome=Outcome.CLARIFIED),
        replace(ANSWER, intent="goodbye", replies=()),
    ],
)
async def test_only_an_answered_goodbye_may_be_followed_by_a_rating(result: TurnResult) -> None:
    asides = Asides(Untouchable())  # type: ignore[arg-type]
    assert await asides.rating_after(JOB, result) is None


async def test_our_own_tools_are_not_asked_for_ratings() -> None:
    asides = Asides(Untouchable())  # type: ignore[arg-type]
    job = replace(JOB, meta={"origin": "internal"})
    assert await asides.rating_after(job, replace(ANSWER, intent="goodbye")) is None


async def test_a_rating_is_not_asked_for_while_words_wait_to_be_registered() -> None:
    asides = Asides(Untouchable())  # type: ignore[arg-type]
    job = Question(asked=Asked.WORD_CLOSING, first=1, last=2, by=3).on(JOB)
    assert await asides.rating_after(job, replace(ANSWER, intent="goodbye")) is None


@pytest.mark.parametrize(
    "text",
    [ORDER, ORDER.lower(), ORDER.replace("-", ""), ORDER.replace("-", "－"), f"我的工单{ORDER}到哪了", f" {ORDER} "],
)
async def test_a_number_of_an_order_asks_how_far_it_is(gateway: Gateway, text: str) -> None:
    assert await gateway.tell(text) == "处理中"
    assert gateway.world.progress.asked == [(Contact(channel=ChannelName.WECHAT, address="o1"), "")]


async def test_how_far_it_is_is_told_to_who_is_known(gateway: Gateway) -> None:
    await gateway.hear("你好")
    gateway.world.people.known_there[(await gateway.conversation()).id] = "p1"
    await gateway.hear(ORDER)
    assert [person for _, person in gateway.world.progress.asked] == ["p1"]


async def test_what_the_service_has_no_words_for_is_the_dialogues(gateway: Gateway) -> None:
    gateway.world.progress.says = None
    assert await gateway.tell(ORDER) == f"答：{ORDER}"


async def test_an_order_can_be_asked_for_while_waiting_for_a_person(gateway: Gateway) -> None:
    await gateway.hear("你好")
    await gateway.wait_for_person()
    assert await gateway.tell(ORDER) == "处理中"
    assert (await gateway.conversation()).owner is Owner.QUEUED


@pytest.mark.parametrize("text", ["留言", "是"])
async def test_what_comes_too_late_to_leave_the_queue_is_for_the_person(gateway: Gateway, text: str) -> None:
    who = "13800138000"
    await gateway.hear("你好", who=who, channel=ChannelName.SMS)
    wish = await gateway.wait_for_person(who)
    await gateway.hear("回电", who=who, channel=ChannelName.SMS)
    late = Inbound(channel=ChannelName.SMS, external_id="late", contact_key=who, text=text)
    accepted = await gateway.store.accept(late, worker="g1")
    assert await gateway.queue.pick(wish, staff_id="a1", telling=NOWHERE)
    assert accepted.job is not None
    assert await gateway.asides.while_queued(accepted.job) is None
    assert (await gateway.conversation(who)).owner is Owner.AGENT


async def test_while_waiting_other_words_are_nobody_elses(gateway: Gateway) -> None:
    await gateway.hear("你好")
    await gateway.wait_for_person()
    assert await gateway.hear("不等了吧") == []


def test_who_waits_is_shown_what_he_can_do_instead() -> None:
    assert [choice.text for choice in queue_choices(ChannelName.WECHAT)] == ["不等了", "留言", "回电"]
    assert queue_choices(ChannelName.SMS) == ()


def test_what_stands_in_the_columns_can_be_read_back() -> None:
    asked = Question(asked=Asked.WORD_MORE, subject=1, first=2, last=3, by=4, until=START)
    assert Question.of(asked.on(JOB)) == asked
    assert Question.read("rating", "nonsense", START) == Question()
    assert Question.read("a question of a later version", "1.2.3.4", START) == Question()
