"""What a simple system would understand: nearest published phrasings by three likenesses, nothing fitted.

All are given the same phrasings as our own index and the same questions, cleaned and simplified; the nearest
phrasings vote for their entries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge_base.model import Catalogue
from knowledge_base.normalise import cleaned, simplified
from tests.measure import words
from tests.measure.systems import Ranking, ranking

Scores = npt.NDArray[np.float32]
Cut = Callable[[Sequence[str]], list[list[str]]]
Labelled = Sequence[tuple[str, str]]

NEAREST = 20
"""Phrasings that vote for their entries, each with its likeness: with so many all three do best on golden questions
(of 1, 3, 5, 10 and 20)."""
AT_A_TIME = 128
"""Rows of likenesses held in memory at once."""
K1, B = 1.2, 0.75
"""Of BM25, as every search engine ships it."""


def plain(text: str) -> str:
    """What baselines read: clean, simplified, lower-case."""
    return simplified(cleaned(text)).lower()


class Nearest:
    """Ranks entries by their nearest phrasings; how near is said by a subclass."""

    name = ""
    ranks_entries = True

    def __init__(self, phrasings: Labelled, catalogue: Catalogue) -> None:
        self._entries = [entry for _, entry in phrasings]
        self._catalogue = catalogue

    def rank(self, texts: Sequence[str]) -> list[Ranking]:
        if not texts:
            return []
        rows = self.likenesses([plain(text) for text in texts])
        return [ranking(voted(row, self._entries), self._catalogue) for row in rows]

    def likenesses(self, texts: Sequence[str]) -> Iterator[Scores]:
        """Per text how like every phrasing is to it, never negative."""
        raise NotImplementedError


def voted(likeness: Scores, entries: Sequence[str]) -> list[str]:
    """The entries of the nearest phrasings by the sum of their likenesses; none where nothing is like the text."""
    size = min(NEAREST, len(entries))
    nearest = np.argpartition(-likeness, size - 1)[:size]
    votes: defaultdict[str, float] = defaultdict(float)
    for at in sorted(nearest, key=lambda each: (-likeness[each], each)):
        if likeness[at] > 0:
            votes[entries[at]] += float(likeness[at])
    return sorted(votes, key=lambda entry: -votes[entry])


class Bm25(Nearest):
    """Okapi BM25 over words."""

    name = "BM25 (jieba)"

    def __init__(self, phrasings: Labelled, catalogue: Catalogue, *, cut: Cut = words.cut) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        super().__init__(phrasings, catalogue)
        self._cut = cut
        self._counter = CountVectorizer(analyzer=_words)
        counts = self._counter.fit_transform(cut([plain(text) for text, _ in phrasings])).tocoo()
        lengths = np.bincount(counts.row, counts.data, minlength=counts.shape[0])
        often = np.bincount(counts.col, minlength=counts.shape[1])
        rarity = np.log(1 + (counts.shape[0] - often + 0.5) / (often + 0.5))
        length = K1 * (1 - B + B * lengths / max(float(lengths.mean()), 1.0))
        counts.data = rarity[counts.col] * counts.data * (K1 + 1) / (counts.data + length[counts.row])
        self._weights = counts.tocsr().T.tocsr()

    def likenesses(self, texts: Sequence[str]) -> Iterator[Scores]:
        yield from _rows(self._counter.transform(self._cut(texts)), self._weights)


class Characters(Nearest):
    """Cosine of TF-IDF over runs of one to three characters."""

    name = "TF-IDF kNN (1-3 characters)"

    def __init__(self, phrasings: Labelled, catalogue: Catalogue) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        super().__init__(phrasings, catalogue)
        self._weigher = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, dtype=np.float32)
        self._weights = self._weigher.fit_transform([plain(text) for text, _ in phrasings]).T.tocsr()

    def likenesses(self, texts: Sequence[str]) -> Iterator[Scores]:
        yield from _rows(self._weigher.transform(texts), self._weights)


class Edits(Nearest):
    """How few characters differ: rapidfuzz's ratio."""

    name = "edit ratio kNN (rapidfuzz)"

    def __init__(self, phrasings: Labelled, catalogue: Catalogue) -> None:
        super().__init__(phrasings, catalogue)
        self._texts = [plain(text) for text, _ in phrasings]

    def likenesses(self, texts: Sequence[str]) -> Iterator[Scores]:
        from rapidfuzz import fuzz, process

        for at in range(0, len(texts), AT_A_TIME):
            part = texts[at : at + AT_A_TIME]
            yield from process.cdist(part, self._texts, scorer=fuzz.ratio, dtype=np.float32)


def _words(found: Sequence[str]) -> list[str]:
    return [word for word in found if any(char.isalnum() for char in word)]


def _rows(seen: Any, weights: Any) -> Iterator[Scores]:
    for at in range(0, seen.shape[0], AT_A_TIME):
        yield from np.asarray((seen[at : at + AT_A_TIME] @ weights).toarray(), dtype=np.float32)
