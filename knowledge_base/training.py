"""Fits the classifiers on the catalogue's own phrasings, and calibrates and measures them out of fold."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from knowledge_base.linear import (
    SEPARATOR,
    Array,
    Array64,
    Calibration,
    Evidence,
    Linear,
    Scaling,
    combined,
    group_starts,
    softmax,
    summed,
)
from knowledge_base.match import OVERVIEW

C = 0.01
"""Inverse penalty of all three classifiers: of 0.003, 0.01, 0.03, 0.1 the least log loss in cross-validation
on the Guangzhou catalogue (85 matters, 5,100 phrasings)."""

ENTRY_ROUNDS = 20
"""The classifier of 500 entries is stopped early: 60 rounds found no more aspects and took three times as long."""

FOLDS = 4
ELSEWHERE = ""
"""Class of what no entry is about. It sorts before every code."""

OWN_QUESTION = "q"
"""Class of all stand-alone questions in the generic aspect classifier: the entry classifier tells them apart."""

_TRIED = {
    "temperature": (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3),
    "mention": (0.0, 1.0, 1.5, 2.0, 2.5, 3.0),
    "fund_named": (0.0, 0.5, 1.0, 1.5, 2.0, 2.5),
    "entry_share": (0.0, 0.2, 0.3, 0.4, 0.5),
}
_ROUNDS = 2
_ASPECT_TEMPERATURES = (0.7, 1.0, 1.3, 1.6, 2.0, 2.5, 3.0)

Names = npt.NDArray[np.str_]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sample:
    """One phrasing as the matcher would see it. ``aspect`` is empty for a bare name."""

    text: str
    core: str
    code: str
    aspect: str
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """Everything the matcher computes with, and how good it was out of fold."""

    scaling: Scaling
    matters: Linear
    aspects: Linear
    entries: Linear
    calibration: Calibration
    report: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Labels:
    codes: Names
    aspects: Names
    entries: Names
    inside: Flags
    """The fund's own business."""
    asked: Flags
    """Questions: bare names are found by dictionary and would flatter the figures."""

    @classmethod
    def of(cls, samples: Sequence[Sample], outside: frozenset[str]) -> _Labels:
        return cls(
            codes=np.array([sample.code for sample in samples]),
            aspects=np.array([aspect_class(sample.aspect) for sample in samples]),
            entries=np.array([entry_class(sample.code, sample.aspect) for sample in samples]),
            inside=np.array([sample.code != ELSEWHERE and sample.code not in outside for sample in samples]),
            asked=np.array([not sample.is_name and sample.code != ELSEWHERE for sample in samples]),
        )


def fit(
    samples: Sequence[Sample],
    vectors: Array,
    *,
    evidence: Evidence,
    outside: frozenset[str],
    known: tuple[Calibration, dict[str, float]] | None = None,
) -> Fitted:
    """The classifiers on all samples, calibrated and reported on held-out folds.

    Args:
        evidence: of the samples; its columns are the matter classes: ELSEWHERE, then the codes in order.
        outside: codes that are not the fund's business.
        known: calibration and report of an almost equal set of samples, which then need not be found again.
    """
    # Two BLAS threads on a busy machine wait for each other: the same fit was seen to take 100 times as long.
    with threadpool_limits(limits=1):
        labels = _Labels.of(samples, outside)
        scaling = Scaling.of(vectors)
        x = scaling.apply(vectors)
        ours = labels.codes != ELSEWHERE
        matters, entries = linear(x, labels.codes), linear(x, labels.entries, rounds=ENTRY_ROUNDS)
        aspects = linear(x[ours], labels.aspects[ours])
        fitted = Fitted(scaling, matters, aspects, entries, *(known or (Calibration(), {})))
        return fitted if known else _calibrated(fitted, labels, x, evidence=evidence, outside=outside)


def aspect_class(aspect: str) -> str:
    """The generic classifier's class of an aspect: a bare name asks for the overview."""
    return OWN_QUESTION if aspect.startswith("q_") else aspect or OVERVIEW


def entry_class(code: str, aspect: str) -> str:
    """The entry classifier's class of a phrasing."""
    return f"{code}{SEPARATOR}{aspect or OVERVIEW}" if code != ELSEWHERE else ELSEWHERE


def linear(x: Array, labels: Names, *, rounds: int = 200) -> Linear:
    """Multinomial logistic regression; with only two classes its one row is written as two."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is meant
        model = LogisticRegression(C=C, max_iter=rounds, tol=1e-3).fit(x, labels)
    weights, bias = model.coef_.astype(np.float32), model.intercept_.astype(np.float32)
    if len(weights) == 1:
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return Linear(tuple(str(label) for label in model.classes_), weights, bias)


def folds(labels: Names, *, seed: int = 20261123) -> npt.NDArray[np.int64]:
    """A fold number per sample, each label spread evenly."""
    rng = np.random.default_rng(seed)
    out = np.zeros(len(labels), dtype=np.int64)
    for label in sorted(set(labels.tolist())):
        where = rng.permutation(np.flatnonzero(labels == label))
        out[where] = (np.arange(len(where)) + rng.integers(FOLDS)) % FOLDS
    return out


def _held_out(
    x: Array, labels: Names, *, classes: tuple[str, ...], fold: npt.NDArray[np.int64], rounds: int = 200
) -> Array64:
    """Log-odds of every sample from a classifier that has not seen its fold."""
    out = np.full((len(x), len(classes)), -30.0)
    for number in range(FOLDS):
        test = fold == number
        model = linear(x[~test], labels[~test], rounds=rounds)
        out[np.ix_(test, np.searchsorted(classes, model.classes))] = model.logits(x[test])
    return out


def _calibrated(fitted: Fitted, labels: _Labels, x: Array, *, evidence: Evidence, outside: frozenset[str]) -> Fitted:
    """Adds the calibration of least log loss on held-out questions, and the report."""
    fold = folds(labels.entries)
    matters = _held_out(x, labels.codes, classes=fitted.matters.classes, fold=fold)
    entries = _held_out(x, labels.entries, classes=fitted.entries.classes, fold=fold, rounds=ENTRY_ROUNDS)
    per_matter = summed(entries, group_starts(fitted.entries.classes))
    ours = np.array([float(name != ELSEWHERE and name not in outside) for name in fitted.matters.classes])
    truth = np.searchsorted(fitted.matters.classes, labels.codes)

    def scores(calibration: Calibration) -> Array64:
        return combined(matters, per_matter, evidence, calibration=calibration, inside=ours)

    def loss(calibration: Calibration) -> float:
        return _log_loss(scores(calibration)[labels.asked], truth[labels.asked])

    best = Calibration(temperature=0.8, mention=2.0)
    for name, values in [*_TRIED.items()] * _ROUNDS:
        best = min((replace(best, **{name: value}) for value in values), key=loss)
    generic = _held_out(x, labels.aspects, classes=fitted.aspects.classes, fold=fold)
    temperature, right = _aspects(generic, entries, fitted, labels)
    best = replace(best, aspect_temperature=temperature)
    report = _report(softmax(scores(best)), truth, labels, ours) | {"aspect_top1": right}
    return replace(fitted, calibration=best, report=report)


def _log_loss(logits: Array64, truth: npt.NDArray[np.int64]) -> float:
    p = softmax(logits)
    return float(-np.log(p[np.arange(len(truth)), truth] + 1e-12).mean())


def _aspects(generic: Array64, entries: Array64, fitted: Fitted, labels: _Labels) -> tuple[float, float]:
    """The temperature of least log loss within the right matter, and the share of aspects found there."""
    names = fitted.entries.classes
    column = np.searchsorted(fitted.aspects.classes, [aspect_class(name.partition(SEPARATOR)[2]) for name in names])
    both = entries + generic[:, column]
    owner = np.array([name.partition(SEPARATOR)[0] for name in names])
    both = np.where(owner[None, :] == labels.codes[:, None], both, -np.inf)[labels.asked]
    truth = np.searchsorted(names, labels.entries[labels.asked])
    best = min(_ASPECT_TEMPERATURES, key=lambda temperature: _log_loss(both / temperature, truth))
    return best, float((both.argmax(axis=1) == truth).mean())


def _report(p: Array64, truth: npt.NDArray[np.int64], labels: _Labels, ours: Array64) -> dict[str, float]:
    """Top-1 and top-3 of the fund's matters, how well outside is told from inside, thresholds by risk and coverage."""
    order = np.argsort(-p, axis=1)
    asked = labels.asked & labels.inside
    right = order[:, 0] == truth
    either = labels.asked | (labels.codes == ELSEWHERE)
    inside = labels.inside[either]
    report = {
        "top1": float(right[asked].mean()),
        "top3": float((order[:, :3] == truth[:, None]).any(axis=1)[asked].mean()),
        "outside_auroc": float(roc_auc_score(inside, (p @ ours)[either])) if 0 < inside.sum() < len(inside) else 1.0,
    }
    for precision in (85, 90, 95):
        threshold, coverage = _threshold(p.max(axis=1)[asked], right[asked], precision / 100)
        report |= {f"p_at_{precision}": threshold, f"coverage_at_{precision}": coverage}
    return report


def _threshold(best: Array64, right: Flags, precision: float) -> tuple[float, float]:
    """The lowest probability above which answers are right that often, and the share that is above it."""
    order = np.argsort(-best)
    running = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(running >= precision)
    if not len(enough):
        return 1.0, 0.0
    return float(best[order[enough[-1]]]), float((enough[-1] + 1) / len(order))
