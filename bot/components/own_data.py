"""What tells a wish for one's own data from a question about the rules: examples of both.

The wishes are in data/nlu; the questions are the published phrasings, some of each entry, whose vectors publishing has
kept. Content that changes later changes little here, so it needs no training.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from bot.published import embedder, knowledge_dir, published
from knowledge_base.linear import Array
from knowledge_base.remembered import Remembered

AN_ENTRY = 24
"""Phrasings taken of one entry."""
CACHE = "cache"
EXAMPLES = "examples"


def example_vectors(cores: Sequence[str]) -> Array:
    """One row for each example of data/nlu; only new ones are embedded, the others are remembered."""
    return Remembered(knowledge_dir() / CACHE / EXAMPLES, embedder()).embed(cores)


def policy_vectors(wishes: Collection[str]) -> Array:
    """One row for each phrasing taken, none of them among ``wishes``; without a cache of vectors there are none."""
    reader = published().matcher.reader
    cores = list(dict.fromkeys(reader.read(text).normalised.core for text in _phrasings(frozenset(wishes))))
    kept = Remembered(knowledge_dir() / CACHE, embedder()).vectors(cores)
    return np.stack(list(kept.values())) if kept else np.zeros((0, embedder().dims), dtype=np.float32)


def _phrasings(wishes: frozenset[str]) -> Iterator[str]:
    """Of every entry the same number, spread over all it has."""
    for matter in published().catalogue.matters.values():
        for aspect in matter.aspects.values():
            asked = [text for text in aspect.questions if text not in wishes]
            yield from asked[:: max(1, len(asked) // AN_ENTRY)][:AN_ENTRY]
