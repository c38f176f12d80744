"""A fitted linear classifier as plain arrays: what the index stores and the matcher runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How log-odds become probabilities; each value is the one of least log loss on held-out phrasings."""

    temperature: float = 1.0
    mention: float = 0.0
    """Added to a matter's log-odds where the text names it, times the square root of the name's share of the text."""
    fund_named: float = 0.0
    """Added to all matters of the fund where the text says the fund's name."""
    entry_share: float = 0.0
    """Share of the entry classifier (summed over a matter's aspects) in a matter's log-odds."""
    aspect_temperature: float = 1.0

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Calibration:
        return cls(**data)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of texts (rows) beyond their vectors. ``named``: square root of the share of the text that
    names a matter (columns: matter classes); ``fund_named``: 1 where the fund's name is said."""

    named: Array64
    fund_named: Array64


def combined(
    matters: Array64, entries: Array64, evidence: Evidence, *, calibration: Calibration, inside: Array64
) -> Array64:
    """Calibrated log-odds of matters. ``entries`` is already summed per matter; ``inside`` is 1 for the fund's own."""
    mixed = (1 - calibration.entry_share) * matters + calibration.entry_share * entries
    mixed = mixed + calibration.mention * evidence.named
    mixed = mixed + calibration.fund_named * evidence.fund_named[..., None] * inside
    return np.asarray(mixed / calibration.temperature, dtype=np.float64)


def summed(entries: Array64, starts: npt.NDArray[np.int64]) -> Array64:
    """Log-odds of groups of neighbouring classes: the log of the sum of their odds. Groups begin at ``starts``."""
    top = entries.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.add.reduceat(np.exp(entries - top), starts, axis=-1) + 1e-9) + top)


SEPARATOR = " "
"""Between code and aspect in an entry's class: it sorts before the hyphen, so entries sort as their codes do."""


def group_starts(classes: Sequence[str]) -> npt.NDArray[np.int64]:
    """Where each matter's entries begin in sorted ``code aspect`` classes; "none of them" (no code) comes first."""
    codes = [name.partition(SEPARATOR)[0] for name in classes]
    return np.array([at for at, code in enumerate(codes) if at == 0 or codes[at - 1] != code], dtype=np.int64)


def softmax(logits: Array64) -> Array64:
    """Rows that sum to one."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def unit(rows: Array) -> Array:
    """Rows of length one (a row of zeros stays)."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(lengths == 0, 1, lengths), dtype=np.float32)
