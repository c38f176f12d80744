"""Telephone calls in memory, with a recording that is a real WAV."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hotline.call_store import CallEnding, CallFigures, CallMark, CallRecord, Gap, Marked
from hotline.domain.staff import Staff
from hotline.services.calls.recordings import HEAR_ALL, Played, RecordingRefused
from hotline.services.calls.sealed_sound import wav_head
from tests.fake_desk import FakeDesk

SECONDS = 3

NOTHING = CallFigures(
    calls=0,
    connected=0,
    by_machine=0,
    wanted=0,
    answered=0,
    abandoned=0,
    within_15_s=0,
    wait_s=None,
    handling_s=None,
    machine_s=None,
)
DAY = CallFigures(
    calls=412,
    connected=405,
    by_machine=214,
    wanted=171,
    answered=153,
    abandoned=12,
    within_15_s=131,
    wait_s=11.4,
    handling_s=252.0,
    machine_s=74.0,
)
BY_HOUR = {
    8: (22, 0),
    9: (58, 2),
    10: (74, 4),
    11: (61, 2),
    12: (18, 0),
    13: (25, 1),
    14: (67, 2),
    15: (59, 1),
    16: (28, 0),
}


def record(conversation_id: str, now: datetime, *marks: tuple[float, CallMark, dict[str, str | int]]) -> CallRecord:
    """A call that has gone on for five minutes; marks by how many minutes ago they were noted."""
    return CallRecord(
        id=f"call-{conversation_id}",
        line="asterisk",
        caller_masked="138****8093",
        conversation_id=conversation_id,
        began_at=now - timedelta(minutes=5),
        ended_at=None,
        ending=None,
        marks=[Marked(mark=mark, at=now - timedelta(minutes=back), detail=detail) for back, mark, detail in marks],
        has_recording=False,
    )


def callers(desk: FakeDesk, calls: FakeCalls) -> None:
    """An agent speaks with one caller, and another one is offered to him."""
    now, told = desk.clock(), CallMark
    desk.talks |= desk.cast.callers()
    calls.records["c-call"] = record(
        "c-call",
        now,
        (5, told.CONNECTED, {}),
        (4.45, told.SERVED, {}),
        (4.3, told.BROKE_IN, {"heard": 23}),
        (4.1, told.RECORDING_PAUSED, {}),
        (2.7, told.RECORDING_GOES_ON, {}),
        (2.65, told.PROVED, {}),
        (1.7, told.PERSON_WANTED, {}),
        (1.6, told.QUEUED, {}),
        (1.3, told.AGENT_RINGS, {"staff": "wang", "extension": "8001"}),
        (1.1, told.AGENT_ANSWERED, {"staff": "wang"}),
    )
    calls.records["c-ring"] = replace(
        record("c-ring", now, (0.95, told.CONNECTED, {}), (0.4, told.PERSON_WANTED, {}), (0.3, told.QUEUED, {})),
        caller_masked="138****8055",
        began_at=now - timedelta(minutes=1),
    )


@dataclass
class FakeCalls:
    """The reading half of `hotline.call_store.Calls`; ``counted`` is how often the day was counted over."""

    records: dict[str, CallRecord] = field(default_factory=dict)
    day: CallFigures = NOTHING
    hours: Mapping[int, CallFigures] = field(default_factory=dict)
    counted: int = 0

    async def of_conversation(self, conversation_id: str) -> CallRecord | None:
        return self.records.get(conversation_id)

    async def figures(self, *, since: datetime, until: datetime) -> CallFigures:
        self.counted += 1
        return self.day

    async def by_hour(self, *, since: datetime, until: datetime) -> Mapping[int, CallFigures]:
        return self.hours

    def marks(self, conversation_id: str, mark: CallMark, at: datetime, **detail: str | int) -> None:
        """Something has happened in the call."""
        known = self.records[conversation_id]
        self.records[conversation_id] = replace(known, marks=[*known.marks, Marked(mark=mark, at=at, detail=detail)])

    def ends(self, conversation_id: str, at: datetime, ending: CallEnding = CallEnding.CALLER) -> None:
        known = self.records[conversation_id]
        self.records[conversation_id] = replace(known, ended_at=at, ending=ending, has_recording=True)

    def busy_day(self) -> None:
        self.day = DAY
        self.hours = {
            hour: replace(NOTHING, calls=calls, abandoned=abandoned) for hour, (calls, abandoned) in BY_HOUR.items()
        }


@dataclass
class FakeRecordings:
    """``held``: who has held which conversation; ``looks``: who has heard what, and why; ``refuses``: a code."""

    held: set[tuple[str, str]] = field(default_factory=set)
    looks: list[tuple[str, str, str]] = field(default_factory=list)
    refuses: str = ""

    async def may_hear(self, conversation_id: str, *, by: Staff) -> bool:
        return bool(by.roles & HEAR_ALL) or (conversation_id, by.id) in self.held

    async def read(self, call_id: str, *, by: Staff, purpose: str) -> Played:
        if self.refuses:
            raise RecordingRefused(self.refuses)
        if not await self.may_hear(call_id.removeprefix("call-"), by=by):
            raise RecordingRefused("not_allowed")
        self.looks.append((call_id, by.id, purpose))
        sound = tone()
        return Played(
            size=len(sound),
            seconds=SECONDS,
            gaps=[Gap(0.8, "secret"), Gap(1.5, "secret")],
            finished=True,
            headers={"Content-Type": "audio/wav", "Content-Length": str(len(sound)), "Cache-Control": "no-store"},
            content=_pieces(sound),
        )


async def _pieces(sound: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(sound), 8192):
        yield sound[at : at + 8192]


def tone() -> bytes:
    """A WAV as recordings are: two channels of A-law at 8 kHz."""
    samples = SECONDS * 8000
    return wav_head(samples) + b"".join((b"\x9b\xd5", b"\x1b\xd5")[at // 10 % 2] for at in range(samples))
