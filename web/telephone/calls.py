"""Calls of a line become conversations."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final

import structlog

from channels.voice.audio.session import AudioSession
from channels.voice.dialogue.around import Around
from channels.voice.hearing.port import Recogniser
from channels.voice.line import AudioLine
from channels.voice.sounding.port import Voice
from channels.voice.wording import wording
from hotline.bootstrap import Core
from hotline.services.calls.recorder import Recorder
from web.telephone.around import converse

log = structlog.get_logger()

BUSY_S: Final = 15.0


@dataclass(slots=True)
class CallTaker:
    """Takes the calls of one process."""

    core: Core
    around: Around
    voice: Voice
    recogniser: Recogniser | None
    recorder: Recorder | None
    going_on: int = 0

    async def __call__(self, line: AudioLine) -> None:
        """The whole call. `line` is answered and ends with this."""
        self.going_on += 1
        try:
            if self.going_on > self.core.settings.telephone.most_calls:
                await self._busy(line)
                return
            # None where calls are not recorded, or this one cannot be: then nobody is told that it is.
            sink = await self.recorder.begin(line.call.id) if self.recorder else None
            hints = wording().hints
            session = AudioSession(line=line, recogniser=self.recogniser, voice=self.voice, sink=sink, hints=hints)
            try:
                await converse(session, around=replace(self.around, records=sink is not None))
            finally:
                await session.close()
        finally:
            self.going_on -= 1

    async def _busy(self, line: AudioLine) -> None:
        """A line that has answered already is told so; one that can refuse has refused."""
        log.warning("voice.calls.full", count=self.going_on)
        session = AudioSession(line=line, recogniser=None, voice=self.voice, sink=None)
        try:
            await session.say((wording().busy,), None)
            await session.hang_up()
            async with asyncio.timeout(BUSY_S):
                async for _ in session.events():
                    pass
        except TimeoutError:
            log.warning("voice.calls.full", reason="the line does not end")
        finally:
            await session.close()
