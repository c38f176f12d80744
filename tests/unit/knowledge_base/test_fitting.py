"""Logistic regressions, whole or for a few of their rows, and the second stage."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge_base.fitting import completed, flat, linear, second_stage, with_rows_refitted
from knowledge_base.linear import Array, Linear, softmax
from knowledge_base.ranking import FEATURES

NAMES = ("a", "b", "c", "d")


def cloud(*names: str, count: int = 30, seed: int = 5) -> tuple[Array, np.ndarray]:
    """Points around a direction of each name's own."""
    rng = np.random.default_rng(seed)
    rows = [3.0 * np.eye(6)[NAMES.index(name)] + rng.normal(scale=0.4, size=6) for name in names for _ in range(count)]
    return np.array(rows, dtype=np.float32), np.array([name for name in names for _ in range(count)])


def best(model: Linear, x: Array) -> list[str]:
    return [model.classes[at] for at in model.logits(x).argmax(axis=1)]


def test_two_classes_are_two_rows() -> None:
    x = np.array([[1.0], [1.1], [-1.0], [-1.1]], dtype=np.float32)
    model = linear(x, np.array(["up", "up", "down", "down"]))
    p = softmax(model.logits(x))
    assert model.classes == ("down", "up")
    assert (p.argmax(axis=1) == [1, 1, 0, 0]).all()
    assert np.allclose(p.sum(axis=1), 1.0)


def test_one_class_is_always_right() -> None:
    model = linear(np.ones((3, 4), dtype=np.float32), np.array(["only"] * 3))
    assert model.classes == ("only",)
    assert softmax(model.logits(np.zeros((1, 4), dtype=np.float32))).tolist() == [[1.0]]


def test_a_class_never_seen_is_out_of_the_question_until_it_is_learnt() -> None:
    x, labels = cloud("a", "b")
    model = completed(linear(x, labels), ("a", "b", "c"))
    assert model.classes == ("a", "b", "c")
    assert softmax(model.logits(x))[:, 2].max() < 1e-6


def test_a_class_that_is_gone_has_no_row() -> None:
    x, labels = cloud("a", "b", "c")
    whole = linear(x, labels)
    fewer = completed(whole, ("a", "c"))
    assert fewer.classes == ("a", "c")
    assert np.array_equal(fewer.weights, whole.weights[[0, 2]])
    assert completed(whole, whole.classes) is whole


def test_a_new_class_is_learnt_and_the_other_classes_keep_their_weights() -> None:
    x, labels = cloud("a", "b", "c")
    start = completed(linear(x, labels), NAMES)
    more_x, more_labels = cloud(*NAMES, seed=6)
    refitted = with_rows_refitted(start, more_x, more_labels, rows=["d"])
    assert best(refitted, cloud("d", seed=7)[0]) == ["d"] * 30
    assert best(refitted, x) == labels.tolist()
    assert refitted.classes == NAMES
    assert np.array_equal(refitted.weights[:3], start.weights[:3])
    assert np.array_equal(refitted.bias[:3], start.bias[:3])
    assert not np.array_equal(refitted.weights[3], start.weights[3])
    assert refitted.weights.dtype == np.float32


def test_rows_that_need_not_move_hardly_move() -> None:
    x, labels = cloud("a", "b", "c")
    start = linear(x, labels)
    refitted = with_rows_refitted(start, x, labels, rows=["a"])
    moved = np.abs(refitted.weights - start.weights).max(axis=1)
    assert moved[1:].tolist() == [0.0, 0.0]
    assert moved[0] < np.abs(start.weights[0]).max()


def test_a_fit_that_starts_from_a_solution_needs_few_rounds() -> None:
    x, labels = cloud("a", "b", "c")
    start = linear(x, labels)
    again = linear(x, labels, rounds=2, start=start)
    assert again.classes == start.classes
    assert best(again, x) == labels.tolist()
    assert np.allclose(again.weights, start.weights, atol=0.05)


def test_the_second_stage_learns_which_feature_tells() -> None:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(200, 5, 4))
    right = np.zeros((200, 5), dtype=bool)
    right[np.arange(200), features[:, :, 2].argmax(axis=1)] = True
    weights = second_stage(features, right)
    assert np.abs(weights.weights).argmax() == 2
    assert (weights.score(features).argmax(axis=1) == right.argmax(axis=1)).mean() > 0.95


def test_a_feature_that_never_varies_does_no_harm() -> None:
    features = np.zeros((4, 3, 2))
    features[:, 0, 0] = 1.0
    right = np.zeros((4, 3), dtype=bool)
    right[:, 0] = True
    score = second_stage(features, right).score(features)
    assert np.isfinite(score).all()
    assert (score.argmax(axis=1) == 0).all()


def test_where_no_candidate_is_ever_right_the_first_stage_decides() -> None:
    features = np.random.default_rng(1).normal(size=(6, 3, len(FEATURES)))
    weights = second_stage(features, np.zeros((6, 3), dtype=bool))
    assert weights.weights.tolist() == flat().weights.tolist()


def test_for_want_of_a_second_stage_the_classifiers_log_probabilities_are_summed() -> None:
    row = np.array([[2.0 if name in ("entry", "matter", "within") else 7.0 for name in FEATURES]])
    assert flat().score(row) == pytest.approx([6.0])
