"""What ranking would cost with far more entries: rankers of the right shapes with random contents, nothing fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped]

from knowledge_base.embed import Embedder
from knowledge_base.index import Index
from knowledge_base.lexical import Texts
from knowledge_base.linear import SEPARATOR, Linear
from knowledge_base.published import CURRENT
from knowledge_base.ranking import OWN_QUESTION, Habits, Ranker, Reading, reading
from knowledge_base.reader import Reader

SIZES = (100, 1_000, 10_000, 100_000)
TERMS_AN_ANSWER = 300
REMEMBERED_TEXTS = 500
"""Fewer than the matcher remembers."""
SEED = 12329
MEMORY_PART = 0.5
"""Of the free memory, what one ranker may take at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """Milliseconds to rank each text among ``entries``; empty where ``mib`` was more than the machine has."""

    entries: int
    mib: float
    rank_ms: tuple[float, ...]


def opened(folder: Path) -> Index:
    """The index in force in the folder of published versions. Raises KnowledgeError and OSError."""
    return Index.open(folder / (folder / CURRENT).read_text(encoding="ascii").strip())


def grown(index: Index, embedder: Embedder, texts: Sequence[str], sizes: Sequence[int]) -> list[dict[str, Any]]:
    """One line per size: ``entries``, ``mib`` and ``rank_ms``."""
    from tests.measure.timed import timed_each

    readings = list(readings_of(index, embedder, texts))
    lines = []
    for size in sizes:
        mib, spent = mib_of(index.ranker, size), []
        if mib < psutil.virtual_memory().available / 2**20 * MEMORY_PART:
            spent = timed_each(synthetic(index.ranker, size).rank, readings)
        lines.append({"entries": size, "mib": round(mib, 1), "rank_ms": spent})
    return lines


def readings_of(index: Index, embedder: Embedder, texts: Sequence[str]) -> Iterator[Reading]:
    """The texts as the published matcher reads them."""
    reader = Reader(index.catalogue, index.corrector)
    for text in texts:
        seen = reader.read(text)
        weighed = index.ranker.lexical.weigh(seen.normalised.core)
        x = index.ranker.coordinates(embedder.embed(seen.normalised.core), weighed)
        tokens = tuple(seen.facts.tokens())
        yield reading(x, weighed, text=seen.normalised.text, named=seen.named, tokens=tokens, cues=seen.cues)


def mib_of(like: Ranker, entries: int) -> float:
    """What a ranker of so many entries takes, about."""
    dims, width = like.entries.weights.shape[1], like.entries.weights.dtype.itemsize
    matters = entries // len(like.aspects.classes) + 1
    return float(width * dims * (2 * entries + matters) + 8 * TERMS_AN_ANSWER * entries) / 2**20


def synthetic(like: Ranker, entries: int) -> Ranker:
    """A ranker of ``entries`` entries with the dimensions, kinds of aspects and second stage of ``like``."""
    chance = np.random.default_rng(SEED)
    classes = entry_classes(entries, [name for name in like.aspects.classes if name])
    codes = tuple(dict.fromkeys(name.partition(SEPARATOR)[0] for name in classes))
    return Ranker(
        scaling=like.scaling,
        lexical=like.lexical,
        entries=_linear(classes, like.entries, chance),
        matters=_linear(codes, like.matters, chance),
        within=_linear(classes, like.within, chance),
        aspects=like.aspects,
        answers=_answers(entries, len(like.lexical.columns), chance),
        habits=Habits(
            like.habits.tokens,
            _filled((entries, len(like.habits.tokens)), chance),
            _filled((entries, len(like.habits.tokens)), chance),
        ),
        inside=np.ones(entries, dtype=bool),
        second=like.second,
    )


def entry_classes(entries: int, kinds: Sequence[str]) -> tuple[str, ...]:
    """No entry at all first, then matters with an aspect of every kind, in order."""
    aspects = sorted(f"{kind}_1" if kind == OWN_QUESTION else kind for kind in kinds)
    names = (f"matter-{at // len(aspects):07}{SEPARATOR}{aspects[at % len(aspects)]}" for at in range(entries - 1))
    return ("", *names)


def _linear(classes: tuple[str, ...], like: Linear, chance: np.random.Generator) -> Linear:
    weights = _filled((len(classes), like.weights.shape[1]), chance).astype(like.weights.dtype, copy=False)
    return Linear(classes, weights, _filled((len(classes),), chance))


def _filled(shape: tuple[int, ...], chance: np.random.Generator) -> Any:
    values = chance.standard_normal(shape, dtype=np.float32)
    values *= np.float32(0.05)
    return values


def _answers(entries: int, terms: int, chance: np.random.Generator) -> Texts:
    size = min(TERMS_AN_ANSWER, terms)
    one = np.sort(chance.choice(terms, size, replace=False)).astype(np.int32)
    starts = np.arange(0, (entries + 1) * size, size, dtype=np.int32)
    weights = np.full(entries * size, size**-0.5, dtype=np.float32)
    return Texts(starts, np.tile(one, entries), weights)
