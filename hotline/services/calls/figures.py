"""The hotline's figures, counted call by call; their names and definitions are in figures.yml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from hotline.call_store import CallEnding, CallFigures, CallMark, Marked
from hotline.domain.clock import SHANGHAI

COUNTED: Final = frozenset(
    {
        CallMark.CONNECTED,
        CallMark.SERVED,
        CallMark.PERSON_WANTED,
        CallMark.QUEUED,
        CallMark.QUEUE_LEFT,
        CallMark.AGENT_ANSWERED,
        CallMark.AGENT_GONE,
    }
)
"""The marks that figures depend on."""
PROMPT_S: Final = 15.0
"""GB/T 33358-2016: a hotline's telephone is answered within 15 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One call as figures see it. ``marks`` in the order in which they were noted; others than `COUNTED` do nothing."""

    began_at: datetime
    ended_at: datetime | None
    ending: CallEnding | None
    marks: Sequence[Marked] = ()


@dataclass(slots=True)
class _Course:
    """How one call went. Times after the end are the end's."""

    call: Counted
    connected: bool = False
    served: bool = False
    wanted: bool = False
    waiting_since: datetime | None = None
    answered_at: datetime | None = None
    wait_s: float | None = None
    with_staff: str | None = None
    """Who speaks with the caller; None: nobody."""
    spoke_since: datetime | None = None
    spells_s: list[float] = field(default_factory=list)

    def note(self, marked: Marked) -> None:
        at = self._within(marked.at)
        match marked.mark:
            case CallMark.CONNECTED:
                self.connected = True
            case CallMark.SERVED:
                self.served = True
            case CallMark.PERSON_WANTED | CallMark.QUEUED:
                self.wanted = True
                self.waiting_since = self.waiting_since or at
            case CallMark.QUEUE_LEFT:
                self.waiting_since = None
            case CallMark.AGENT_ANSWERED:
                self._answered(at, str(marked.detail.get("staff", "")))
            case CallMark.AGENT_GONE:
                self._left(at)
            case _:
                return

    def _answered(self, at: datetime, staff: str) -> None:
        self.wanted = True
        if self.with_staff == staff:
            return
        self._left(at)
        if self.answered_at is None:
            self.answered_at = at
            self.wait_s = _seconds(self.waiting_since, at) if self.waiting_since else None
        self.with_staff, self.spoke_since, self.waiting_since = staff, at, None

    def _left(self, at: datetime) -> None:
        if self.spoke_since is not None:
            self.spells_s.append(_seconds(self.spoke_since, at))
        self.with_staff = self.spoke_since = None

    def end(self) -> None:
        if self.call.ended_at is not None:
            self._left(self.call.ended_at)

    @property
    def abandoned(self) -> bool:
        gone = self.call.ending is CallEnding.CALLER
        return gone and self.waiting_since is not None and self.answered_at is None

    @property
    def machine_s(self) -> float | None:
        until = self.answered_at or self.call.ended_at
        return _seconds(self.call.began_at, until) if self.connected and until else None

    def _within(self, at: datetime) -> datetime:
        return min(at, self.call.ended_at) if self.call.ended_at else at


@dataclass(slots=True)
class _Mean:
    count: int = 0
    total: float = 0.0

    def add(self, value: float | None) -> None:
        if value is not None:
            self.count += 1
            self.total += value

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass(slots=True)
class Tally:
    """Calls counted one by one."""

    calls: int = 0
    connected: int = 0
    by_machine: int = 0
    wanted: int = 0
    answered: int = 0
    abandoned: int = 0
    within_15_s: int = 0
    waits: _Mean = field(default_factory=_Mean)
    spells: _Mean = field(default_factory=_Mean)
    machine: _Mean = field(default_factory=_Mean)

    def add(self, call: Counted) -> None:
        course = _course(call)
        self.calls += 1
        self.connected += course.connected
        self.by_machine += course.served and not course.wanted
        self.wanted += course.wanted
        self.answered += course.answered_at is not None
        self.abandoned += course.abandoned
        self.within_15_s += course.wait_s is not None and course.wait_s <= PROMPT_S
        self.waits.add(course.wait_s)
        self.machine.add(course.machine_s)
        for spell in course.spells_s:
            self.spells.add(spell)

    def figures(self) -> CallFigures:
        return CallFigures(
            calls=self.calls,
            connected=self.connected,
            by_machine=self.by_machine,
            wanted=self.wanted,
            answered=self.answered,
            abandoned=self.abandoned,
            within_15_s=self.within_15_s,
            wait_s=self.waits.value,
            handling_s=self.spells.value,
            machine_s=self.machine.value,
        )


def _course(call: Counted) -> _Course:
    course = _Course(call)
    for marked in call.marks:
        course.note(marked)
    course.end()
    return course


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())


# --- as people read them


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A figure's name and what is counted. ``of``: the figures of which it is a share, as (part, whole)."""

    code: str
    name: str
    means: str
    of: tuple[str, str] | None = None
    seconds: bool = False


@cache
def definitions() -> tuple[Definition, ...]:
    """In the order they are shown; those with ``of`` are shares."""
    loaded: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("figures.yml").read_text(encoding="utf-8"))
    return tuple(_definition(code, **rest) for code, rest in loaded.items())


def _definition(code: str, *, name: str, means: str, of: Sequence[str] = (), seconds: bool = False) -> Definition:
    share = (of[0], of[1]) if of else None
    return Definition(code=code, name=name, means=means, of=share, seconds=seconds)


def value_of(definition: Definition, figures: CallFigures) -> float | int | None:
    """The figure: a count, seconds, or a share (0-1); None where there is nothing to count."""
    if definition.of is None:
        value: float | int | None = getattr(figures, definition.code)
        return value
    part, whole = (getattr(figures, each) for each in definition.of)
    return part / whole if whole else None


def day_in_china(day: date) -> tuple[datetime, datetime]:
    """From midnight to midnight in China."""
    begin = datetime.combine(day, time.min, tzinfo=SHANGHAI)
    return begin, begin + timedelta(days=1)
