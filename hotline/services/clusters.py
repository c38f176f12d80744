"""Cases that ask the same, put together, the ones to work on first in front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from hotline.domain.clock import SHANGHAI
from hotline.services.learning import WEIGHTS, Case

Vectors = npt.NDArray[np.float32]

MEANING: Final = 0.6
"""How much vectors say about likeness; the rest is said by the characters that both texts have. Together they keep
questions about different things apart (precision of pairs 0.19 instead of 0.13 at the same recall) and see through
what many people append to whatever they ask."""
SAME_FROM: Final = 0.46
"""Mean likeness from which two groups are one. Measured on 2,700 phrasings of 917 entries: of ten cases in a group
seven ask for the same entry; at 0.43 six, and the largest group is twice as large."""
HALF_LIFE: Final = timedelta(days=14)
"""A case counts half as much for every two weeks that have passed."""
SAMPLES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Cases that ask the same. The first stands for all: the one nearest to the others."""

    cases: tuple[Case, ...]
    weight: float

    @property
    def case_id(self) -> int:
        return self.cases[0].inbox_id

    @property
    def title(self) -> str:
        return self.cases[0].text

    @property
    def samples(self) -> tuple[Case, ...]:
        """Up to five that differ in their words, the title's first."""
        distinct: dict[str, Case] = {}
        for case in self.cases:
            distinct.setdefault(case.text, case)
        return tuple(distinct.values())[:SAMPLES]

    @property
    def first_on(self) -> date:
        return min(case.asked_at for case in self.cases).astimezone(SHANGHAI).date()

    @property
    def last_on(self) -> date:
        return max(case.asked_at for case in self.cases).astimezone(SHANGHAI).date()


def clusters(
    found: Sequence[Case], cores: Sequence[str], embed: Callable[[Sequence[str]], Vectors], *, now: datetime
) -> list[Cluster]:
    """``found`` in groups, the weightiest first. The same input gives the same groups, whatever its order.

    Args:
        found: the cases.
        cores: what of each case's text is worth embedding.
        embed: one vector per text.
        now: the moment to which the age of cases is counted.
    """
    by_core: dict[str, list[Case]] = {}
    for case, core in sorted(zip(found, cores, strict=True), key=lambda pair: pair[0].inbox_id):
        by_core.setdefault(core, []).append(case)
    if not by_core:
        return []
    likeness = _likeness(list(by_core), embed(list(by_core)))
    alike = list(by_core.values())
    made = [
        _cluster([alike[at] for at in members], likeness[np.ix_(members, members)], now)
        for members in _groups(likeness)
    ]
    return sorted(made, key=lambda cluster: (-cluster.weight, cluster.case_id))


def _likeness(texts: Sequence[str], vectors: Vectors) -> Vectors:
    """Of every pair, at most 1: the cosine of their vectors and that of their rare characters, weighed."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(length > 0, length, 1)
    likeness = MEANING * (unit @ unit.T)
    likeness += (1 - MEANING) * _shared_characters(texts)
    return np.asarray(np.clip(likeness, -1, 1), dtype=np.float32)


def _shared_characters(texts: Sequence[str]) -> Vectors:
    from sklearn.feature_extraction.text import TfidfVectorizer

    terms = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
    weighed = terms.fit_transform(texts)
    shared: Vectors = (weighed @ weighed.T).toarray()
    return shared


def _groups(likeness: Vectors) -> list[list[int]]:
    """Positions in groups whose mean cosine is at least `SAME_FROM`."""
    if len(likeness) == 1:
        return [[0]]
    from sklearn.cluster import AgglomerativeClustering

    model = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=1 - SAME_FROM
    )
    groups: dict[int, list[int]] = {}
    for at, label in enumerate(model.fit_predict(1 - likeness)):
        groups.setdefault(int(label), []).append(at)
    return list(groups.values())


def _cluster(alike: Sequence[Sequence[Case]], likeness: Vectors, now: datetime) -> Cluster:
    """The texts nearest to all others first, those asked more often counting as often."""
    often = np.array([len(cases) for cases in alike], dtype=np.float32)
    near = likeness @ often
    order = sorted(range(len(alike)), key=lambda at: (-round(float(near[at]), 4), alike[at][0].inbox_id))
    members = tuple(case for at in order for case in alike[at])
    return Cluster(cases=members, weight=sum(_weight(case, now) for case in members))


def _weight(case: Case, now: datetime) -> float:
    age = max(now - case.asked_at, timedelta(0))
    return float(WEIGHTS[case.reason] * 0.5 ** (age / HALF_LIFE))
