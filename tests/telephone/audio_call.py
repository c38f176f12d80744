"""An `AudioSession` on a `FakeLine`, with somebody who reads its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from channels.voice.audio.activity import Activity
from channels.voice.audio.level import rms
from channels.voice.audio.session import AudioSession
from channels.voice.session import VoiceEvent
from tests.telephone.fake_line import FakeLine
from tests.telephone.fake_speech import FakeRecogniser, FakeVoice

EventT = TypeVar("EventT", bound=VoiceEvent)
LIMIT_S = 60.0


class Loud:
    """Whatever is loud is speech."""

    def speech(self, pcm: bytes, *, floor: float) -> bool:
        return rms(pcm) > max(500.0, floor)

    def reset(self) -> None:
        return


class FakeSink:
    """Keeps what is recorded."""

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, bytes]] = []
        self.marks: list[str] = []
        self.closed = 0

    def write(self, caller: bytes, ours: bytes) -> None:
        self.frames.append((caller, ours))

    def pause(self) -> None:
        self.marks.append("pause")

    def resume(self) -> None:
        self.marks.append("resume")

    async def close(self) -> None:
        self.closed += 1


@dataclass(slots=True, kw_only=True)
class AudioCall:
    line: FakeLine
    session: AudioSession
    recogniser: FakeRecogniser
    voice: FakeVoice
    sink: FakeSink
    events: list[tuple[float, VoiceEvent]] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def all(self, kind: type[EventT]) -> list[EventT]:
        return [event for _, event in self.events if isinstance(event, kind)]

    def at(self, kind: type[VoiceEvent]) -> float:
        """When the last of the kind came, in seconds of the call."""
        return [at for at, event in self.events if isinstance(event, kind)][-1]

    async def next(self, kind: type[EventT], *, limit_s: float = LIMIT_S) -> EventT:
        """The next of the kind from now on."""
        known = len(self.all(kind))
        async with asyncio.timeout(limit_s):
            while len(self.all(kind)) == known:
                self.more.clear()
                await self.more.wait()
        return self.all(kind)[known]

    async def after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@asynccontextmanager
async def audio_call(
    line: FakeLine | None = None,
    *,
    recogniser: FakeRecogniser | None = None,
    voice: FakeVoice | None = None,
    activity: Callable[[], Activity] = Loud,
    sink: FakeSink | None = None,
    deaf: bool = False,
    alone: bool = True,
) -> AsyncIterator[AudioCall]:
    """``deaf``: without a recogniser. ``alone``: no other call goes on, so that nothing may be left of this one."""
    line = line or FakeLine()
    recogniser, voice, sink = recogniser or FakeRecogniser(), voice or FakeVoice(), sink or FakeSink()
    session = AudioSession(
        line=line,
        recogniser=None if deaf else recogniser,
        voice=voice,
        sink=sink,
        hints=("公积金",),
        activity=activity,
    )
    call = AudioCall(
        line=line, session=session, recogniser=recogniser, voice=voice, sink=sink, events=[], more=asyncio.Event()
    )

    async def read() -> None:
        async for event in session.events():
            call.events.append((line.now, event))
            call.more.set()

    reader = asyncio.create_task(read())
    try:
        yield call
    finally:
        await session.close()
        await asyncio.wait_for(reader, 30)
    assert sink.closed == 1
    left = [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("voice-")]
    assert left == [] or not alone
