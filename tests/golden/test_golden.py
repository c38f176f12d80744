"""How well people must be understood: golden questions, spoiled ones, foreign ones and conversations.

Needs published knowledge; without it (or with another centre's) what measures is skipped. `hotline measure` prints
the same figures in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from hotline.domain.clock import today
from hotline.settings import ROOT, Settings
from knowledge_base.checks import comparable
from knowledge_base.errors import KnowledgeError
from knowledge_base.loader import load
from knowledge_base.model import Catalogue
from knowledge_base.published import Published
from tests.measure import asking, conversations, figures, noise, questions
from tests.measure.questions import Golden
from tests.measure.systems import Ours, Ranking, labelled

ENTRY_TOP1 = 0.89
OUT_OF_SCOPE_REJECTED = 0.88
IN_SCOPE_REJECTED = 0.03
NOISE_LOSS = {"homophones": 0.04, "dropped": 0.05, "traditional": 0.02, "spoken_numbers": 0.02}
"""Share of golden questions lost, by kind of slip: one or two homophones, one dropped character, …"""
CONVERSATIONS_RIGHT = 0.78
"""In process: knowledge search alone, without Rasa's intents."""

FULL_QUESTION_CHARS = 6
"""Shorter turns of a conversation (a name alone, "how much") may be said alike by anybody."""
QUESTIONS, FOREIGN, CONVERSATIONS = 400, 120, 60
CENTRE = "guangzhou"


@cache
def content() -> Catalogue:
    """The catalogue as it is written."""
    return load(ROOT / "knowledge_base", centre=CENTRE)


@pytest.fixture(scope="module")
def published() -> Published:
    """The catalogue in use, which is what people are answered from."""
    try:
        found = Published.open(Settings().knowledge_dir)
        ours = Ours(found.matcher)
    except KnowledgeError as error:
        pytest.skip(f"no published knowledge can be used, run `hotline train` ({error.problems[0].message[:80]})")
    if found.catalogue.centre.code != CENTRE:
        pytest.skip(f"the golden questions are those of {CENTRE}, not of {found.catalogue.centre.code}")
    assert ours.rank(["1"])
    return found


@pytest.fixture(scope="module")
def golden() -> list[Golden]:
    return questions.golden()


@pytest.fixture(scope="module")
def rankings(published: Published, golden: list[Golden]) -> list[Ranking]:
    return Ours(published.matcher).rank(questions.texts(golden))


def top1(golden: Sequence[Golden], rankings: Sequence[Ranking]) -> float:
    return figures.share([figures.right(*pair) for pair in zip(golden, rankings, strict=True)])


def test_there_are_enough_golden_questions_foreign_ones_and_conversations(golden: list[Golden]) -> None:
    assert len(golden) >= QUESTIONS
    assert len(questions.outside()) >= FOREIGN
    assert len(conversations.conversations()) >= CONVERSATIONS


def test_every_golden_label_is_an_entry_of_the_catalogue(golden: list[Golden]) -> None:
    assert figures.unknown_labels(golden, content()) == []
    known = {f"{code}/{key}" for code, matter in content().matters.items() for key in matter.aspects}
    written = conversations.conversations()
    assert sorted(set().union(*(each.entries for each in written)) - known) == []
    offered = {code for each in written for turn in each.turns for code in turn.offers}
    assert sorted(offered - set(content().matters)) == []


def learnt(texts: Sequence[str]) -> list[str]:
    """Those of ``texts`` that are also phrasings, titles or names to learn from."""
    known = {comparable(text) for text, _ in labelled(content())} - {""}
    return [text for text in texts if comparable(text) in known]


def test_no_phrasing_to_learn_from_equals_a_golden_question(golden: list[Golden]) -> None:
    assert learnt(questions.texts(golden)) == []


def test_no_phrasing_to_learn_from_equals_a_foreign_question() -> None:
    assert learnt(questions.texts(questions.outside())) == []


def test_no_phrasing_to_learn_from_equals_a_turn_of_a_conversation() -> None:
    said = [turn.user for each in conversations.conversations() for turn in each.turns]
    assert learnt([text for text in said if len(comparable(text)) >= FULL_QUESTION_CHARS]) == []


def test_the_first_entry_answers_nearly_every_golden_question(golden: list[Golden], rankings: list[Ranking]) -> None:
    assert top1(golden, rankings) >= ENTRY_TOP1


def test_what_is_the_funds_business_is_hardly_ever_turned_away(rankings: list[Ranking]) -> None:
    assert figures.share([ranking.rejected for ranking in rankings]) <= IN_SCOPE_REJECTED


def test_what_is_not_the_funds_business_is_seen_as_such(published: Published) -> None:
    found = Ours(published.matcher).rank(questions.texts(questions.outside()))
    assert figures.share([ranking.rejected for ranking in found]) >= OUT_OF_SCOPE_REJECTED


@pytest.mark.parametrize("kind", NOISE_LOSS)
def test_noise_costs_few_points(kind: str, published: Published, golden: list[Golden], rankings: list[Ranking]) -> None:
    spoil = noise.kinds(published.catalogue)[kind]
    spoiled = Ours(published.matcher).rank([spoil(question.q) for question in golden])
    assert top1(golden, rankings) - top1(golden, spoiled) <= NOISE_LOSS[kind]


def test_conversations_go_as_written_without_rasa(published: Published) -> None:
    written = conversations.conversations()
    failures = asking.play_in_process(
        written, Settings().knowledge_dir, published.catalogue, on=today(), done=lambda: None
    )
    assert conversations.counted(written, failures).share >= CONVERSATIONS_RIGHT
