"""A fitted linear classifier as plain arrays: what the index stores and the matcher runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Array64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """``classes[i]`` has the log-odds ``weights[i] @ x + bias[i]``."""

    classes: tuple[str, ...]
    weights: Array
    bias: Array

    def logits(self, x: Array) -> Array64:
        """One value per class; rows in, rows out."""
        return np.asarray(x @ self.weights.T + self.bias, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Scaling:
    """Vectors are centred on the training mean and divided by one overall deviation before anything is computed."""

    mean: Array
    deviation: float

    @classmethod
    def of(cls, vectors: Array) -> Scaling:
        mean = vectors.mean(axis=0)
        return cls(mean.astype(np.float32), float((vectors - mean).std()) or 1.0)

    def apply(self, vectors: Array) -> Array:
        return np.asarray((vectors - self.mean) / self.deviation, dtype=np.float32)


SEPARATOR = " "
"""Between code and aspect in an entry's class: it sorts before the hyphen, so entries sort as their codes do."""


def group_starts(classes: Sequence[str]) -> npt.NDArray[np.int64]:
    """Where each matter's entries begin in sorted ``code aspect`` classes; "none of them" (no code) comes first."""
    codes = [name.partition(SEPARATOR)[0] for name in classes]
    return np.array([at for at, code in enumerate(codes) if at == 0 or codes[at - 1] != code], dtype=np.int64)


def log_softmax(logits: Array64) -> Array64:
    """Rows of log-probabilities."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def log_softmax_within(logits: Array64, starts: npt.NDArray[np.int64]) -> Array64:
    """Log-probabilities within each group of neighbouring classes; groups begin at ``starts``."""
    sizes = np.diff([*starts, logits.shape[-1]])
    top = np.repeat(np.maximum.reduceat(logits, starts, axis=-1), sizes, axis=-1)
    total = np.add.reduceat(np.exp(logits - top), starts, axis=-1)
    return np.asarray(logits - top - np.repeat(np.log(total), sizes, axis=-1))


def softmax(logits: Array64) -> Array64:
    """Rows that sum to one."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def unit(rows: Array) -> Array:
    """Rows of length one (a row of zeros stays)."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(lengths == 0, 1, lengths), dtype=np.float32)
