"""Calls as the desk's pages show them: how far one is, what has happened in it, and what of an answer was heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from hotline.call_store import CallMark, CallRecord, Calls, Marked
from hotline.desk_store import Line
from hotline.domain.staff import Staff
from hotline.services.calls.recordings import Played
from hotline.settings import TelephoneSettings
from web.desk.wording import DeskWording


class Recordings(Protocol):
    """Who may hear a call, and its sound; part of `hotline.services.calls.recordings.Recordings`."""

    async def may_hear(self, conversation_id: str, *, by: Staff) -> bool: ...

    async def read(self, call_id: str, *, by: Staff, purpose: str) -> Played: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephone:
    """What the pages need of the telephone."""

    calls: Calls
    recordings: Recordings
    settings: TelephoneSettings


class CallState(StrEnum):
    """How far a call is. ``missed``: the agent's telephone was not answered; ``apart``: it has hung up, the caller is
    still there."""

    COMING = "coming"
    MACHINE = "machine"
    QUEUED = "queued"
    RINGS = "rings"
    MISSED = "missed"
    JOINED = "joined"
    APART = "apart"
    ENDED = "ended"


_LEADS_TO: Final[Mapping[CallMark, CallState]] = {
    CallMark.CONNECTED: CallState.MACHINE,
    CallMark.QUEUED: CallState.QUEUED,
    CallMark.QUEUE_LEFT: CallState.MACHINE,
    CallMark.AGENT_RINGS: CallState.RINGS,
    CallMark.AGENT_ANSWERED: CallState.JOINED,
    CallMark.AGENT_MISSED: CallState.MISSED,
    CallMark.AGENT_GONE: CallState.APART,
}
_PAUSED: Final[Mapping[CallMark, bool]] = {CallMark.RECORDING_PAUSED: True, CallMark.RECORDING_GOES_ON: False}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """A call as it stands. ``since``: when it came into ``state``; ``recording``: on, paused, or empty;
    ``told``: what has happened, each with its words, oldest first."""

    id: str
    state: CallState
    since: datetime
    line: str
    caller: str
    began_at: datetime
    ended_at: datetime | None
    ending: str
    extension: str
    recording: str
    told: Sequence[tuple[datetime, str]]
    has_recording: bool

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def is_joined(self) -> bool:
        return self.state is CallState.JOINED


def call_view(record: CallRecord, *, wording: DeskWording, recorded: bool) -> CallView:
    """``recorded``: whether calls are recorded here."""
    state, since = _state(record)
    rings = [each for each in record.marks if each.mark is CallMark.AGENT_RINGS]
    return CallView(
        id=record.id,
        state=state,
        since=since,
        line=wording.name("call_lines", record.line),
        caller=record.caller_masked,
        began_at=record.began_at,
        ended_at=record.ended_at,
        ending=wording.name("call_endings", record.ending.value) if record.ending else "",
        extension=str(rings[-1].detail.get("extension", "")) if rings else "",
        recording=_recording(record, recorded=recorded),
        told=[(each.at, wording.call_mark(each)) for each in record.marks],
        has_recording=record.has_recording,
    )


def heard(marks: Sequence[Marked], lines: Sequence[Line]) -> dict[int, int]:
    """By line: how many characters of it the caller heard before he broke in."""
    ours = [line for line in lines if line.author in ("bot", "system")]
    found: dict[int, int] = {}
    for each in marks:
        before = [line for line in ours if line.at <= each.at]
        if each.mark is CallMark.BROKE_IN and before:
            found[before[-1].seq] = int(each.detail.get("heard", 0))
    return found


def _state(record: CallRecord) -> tuple[CallState, datetime]:
    if record.ended_at is not None:
        return CallState.ENDED, record.ended_at
    state, since = CallState.COMING, record.began_at
    for each in record.marks:
        if (led := _LEADS_TO.get(each.mark)) is not None:
            state, since = led, each.at
    return state, since


def _recording(record: CallRecord, *, recorded: bool) -> str:
    if record.ended_at is not None or not (recorded or record.has_recording):
        return ""
    switched = [_PAUSED[each.mark] for each in record.marks if each.mark in _PAUSED]
    return "paused" if switched and switched[-1] else "on"
