"""A raw text read once: cleaned, its names, facts and cue words found. The same for phrasings and for questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from knowledge_base.cues import cues
from knowledge_base.facts import FactFinder, Facts
from knowledge_base.mentions import Mentions, names_of
from knowledge_base.model import Catalogue
from knowledge_base.normalise import Normalised, normalise
from knowledge_base.pinyin import Corrector


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """``named``: codes in the order they are named, with the length of the longest name; ``cues``: the aspect that
    cue words decide and the one they hint at."""

    normalised: Normalised
    facts: Facts
    named: Mapping[str, int]
    cues: tuple[str | None, str | None]


class Reader:
    """Reads texts with one catalogue's words. Safe for concurrent use."""

    def __init__(self, catalogue: Catalogue, corrector: Corrector) -> None:
        self._corrector = corrector
        self._here = catalogue.centre.here
        self._mentions = Mentions(names_of(catalogue))
        self._facts = FactFinder(catalogue.centre)

    def normalise(self, text: str) -> Normalised:
        return normalise(text, corrector=self._corrector, here=self._here)

    def read(self, text: str) -> Seen:
        """Never fails, whatever comes in."""
        seen = self.normalise(text)
        return Seen(
            normalised=seen,
            facts=self._facts.find(seen.text, seen.places),
            named=self._mentions.find(seen.text),
            cues=cues(seen.text),
        )
