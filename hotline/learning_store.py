"""The port of the learning loop: what was asked and how it went, and what an editor decided about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

QUESTIONS: Final = frozenset({"ask_knowledge", "fallback", "out_of_scope"})
"""Intents of turns that put a question."""
PICKED: Final = "choose"
"""Picking by number what was offered: the answer is to the question before."""
SAME_ANSWER: Final = frozenset({"repeat", "simpler", "more"})
"""Asking for the same answer again; whether it was the right one shows in the turn after."""
WRONG: Final = "wrong"
PERSON: Final = "human_request"
TO_RECORD: Final = "leave_question"
RATINGS: Final = frozenset({WRONG, PERSON, TO_RECORD})
"""Intents that say something about the answer before."""
UNSURE_BELOW: Final = 0.5
"""An answer given with less confidence is a case."""


class CaseState(StrEnum):
    """What has become of a case. ``new``: nobody has decided, or a decision was taken back."""

    NEW = "new"
    ADDED = "added"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTurn:
    """A text turn as stored (redacted), with the state of its case."""

    inbox_id: int
    conversation_id: str
    channel: str
    text: str
    asked_at: datetime
    outcome: str
    intent: str
    confidence: float
    matter: str | None = None
    aspect: str | None = None
    state: CaseState = CaseState.NEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What an editor decides about cases. ``entry`` ("code/aspect") names where they were added."""

    state: CaseState
    by: str
    entry: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedCase:
    """A case with the decision in force, who made it and when."""

    inbox_id: int
    decision: Decision
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCount:
    """How often an entry was the answer, and how often the next thing said found fault with it."""

    code: str
    aspect: str
    asked: int
    badly_rated: int


class LearningStore(Protocol):
    """Every method is one transaction. All raise TemporaryError when the database does not answer in time."""

    async def suspect_turns(self, *, since: datetime, limit: int) -> list[AskedTurn]:
        """Text turns since ``since``, oldest first, of the newest ``limit`` conversations in which something may
        have gone wrong. What our own tools asked is left out."""
        ...

    async def decide(self, inbox_ids: Iterable[int], decision: Decision) -> int:
        """How many cases the decision now stands for. One that was decided already keeps its decision, unless
        ``decision`` takes it back (state ``new``); unknown numbers are passed over."""
        ...

    async def decisions(self, inbox_ids: Iterable[int]) -> list[DecidedCase]:
        """The decisions in force on these cases, by number; cases nobody ever decided are not among them."""
        ...

    async def texts(self, inbox_ids: Iterable[int]) -> Mapping[int, str]:
        """What was said in these messages; unknown numbers are not among them."""
        ...

    async def entry_counts(self, *, since: datetime, until: datetime) -> list[EntryCount]:
        """Every entry answered from ``since`` to before ``until``, most asked first."""
        ...
