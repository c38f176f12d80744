"""Text in, ranked matters and aspects out. One embedding per text; the rest costs about a millisecond."""

from __future__ import annotations

import re
from collections import OrderedDict
from functools import cache
from threading import Lock

import numpy as np

from knowledge_base import wording
from knowledge_base.checks import comparable
from knowledge_base.embed import Embedder
from knowledge_base.index import Index
from knowledge_base.linear import SEPARATOR, Array, Array64, Evidence, combined, group_starts, softmax, summed
from knowledge_base.match import OVERVIEW, AspectGuess, Candidate, Match
from knowledge_base.mentions import Mentions, evidence, names_of
from knowledge_base.normalise import Normalised, cleaned, normalise, simplified, stripped

CANDIDATES = 10
EXACT_P = 0.99
"""A name or question typed (or tapped) in full is a choice, not a guess."""
FUZZY = 95.0
FUZZY_CHARS = 40
CUE_P = 0.95
REMEMBERED = 1024
_OWN_QUESTION = "q"


class Matcher:
    """Ranks the published matters for a text. Safe for concurrent use.

    Raises:
        ValueError: the index was built with another kind of embedder.
    """

    def __init__(self, index: Index, embedder: Embedder) -> None:
        if index.kind != embedder.kind:
            raise ValueError(f"the index holds {index.kind} vectors, the embedder makes {embedder.kind}")
        self._index = index
        self._embedder = embedder
        self._mentions = Mentions(names_of(index.catalogue))
        self._exact = _dictionary(index)
        matters = index.catalogue.matters
        self._inside = np.array(
            [float(name in matters and matters[name].scope == "fund") for name in index.matters.classes]
        )
        self._starts = group_starts(index.entries.classes)
        self._columns = _columns_by_matter(index)
        self._seen: OrderedDict[str, Match] = OrderedDict()
        self._lock = Lock()

    def match(self, text: str) -> Match:
        """The match of ``text``; the same text again costs next to nothing."""
        with self._lock:
            if text in self._seen:
                self._seen.move_to_end(text)
                return self._seen[text]
        found = self._match(normalise(text, corrector=self._index.corrector))
        with self._lock:
            self._seen[text] = found
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return found

    def _match(self, seen: Normalised) -> Match:
        index = self._index
        exact = self._find_exact(seen)
        if exact is None and not comparable(stripped(seen.text)):
            return self._nothing_said(seen)
        x = index.scaling.apply(self._embedder.embed(seen.core))
        mentions = self._mentions.find(seen.text)
        entries, generic = index.entries.logits(x), index.aspects.logits(x)
        p = self._probabilities(x, entries, evidence([seen.text], [mentions], classes=index.matters.classes))
        if exact:
            p = _settled(p, index.matters.classes.index(exact[0]))
        candidates = self._candidates(p)
        decided, hinted = _cue("decide", seen.text), _cue("hint", seen.text)
        aspect, aspect_p = self._generic_aspect(generic, decided or hinted)
        aspects = [self._aspect_of(each.code, entries, generic, decided) for each in candidates]
        if exact:
            aspects = [_certain(guess, exact) for guess in aspects]
        return Match(
            normalised=seen,
            candidates=candidates,
            aspect=aspect,
            aspect_p=round(aspect_p, 4),
            aspect_cue=bool(decided or hinted),
            aspects=tuple(aspects),
            mentions=tuple(mentions),
            exact=exact[0] if exact else None,
            asks_outside=round(float(1.0 - p @ self._inside), 4),
        )

    def _nothing_said(self, seen: Normalised) -> Match:
        """Only greetings or the fund's own name: what most people come for, none likelier than another.

        A text without a letter (empty, signs, emoji) has no candidates at all.
        """
        matters = self._index.catalogue.matters.values()
        ours = sorted((matter for matter in matters if matter.scope == "fund"), key=lambda each: -each.popularity)
        shown = ours[:CANDIDATES] if comparable(seen.text) else []
        p = round(1 / max(1, len(ours)), 4)
        return Match(
            normalised=seen,
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
        )

    def _probabilities(self, x: Array, entries: Array64, known: Evidence) -> Array64:
        index = self._index
        logits = combined(
            index.matters.logits(x)[None],
            summed(entries, self._starts)[None],
            known,
            calibration=index.calibration,
            inside=self._inside,
        )
        return softmax(logits[0])

    def _candidates(self, p: Array64) -> tuple[Candidate, ...]:
        index = self._index
        ranked = [at for at in np.argsort(-p) if index.matters.classes[at] in index.catalogue.matters][:CANDIDATES]
        matters = [(index.catalogue.matters[index.matters.classes[at]], float(p[at])) for at in ranked]
        return tuple(
            Candidate(code=matter.code, name=matter.name, topic=matter.topic, scope=matter.scope, p=round(share, 4))
            for matter, share in matters
        )

    def _generic_aspect(self, generic: Array64, cued: str | None) -> tuple[str | None, float]:
        if cued:
            return cued, CUE_P
        p = softmax(generic)
        at = int(np.argmax(p))
        name = self._index.aspects.classes[at]
        return (None if name == _OWN_QUESTION else name), float(p[at])

    def _aspect_of(self, code: str, entries: Array64, generic: Array64, decided: str | None) -> AspectGuess:
        """The matter's aspect of highest entry and generic log-odds together; a cue decides where it can."""
        aspects = self._index.catalogue.matters[code].aspects
        if decided in aspects:
            return AspectGuess(code=code, aspect=str(decided), p=CUE_P)
        names, own, common = self._columns[code]
        p = softmax((entries[own] + generic[common]) / self._index.calibration.aspect_temperature)
        at = int(np.argmax(p))
        return AspectGuess(code=code, aspect=names[at], p=round(float(p[at]), 4))

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


def _certain(guess: AspectGuess, exact: tuple[str, str]) -> AspectGuess:
    return AspectGuess(code=guess.code, aspect=exact[1], p=EXACT_P) if guess.code == exact[0] else guess


def _dictionary(index: Index) -> dict[str, tuple[str, str]]:
    """Every way to say a matter or one of its aspects in full; titles first, then names, then codes."""
    known: dict[str, tuple[str, str]] = {}

    def add(text: str, code: str, aspect: str) -> None:
        seen = normalise(text, corrector=index.corrector)
        for form in (simplified(cleaned(text)), seen.text, seen.core):
            if key := comparable(form):
                known.setdefault(key, (code, aspect))

    matters = index.catalogue.matters.values()
    for matter in matters:
        for key, aspect in matter.aspects.items():
            add(aspect.title, matter.code, key)
    for matter in matters:
        start = OVERVIEW if OVERVIEW in matter.aspects else next(iter(matter.aspects))
        for name in (matter.name, *matter.aliases, matter.code):
            add(name, matter.code, start)
        for key in matter.aspects:
            add(f"{matter.code}/{key}", matter.code, key)
    return known


def _columns_by_matter(index: Index) -> dict[str, tuple[list[str], list[int], list[int]]]:
    """Per matter its aspects, their columns in the entry classifier and in the generic one."""
    generic = {name: at for at, name in enumerate(index.aspects.classes)}
    found: dict[str, tuple[list[str], list[int], list[int]]] = {}
    for at, name in enumerate(index.entries.classes):
        code, _, aspect = name.partition(SEPARATOR)
        names, own, common = found.setdefault(code, ([], [], []))
        names.append(aspect)
        own.append(at)
        common.append(generic.get(_OWN_QUESTION if aspect.startswith("q_") else aspect, 0))
    return found


def _settled(p: Array64, at: int) -> Array64:
    """The same shares with ``at`` raised to EXACT_P."""
    others = 1.0 - p[at]
    p = p * ((1.0 - EXACT_P) / others if others > 0 else 0.0)
    p[at] = EXACT_P
    return p


@cache
def _cues(strength: str) -> dict[str, re.Pattern[str]]:
    return {aspect: re.compile(pattern) for aspect, pattern in wording.read("cues")[strength].items()}


def _cue(strength: str, text: str) -> str | None:
    """The one aspect whose cue words of that strength stand in the text; None where there are none or several."""
    fired = [aspect for aspect, pattern in _cues(strength).items() if pattern.search(text)]
    return fired[0] if len(fired) == 1 else None
