"""Text in, ranked matters and aspects out. One embedding per text; the rest costs about a millisecond."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

import numpy as np

from knowledge_base.checks import comparable
from knowledge_base.embed import Embedder
from knowledge_base.index import Index
from knowledge_base.linear import SEPARATOR, Array64, softmax
from knowledge_base.match import OVERVIEW, AspectGuess, Candidate, Entry, Match
from knowledge_base.model import Catalogue
from knowledge_base.normalise import Normalised, cleaned, simplified, stripped
from knowledge_base.ranking import OWN_QUESTION, Guess, reading
from knowledge_base.reader import Reader, Seen
from knowledge_base.sentences import sentences

CANDIDATES = 10
EXACT_P = 0.99
"""A name or question typed (or tapped) in full is a choice, not a guess."""
FUZZY = 95.0
FUZZY_CHARS = 40
CUE_P = 0.95
REMEMBERED = 1024


class Matcher:
    """Ranks the published matters for a text. Safe for concurrent use.

    Raises:
        ValueError: the index was built with another kind of embedder.
    """

    def __init__(self, index: Index, embedder: Embedder) -> None:
        if index.kind != embedder.kind:
            raise ValueError(f"the index holds {index.kind} vectors, the embedder makes {embedder.kind}")
        self._catalogue = index.catalogue
        self._ranker = index.ranker
        self._embedder = embedder
        self.reader = Reader(index.catalogue, index.corrector)
        self._exact = _dictionary(index.catalogue, self.reader)
        self._parts = [name.partition(SEPARATOR) for name in index.ranker.entries.classes]
        self._seen: OrderedDict[str, Match] = OrderedDict()
        self._lock = Lock()

    def match(self, text: str) -> Match:
        """The match of ``text``; the same text again costs next to nothing, and so does another of the same core."""
        with self._lock:
            if text in self._seen:
                self._seen.move_to_end(text)
                return self._seen[text]
        found = self._match(self._meant(self.reader.read(text)))
        with self._lock:
            self._seen[text] = found
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return found

    def about(self, text: str, code: str) -> Match:
        """The match of ``text`` as said of a matter just discussed: what it leaves out is taken to be that one."""
        said = self.reader.read(text).facts.meant or text
        return self.match(f"{self._catalogue.matters[code].name},{said}")

    def parts(self, text: str) -> list[Match]:
        """A message's questions one by one, where it has several; one that is of no sure matter is about the one
        before."""
        found: list[Match] = []
        for part in sentences(text):
            match = self.match(part)
            before = found[-1].candidates[0] if found and found[-1].candidates else None
            if before and before.scope == "fund" and not match.mentions and not match.exact:
                together = self.about(part, before.code)
                there = together.candidates and together.candidates[0].code == before.code
                if there and (not match.surely_new or match.completed_by(together, before.code)):
                    match = together
            found.append(match)
        return found

    def _meant(self, seen: Seen) -> Seen:
        """Of "not this but that" only that is matched; what was denied stays among the facts."""
        if not seen.facts.meant:
            return seen
        meant = self.reader.read(seen.facts.meant)
        kept = replace(meant.facts, denied=seen.facts.denied, meant=seen.facts.meant)
        return replace(meant, facts=kept, normalised=replace(meant.normalised, original=seen.normalised.original))

    def _match(self, seen: Seen) -> Match:
        exact = self._find_exact(seen.normalised)
        if exact is None and not comparable(stripped(seen.normalised.text)):
            return self._nothing_said(seen)
        logs, guess = self._ranked(seen)
        p = _settled(guess, self._parts, exact) if exact else guess.p
        entries = [
            Entry(code=self._parts[column][0], aspect=self._parts[column][2], p=round(float(share), 4))
            for column, share in zip(guess.columns, p, strict=True)
        ]
        if exact:
            entries = [Entry(code=exact[0], aspect=exact[1], p=EXACT_P), *(e for e in entries if _differs(e, exact))]
        ours = sum(each.p for each in entries if self._is_ours(each.code))
        generic, generic_p = self._generic_aspect(logs, seen.cues)
        return Match(
            normalised=seen.normalised,
            candidates=self._matters(entries),
            aspect=generic,
            aspect_p=round(generic_p, 4),
            aspect_cue=any(seen.cues),
            aspects=_best_aspects(entries),
            mentions=tuple(code for code in seen.named if self._is_ours(code)),
            exact=exact[0] if exact else None,
            asks_outside=round(max(0.0, 1.0 - ours), 4),
            entries=tuple(each for each in entries if each.code)[:CANDIDATES],
            facts=seen.facts,
        )

    def _ranked(self, seen: Seen) -> tuple[Array64, Guess]:
        """The generic aspects' log-odds, and the entries ranked."""
        normalised = seen.normalised
        weighed = self._ranker.lexical.weigh(normalised.core)
        x = self._ranker.coordinates(self._embedder.embed(normalised.core), weighed)
        tokens = tuple(seen.facts.tokens())
        read = reading(x, weighed, text=normalised.text, named=seen.named, tokens=tokens, cues=seen.cues)
        return self._ranker.aspects.logits(x), self._ranker.rank(read)

    def _is_ours(self, code: str) -> bool:
        return code in self._catalogue.matters and self._catalogue.matters[code].scope == "fund"

    def _nothing_said(self, seen: Seen) -> Match:
        """Only greetings or the fund's own name: what most people come for, none likelier than another.

        A text without a letter (empty, signs, emoji) has no candidates at all.
        """
        matters = self._catalogue.matters.values()
        ours = sorted((matter for matter in matters if matter.scope == "fund"), key=lambda each: -each.popularity)
        shown = ours[:CANDIDATES] if comparable(seen.normalised.text) else []
        p = round(1 / max(1, len(ours)), 4)
        return Match(
            normalised=seen.normalised,
            candidates=tuple(
                Candidate(code=matter.code, name=matter.name, topic=matter.topic, scope=matter.scope, p=p)
                for matter in shown
            ),
            aspect=None,
            aspect_p=0.0,
            aspect_cue=False,
            aspects=(),
            mentions=(),
            exact=None,
            asks_outside=0.0,
            facts=seen.facts,
        )

    def _matters(self, entries: Sequence[Entry]) -> tuple[Candidate, ...]:
        """Matters with the shares of their entries: that of the best entry, then the others by their share."""
        shares: dict[str, float] = {}
        for entry in entries:
            shares[entry.code] = shares.get(entry.code, 0.0) + entry.p
        first = entries[0].code if entries else ""
        known = (code for code in shares if code in self._catalogue.matters)
        ranked = sorted(known, key=lambda code: (code != first, -shares[code]))
        matters = [self._catalogue.matters[code] for code in ranked]
        return tuple(
            Candidate(code=each.code, name=each.name, topic=each.topic, scope=each.scope, p=round(shares[each.code], 4))
            for each in matters
        )

    def _generic_aspect(self, logits: Array64, cues: tuple[str | None, str | None]) -> tuple[str | None, float]:
        if cued := cues[0] or cues[1]:
            return cued, CUE_P
        p = softmax(logits)
        at = int(np.argmax(p))
        name = self._ranker.aspects.classes[at]
        return (None if name in (OWN_QUESTION, "") else name), float(p[at])

    def _find_exact(self, seen: Normalised) -> tuple[str, str] | None:
        """The (code, aspect) whose name, alias, title or code the text is, spelling slips allowed."""
        from rapidfuzz import fuzz, process

        typed = [comparable(seen.text), comparable(seen.core)]
        for key in typed:
            if key in self._exact:
                return self._exact[key]
        if not 4 <= len(typed[0]) <= FUZZY_CHARS:
            return None
        best = process.extractOne(typed[0], self._exact.keys(), scorer=fuzz.ratio, score_cutoff=FUZZY)
        return self._exact[best[0]] if best else None


def _differs(entry: Entry, exact: tuple[str, str]) -> bool:
    return (entry.code, entry.aspect) != exact


def _best_aspects(entries: Sequence[Entry]) -> tuple[AspectGuess, ...]:
    """The best entry of each matter; its share is that within the matter."""
    best: dict[str, Entry] = {}
    total: dict[str, float] = {}
    for entry in entries:
        best.setdefault(entry.code, entry)
        total[entry.code] = total.get(entry.code, 0.0) + entry.p
    return tuple(
        AspectGuess(code=code, aspect=entry.aspect, p=round(entry.p / (total[code] or 1.0), 4))
        for code, entry in best.items()
        if code
    )


def _settled(guess: Guess, parts: Sequence[tuple[str, str, str]], exact: tuple[str, str]) -> Array64:
    """The shares of all others made to sum to what an exact match leaves them."""
    others = np.array([(parts[column][0], parts[column][2]) != exact for column in guess.columns])
    left = float(guess.p[others].sum())
    return guess.p * ((1.0 - EXACT_P) / left if left > 0 else 0.0)


def _dictionary(catalogue: Catalogue, reader: Reader) -> dict[str, tuple[str, str]]:
    """Every way to say a matter or one of its aspects in full; titles first, then names, then codes."""
    known: dict[str, tuple[str, str]] = {}

    def add(text: str, code: str, aspect: str) -> None:
        seen = reader.normalise(text)
        for form in (simplified(cleaned(text)), seen.text, seen.core):
            if key := comparable(form):
                known.setdefault(key, (code, aspect))

    for matter in catalogue.matters.values():
        for key, aspect in matter.aspects.items():
            add(aspect.title, matter.code, key)
    for matter in catalogue.matters.values():
        start = OVERVIEW if OVERVIEW in matter.aspects else next(iter(matter.aspects))
        for name in (matter.name, *matter.aliases, matter.code):
            add(name, matter.code, start)
        for key in matter.aspects:
            add(f"{matter.code}/{key}", matter.code, key)
    return known
