from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from hotline.domain.messages import Choice, Outcome, Reply, TurnRequest, TurnResult
from hotline.errors import ConfigError, TemporaryError
from hotline.settings import GatewaySettings, Settings
from knowledge_base.model import Catalogue
from tests.measure import asking, conversations
from tests.measure.conversations import Conversation, Said, Turn, counted, first_words, play

pytestmark = pytest.mark.anyio
DAY = date(2026, 11, 25)


def written(tmp_path: Path, *found: dict[str, Any]) -> Path:
    file = tmp_path / "multi.yml"
    file.write_text(yaml.dump({"conversations": list(found)}, allow_unicode=True), encoding="utf-8")
    return file


def one(*turns: dict[str, Any], name: str = "follow-up: rent") -> dict[str, Any]:
    return {"name": name, "turns": list(turns)}


def said(**more: Any) -> Said:
    given: dict[str, Any] = {
        "text": "可以提取。每月两千。",
        "entry": "withdraw-rent/amount",
        "outcome": "answered",
        "candidates": ("withdraw-rent",),
        "choices": ("转人工",),
    }
    return Said(**(given | more))


async def problems(turn: Turn, answer: Said, begins: dict[str, str] | None = None) -> tuple[str, ...]:
    async def ask(_: str, text: str) -> Said:
        return answer

    failures = await play(Conversation(name="x", turns=(turn,)), ask, lambda entry: (begins or {}).get(entry, ""))
    return failures[0].problems if failures else ()


def test_everything_that_may_hold_of_an_answer_is_read(tmp_path: Path) -> None:
    turn = {
        "user": 1,
        "entries": ["a/b"],
        "all": [["a/b"], ["c/d", "e/f"]],
        "offers": ["a"],
        "outcome": "answered",
        "says": "可以|能",
    }
    (found,) = conversations.conversations(written(tmp_path, one(turn)))
    assert found.turns == (
        Turn(
            user="1",
            entries=("a/b",),
            groups=(("a/b",), ("c/d", "e/f")),
            offers=("a",),
            outcome="answered",
            says="可以|能",
        ),
    )
    assert (found.kind, found.entries) == ("follow-up", {"a/b", "c/d", "e/f"})


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        ({"user": "租房"}, "says nothing of the answer"),
        ({"user": "租房", "entry": ["a/b"]}, "unknown keys"),
        ({"user": "租房", "outcome": "fine"}, "no such outcome"),
        ({"user": "租房", "says": "("}, "unterminated"),
        ({"entries": ["a/b"]}, "user"),
    ],
)
def test_a_turn_that_could_never_fail_or_never_hold_is_refused(tmp_path: Path, turn: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        conversations.conversations(written(tmp_path, one(turn)))


def test_two_conversations_of_one_name_would_go_on_with_each_other_and_are_refused(tmp_path: Path) -> None:
    turn = {"user": "租房", "outcome": "answered"}
    with pytest.raises(ConfigError, match="twice"):
        conversations.conversations(written(tmp_path, one(turn), one(turn)))


def test_a_file_that_is_missing_or_empty_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        conversations.conversations(tmp_path / "none.yml")
    with pytest.raises(ConfigError, match="no conversation"):
        conversations.conversations(written(tmp_path))


async def test_an_answer_may_be_any_of_the_entries() -> None:
    assert await problems(Turn(user="x", entries=("a/b", "withdraw-rent/amount")), said()) == ()
    assert await problems(Turn(user="x", entries=("a/b",)), said()) == ("answered withdraw-rent/amount, not a/b",)
    assert await problems(Turn(user="x", entries=("a/b",)), said(entry="", outcome="clarified")) == (
        "answered clarified, not a/b",
    )


async def test_an_answer_to_several_questions_holds_the_beginning_of_one_entry_of_each() -> None:
    begins = {"a/b": "可以提取。", "c/d": "每月两千。", "e/f": "别的。"}
    turn = Turn(user="x", groups=(("a/b",), ("e/f", "c/d")))
    assert await problems(turn, said(), begins) == ()
    assert await problems(turn, said(text="可以提取。"), begins) == ("nothing of e/f or c/d is said",)
    assert await problems(turn, said(text="可以 提取。\n每月两千。"), begins) == ()


async def test_an_entry_that_cannot_be_rendered_is_never_said() -> None:
    assert await problems(Turn(user="x", groups=(("gone/b",),)), said()) == ("nothing of gone/b is said",)


async def test_offers_outcome_and_words_are_looked_for_in_answer_and_choices() -> None:
    assert await problems(Turn(user="x", offers=("a", "withdraw-rent"), outcome="answered", says="人工"), said()) == ()
    assert await problems(Turn(user="x", offers=("a",), outcome="handoff", says="再见"), said()) == (
        "offered withdraw-rent, not a",
        "outcome answered, not handoff",
        "再见 is not in: 可以提取。每月两千。",
    )


async def test_an_answer_that_should_have_come_from_rasa_and_did_not_is_no_measure_of_it() -> None:
    assert await problems(Turn(user="x", outcome="answered"), said(degraded=True)) == ("Rasa did not answer",)


async def test_a_conversation_goes_on_after_a_wrong_turn_and_is_wrong_as_a_whole() -> None:
    heard = []

    async def ask(name: str, text: str) -> Said:
        heard.append((name, text))
        return said(outcome="clarified" if text == "一" else "answered")

    turns = (Turn(user="一", outcome="answered"), Turn(user="二", outcome="answered"))
    both = [
        Conversation(name="wrong answer: a", turns=turns),
        Conversation(name="wrong answer twice: b", turns=turns[1:]),
    ]
    failures = [failure for each in both for failure in await play(each, ask, lambda _: "")]
    assert [(failure.turn, failure.user) for failure in failures] == [(1, "一")]
    assert heard[:2] == [("wrong answer: a", "一"), ("wrong answer: a", "二")]
    found = counted(both, failures)
    assert (found.n, found.right, found.share, found.turns, found.turns_right) == (2, 1, 0.5, 3, 2)
    assert found.kinds == {"wrong answer": (2, 1)}


def test_an_answer_is_known_by_its_first_sentence_unless_that_says_next_to_nothing() -> None:
    assert first_words("租房提取每月最多两千元。另外还有。\n依据") == "租房提取每月最多两千元。"
    assert first_words("可以。租房就能提。\n依据") == "可以。租房就能提。"
    assert first_words("没有句号的一行就是这样\n第二行") == "没有句号的一行就是这样"


class Dialogue:
    """Says the entry, and keeps what it was asked."""

    def __init__(self) -> None:
        self.heard: list[TurnRequest] = []

    async def respond(self, request: TurnRequest) -> TurnResult:
        self.heard.append(request)
        reply = Reply(text="可以。", choices=(Choice(label="人工", text="转人工"),))
        return TurnResult(replies=(reply,), outcome=Outcome.ANSWERED, matter="a", aspect="b", candidates=("a",))


async def test_in_process_a_conversation_keeps_its_name_and_every_message_is_new() -> None:
    dialogue = Dialogue()
    ask = asking.in_process(dialogue, on=DAY)
    found = await ask("one", "租房")
    await ask("one", "多少")
    await ask("two", "多少")
    first, second, third = dialogue.heard
    assert first.conversation_id == second.conversation_id != third.conversation_id
    assert len({each.message_id for each in dialogue.heard}) == 3
    assert first.as_of == DAY
    assert found == Said(text="可以。", entry="a/b", outcome="answered", candidates=("a",), choices=("人工",))


async def test_the_gateway_is_asked_under_a_name_that_it_takes_and_no_other_run_has() -> None:
    heard: list[dict[str, Any]] = []

    def turn(text: str, **fields: Any) -> dict[str, Any]:
        heard.append({"text": text, **fields})
        choices = [{"label": "人工", "text": "转人工"}]
        return {
            "answer": "可以。", "matter": None, "aspect": None, "outcome": "clarified",
            "candidates": [], "choices": choices, "degraded": True,
        }  # fmt: skip

    for ask in (asking.by_gateway(turn, on=DAY), asking.by_gateway(turn, on=DAY)):
        found = await ask("a name that is much longer than the sixty characters which the gateway takes", "租房")
    assert found == Said(text="可以。", entry="", outcome="clarified", candidates=(), choices=("人工",), degraded=True)
    assert all(len(each["conversation"]) <= 60 for each in heard)
    assert heard[0]["conversation"] != heard[1]["conversation"]
    assert (heard[0]["channel"], heard[0]["as_of"]) == ("web", "2026-11-25")


def test_without_a_gateway_a_live_run_ends_with_one_sentence(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking.GatewayClient, "answers", lambda self: False)
    settings = Settings(gateway=GatewaySettings(port=1))
    with pytest.raises(TemporaryError, match=r"no gateway answers at 127\.0\.0\.1:1: start it with `make up`"):
        asking.play_live([], settings, catalogue, on=DAY, done=lambda: None)


def test_conversations_are_played_with_published_knowledge(target: Path, catalogue: Catalogue) -> None:
    turns = (Turn(user="租房一个月能取多少", entries=("withdraw-rent/amount",), groups=(("withdraw-rent/amount",),)),)
    done: list[int] = []
    failures = asking.play_in_process(
        [Conversation(name="x", turns=turns)], target, catalogue, on=DAY, done=lambda: done.append(1)
    )
    assert failures == []
    assert done == [1]
