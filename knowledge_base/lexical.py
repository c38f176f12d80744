"""Characters and sounds of a text as numbers: what sentence embeddings blur (one telling word) and slips leave whole.

Terms are runs of one to three characters, and of one to three toneless syllables (marked), so that a homophone slip
changes only half of them. They are weighed as TF-IDF with sublinear term frequency and projected on the strongest
directions of the catalogue's own phrasings.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge_base.linear import Array
from knowledge_base.pinyin import syllable

LONGEST = 3
SOUND = "~"
"""Before a run of syllables; no normalised text contains it at that place."""

Ints = npt.NDArray[np.int32]


def terms(text: str) -> Iterator[str]:
    """Every run of characters and of syllables in ``text``, repetitions included."""
    sounds = [syllable(char) for char in text if "\u4e00" <= char <= "\u9fff"]
    for size in range(1, LONGEST + 1):
        yield from (text[at : at + size] for at in range(len(text) - size + 1))
        yield from (SOUND + " ".join(sounds[at : at + size]) for at in range(len(sounds) - size + 1))


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """The known terms of a text (columns, ascending) with weights; the vector they make has length one."""

    columns: Ints
    weights: Array


NOTHING = Weighed(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Lexical:
    """``columns``: term → column; ``rarity``: inverse document frequency; ``projection``: terms x dimensions,
    already centred on ``mean`` and divided by ``deviation``, the overall one, when applied."""

    columns: Mapping[str, int]
    rarity: Array
    projection: Array
    mean: Array
    deviation: float

    @property
    def dims(self) -> int:
        return int(self.projection.shape[1])

    def weigh(self, text: str) -> Weighed:
        """The text's terms by weight; characters and sounds weigh the same in all."""
        return weigh(text, self.columns, self.rarity)

    def project(self, seen: Weighed) -> Array:
        """The centred, scaled coordinates of a weighed text."""
        flat = seen.weights @ np.asarray(self.projection[seen.columns], dtype=np.float32)
        return np.asarray((flat - self.mean) / self.deviation, dtype=np.float32)


def weigh(text: str, columns: Mapping[str, int], rarity: Array) -> Weighed:
    """TF-IDF of the known terms, as one vector of length one."""
    counted = Counter(term for term in terms(text) if term in columns)
    if not counted:
        return NOTHING
    at = np.array(sorted(columns[term] for term in counted), dtype=np.int32)
    by_column = {columns[term]: 1.0 + math.log(count) for term, count in counted.items()}
    weights = np.array([by_column[column] for column in at], dtype=np.float32) * rarity[at]
    return Weighed(at, np.asarray(weights / np.linalg.norm(weights), dtype=np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """The weighed terms of many texts, one after the other: those of text i are ``[starts[i], starts[i + 1])``."""

    starts: Ints
    columns: Ints
    weights: Array

    @classmethod
    def of(cls, weighed: list[Weighed]) -> Texts:
        starts = np.cumsum([0, *(len(each.columns) for each in weighed)], dtype=np.int32)
        all_of = weighed or [NOTHING]
        return cls(
            starts, np.concatenate([each.columns for each in all_of]), np.concatenate([each.weights for each in all_of])
        )

    def __getitem__(self, at: int) -> Weighed:
        """The weighed terms of text ``at``."""
        begin, end = self.starts[at], self.starts[at + 1]
        return Weighed(self.columns[begin:end], self.weights[begin:end])

    def compare(self, at: int, seen: Weighed) -> tuple[float, float]:
        """How alike text ``at`` and ``seen`` are (cosine), and which share of ``seen`` stands in the text."""
        if not len(seen.columns):
            return 0.0, 0.0
        begin, end = self.starts[at], self.starts[at + 1]
        _, here, there = np.intersect1d(self.columns[begin:end], seen.columns, assume_unique=True, return_indices=True)
        alike = float(self.weights[begin:end][here] @ seen.weights[there])
        return alike, float(seen.weights[there].sum() / seen.weights.sum())
