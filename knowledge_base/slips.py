"""Slips that no list of words holds: characters typed by sound, and characters left out, put right from usage.

What stands beside what in the catalogue's own texts tells how likely a text is, character by character. Where two
neighbours never stood beside each other there, the text is compared with those that sound the same (one character
changed, or a pair, as an input method offers it) or have one character more. One that is likelier by more than what
such a slip costs was meant. Texts that are likely as they stand are left alone.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import log
from typing import Any

BEGIN, END = "\x02", "\x03"
"""Around a text, as if they were characters; no normalised text contains them."""
CHANGED, PAIR_CHANGED, ADDED = 6.0, 8.0, 4.0
"""How much likelier (natural logarithm) a text must become by such a change. With less, clean phrasings that were not
counted are changed more often (1 in 10 with 4, 1 in 20 with 6) and no more slips come right; with 3 for a character
left out, clean questions lose."""
MOST_CHANGES = 3
LONGEST_TEXT = 120
"""A longer text is left alone: its sentences make up for their slips, and its time would be felt."""
USUAL = 5
"""So often a character stands in the catalogue that it may be meant."""
RECURRING = 3
"""The same for a pair, and for a character between two others."""
KEPT_TRIPLES = 2

SHARES = (0.60, 0.35, 0.05)
"""What three characters in a row, two, and one alone contribute to how likely a character is."""

_HAN = re.compile(r"[\u4e00-\u9fff]")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Usage:
    """How often one, two and three characters in a row stand in texts, their marked ends included."""

    singles: Mapping[str, int]
    pairs: Mapping[str, int]
    triples: Mapping[str, int]
    total: int

    def likelihood(self, text: str, begin: int, end: int) -> float:
        """Log-probability of the characters ``[begin, end)`` of a marked text, each after the two before it."""
        return sum(self._log(text, at) for at in range(max(1, begin), min(end, len(text))))

    def _log(self, text: str, at: int) -> float:
        char, pair, before = text[at], text[at - 1 : at + 1], text[max(0, at - 2) : at]
        three = self.triples.get(before + char, 0) / (self.pairs.get(before, 0) + 2.0) if len(before) == 2 else 0.0
        two = self.pairs.get(pair, 0) / (self.singles.get(text[at - 1], 0) + 5.0)
        one = (self.singles.get(char, 0) + 0.1) / self.total
        return log(SHARES[0] * three + SHARES[1] * two + SHARES[2] * one)


@dataclass(frozen=True, slots=True)
class Change:
    """``[begin, end)`` of a text becomes ``instead``, which makes it likelier by ``gain`` more than the slip costs."""

    gain: float
    begin: int
    end: int
    instead: str


class Slips:
    """Puts slips right by one catalogue's usage; what it looks up is put in order on first use. Safe for concurrent
    use."""

    def __init__(self, usage: Usage, *, sounds: Callable[[str], Iterable[str]], names: Iterable[str]) -> None:
        """``sounds``: the readings of a character; ``names``: what stands in no dictionary of slips (places)."""
        self._usage = usage
        self._sounds = sounds
        self._names = frozenset(names)
        self._sizes = sorted({len(name) for name in self._names}, reverse=True)

    @cached_property
    def _alike(self) -> Mapping[str, Sequence[str]]:
        """Sound → the usual characters that have it."""
        found: dict[str, list[str]] = defaultdict(list)
        for char, count in self._usage.singles.items():
            if count >= USUAL and _HAN.match(char):
                for sound in self._sounds(char):
                    found[sound].append(char)
        return found

    @cached_property
    def _pairs(self) -> Mapping[str, Sequence[str]]:
        """Two sounds → the recurring pairs that have them."""
        found: dict[str, list[str]] = defaultdict(list)
        for pair, count in self._usage.pairs.items():
            if count >= RECURRING and _HAN.match(pair[0]) and _HAN.match(pair[1]):
                for heard in product(self._sounds(pair[0]), self._sounds(pair[1])):
                    found[" ".join(heard)].append(pair)
        return found

    @cached_property
    def _between(self) -> Mapping[str, Sequence[str]]:
        """Two characters → those that recur between them."""
        found: dict[str, list[str]] = defaultdict(list)
        for triple, count in self._usage.triples.items():
            if count >= RECURRING and _HAN.match(triple[1]):
                found[triple[0] + triple[2]].append(triple[1])
        return found

    def put_right(self, text: str) -> str:
        """``text`` with at most `MOST_CHANGES` slips put right, the clearest first."""
        if len(text) > LONGEST_TEXT:
            return text
        for _ in range(MOST_CHANGES):
            best = max(self._changes(text), key=lambda change: change.gain, default=None)
            if best is None or best.gain <= 0:
                break
            text = text[: best.begin] + best.instead + text[best.end :]
        return text

    def _changes(self, text: str) -> Iterator[Change]:
        marked = _marked(text)
        named = self._named(text)
        known = [marked[at : at + 2] in self._usage.pairs for at in range(len(marked) - 1)]
        for at in range(1, len(marked)):
            here = at <= len(text) and at - 1 not in named and bool(_HAN.match(marked[at]))
            if here and not (known[at - 1] and known[at]):
                yield from self._compared(marked, at, at + 1, self._heard_alike(marked[at]), cost=CHANGED)
            if here and not known[at] and at < len(text) and at not in named and _HAN.match(marked[at + 1]):
                yield from self._compared(marked, at, at + 2, self._pairs_alike(marked[at : at + 2]), cost=PAIR_CHANGED)
            if not (known[at - 1] and self._recurs(marked, at)) and not {at - 2, at - 1} <= named:
                yield from self._compared(marked, at, at, self._between.get(marked[at - 1 : at + 1], ()), cost=ADDED)

    def _compared(self, marked: str, begin: int, end: int, others: Sequence[str], *, cost: float) -> Iterator[Change]:
        """The changes that leave nothing unusual there, each with what it gains."""
        as_it_is = self._usage.likelihood(marked, begin, end + 2) if others else 0.0
        for instead in others:
            changed = marked[:begin] + instead + marked[end:]
            after = begin + len(instead)
            if all(changed[at : at + 2] in self._usage.pairs for at in range(begin - 1, after)):
                likelier = self._usage.likelihood(changed, begin, after + 2) - as_it_is
                yield Change(likelier - cost, begin - 1, end - 1, instead)

    def _recurs(self, marked: str, at: int) -> bool:
        """Whether the characters on both sides of ``at`` stand in the catalogue with those next to them."""
        left, right = marked[max(0, at - 2) : at + 1], marked[at - 1 : at + 2]
        return left in self._usage.triples and right in self._usage.triples

    def _heard_alike(self, char: str) -> list[str]:
        return [other for sound in self._sounds(char) for other in self._alike.get(sound, ()) if other != char]

    def _pairs_alike(self, pair: str) -> list[str]:
        heard = map(" ".join, product(self._sounds(pair[0]), self._sounds(pair[1])))
        others = [other for sound in heard for other in self._pairs.get(sound, ())]
        return [other for other in others if other[0] != pair[0] and other[1] != pair[1]]

    def _named(self, text: str) -> frozenset[int]:
        """Where the characters of names stand."""
        return frozenset(
            at
            for size in self._sizes
            for begin in range(len(text) - size + 1)
            if text[begin : begin + size] in self._names
            for at in range(begin, begin + size)
        )


def counted(texts: Iterable[str]) -> dict[str, Any]:
    """The usage of cleaned texts, JSON-able: pairs and triples one after the other, and how often each stands there."""
    pairs: Counter[str] = Counter()
    triples: Counter[str] = Counter()
    for text in map(_marked, texts):
        pairs.update(text[at : at + 2] for at in range(len(text) - 1))
        triples.update(text[at : at + 3] for at in range(len(text) - 2))
    kept = {triple: count for triple, count in triples.items() if count >= KEPT_TRIPLES}
    return {
        "pairs": "".join(pairs),
        "pair_counts": list(pairs.values()),
        "triples": "".join(kept),
        "triple_counts": list(kept.values()),
    }


def usage(written: Mapping[str, Any]) -> Usage:
    """What `counted` wrote."""
    pairs = dict(zip(_runs(written["pairs"], 2), written["pair_counts"], strict=True))
    triples = dict(zip(_runs(written["triples"], 3), written["triple_counts"], strict=True))
    singles: Counter[str] = Counter()
    for pair, count in pairs.items():
        singles[pair[0]] += count
    return Usage(dict(singles), pairs, triples, max(1, singles.total()))


def _runs(joined: str, size: int) -> list[str]:
    return [joined[at : at + size] for at in range(0, len(joined), size)]


def _marked(text: str) -> str:
    """With its ends, and any digit as good as any other."""
    return BEGIN + _DIGIT.sub("0", text) + END
