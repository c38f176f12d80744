"""Messages that ask more than one thing, and the words that say which aspect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base import wording
from knowledge_base.cues import cue, cues
from knowledge_base.model import ASPECTS
from knowledge_base.sentences import MAX_PARTS, MAX_TEXT_CHARS, MIN_CHARS, asks_something, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("租房能提吗？几天到账？", ["租房能提吗", "几天到账"]),
        ("租房能提吗？", []),
        ("租房能提吗", []),
        ("好。租房能提吗？", []),
        ("a？b？", []),
        ("一二三四？" * 30, []),
        ("第一个问题？第二个问题？第三个问题？第四个问题？", ["第一个问题", "第二个问题", "第三个问题"]),
        ("租房能提吗，几天到账", ["租房能提吗", "几天到账"]),
        ("租房能提吗、要什么材料，多久到账", ["租房能提吗", "要什么材料", "多久到账"]),
        ("我在外面租房，能提吗", []),
        ("您好，租房能提吗", []),
        ("租房能提吗还有要什么材料", ["租房能提吗", "要什么材料"]),
        ("租房能提多少另外贷款利率多少", ["租房能提多少", "贷款利率多少"]),
        ("租房能提吗\n几天到账", ["租房能提吗", "几天到账"]),
        ("", []),
    ],
)
def test_messages_with_several_questions_fall_into_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(("text", "asks"), [("要多少钱", True), ("租房提取?", True), ("租房提取", False), ("", False)])
def test_what_asks_has_a_word_that_asks_or_a_question_mark(text: str, asks: bool) -> None:
    assert asks_something(text) is asks


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("吗?？,，。多少还有租房")), max_size=130))
def test_parts_stand_in_the_text_and_are_few(text: str) -> None:
    parts = sentences(text)
    assert len(parts) != 1
    assert len(parts) <= MAX_PARTS
    assert all(len(part) >= MIN_CHARS for part in parts)
    assert not parts or len(text) <= MAX_TEXT_CHARS


@pytest.mark.parametrize(
    ("text", "decided", "hinted"),
    [
        ("要带什么材料", "materials", None),
        ("几天能到账", "time_limit", None),
        ("手续费多少", "fee", None),
        ("网上能办吗", "channels", None),
        ("多久能提一次", "frequency", None),
        ("依据是什么文件", "basis", None),
        ("最多能提多少", None, "amount"),
        ("怎么办理", None, "steps"),
        ("要什么条件", None, "conditions"),
        ("租房提取", None, None),
        ("", None, None),
    ],
)
def test_cue_words_decide_an_aspect_or_hint_at_one(text: str, decided: str | None, hinted: str | None) -> None:
    assert cues(text) == (decided, hinted)


def test_two_cues_of_one_strength_say_nothing() -> None:
    assert cue("decide", "要什么材料,几天能到账") is None
    assert cue("hint", "要什么条件,怎么办理") is None


def test_every_cue_is_of_a_known_aspect() -> None:
    assert {aspect for strength in ("decide", "hint") for aspect in wording.read("cues")[strength]} <= set(ASPECTS)
