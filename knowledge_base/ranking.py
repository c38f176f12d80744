"""Which entry a text asks for: four linear classifiers propose, a second stage that knows the catalogue chooses.

The second stage weighs, for each of the first `CANDIDATES` entries, what the classifiers say of the entry, of its
matter and of it within its matter, how far the question's words stand in the entry's own answer, which matters the
text names, its cue words, and how usual its facts (another city, a relative, an employer) are for the entry. Its
weights are those of least log loss on phrasings that the classifiers had not seen, so its shares are calibrated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from knowledge_base import wording
from knowledge_base.lexical import NOTHING, Lexical, Texts, Weighed
from knowledge_base.linear import (
    SEPARATOR,
    Array,
    Array64,
    Linear,
    Scaling,
    group_starts,
    log_softmax,
    log_softmax_within,
    softmax,
)

CANDIDATES = 12
"""Entries the second stage chooses among: the right one is among the first 12 of the first stage in 19 of 20 cases."""

PROPOSAL = {"entry": 1.0, "matter": 0.5, "within": 0.5, "aspect": 0.2}
"""How the first stage ranks; only who is among the candidates depends on it."""

Ints = npt.NDArray[np.int64]

FEATURES = (
    "entry",  # log-probability of the entry among all entries
    "matter",  # of its matter among all matters
    "within",  # of the entry within its matter
    "answer",  # likeness of the question and the entry's own name, title and answer
    "covered",  # share of the question's terms that stand there
    "named",  # root of the share of the text that names the matter
    "other_named",  # another matter is named and this one is not
    "outside_named",  # only what is not the fund's is named: for entries that are not the fund's
    "decide",  # cue words that settle the aspect: for it 1, against it -1
    "hint",  # cue words that only hint
    "facts",  # how much more usual the text's facts are for this entry than for all
    "fund_named",  # the fund is named, and the entry is the fund's business
    "elsewhere",  # no entry at all
)

OWN_QUESTION = "q"
"""Class of all stand-alone questions in the generic aspect classifier: the entry classifier tells them apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A text as the classifiers see it. ``named``: codes named in it with the length of the name."""

    x: Array
    weighed: Weighed
    length: int
    named: Mapping[str, int]
    tokens: frozenset[str]
    decide: str | None
    hint: str | None
    fund_named: bool


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """How usual facts are: log-odds ratios of each token for each entry (rows), where it is said and where not."""

    tokens: tuple[str, ...]
    said: Array
    unsaid: Array

    def score(self, said: frozenset[str]) -> Array64:
        """One value per entry."""
        there = np.array([token in said for token in self.tokens], dtype=bool)
        return np.asarray(self.said[:, there].sum(axis=1) + self.unsaid[:, ~there].sum(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Of the second stage: features are centred, divided by their spread, weighted and summed."""

    centre: Array64
    spread: Array64
    weights: Array64

    def score(self, features: Array64) -> Array64:
        """Log-odds of candidates, from ``(…, candidates, features)``."""
        return np.asarray((features - self.centre) / self.spread @ self.weights)


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """Candidate entries (columns of ``Ranker.entries.classes``), best first, with probabilities that sum to one."""

    columns: Ints
    p: Array64


@dataclass(frozen=True, eq=False)
class Ranker:
    """Everything fitted. ``entries`` and ``within`` have the same classes, ``code aspect`` in order."""

    scaling: Scaling
    lexical: Lexical
    entries: Linear
    matters: Linear
    within: Linear
    aspects: Linear
    answers: Texts
    habits: Habits
    inside: npt.NDArray[np.bool_]
    """Entries that are the fund's business."""
    second: Weights

    @cached_property
    def _columns(self) -> tuple[Ints, Ints, Ints]:
        """Per entry the column of its matter and that of its kind of aspect; where each matter's entries begin."""
        parts = [name.partition(SEPARATOR) for name in self.entries.classes]
        kinds = {name: at for at, name in enumerate(self.aspects.classes)}
        matter = np.searchsorted(self.matters.classes, [code for code, _, _ in parts])
        kind = np.array([kinds[aspect_class(aspect)] for _, _, aspect in parts], dtype=np.int64)
        return matter, kind, group_starts(self.entries.classes)

    @cached_property
    def _outside(self) -> frozenset[str]:
        """Codes of matters that are not the fund's business."""
        pairs = zip(self.entries.classes, self.inside, strict=True)
        return frozenset(name.partition(SEPARATOR)[0] for name, ours in pairs if name and not ours)

    def coordinates(self, embedding: Array, weighed: Weighed) -> Array:
        """What the classifiers are given of one text."""
        return np.concatenate([self.scaling.apply(embedding), self.lexical.project(weighed)])

    def logs(self, x: Array) -> dict[str, Array64]:
        """Log-probabilities by feature, one column per entry; rows in, rows out."""
        matter, aspect, starts = self._columns
        return {
            "entry": log_softmax(self.entries.logits(x)),
            "matter": log_softmax(self.matters.logits(x))[..., matter],
            "within": log_softmax_within(self.within.logits(x), starts),
            "aspect": log_softmax(self.aspects.logits(x))[..., aspect],
        }

    def candidates(self, logs: Mapping[str, Array64]) -> Ints:
        """Columns of the entries the first stage proposes, best first; rows in, rows out."""
        total = sum(weight * logs[name] for name, weight in PROPOSAL.items())
        return np.argsort(-np.asarray(total), axis=-1)[..., :CANDIDATES]

    def features(self, reading: Reading, logs: Mapping[str, Array64], columns: Ints) -> Array64:
        """``(candidates, len(FEATURES))`` for one text; ``logs`` are its own rows."""
        usual = self.habits.score(reading.tokens)
        names_outside = not reading.fund_named and bool(reading.named) and self._outside.issuperset(reading.named)
        rows = []
        for column in columns:
            code, _, aspect = self.entries.classes[column].partition(SEPARATOR)
            alike, covered = self.answers.compare(int(column), reading.weighed)
            row = [float(logs[name][column]) for name in ("entry", "matter", "within")]
            row += [alike, covered, (reading.named.get(code, 0) / max(1, reading.length)) ** 0.5]
            row += [float(bool(reading.named) and code not in reading.named)]
            row += [float(names_outside and not self.inside[column])]
            row += [_agrees(reading.decide, aspect), max(0.0, _agrees(reading.hint, aspect))]
            row += [float(usual[column]), float(reading.fund_named and self.inside[column]), float(not code)]
            rows.append(row)
        return np.array(rows, dtype=np.float64)

    def rank(self, reading: Reading) -> Guess:
        """The candidates for one text, best first."""
        logs = self.logs(reading.x)
        columns = self.candidates(logs)
        p = softmax(self.second.score(self.features(reading, logs, columns)))
        order = np.argsort(-p, kind="stable")
        return Guess(columns[order], p[order])


def aspect_class(aspect: str) -> str:
    """The generic classifier's class of an aspect; of no entry at all the empty one."""
    return OWN_QUESTION if aspect.startswith("q_") else aspect


def _agrees(cued: str | None, aspect: str) -> float:
    return 0.0 if cued is None else 1.0 if cued == aspect else -1.0


def reading(
    x: Array,
    weighed: Weighed,
    *,
    text: str,
    named: Mapping[str, int],
    tokens: Sequence[str],
    cues: tuple[str | None, str | None],
) -> Reading:
    """What is known of normalised ``text``; ``cues``: the aspect decided, the aspect hinted at."""
    fund_named = str(wording.read("normalise")["fund_name"]) in text
    return Reading(x, weighed or NOTHING, len(text), named, frozenset(tokens), *cues, fund_named)
