"""The whole fit, on made-up samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from knowledge_base import training
from knowledge_base.linear import SEPARATOR, group_starts, log_softmax_within
from knowledge_base.ranking import FEATURES
from knowledge_base.training import ELSEWHERE, Sample

SUBJECTS = {"a": "租房", "b": "退休", "c": "社保", ELSEWHERE: "天气"}
ASPECTS = {"overview": "能不能", "q_own": "多少钱", "": ""}


def sample(text: str, code: str, aspect: str, **more: object) -> Sample:
    made = Sample(text=text, core=text, code=code, aspect=aspect, named={}, tokens=(), cues=(None, None))
    return replace(made, **more)  # type: ignore[arg-type]


def samples(count: int = 12) -> list[Sample]:
    """Three matters, each with two aspects, and what no entry is about."""
    made = [
        sample(f"{SUBJECTS[code]}{ASPECTS[aspect]}{number}", code, aspect)
        for code in ("a", "b", "c")
        for aspect in ("overview", "q_own")
        for number in range(count)
    ]
    return made + [sample(f"天气怎样{number}", ELSEWHERE, "") for number in range(count)]


def vectors(of: list[Sample], scale: float = 0.3) -> training.Array:
    """Each matter and each aspect has a direction of its own; noise on top."""
    rng = np.random.default_rng(7)
    rows = rng.normal(scale=scale, size=(len(of), 8))
    for row, each in zip(rows, of, strict=True):
        row["abc".find(each.code) if each.code else 3] += 2.0
        row[4 if each.aspect == "q_own" else 5] += 2.0
    return rows.astype(np.float32)


def fit(of: list[Sample], rows: training.Array | None = None) -> training.Fitted:
    return training.fit(of, vectors(of) if rows is None else rows, answers={}, outside=frozenset({"c"}))


@pytest.fixture(scope="module")
def fitted() -> training.Fitted:
    return fit(samples())


def test_every_classifier_has_its_classes_in_order(fitted: training.Fitted) -> None:
    ranker = fitted.ranker
    entries = ("", "a overview", "a q_own", "b overview", "b q_own", "c overview", "c q_own")
    assert ranker.entries.classes == ranker.within.classes == entries
    assert ranker.matters.classes == ("", "a", "b", "c")
    assert ranker.aspects.classes == ("", "overview", "q")
    assert ranker.inside.tolist() == [False, True, True, True, True, False, False]
    assert len(ranker.second.weights) == len(FEATURES)


def test_what_can_be_told_apart_is_told_apart_on_held_out_phrasings(fitted: training.Fitted) -> None:
    report = fitted.report
    assert report["entry_top1"] > 0.95
    assert report["entry_top3"] >= report["entry_top1"]
    assert report["top1"] > 0.95
    assert report["top3"] >= report["top1"]
    assert report["outside_auroc"] > 0.95
    assert report["coverage_at_95"] > 0.95
    assert report["calibration_error"] < 0.3
    assert fitted.confusions == ()


def test_noise_is_reported_as_noise_with_what_was_taken_for_what() -> None:
    of = [replace(each, text="x", core=f"问答{at % 5}") for at, each in enumerate(samples())]
    result = fit(of, np.random.default_rng(3).permutation(vectors(of)))
    assert result.report["entry_top1"] < 0.6
    assert result.report["coverage_at_95"] < 0.5
    assert result.confusions
    assert [each.count for each in result.confusions] == sorted((e.count for e in result.confusions), reverse=True)
    assert all(each.entry != each.taken_for and each.example == "x" for each in result.confusions)


def test_a_fact_that_tells_two_aspects_apart_is_learnt() -> None:
    """The embedding says the matter alone; only a fact tells the two aspects apart."""
    of = [
        replace(each, tokens=("f:payer=flexible",) if each.aspect == "q_own" else (), core=f"问答{at % 5}")
        for at, each in enumerate(samples(count=20))
    ]
    rows = vectors(of)
    rows[:, 4:6] = 0.0
    told = training.fit(of, rows, answers={}, outside=frozenset()).report["entry_top1"]
    untold = training.fit([replace(e, tokens=()) for e in of], rows, answers={}, outside=frozenset())
    assert told > 0.9 > untold.report["entry_top1"]


def test_a_bare_name_asks_for_the_overview_and_nothing_for_no_entry() -> None:
    assert sample("租房", "a", "").entry == f"a{SEPARATOR}overview"
    assert sample("租房", "a", "fee").entry == f"a{SEPARATOR}fee"
    assert sample("天气", ELSEWHERE, "").entry == ELSEWHERE


def test_one_question_in_five_of_each_entry_is_held_out_and_never_a_name() -> None:
    of = [*samples(count=10), *[replace(each, is_name=True) for each in samples(count=2)]]
    held = training.held_out(of)
    assert held[:70].reshape(7, 10).sum(axis=1).tolist() == [2] * 7
    assert not held[70:].any()
    assert (held == training.held_out(of)).all()


def test_an_entry_of_a_few_phrasings_gives_none_away() -> None:
    assert not training.held_out(samples(count=4)).any()


def test_the_threshold_is_the_lowest_that_keeps_the_precision() -> None:
    best = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, False, False])
    assert training._threshold(best, right, 0.95) == (0.8, 0.5)
    assert training._threshold(best, right, 0.5) == (0.6, 1.0)
    assert training._threshold(best, ~right, 0.95) == (1.0, 0.0)


def test_calibration_is_the_distance_between_claim_and_truth() -> None:
    p, right = np.array([0.95, 0.95, 0.55, 0.55]), np.array([True, True, True, False])
    assert training.calibration_error(p, right) == pytest.approx(0.05)
    assert training.calibration_error(np.array([1.0, 1.0]), np.array([False, False])) == pytest.approx(1.0)


def test_shares_within_a_matter_sum_to_one() -> None:
    classes = ("", "a overview", "a steps", "a-b overview")
    starts = group_starts(classes)
    assert starts.tolist() == [0, 1, 3]
    shares = np.exp(log_softmax_within(np.log(np.array([[1.0, 2.0, 6.0, 4.0]])), starts))
    assert np.allclose(shares, [[1.0, 0.25, 0.75, 1.0]])


def test_a_matters_code_that_begins_another_keeps_its_place() -> None:
    codes = ["loan", "loan-amount", "loan-rate"]
    entries = sorted(f"{code}{SEPARATOR}{aspect}" for code in codes for aspect in ("overview", "q_x"))
    starts = group_starts(entries)
    assert [entries[at].partition(" ")[0] for at in starts] == sorted(codes)
