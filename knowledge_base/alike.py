"""Texts that are nearly the same, found among tens of thousands without comparing each with each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from rapidfuzz import fuzz, process

from knowledge_base.checks import comparable

SAME = 95
"""Per cent of equal characters (rapidfuzz ratio) from which two texts say the same."""

_STRETCH = (200 - SAME) / SAME
"""Texts longer than the other by more than this factor cannot reach SAME."""

_ROWS = 512
"""Texts compared at a time, so that the table of scores stays small."""


def pairs(texts: list[str]) -> Iterator[tuple[int, int, int]]:
    """Places of two texts that are alike by at least SAME per cent, earlier place first, with the per cent.

    Punctuation, width and case do not count. Only texts of similar length are compared.
    """
    keys = [comparable(text) for text in texts]
    by_length: dict[int, list[int]] = defaultdict(list)
    for at, key in enumerate(keys):
        if key:
            by_length[len(key)].append(at)
    for length in sorted(by_length):
        for other in range(length, int(length * _STRETCH) + 1):
            if other in by_length:
                yield from _between(keys, by_length[length], by_length[other])


def _between(keys: list[str], some: list[int], others: list[int]) -> Iterator[tuple[int, int, int]]:
    columns = [keys[at] for at in others]
    for start in range(0, len(some), _ROWS):
        rows = some[start : start + _ROWS]
        scores = process.cdist([keys[at] for at in rows], columns, scorer=fuzz.ratio, score_cutoff=SAME, dtype=np.uint8)
        for row, column in zip(*np.nonzero(scores), strict=True):
            one, other = rows[row], others[column]
            if one < other or (some is not others and one != other):
                yield min(one, other), max(one, other), int(scores[row, column])
