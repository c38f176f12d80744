"""What the matcher found in a text: plain data that travels as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from knowledge_base.facts import Facts
from knowledge_base.normalise import Normalised

OVERVIEW = "overview"

FOLLOW_UP_CHARS = 20
"""A longer message that names no matter is a new question, not one about the matter just discussed."""

SURELY_NEW_AT = 0.90
"""From this probability on a message without a name is about another matter than the one just discussed."""
NEW_WITHOUT_CUE_AT = 0.70
"""The same where no word asks for an aspect, which any matter may have."""
HALF_SENTENCE_CHARS = 6
"""A message this short that names no matter says nothing of its own: the probabilities of such are a lottery."""
HALF_SURE_AT = 0.80
"""From this probability on an entry of the matter just discussed is what half a sentence asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A matter the text may be about. ``p`` over all matters and "none of them" sums to one."""

    code: str
    name: str
    topic: str
    scope: str
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AspectGuess:
    """The aspect asked about, if the text is about ``code``."""

    code: str
    aspect: str
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry the text may ask for. ``p`` over the candidates and "none of them" sums to one."""

    code: str
    aspect: str
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Candidates best first: matters, and ``entries``, of which a matter may have several.

    ``aspect`` is the generic aspect asked about whatever the matter, None where the text puts a question of its own;
    ``aspect_cue`` says that a cue word decided it. ``aspects`` holds the best aspect of each candidate.
    ``mentions`` are codes of the fund's matters named in the text, ``exact`` the code whose name, alias or title it is.
    ``asks_outside`` is the probability that the text is not the fund's business.
    """

    normalised: Normalised
    candidates: tuple[Candidate, ...]
    aspect: str | None
    aspect_p: float
    aspect_cue: bool
    aspects: tuple[AspectGuess, ...]
    mentions: tuple[str, ...]
    exact: str | None
    asks_outside: float
    entries: tuple[Entry, ...] = ()
    facts: Facts = field(default_factory=Facts)

    @property
    def may_follow_up(self) -> bool:
        """Whether the text is short and names no matter: it may be about the one just discussed."""
        return len(self.normalised.text) <= FOLLOW_UP_CHARS and not self.mentions and self.exact is None

    @property
    def best_p(self) -> float:
        """How probable the best matter is."""
        return self.candidates[0].p if self.candidates else 0.0

    @property
    def is_half(self) -> bool:
        """Whether it is but half a sentence."""
        return len(self.normalised.core) <= HALF_SENTENCE_CHARS

    @property
    def surely_new(self) -> bool:
        """Whether the text tells by itself which matter it is about, names aside."""
        return self.best_p >= (SURELY_NEW_AT if self.aspect_cue else NEW_WITHOUT_CUE_AT)

    def completed_by(self, about: Match, code: str) -> bool:
        """Whether the text is half a sentence that ``about``, the same text as said of ``code``, makes whole."""
        there = bool(about.candidates) and about.candidates[0].code == code
        return self.is_half and there and bool(about.entries) and about.entries[0].p >= HALF_SURE_AT

    def aspect_for(self, code: str) -> str:
        """The best aspect of a candidate; of any other matter the generic one, for want of better the overview."""
        for guess in self.aspects:
            if guess.code == code:
                return guess.aspect
        return self.aspect or OVERVIEW

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; without the original text, which may hold what must not travel."""
        data = asdict(self)
        del data["normalised"]["original"]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Match:
        """What ``to_dict`` wrote; ``original`` is then the cleaned text."""
        seen = data["normalised"]
        return cls(
            **{
                **data,
                "normalised": Normalised(seen["text"], seen["text"], seen["core"], tuple(seen["places"])),
                "candidates": tuple(Candidate(**candidate) for candidate in data["candidates"]),
                "aspects": tuple(AspectGuess(**guess) for guess in data["aspects"]),
                "mentions": tuple(data["mentions"]),
                "entries": tuple(Entry(**entry) for entry in data["entries"]),
                "facts": Facts.from_dict(data["facts"]),
            }
        )
