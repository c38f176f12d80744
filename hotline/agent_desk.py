"""What the desk's pages need of the core. Implemented by hotline.services.desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hotline.desk_store import DeskConversation, DeskEvent, Handover, Line, Note, Said, WrapUp
from hotline.domain.desk import Agent, AgentState, Group, Presence
from hotline.errors import HotlineError


class Refusal(StrEnum):
    """Why the desk did not do something."""

    NOT_YOURS = "not_yours"
    """Somebody else holds the conversation, or nobody: the page is behind."""
    GONE = "gone"
    """There is no such conversation or request, it is closed, or somebody was faster."""
    EMPTY = "empty"
    TOO_LONG = "too_long"
    PERSONAL = "personal"
    """There is an ID number, a card number, a telephone number or a password in it."""
    SENSITIVE = "sensitive"
    """There is a word in it that may not be said to citizens."""
    WINDOW_CLOSED = "window_closed"
    """The channel takes nothing now (WeChat: five bubbles used up, or 48 hours since the citizen's last message)."""
    UNKNOWN_TARGET = "unknown_target"
    """The colleague is not at the desk, or the group does not exist."""
    NOT_ALLOWED = "not_allowed"
    """Not with this role."""


class DeskRefused(HotlineError):
    """The desk did not do it; nothing changed. ``found`` names what was in the way, where there is a name."""

    def __init__(self, refusal: Refusal, *, found: Sequence[str] = ()) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.found = tuple(found)


class FellBehind(HotlineError):
    """A live page has missed events: it has to read everything again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A draft looked at before it is sent. ``parts``: how many SMS it is, 0 elsewhere; ``masked`` is the text without
    the personal numbers in it."""

    refusal: Refusal | None
    found: tuple[str, ...]
    masked: str
    characters: int
    limit: int
    parts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What the channel still takes. None: no such limit there."""

    bubbles_left: int | None = None
    """WeChat: messages until the citizen's next one."""
    closes_at: datetime | None = None
    """WeChat: end of the 48 hours."""
    falls_over_to: str = ""
    """``notice`` or ``sms`` where the channel takes nothing any more but another way is open; else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An approved answer for what the citizen said last, in its form for his channel."""

    entry: str
    """matter.aspect"""
    title: str
    text: str
    score: float
    """0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canned:
    """A ready sentence of the centre. Typing ``/shortcut`` inserts it."""

    shortcut: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who the citizen is, as far as he has proven it. ``level``: 0 unknown, 1 bound, 2 proven now."""

    level: int
    person_id: str = ""
    name_masked: str = ""
    id_number_masked: str = ""
    mobile_masked: str = ""
    contacts: tuple[tuple[str, str], ...] = ()
    """Channel and address (masked where it is a number), everywhere the person is bound."""
    facts: tuple[tuple[str, str], ...] = ()
    """Label and value from the core system, where identity allows: balance, state of the account, loan …"""
    facts_missing: bool = False
    """The core system did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A conversation as its agent sees it. ``lines`` are of all channels of the person, oldest first."""

    conversation: DeskConversation
    lines: Sequence[Line]
    has_more: bool
    notes: Sequence[Note]
    earlier: Sequence[Handover]
    customer: Customer
    meter: Meter
    wait_s: float
    """How long the citizen waited for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """What is going on now. ``service_level``: share of today's requests taken within ``service_level_s``."""

    waiting: Sequence[DeskConversation]
    longest_wait_s: float
    agents: Sequence[Presence]
    held: int
    with_bot: int
    service_level: float | None
    service_level_s: int
    taken_today: int
    left_today: int
    expired_today: int
    by_group: Sequence[tuple[Group, int, int]]
    """Group, waiting, held."""


class AgentDesk(Protocol):
    """One object per process. Raises DeskRefused where something may not or can no longer be done, TemporaryError when
    the database does not answer."""

    # who is there
    async def connect(self, agent: Agent) -> AgentState: ...
    async def seen(self, staff_id: str) -> None: ...
    async def disconnect(self, staff_id: str) -> None:
        """His last page has gone: the grace time runs."""
        ...

    async def set_state(self, staff_id: str, state: AgentState) -> None: ...

    # the queue
    async def accept(self, handover_id: int, *, staff_id: str) -> DeskConversation: ...
    async def pick(self, handover_id: int, *, staff_id: str) -> DeskConversation: ...
    async def decline(self, handover_id: int, *, staff_id: str) -> None: ...

    # a conversation one holds
    async def say(self, conversation_id: str, text: str, *, agent: Agent, client_id: str) -> Said: ...
    async def check(self, conversation_id: str, text: str) -> Checked: ...
    async def typing(self, conversation_id: str, *, staff_id: str, on: bool) -> None: ...
    async def end(self, conversation_id: str, *, staff_id: str) -> DeskConversation: ...
    async def wrap_up(self, handover_id: int, *, staff_id: str, wrap_up: WrapUp) -> None: ...
    async def transfer(
        self, conversation_id: str, *, staff_id: str, to_group: Group | None, to_staff: str, note: str
    ) -> None:
        """``to_staff`` or ``to_group``; the note is for the colleague."""
        ...

    async def add_note(self, conversation_id: str, *, staff_id: str, text: str) -> Note: ...

    # supervisors
    async def take_over(self, conversation_id: str, *, agent: Agent) -> DeskConversation: ...
    async def whisper(self, conversation_id: str, *, agent: Agent, text: str) -> Note:
        """Only the agent who holds it sees it."""
        ...

    async def watch(self, conversation_id: str, *, agent: Agent, on: bool) -> None:
        """The conversation's lines are told to this supervisor too, until ``on`` is False."""
        ...

    async def wall(self) -> Wall: ...

    # what the pages show
    async def mine(self, staff_id: str) -> Sequence[DeskConversation]: ...
    async def queue(self) -> Sequence[DeskConversation]: ...
    async def live(self, *, limit: int) -> Sequence[DeskConversation]: ...
    async def conversation(self, conversation_id: str) -> DeskConversation:
        """As the desk lists it: no look at a person's data."""
        ...

    async def notes(self, conversation_id: str) -> Sequence[Note]:
        """Oldest first."""
        ...

    async def meter(self, conversation_id: str) -> Meter: ...

    async def view(self, conversation_id: str, *, staff_id: str, before: int | None = None) -> View:
        """Looking at a person's data is in the audit trail first."""
        ...

    async def lines(self, conversation_id: str, *, after: int) -> Sequence[Line]: ...
    async def reveal(self, conversation_id: str, *, staff_id: str, field: str, reason: str) -> str:
        """``id_number`` or ``mobile`` in full, the reason on record first."""
        ...

    async def suggestions(self, conversation_id: str, *, text: str = "") -> Sequence[Suggestion]:
        """For ``text``, or for what the citizen said last."""
        ...

    async def canned(self) -> Sequence[Canned]: ...
    async def wrap_reasons(self) -> Sequence[tuple[str, str]]:
        """Code and name of what a conversation can have been about."""
        ...

    async def summary(self, conversation_id: str) -> str:
        """Made from the record."""
        ...

    async def colleagues(self) -> Sequence[Presence]: ...

    # live
    async def last_seq(self) -> int:
        """The number of the newest event: where a page that reads everything now goes on from."""
        ...

    def follow(self, staff_id: str, *, after: int | None) -> AsyncIterator[DeskEvent]:
        """Endless: events for this member of staff and for everybody, from ``after`` on (None: from now). Kinds: offer,
        offer_gone, queue, owner, line, delivery, typing, note, state, closed, order.

        Raises:
            FellBehind: events have been missed.
        """
        ...
