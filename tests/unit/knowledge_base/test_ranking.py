"""The ranker on a catalogue of four entries whose every number stands below."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from knowledge_base.lexical import Lexical, Texts
from knowledge_base.linear import Linear, Scaling
from knowledge_base.ranking import (
    CANDIDATES,
    FEATURES,
    OWN_QUESTION,
    Habits,
    Ranker,
    Reading,
    Weights,
    aspect_class,
    reading,
)

CLASSES = ("", "loan overview", "rent amount", "rent overview", "rent q_city")
LEXICAL = Lexical(
    columns={"租": 0, "贷": 1},
    rarity=np.ones(2, dtype=np.float32),
    projection=np.eye(2, dtype=np.float32),
    mean=np.zeros(2, dtype=np.float32),
    deviation=1.0,
)


def linear(classes: tuple[str, ...], *rows: tuple[float, float, float, float], bias: float = 0.0) -> Linear:
    return Linear(classes, np.array(rows, dtype=np.float32), np.full(len(classes), bias, dtype=np.float32))


def second(**weights: float) -> Weights:
    """A second stage that looks at the named features alone."""
    count = len(FEATURES)
    return Weights(np.zeros(count), np.ones(count), np.array([weights.get(name, 0.0) for name in FEATURES]))


RANKER = Ranker(
    scaling=Scaling(np.zeros(2, dtype=np.float32), 1.0),
    lexical=LEXICAL,
    entries=linear(CLASSES, (0, 0, 0, 0), (0, 2, 0, 2), (1, 0, 1, 0), (2, 0, 2, 0), (0.5, 0, 0, 0)),
    matters=linear(("", "loan", "rent"), (0, 0, 0, 0), (0, 2, 0, 2), (2, 0, 2, 0)),
    within=linear(CLASSES, *[(0.0, 0.0, 0.0, 0.0)] * 5),
    aspects=linear(("", "amount", "overview", OWN_QUESTION), *[(0.0, 0.0, 0.0, 0.0)] * 4),
    answers=Texts.of([LEXICAL.weigh(each) for each in ("", "贷", "租", "租贷", "")]),
    habits=Habits(
        ("f:other-place",),
        np.array([[0.0], [0.0], [-1.0], [0.0], [2.0]], dtype=np.float32),
        np.array([[0.0], [0.0], [0.5], [0.0], [-0.5]], dtype=np.float32),
    ),
    inside=np.array([False, True, True, True, True]),
    second=second(entry=1.0),
)


def asked(
    about: str = "租", *, cues: tuple[str | None, str | None] = (None, None), named: dict[str, int] | None = None
) -> Reading:
    """A text whose embedding says what its one character says."""
    weighed = LEXICAL.weigh(about)
    x = RANKER.coordinates(np.array([float(about == "租"), float(about == "贷")], dtype=np.float32), weighed)
    return reading(x, weighed, text=about * 4, named=named or {}, tokens=(), cues=cues)


def features(read: Reading, ranker: Ranker = RANKER) -> dict[str, dict[str, float]]:
    """Entry → feature → value, for every entry."""
    columns = np.arange(len(CLASSES))
    values = ranker.features(read, ranker.logs(read.x), columns)
    return {name: dict(zip(FEATURES, row, strict=True)) for name, row in zip(CLASSES, values.tolist(), strict=True)}


def test_the_coordinates_are_the_embedding_and_the_terms() -> None:
    assert asked("租").x.tolist() == [1.0, 0.0, 1.0, 0.0]
    assert asked("贷").x.tolist() == [0.0, 1.0, 0.0, 1.0]


def test_log_probabilities_are_of_entry_matter_and_within_the_matter() -> None:
    logs = RANKER.logs(asked().x)
    assert np.exp(logs["entry"]).sum() == pytest.approx(1.0)
    matters = np.exp(logs["matter"])
    assert matters[2] == matters[3] == matters[4]
    assert matters[[0, 1, 2]].sum() == pytest.approx(1.0)
    assert np.exp(logs["within"]).tolist() == pytest.approx([1.0, 1.0, 1 / 3, 1 / 3, 1 / 3])
    assert np.exp(logs["aspect"]).tolist() == pytest.approx([0.25] * 5)


def test_rows_in_are_rows_out() -> None:
    one, other = asked("租").x, asked("贷").x
    logs = RANKER.logs(np.stack([one, other]))
    assert np.allclose(logs["entry"][0], RANKER.logs(one)["entry"])
    assert RANKER.candidates(logs)[1].tolist()[0] == CLASSES.index("loan overview")
    assert RANKER.candidates(logs).shape == (2, min(CANDIDATES, len(CLASSES)))


def test_likeness_to_the_answer_is_a_feature() -> None:
    seen = features(asked("租"))
    assert seen["rent amount"]["answer"] == pytest.approx(1.0)
    assert seen["rent overview"]["answer"] == pytest.approx(0.5**0.5)
    assert seen["loan overview"]["answer"] == 0.0
    assert [seen[name]["covered"] for name in CLASSES] == pytest.approx([0.0, 0.0, 1.0, 1.0, 0.0])


def test_a_named_matter_is_told_from_the_others() -> None:
    seen = features(asked("租", named={"rent": 1}))
    assert seen["rent overview"]["named"] == pytest.approx((1 / 4) ** 0.5)
    assert seen["rent overview"]["other_named"] == 0.0
    assert seen["loan overview"]["named"] == 0.0
    assert seen["loan overview"]["other_named"] == 1.0
    assert {features(asked("租"))[name]["other_named"] for name in CLASSES} == {0.0}


def test_a_deciding_cue_speaks_for_its_aspect_and_against_the_others() -> None:
    decided = features(asked(cues=("amount", None)))
    assert decided["rent amount"]["decide"] == 1.0
    assert decided["rent overview"]["decide"] == decided["rent q_city"]["decide"] == -1.0
    assert {row["hint"] for row in decided.values()} == {0.0}


def test_a_hint_speaks_for_its_aspect_and_against_none() -> None:
    hinted = features(asked(cues=(None, "amount")))
    assert [hinted[name]["hint"] for name in CLASSES] == [0.0, 0.0, 1.0, 0.0, 0.0]
    assert {row["decide"] for row in hinted.values()} == {0.0}


def test_facts_count_where_they_are_usual_said_or_not() -> None:
    said = features(replace(asked(), tokens=frozenset({"f:other-place", "f:never seen"})))
    unsaid = features(asked())
    assert [said[name]["facts"] for name in CLASSES] == [0.0, 0.0, -1.0, 0.0, 2.0]
    assert [unsaid[name]["facts"] for name in CLASSES] == [0.0, 0.0, 0.5, 0.0, -0.5]


def test_the_funds_name_speaks_for_what_is_the_funds() -> None:
    x, weighed = asked().x, LEXICAL.weigh("租")
    read = reading(x, weighed, text="公积金租房", named={}, tokens=(), cues=(None, None))
    assert [features(read)[name]["fund_named"] for name in CLASSES] == [0.0, 1.0, 1.0, 1.0, 1.0]
    ranker = replace(RANKER, inside=np.array([False, False, True, True, True]))
    assert features(read, ranker)["loan overview"]["fund_named"] == 0.0
    assert {row["fund_named"] for row in features(asked()).values()} == {0.0}


def test_no_entry_at_all_is_a_feature_of_its_own() -> None:
    assert [features(asked())[name]["elsewhere"] for name in CLASSES] == [1.0, 0.0, 0.0, 0.0, 0.0]


def test_the_first_stage_orders_where_the_second_only_repeats_it() -> None:
    guess = RANKER.rank(asked("租"))
    assert [CLASSES[column] for column in guess.columns][:2] == ["rent overview", "rent amount"]
    assert guess.p.sum() == pytest.approx(1.0)
    assert (np.diff(guess.p) <= 0).all()


@pytest.mark.parametrize(
    ("weights", "read", "first"),
    [
        ({"decide": 1.0}, asked(cues=("amount", None)), "rent amount"),
        ({"answer": 1.0}, asked("贷"), "loan overview"),
        ({"named": 1.0, "entry": 0.1}, asked("租", named={"loan": 2}), "loan overview"),
        ({"facts": 1.0}, replace(asked(), tokens=frozenset({"f:other-place"})), "rent q_city"),
        ({"elsewhere": 1.0}, asked("租"), ""),
    ],
    ids=["cue", "answer", "name", "facts", "elsewhere"],
)
def test_the_second_stage_has_the_last_word(weights: dict[str, float], read: Reading, first: str) -> None:
    guess = replace(RANKER, second=second(**weights)).rank(read)
    assert CLASSES[guess.columns[0]] == first


def test_the_second_stage_centres_and_scales_before_it_weighs() -> None:
    weights = Weights(np.array([1.0, 0.0]), np.array([2.0, 1.0]), np.array([3.0, 1.0]))
    assert weights.score(np.array([[5.0, 1.0], [1.0, 0.0]])).tolist() == [7.0, 0.0]


def test_own_questions_share_one_class_of_aspect() -> None:
    assert [aspect_class(name) for name in ("overview", "q_city", "")] == ["overview", OWN_QUESTION, ""]
