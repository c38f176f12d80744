"""The ports for telephone calls: what happened in each, its recording, and the hotline's figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

TELEPHONE_LINES: Final = frozenset({"asterisk", "sip"})
"""Lines whose calls end with the telephone process."""


class CallMark(StrEnum):
    """What is noted of a call, in the order in which it happened."""

    CONNECTED = "connected"
    """The caller hears us."""
    SERVED = "served"
    """The machine has answered a question or done some business."""
    NO_INPUT = "no_input"
    NO_MATCH = "no_match"
    SPEECH_AWAY = "speech_away"
    """Nothing is recognised at present: keys alone."""
    PROVED = "proved"
    BROKE_IN = "broke_in"
    """``heard``: how many characters of the answer the caller has heard."""
    PERSON_WANTED = "person_wanted"
    QUEUED = "queued"
    QUEUE_LEFT = "queue_left"
    """``why``: chosen, expired."""
    AGENT_RINGS = "agent_rings"
    """``staff``, ``extension``."""
    AGENT_ANSWERED = "agent_answered"
    AGENT_MISSED = "agent_missed"
    """``why``: busy, no_answer, failed."""
    AGENT_GONE = "agent_gone"
    RECORDING_PAUSED = "recording_paused"
    RECORDING_GOES_ON = "recording_goes_on"


class CallEnding(StrEnum):
    """How a call ended."""

    CALLER = "caller"
    US = "us"
    LOST = "lost"
    """The line broke, or the process that had the call died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """One mark of a call."""

    mark: CallMark
    at: datetime
    detail: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """A call as it stands. ``caller_masked`` shows the last four digits, empty where the number was withheld."""

    id: str
    line: str
    caller_masked: str
    conversation_id: str
    began_at: datetime
    ended_at: datetime | None
    ending: CallEnding | None
    marks: Sequence[Marked]
    has_recording: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFigures:
    """Counts of the calls that began in a span of time. Seconds are means; None where there is nothing to count.
    Definitions as people read them: hotline/services/calls/figures.yml.

    ``connected``: the caller heard us. ``by_machine``: served, no person wanted and none spoken with. ``wanted``: a
    person was wanted, or somebody took the call. ``answered``: an agent spoke with the caller. ``abandoned``: hung up
    while waiting for a person and never spoke with one. ``within_15_s``: answered within 15 s of the wish.
    """

    calls: int
    connected: int
    by_machine: int
    wanted: int
    answered: int
    abandoned: int
    within_15_s: int
    wait_s: float | None
    """From the wish to the agent's voice, of those answered after one."""
    handling_s: float | None
    """Of agents, each from his first word to the end of the call or his leaving it."""
    machine_s: float | None
    """Of connected calls, from the start to the end, or to the agent's voice."""


class Calls(Protocol):
    """Every write is safe to repeat, and may come before `begin`, as a vendor's notices do. All raise TemporaryError
    where the database does not answer in time. Marks, and the end, are told to the desk's live pages as events of kind
    ``call`` with ``call``, ``mark`` or ``ending``, and ``detail``."""

    async def begin(self, call_id: str, *, line: str, caller: str, called: str) -> None:
        """``caller`` is kept masked and as a keyed hash only."""
        ...

    async def belongs(self, call_id: str, conversation_id: str) -> None:
        """The call's conversation."""
        ...

    async def mark(self, call_id: str, mark: CallMark, **detail: str | int) -> None:
        """The same mark with the same detail within 2 s of itself is a repetition and is not noted again."""
        ...

    async def end(self, call_id: str, ending: CallEnding) -> None:
        """The first end counts."""
        ...

    async def of_conversation(self, conversation_id: str) -> CallRecord | None: ...

    async def lost(self, *, line_processes_started_at: datetime, lines: Collection[str] = TELEPHONE_LINES) -> int:
        """Calls on ``lines`` still open that began before the one telephone process that could have had them: ended as
        lost, when something was last noted of them. How many."""
        ...

    async def figures(self, *, since: datetime, until: datetime) -> CallFigures: ...

    async def by_hour(self, *, since: datetime, until: datetime) -> Mapping[int, CallFigures]:
        """By the hour of the day in China at which the call began."""
        ...

    async def by_topic(
        self, *, since: datetime, until: datetime, topics: Mapping[str, str]
    ) -> Mapping[str, CallFigures]:
        """By the topic of the first matter answered in the call; empty: none. ``topics``: of each matter, by its
        code."""
        ...

    async def purge(self, *, before: datetime) -> int:
        """Calls that began before then and have no recording any more are gone; how many. Such as are open for longer
        than any call lasts are ended as lost."""
        ...


@dataclass(frozen=True, slots=True)
class Gap:
    """What was left out of a recording, by its place in what is left, and why."""

    offset_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRow:
    """A recording: the file ``id`` in the folder of the day it began, under ``key``, sealed. ``seconds`` None: not
    finished, because the call goes on or its process died. ``conversation_id``: the call's, where the row was read."""

    id: str
    call_id: str
    key: str = field(repr=False)
    began_at: datetime
    delete_after: datetime
    seconds: float | None = None
    gaps: Sequence[Gap] = ()
    conversation_id: str = ""


class RecordingRows(Protocol):
    """Every write is safe to repeat."""

    async def begin(self, row: RecordingRow) -> bool:
        """False where the call has a recording already."""
        ...

    async def finish(self, recording_id: str, *, seconds: float, gaps: Sequence[Gap]) -> None: ...

    async def drop(self, recording_ids: Sequence[str]) -> int: ...

    async def of_call(self, call_id: str) -> RecordingRow | None: ...

    async def expired(self, *, now: datetime, limit: int) -> Sequence[RecordingRow]:
        """Those to be deleted by ``now``, the oldest first."""
        ...

    async def known(self, recording_ids: Sequence[str]) -> Collection[str]:
        """Those that have a row."""
        ...

    async def has_held(self, conversation_id: str, staff_id: str) -> bool:
        """Whether the agent has, or had, the conversation."""
        ...
