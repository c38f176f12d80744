"""What is measured: anything that ranks entries or matters for a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from knowledge_base import wording
from knowledge_base.match import OVERVIEW
from knowledge_base.matcher import Matcher
from knowledge_base.model import Catalogue
from tests.measure.questions import code_of

NO_ENTRY = ""
"""The label of phrasings that no entry is about."""
REJECTED_AT = 0.5
"""From this probability on our own system takes a text for somebody else's business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """What a system takes a text for. ``entries`` (``code/aspect``) and ``matters`` best first; ``p``: how sure it
    says it is of the first entry, None where it does not say; ``rejected``: it takes it for not the fund's business."""

    entries: tuple[str, ...]
    matters: tuple[str, ...]
    rejected: bool
    p: float | None = None


class System(Protocol):
    """Ranks for texts it has not seen. ``ranks_entries`` is False where it only knows matters."""

    name: str
    ranks_entries: bool

    def rank(self, texts: Sequence[str]) -> list[Ranking]:
        """One ranking per text, in order."""


class Ours:
    """The published matcher."""

    name = "ours"
    ranks_entries = True

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def rank(self, texts: Sequence[str]) -> list[Ranking]:
        return [self._ranking(text) for text in texts]

    def _ranking(self, text: str) -> Ranking:
        match = self._matcher.match(text)
        first = match.candidates[0] if match.candidates else None
        return Ranking(
            entries=tuple(f"{entry.code}/{entry.aspect}" for entry in match.entries),
            matters=tuple(candidate.code for candidate in match.candidates),
            rejected=match.asks_outside >= REJECTED_AT or (first is not None and first.scope == "outside"),
            p=match.entries[0].p if match.entries else None,
        )


def ranking(entries: Iterable[str], catalogue: Catalogue) -> Ranking:
    """Of a system that ranks entries alone: it rejects what it takes for an outside matter or for no entry at all."""
    ranked = list(dict.fromkeys(entries))
    kept = tuple(entry for entry in ranked if entry != NO_ENTRY)
    matters = tuple(dict.fromkeys(map(code_of, kept)))
    return Ranking(entries=kept, matters=matters, rejected=bool(ranked) and not is_ours(ranked[0], catalogue))


def is_ours(entry: str, catalogue: Catalogue) -> bool:
    """Whether the entry, or the matter, is the fund's business."""
    matter = catalogue.matters.get(code_of(entry))
    return matter is not None and matter.scope == "fund"


def labelled(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Every phrasing, title and name with its entry: what our own index is built from, for all to learn from."""
    found: list[tuple[str, str]] = []
    for code, matter in sorted(catalogue.matters.items()):
        start = OVERVIEW if OVERVIEW in matter.aspects else next(iter(matter.aspects), OVERVIEW)
        found += [(name, f"{code}/{start}") for name in (matter.name, *matter.aliases)]
        for key, aspect in matter.aspects.items():
            found += [(text, f"{code}/{key}") for text in (aspect.title, *aspect.questions)]
    found += [(text, NO_ENTRY) for text in wording.read("elsewhere")["texts"]]
    return found
