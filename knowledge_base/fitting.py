"""The optimisation behind the ranker: logistic regressions, whole or for a few of their rows, and the second stage."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from knowledge_base.linear import Array, Array64, Linear, softmax
from knowledge_base.ranking import FEATURES, Weights

C = 0.03
"""Inverse penalty of the classifiers over all phrasings; of 0.01, 0.03 and 0.1 the best on held-out phrasings."""
ROUNDS = 40
ROUNDS_FROM_START = 12
RIDGE = 1e-3

Names = npt.NDArray[np.str_]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def linear(x: Array, labels: Names, *, penalty: float = C, rounds: int = ROUNDS, start: Linear | None = None) -> Linear:
    """Multinomial logistic regression; with only two classes its one row is written as two, with one there is none.

    ``start``: a solution for almost the same samples and the same classes, from which fewer rounds are enough.
    """
    if len(np.unique(labels)) == 1:
        return Linear((str(labels[0]),), np.zeros((1, x.shape[1]), dtype=np.float32), np.zeros(1, dtype=np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is meant
        model = LogisticRegression(C=penalty, max_iter=rounds, tol=1e-3, warm_start=True)
        if start is not None and len(start.classes) > 2:
            model.coef_, model.intercept_ = np.array(start.weights), np.array(start.bias)
        model.fit(x, labels)
    weights, bias = model.coef_.astype(np.float32), model.intercept_.astype(np.float32)
    if len(weights) == 1:
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return Linear(tuple(str(label) for label in model.classes_), weights, bias)


def completed(model: Linear, classes: tuple[str, ...]) -> Linear:
    """``model`` with a row for each of ``classes`` and no other; one it has never seen is out of the question."""
    if model.classes == classes:
        return model
    weights = np.zeros((len(classes), model.weights.shape[1]), dtype=np.float32)
    bias = np.full(len(classes), -30.0, dtype=np.float32)
    row = {name: at for at, name in enumerate(model.classes)}
    for at, name in enumerate(classes):
        if name in row:
            weights[at], bias[at] = model.weights[row[name]], model.bias[row[name]]
    return Linear(classes, weights, bias)


def with_rows_refitted(start: Linear, x: Array, labels: Names, *, rows: Sequence[str], rounds: int = 30) -> Linear:
    """``start`` with only ``rows`` fitted anew on ``x``; every other class keeps what it has.

    The rows stay near where they were (a class that is new near nothing), so ``x`` need only hold the samples of
    these classes and enough of the others to be told from.
    """
    free = np.isin(start.classes, list(rows))
    if not free.any():
        return start
    logits = start.logits(x)
    before, bias = start.weights[free].astype(np.float64), start.bias[free].astype(np.float64)
    wanted = np.searchsorted(np.array(start.classes), labels)
    inside = np.array(x, dtype=np.float64)
    target = np.zeros_like(logits)
    target[np.arange(len(x)), wanted] = 1.0

    def loss(flat: Array64) -> tuple[float, Array64]:
        moved = flat.reshape(len(bias), -1)
        step, shift = moved[:, :-1], moved[:, -1]
        now = logits.copy()
        now[:, free] = inside @ (before + step).T + bias + shift
        p = softmax(now)
        wrong = (p - target)[:, free]
        slope = np.concatenate([wrong.T @ inside + step / C, wrong.sum(axis=0)[:, None]], axis=1)
        value = -np.log(p[np.arange(len(x)), wanted] + 1e-12).sum() + (step**2).sum() / (2 * C)
        return float(value), slope.ravel()

    size = len(bias) * (before.shape[1] + 1)
    found = minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B", options={"maxiter": rounds})
    moved = found.x.reshape(len(bias), -1)
    weights, biases = np.array(start.weights, dtype=np.float32), np.array(start.bias, dtype=np.float32)
    weights[free], biases[free] = before + moved[:, :-1], bias + moved[:, -1]
    return Linear(start.classes, weights, biases)


def second_stage(features: Array64, right: Flags) -> Weights:
    """Weights of least log loss; samples whose entry is not among the candidates teach nothing."""
    known = right.any(axis=1)
    every = features.reshape(-1, features.shape[-1])
    centre, spread = every.mean(axis=0), every.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    x, wanted = ((features - centre) / spread)[known], right[known].argmax(axis=1)
    rows = np.arange(len(x))
    if not len(x):
        return Weights(centre, spread, flat().weights)

    def loss(weights: Array64) -> tuple[float, Array64]:
        p = softmax(x @ weights)
        expected = np.einsum("sc,scf->sf", p, x) - x[rows, wanted]
        return (
            float(-np.log(p[rows, wanted] + 1e-12).mean() + RIDGE * weights @ weights),
            expected.mean(axis=0) + 2 * RIDGE * weights,
        )

    found = minimize(loss, np.zeros(features.shape[-1]), jac=True, method="L-BFGS-B")
    return Weights(centre, spread, np.asarray(found.x, dtype=np.float64))


def flat() -> Weights:
    """The first stage's own ranking, for want of a second stage."""
    ones = np.array([float(name in ("entry", "matter", "within")) for name in FEATURES])
    return Weights(np.zeros(len(FEATURES)), np.ones(len(FEATURES)), ones)
