"""Calls of a line become conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from channels.voice.audio.session import AudioSession
from channels.voice.dialogue.around import Around
from channels.voice.dialogue.call import CallConversation
from channels.voice.hearing.port import Recogniser
from channels.voice.line import AudioLine, RecordingSink
from channels.voice.proof import KeypadProof
from channels.voice.sounding.port import Voice
from channels.voice.wording import wording
from hotline.bootstrap import Core
from hotline.errors import TemporaryError
from hotline.privacy.ciphers import FieldCipher
from web.registry import build_codes, short_name
from web.telephone.people import DeskPeople

log = structlog.get_logger()


def build_around(core: Core) -> Around:
    """What every call needs of the core."""
    settings, catalogue = core.settings, core.catalogue
    codes = build_codes(settings, core.centre)

    def matter(code: str) -> str:
        found = catalogue.matters.get(code)
        return found.name if found else ""

    return Around(
        intake=core.intake,
        record=core.storage.store.record,
        people=DeskPeople(core),
        calls=core.calls,
        proof=KeypadProof(core.identification, FieldCipher.from_settings(settings.privacy)),
        matter=matter,
        text_to=codes.send,
        centre=short_name(core.centre),
        ring_s=settings.telephone.ring_s,
    )


@dataclass(slots=True)
class CallTaker:
    """Takes the calls of one process."""

    core: Core
    around: Around
    voice: Voice
    recogniser: Recogniser | None
    going_on: int = 0

    @property
    def hints(self) -> Sequence[str]:
        return wording().hints

    async def __call__(self, line: AudioLine) -> None:
        """The whole call. `line` is answered and ends with this."""
        self.going_on += 1
        try:
            sink = await self._recording(line)
            session = AudioSession(
                line=line, recogniser=self.recogniser, voice=self.voice, sink=sink, hints=self.hints
            )
            try:
                await CallConversation(session, replace(self.around, records=sink is not None)).run()
            finally:
                await session.close()
        finally:
            self.going_on -= 1

    async def _recording(self, line: AudioLine) -> RecordingSink | None:
        """Where the call is kept; None where calls are not recorded, or this one cannot be: then nobody is told that
        it is."""
        if not self.core.settings.telephone.record:
            return None
        try:
            return await self.core.recordings.begin(line.call.id)
        except (TemporaryError, OSError) as error:
            log.warning("voice.not_recorded", error=type(error).__name__)
            return None
