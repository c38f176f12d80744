from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge_base import training
from knowledge_base.embed import Embedder
from knowledge_base.linear import Calibration, Evidence, combined, group_starts, softmax, summed
from knowledge_base.mentions import evidence
from knowledge_base.remembered import Remembered
from knowledge_base.training import Sample


def samples(count: int = 12) -> list[Sample]:
    """Three matters, each with two aspects, and what no entry is about."""
    made = [
        Sample(f"{code}{aspect}{number}", f"{code}{aspect}{number}", code, aspect)
        for code in ("a", "b", "c")
        for aspect in ("overview", "q_own")
        for number in range(count)
    ]
    return made + [Sample(f"else{number}", f"else{number}", "", "") for number in range(count)]


def vectors(of: list[Sample]) -> training.Array:
    """Each matter and each aspect has a direction of its own; noise on top."""
    rng = np.random.default_rng(7)
    rows = rng.normal(scale=0.3, size=(len(of), 8))
    for row, sample in zip(rows, of, strict=True):
        row["abc".find(sample.code) if sample.code else 3] += 2.0
        row[4 if sample.aspect == "q_own" else 5] += 2.0
    return rows.astype(np.float32)


def fitted(of: list[Sample]) -> training.Fitted:
    nothing = Evidence(np.zeros((len(of), 4)), np.zeros(len(of)))
    return training.fit(of, vectors(of), evidence=nothing, outside=frozenset({"c"}))


def test_what_can_be_told_apart_is_told_apart_out_of_fold() -> None:
    result = fitted(samples())
    assert result.matters.classes == ("", "a", "b", "c")
    assert result.aspects.classes == ("overview", "q")
    assert result.entries.classes == ("", "a overview", "a q_own", "b overview", "b q_own", "c overview", "c q_own")
    assert result.report["top1"] > 0.95
    assert result.report["outside_auroc"] > 0.95
    assert result.report["aspect_top1"] > 0.95
    assert result.report["coverage_at_95"] > 0.95


def test_noise_is_reported_as_noise() -> None:
    of = samples()
    rng = np.random.default_rng(3)
    shuffled = rng.permutation(vectors(of))
    nothing = Evidence(np.zeros((len(of), 4)), np.zeros(len(of)))
    report = training.fit(of, shuffled, evidence=nothing, outside=frozenset({"c"})).report
    assert report["top1"] < 0.6
    assert report["coverage_at_95"] < 0.3


def test_folds_spread_each_label_evenly() -> None:
    labels = np.array(["a"] * 8 + ["b"] * 4)
    fold = training.folds(labels)
    assert np.bincount(fold[:8]).tolist() == [2, 2, 2, 2]
    assert np.bincount(fold[8:]).tolist() == [1, 1, 1, 1]
    assert (fold == training.folds(labels)).all()


def test_the_threshold_is_the_lowest_that_keeps_the_precision() -> None:
    best = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, False, False])
    assert training._threshold(best, right, 0.95) == (0.8, 0.5)
    assert training._threshold(best, right, 0.5) == (0.6, 1.0)
    assert training._threshold(best, ~right, 0.95) == (1.0, 0.0)


def test_two_classes_are_two_rows() -> None:
    x = np.array([[1.0], [1.1], [-1.0], [-1.1]], dtype=np.float32)
    model = training.linear(x, np.array(["up", "up", "down", "down"]))
    p = softmax(model.logits(x))
    assert model.classes == ("down", "up")
    assert (p.argmax(axis=1) == [1, 1, 0, 0]).all()
    assert np.allclose(p.sum(axis=1), 1.0)


def test_entries_sum_to_their_matter() -> None:
    classes = ("", "a overview", "a steps", "a-b overview")
    starts = group_starts(classes)
    assert starts.tolist() == [0, 1, 3]
    odds = np.log(np.array([[1.0, 2.0, 3.0, 4.0]]))
    assert np.allclose(np.exp(summed(odds, starts)), [[1.0, 5.0, 4.0]])


def test_a_matters_code_that_begins_another_keeps_its_place() -> None:
    codes = ["loan", "loan-amount", "loan-rate"]
    entries = sorted(training.entry_class(code, aspect) for code in codes for aspect in ("overview", "q_x"))
    starts = group_starts(entries)
    assert [entries[at].partition(" ")[0] for at in starts] == sorted(codes)


def test_evidence_raises_what_is_named_and_what_is_the_funds() -> None:
    known = evidence(["提取公积金", "提取"], [{"a": 2}, {}], classes=["", "a", "b"])
    assert known.fund_named.tolist() == [1.0, 0.0]
    assert known.named[0].tolist() == [0.0, pytest.approx((2 / 5) ** 0.5), 0.0]
    zeros, inside = np.zeros((2, 3)), np.array([0.0, 1.0, 0.0])
    calibration = Calibration(temperature=0.5, mention=2.0, fund_named=1.0)
    scores = combined(zeros, zeros, known, calibration=calibration, inside=inside)
    assert scores[0, 1] == pytest.approx((2.0 * (2 / 5) ** 0.5 + 1.0) / 0.5)
    assert scores[0, 2] == 0.0
    assert scores[1].tolist() == [0.0, 0.0, 0.0]


def test_a_calibration_is_taken_over_for_almost_the_same_samples_only(tmp_path: Path) -> None:
    of = samples()
    result = replace(fitted(of), calibration=Calibration(temperature=0.77))
    remembered = Remembered(tmp_path, Embedder(use_only=True))
    assert remembered.calibration(of) is None
    remembered.keep(of, result)
    assert remembered.calibration(of) == (Calibration(temperature=0.77), result.report)
    assert remembered.calibration(of[:-1]) is not None
    assert remembered.calibration(of[:-10]) is None


@pytest.mark.parametrize("spoilt", [b"", b"{}", b"[1]", b"\xff\x00"])
def test_a_spoilt_cache_is_no_cache(tmp_path: Path, embedder: Embedder, spoilt: bytes) -> None:
    (tmp_path / "use.json").write_bytes(spoilt)
    (tmp_path / "use.npz").write_bytes(spoilt)
    remembered = Remembered(tmp_path, embedder)
    assert remembered.calibration(samples()) is None
    assert np.allclose(remembered.embed(["租房"])[0], embedder.embed("租房"), atol=1e-5)
