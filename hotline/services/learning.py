"""Which turns an editor should see: cases, and what is asked most. Pure over what the store returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hotline.domain.messages import Outcome
from hotline.learning_store import (
    PERSON,
    PICKED,
    QUESTIONS,
    SAME_ANSWER,
    TO_RECORD,
    UNSURE_BELOW,
    WRONG,
    AskedTurn,
    CaseState,
    EntryCount,
    LearningStore,
)
from knowledge_base.checks import comparable

MAX_CASES: Final = 5_000
"""At most the newest this many are read: what is older was either decided or is asked again."""


class Reason(StrEnum):
    """Why a turn is a case, the weightiest first."""

    TO_RECORD = "to_record"
    """The citizen asked to have the question recorded."""
    BADLY_RATED = "badly_rated"
    """Told that it is not what was asked, or a person was wanted right after the answer."""
    UNANSWERED = "unanswered"
    """The bot asked back."""
    UNSURE = "unsure"
    """Answered with little confidence; nobody complained."""


WEIGHTS: Final = {Reason.TO_RECORD: 3.0, Reason.BADLY_RATED: 2.0, Reason.UNANSWERED: 1.0, Reason.UNSURE: 0.5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question the bot could not answer, or answered badly. ``matter`` and ``aspect``: what it answered, or
    what was then picked from its offer."""

    inbox_id: int
    text: str
    asked_at: datetime
    channel: str
    outcome: str
    matter: str | None
    aspect: str | None
    reason: Reason
    state: CaseState = CaseState.NEW


@dataclass(frozen=True, slots=True, kw_only=True)
class HotEntry:
    """An entry's demand in a period. ``before``: how often in the equally long period before."""

    code: str
    aspect: str
    asked: int
    badly_rated: int
    before: int

    @property
    def bad_share(self) -> float:
        return self.badly_rated / self.asked

    @property
    def trend(self) -> float | None:
        """0.5 is half as many more as before; None where it was not asked before."""
        return self.asked / self.before - 1 if self.before else None


@dataclass(slots=True)
class _Pending:
    """The latest question of a conversation, open to what is said about its answer."""

    turn: AskedTurn
    answered: bool
    matter: str | None
    aspect: str | None
    reason: Reason | None
    just_answered: bool

    @classmethod
    def of(cls, turn: AskedTurn) -> _Pending:
        answered = turn.outcome == Outcome.ANSWERED
        reason = None
        if turn.outcome == Outcome.CLARIFIED:
            reason = Reason.UNANSWERED
        elif answered and turn.confidence < UNSURE_BELOW:
            reason = Reason.UNSURE
        return cls(turn, answered, turn.matter, turn.aspect, reason, answered)

    def follow(self, turn: AskedTurn) -> None:
        """What ``turn`` says about the answer to this question is taken in."""
        if turn.intent == PICKED and turn.outcome == Outcome.ANSWERED and turn.matter:
            self.matter, self.aspect, self.just_answered = turn.matter, turn.aspect, True
            return
        if turn.intent in SAME_ANSWER:
            return
        if turn.intent == TO_RECORD:
            self._raise(Reason.TO_RECORD)
        elif turn.intent == WRONG or (turn.intent == PERSON and self.just_answered):
            self._raise(Reason.BADLY_RATED)
        self.just_answered = False

    def _raise(self, reason: Reason) -> None:
        if self.reason is None or WEIGHTS[reason] > WEIGHTS[self.reason]:
            self.reason = reason

    def case(self) -> Case | None:
        if self.reason is None:
            return None
        return Case(
            inbox_id=self.turn.inbox_id,
            text=self.turn.text,
            asked_at=self.turn.asked_at,
            channel=self.turn.channel,
            outcome=self.turn.outcome,
            matter=self.matter,
            aspect=self.aspect,
            reason=self.reason,
            state=self.turn.state,
        )


def cases(turns: Iterable[AskedTurn]) -> list[Case]:
    """The cases among ``turns``, by number, decided ones included.

    What is said about an answer counts for the question before it, with asking for the same answer again in
    between passed over. A question without a letter in it is nothing an entry could be made of.
    """
    pending: dict[str, _Pending] = {}
    questions: list[_Pending] = []
    for turn in sorted(turns, key=lambda each: each.inbox_id):
        if turn.intent in QUESTIONS:
            pending[turn.conversation_id] = _Pending.of(turn)
            questions.append(pending[turn.conversation_id])
        elif turn.conversation_id in pending:
            pending[turn.conversation_id].follow(turn)
    return [case for each in questions if comparable(each.turn.text) and (case := each.case())]


def undecided(found: Sequence[Case]) -> list[Case]:
    """The newest `MAX_CASES` nobody has decided; what was dismissed once is not shown again in the same words."""
    dismissed = {comparable(case.text) for case in found if case.state == CaseState.DISMISSED}
    waiting = [case for case in found if case.state == CaseState.NEW and comparable(case.text) not in dismissed]
    return waiting[-MAX_CASES:]


def worded_like(found: Iterable[Case], text: str) -> list[Case]:
    """The undecided cases that differ from ``text`` in punctuation, width and case at most."""
    wanted = comparable(text)
    return [case for case in found if case.state == CaseState.NEW and comparable(case.text) == wanted]


async def read_cases(store: LearningStore, *, now: datetime, days: int) -> list[Case]:
    """All cases of the last ``days`` days, decided ones included."""
    return cases(await store.suspect_turns(since=now - timedelta(days=days), limit=MAX_CASES))


async def hot_entries(store: LearningStore, *, now: datetime, days: int) -> list[HotEntry]:
    """The entries asked in the last ``days`` days, most asked first, with the same number of days before."""
    since = now - timedelta(days=days)
    current = await store.entry_counts(since=since, until=now)
    earlier = await store.entry_counts(since=since - timedelta(days=days), until=since)
    before = {(count.code, count.aspect): count.asked for count in earlier}
    return [_hot(count, before.get((count.code, count.aspect), 0)) for count in current]


def _hot(count: EntryCount, before: int) -> HotEntry:
    return HotEntry(
        code=count.code, aspect=count.aspect, asked=count.asked, badly_rated=count.badly_rated, before=before
    )
