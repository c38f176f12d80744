"""The storage port of what the gateway asks a citizen by itself, outside the dialogue, and of the answers.

A conversation has at most one open question. It is written before the turn that asks or hears it is stored, so a turn
that is done again after a crash finds what it has written already: ``Question.by`` names the message that did it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol, Self

from hotline.domain.conversations import DeliveryStatus, Job
from hotline.domain.desk import Reason
from hotline.domain.messages import ChannelName, Reply
from hotline.domain.ratings import Rating, RatingCount, Score, Subject


class Asked(StrEnum):
    """What is waited for, or has just been settled."""

    NOTHING = ""
    RATING = "rating"
    """A level, by word or by number: nothing else has been said since."""
    RATING_LATER = "rating_later"
    """A level by its full word alone: a number may be meant for somebody else by now."""
    RATING_REASON = "rating_reason"
    """Why it was a poor one."""
    WORD = "leave_word"
    """The first words of a message for staff (留言)."""
    WORD_MORE = "leave_word_more"
    """There are words, and there may be more."""
    WORD_CLOSING = "leave_word_closing"
    """The words are complete and have to become a work order; whatever is said now is none of them."""
    WORD_TOLD = "leave_word_told"
    """They have become one, and its number was told. Nothing is asked."""
    WORD_DROPPED = "leave_word_dropped"
    """He thought better of it. Nothing is asked."""
    CALLBACK = "callback"
    """Whether the number shown may be called."""
    CALLBACK_TOLD = "callback_told"
    """A call was promised. Nothing is asked."""
    CALLBACK_DROPPED = "callback_dropped"
    """None is wanted. Nothing is asked."""


WAITING: Final = frozenset({Asked.RATING, Asked.RATING_LATER, Asked.RATING_REASON, Asked.WORD, Asked.CALLBACK})
"""Questions that are over when their time is."""
HELD: Final = frozenset({Asked.WORD_MORE, Asked.WORD_CLOSING})
"""There are words that have not become a work order: nothing may take the place of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The open question of a conversation. ``subject`` is the rating's id, or the request for a person it came from (0:
    none); ``first`` and ``last`` are the messages before and at the end of what was left as word (inbox ids); ``by`` is
    the message that made the question what it is, 0 where none did."""

    asked: Asked = Asked.NOTHING
    subject: int = 0
    first: int = 0
    last: int = 0
    by: int = 0
    until: datetime | None = None

    @classmethod
    def read(cls, asked: str, about: str, until: datetime | None) -> Self:
        """From the three columns; what cannot be read asks nothing."""
        try:
            subject, first, last, by = map(int, about.split("."))
            return cls(asked=Asked(asked), subject=subject, first=first, last=last, by=by, until=until)
        except ValueError:
            return cls()

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls.read(job.asked, job.asked_about, job.asked_until)

    @property
    def about(self) -> str:
        return f"{self.subject}.{self.first}.{self.last}.{self.by}" if self.asked else ""

    def is_open(self, at: datetime) -> bool:
        """Whether its time has not passed."""
        return self.until is not None and at <= self.until

    def keeps_others_out(self, at: datetime) -> bool:
        """Whether no other question may be asked now."""
        return self.asked in HELD or (self.asked in WAITING and self.is_open(at))

    def on(self, job: Job) -> Job:
        """The job of a conversation in which this is asked."""
        return replace(job, asked=self.asked.value, asked_about=self.about, asked_until=self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A line of the core, and how its outbox row begins."""

    reply: Reply
    delivery: DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What somebody left as word, message by message, and what he had wanted a person for: the reason and the matter
    (a code, or empty)."""

    texts: Sequence[str] = ()
    reason: Reason | None = None
    matter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Words that have to become a work order now. ``question`` is `Asked.WORD_CLOSING`."""

    conversation_id: str
    channel: ChannelName
    address: str
    question: Question


class Prompts(Protocol):
    """Open questions, and what is left as word. Every method is one transaction; all raise TemporaryError when the
    database does not answer in time."""

    async def ask(self, job: Job, question: Question) -> Job | None:
        """``question`` is asked in place of the one the job knows of: the job as it is now. None: the conversation has
        changed hands, or its question has changed, and nothing was done."""
        ...

    async def wanted(self, conversation_id: str) -> int:
        """The newest request for a person of the conversation that nobody served; 0 where there is none."""
        ...

    async def word(self, conversation_id: str, question: Question) -> Word:
        """What the citizen said after the message ``first`` up to ``last``."""
        ...

    async def claim_words(self, *, again_at: datetime, limit: int) -> list[Pending]:
        """Words whose time has passed or whose conversation is closed, each for one process; one that does not settle
        them leaves them to whoever asks after ``again_at``. A conversation that is being worked is left alone."""
        ...

    async def settle(
        self, conversation_id: str, *, was: Question, then: Question, saying: Saying | None = None
    ) -> bool:
        """``was`` has become a work order: the request it came from is done, and the citizen is told ``saying`` unless
        the conversation is closed. False: somebody else has settled it, nothing was done."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRating:
    """A rating about to be asked for. ``until``: when the question is over."""

    conversation_id: str
    subject: Subject
    handover_id: int = 0
    staff_id: str = ""
    until: datetime


class Ratings(Protocol):
    """Ratings, one for a conversation with the bot and one for each of its hand-overs. As `Prompts` otherwise."""

    async def ask(self, new: NewRating, saying: Saying) -> bool:
        """The citizen is asked, once. False: he was already, the conversation is closed or with a person, or something
        else is being asked."""
        ...

    async def on_their_way(self, conversation_id: str) -> int:
        """How many deliveries of the conversation have not been sent yet: each will take a message of the channel's."""
        ...

    async def ask_in_turn(
        self, job: Job, new: NewRating, *, least_answers: int, not_since: datetime
    ) -> Question | None:
        """The question is open, and the turn of ``job`` has to ask it. None: it was asked before in this conversation,
        or the person was asked for any rating after ``not_since``, wherever he is bound; or the bot has answered fewer
        than ``least_answers`` questions."""
        ...

    async def rate(self, job: Job, rating_id: int, score: Score, *, then: Question) -> None:
        """The score is on record, in place of an earlier one, and ``then`` is asked."""
        ...

    async def explain(self, job: Job, rating_id: int, reason: str, *, then: Question) -> Rating | None:
        """The reason is on record, and ``then`` is asked: the rating. None: there is none of that id."""
        ...

    async def ordered(self, rating_id: int, order_no: str) -> None:
        """The poor rating has become a work order."""
        ...

    async def unordered(self, *, after: datetime, before: datetime, limit: int) -> list[Rating]:
        """Poor ratings given between these times that have not become a work order, oldest first."""
        ...

    async def counts(self, first: date, last: date) -> list[RatingCount]:
        """What was asked for and answered on the days ``first`` to ``last`` of China, by score, subject, channel and
        member of staff. A rating counts on the day it was asked for."""
        ...
