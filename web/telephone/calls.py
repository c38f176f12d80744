"""Calls of a line become conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from channels.voice.audio.session import AudioSession
from channels.voice.dialogue.around import Around
from channels.voice.hearing.port import Recogniser
from channels.voice.line import AudioLine
from channels.voice.sounding.port import Voice
from channels.voice.wording import wording
from hotline.bootstrap import Core
from hotline.services.calls.recorder import Recorder
from web.telephone.around import converse


@dataclass(slots=True)
class CallTaker:
    """Takes the calls of one process."""

    core: Core
    around: Around
    voice: Voice
    recogniser: Recogniser | None
    recorder: Recorder | None
    going_on: int = 0

    @property
    def hints(self) -> Sequence[str]:
        return wording().hints

    async def __call__(self, line: AudioLine) -> None:
        """The whole call. `line` is answered and ends with this."""
        self.going_on += 1
        try:
            # None where calls are not recorded, or this one cannot be: then nobody is told that it is.
            sink = await self.recorder.begin(line.call.id) if self.recorder else None
            session = AudioSession(line=line, recogniser=self.recogniser, voice=self.voice, sink=sink, hints=self.hints)
            try:
                await converse(session, around=replace(self.around, records=sink is not None))
            finally:
                await session.close()
        finally:
            self.going_on -= 1
