"""What answers when Rasa does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from hotline.dialogue.fallback import (
    KnowledgeDialogue,
    ResilientDialogue,
    control_examples,
    control_intent,
    control_key,
    static_responses,
)
from hotline.domain.messages import ChannelName, InboundKind, Outcome, Reply, TurnRequest, TurnResult
from hotline.errors import TemporaryError
from hotline.settings import ROOT
from knowledge_base.match import Match
from knowledge_base.model import Catalogue
from tests.unit.answering.content import CATALOGUE, match

pytestmark = pytest.mark.anyio

KNOWN = {
    "租房提取要什么材料": match("租房提取要什么材料", {"rent": 0.9}, aspect="materials", cue=True),
    "那几天到账": match("那几天到账", {"loan": 0.2}, aspect="time_limit", cue=True, named=False),
    "那什么时候收得到": match("那什么时候收得到", {"loan": 0.2}, named=False),
    "买房能提吗": match("买房能提吗", {"buy": 0.9}),
    "租房带什么？离职能提吗？": match("租房带什么?离职能提吗?", {"rent": 0.5, "leave": 0.4}),
    "股票": match("股票", {"rent": 0.01}, named=False, outside=0.95),
}
ABOUT = {
    ("那几天到账", "rent"): match("租房提取,那几天到账", {"rent": 0.9}, aspect="time_limit", cue=True),
    ("那什么时候收得到", "rent"): match("租房提取,那什么时候收得到", {"rent": 0.9}, aspect="time_limit"),
}
PARTS = {
    "租房带什么？离职能提吗？": [
        match("租房带什么", {"rent": 0.9}, aspect="materials"),
        match("离职能提吗", {"leave": 0.9}),
    ]
}
CONTROL = ("人工", "再见", "菜单", "第一个", "没听清", "你好", "还有呢", "说简单点", "答错了", "记下我的问题")
NOTHING = match("", {"rent": 0.01}, named=False)


class FakePublished:
    """Answers from the small catalogue."""

    catalogue: Catalogue = CATALOGUE

    def __init__(self) -> None:
        self.refreshed = 0
        self.asked_about: list[tuple[str, str]] = []

    @property
    def matcher(self) -> FakePublished:
        return self

    def match(self, text: str) -> Match:
        return KNOWN.get(text, NOTHING)

    def about(self, text: str, code: str) -> Match:
        self.asked_about.append((text, code))
        return ABOUT.get((text, code), NOTHING)

    def parts(self, text: str) -> list[Match]:
        return PARTS.get(text, [])

    def refresh(self) -> bool:
        self.refreshed += 1
        return False


@pytest.fixture
def published() -> FakePublished:
    return FakePublished()


@pytest.fixture
def dialogue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, published: FakePublished) -> KnowledgeDialogue:
    monkeypatch.setattr("knowledge_base.published.Published.open", lambda target: published)
    return KnowledgeDialogue(tmp_path)


def ask(text: str, conversation: str = "c1", channel: ChannelName = ChannelName.WEB) -> TurnRequest:
    return TurnRequest(
        conversation_id=conversation,
        message_id="m",
        text=text,
        kind=InboundKind.TEXT,
        channel=channel,
        as_of=date(2026, 11, 23),
    )


async def test_a_question_is_answered_from_knowledge_and_marked_degraded(dialogue: KnowledgeDialogue) -> None:
    result = await dialogue.respond(ask("租房提取要什么材料"))
    assert (result.outcome, result.matter, result.aspect) == (Outcome.ANSWERED, "rent", "materials")
    assert result.degraded


async def test_the_matter_just_discussed_is_remembered_per_conversation(dialogue: KnowledgeDialogue) -> None:
    await dialogue.respond(ask("租房提取要什么材料", "c1"))
    assert (await dialogue.respond(ask("那几天到账", "c1"))).matter == "rent"
    assert (await dialogue.respond(ask("那几天到账", "c2"))).matter is None


async def test_a_short_message_is_matched_once_more_as_one_about_the_matter_just_discussed(
    dialogue: KnowledgeDialogue, published: FakePublished
) -> None:
    await dialogue.respond(ask("租房提取要什么材料"))
    result = await dialogue.respond(ask("那什么时候收得到"))
    assert (result.matter, result.aspect) == ("rent", "time_limit")
    assert published.asked_about == [("那什么时候收得到", "rent")]
    await dialogue.respond(ask("那什么时候收得到", "another conversation"))
    assert len(published.asked_about) == 1


async def test_two_questions_of_one_message_are_both_answered(dialogue: KnowledgeDialogue) -> None:
    text = (await dialogue.respond(ask("租房带什么？离职能提吗？"))).replies[0].text
    assert "身份证" in text
    assert "封存满半年" in text


async def test_what_is_asked_back_and_chosen_is_remembered(dialogue: KnowledgeDialogue) -> None:
    asked = await dialogue.respond(ask("买房能提吗"))
    assert [choice.label for choice in asked.replies[0].choices][:2] == ["房子在本地", "房子在外地"]
    assert (await dialogue.respond(ask("房子在外地"))).aspect == "q_elsewhere"
    again = await dialogue.respond(ask("买房能提吗"))
    assert again.aspect == "q_elsewhere"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("还有呢", "每月最多2000元"),
        ("听不懂", "带身份证和银行卡"),
        ("答非所问", "刚才答得不对"),
        ("记下我的问题", "已经记下"),
    ],
)
async def test_an_answer_is_come_back_to_without_rasa(dialogue: KnowledgeDialogue, text: str, said: str) -> None:
    await dialogue.respond(ask("租房提取要什么材料"))
    assert said in (await dialogue.respond(ask(text))).replies[0].text


@pytest.mark.parametrize(
    ("text", "outcome", "hand_over"),
    [
        ("转人工！", Outcome.HANDOFF, "requested"),
        ("我要投诉你们中心", Outcome.HANDOFF, "complaint"),
        ("谢谢", Outcome.ANSWERED, None),
        ("你是机器人吗", Outcome.ANSWERED, None),
        ("股票", Outcome.REJECTED, None),
        ("说不上来的话", Outcome.CLARIFIED, None),
    ],
)
async def test_control_words_work_without_rasa(
    dialogue: KnowledgeDialogue, text: str, outcome: Outcome, hand_over: str | None
) -> None:
    result = await dialogue.respond(ask(text))
    assert (result.outcome, result.hand_over, result.degraded) == (outcome, hand_over, True)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("你说的不对啊", "wrong"),
        ("刚才风大，没听清楚", "repeat"),
        ("讲了半天也不懂，有没有活人", "human_request"),
        ("你好呀，今天天气怎么样", None),
        ("股票涨了没有", None),
    ],
)
def test_words_about_the_conversation_count_in_a_clause_and_nearly_said(text: str, intent: str | None) -> None:
    assert control_intent(text, match(text, {"leave": 0.5}, named=False), ROOT) == intent


def test_words_about_the_conversation_do_not_count_where_a_matter_is_asked_for() -> None:
    text = "离职能不能取，有没有活人"
    assert control_intent(text, match(text, {"leave": 0.9}, named=False), ROOT) is None
    assert control_intent(text, match(text, {"leave": 0.5}), ROOT) is None
    assert control_intent("有没有活人", match("有没有活人", {"leave": 0.9}), ROOT) == "human_request"


async def test_the_start_of_a_conversation_is_greeted(dialogue: KnowledgeDialogue) -> None:
    result = await dialogue.respond(replace(ask(""), kind=InboundKind.START))
    assert "测试中心" in result.replies[0].text


async def test_without_published_knowledge_it_says_that_it_cannot_answer(tmp_path: Path) -> None:
    with pytest.raises(TemporaryError):
        await KnowledgeDialogue(tmp_path).respond(ask("租房"))


def test_every_control_intent_has_its_examples() -> None:
    found = control_examples(ROOT)
    assert {found[control_key(text)] for text in CONTROL} == {
        "human_request",
        "goodbye",
        "help",
        "choose",
        "repeat",
        "greet",
        "more",
        "simpler",
        "wrong",
        "leave_question",
    }
    assert not {"ask_knowledge", "out_of_scope"} & set(found.values())


def test_fixed_responses_have_a_variant_for_every_channel() -> None:
    variants = static_responses(ROOT)["bot_challenge"]
    assert {variants[channel.value].replies[0].text for channel in ChannelName} != set()
    assert len(variants["voice"].replies[0].text) <= 60


class Scripted:
    """Answers or fails as it is told."""

    def __init__(self, name: str, *, failing: bool = False) -> None:
        self.name, self.failing, self.asked = name, failing, 0

    async def respond(self, request: TurnRequest) -> TurnResult:
        self.asked += 1
        if self.failing:
            raise TemporaryError("down")
        return TurnResult(replies=(Reply(text=self.name),))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _pair(clock: Clock, **changes: bool) -> tuple[Scripted, Scripted, ResilientDialogue]:
    primary, spare = Scripted("rasa", **changes), Scripted("knowledge")
    return primary, spare, ResilientDialogue(primary, spare, failures_to_open=2, open_s=10.0, clock=clock)


async def test_the_primary_answers_while_it_works() -> None:
    _, spare, dialogue = _pair(Clock())
    result = await dialogue.respond(ask("a"))
    assert (result.replies[0].text, result.degraded, spare.asked) == ("rasa", False, 0)


async def test_a_hung_primary_is_left_alone_after_failures_and_tried_again_later() -> None:
    clock = Clock()
    primary, _, dialogue = _pair(clock, failing=True)
    results = [await dialogue.respond(ask("a")) for _ in range(5)]
    assert all(result.degraded and result.replies[0].text == "knowledge" for result in results)
    assert (primary.asked, dialogue.degraded) == (2, True)
    clock.now += 11
    primary.failing = False
    assert not (await dialogue.respond(ask("a"))).degraded
    assert (primary.asked, dialogue.degraded) == (3, False)


async def test_a_failed_probe_closes_the_way_again() -> None:
    clock = Clock()
    primary, _, dialogue = _pair(clock, failing=True)
    for _ in range(3):
        await dialogue.respond(ask("a"))
    clock.now += 11
    for _ in range(3):
        await dialogue.respond(ask("a"))
    assert primary.asked == 3


async def test_one_failure_between_answers_does_not_open_the_circuit() -> None:
    primary, _, dialogue = _pair(Clock())
    for failing in (True, False, True, False):
        primary.failing = failing
        await dialogue.respond(ask("a"))
    assert primary.asked == 4


async def test_when_both_fail_the_gateway_hears_it() -> None:
    with pytest.raises(TemporaryError):
        await ResilientDialogue(Scripted("a", failing=True), Scripted("b", failing=True)).respond(ask("a"))
