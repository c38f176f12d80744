"""What calls need of the core, whatever line they come by."""

from __future__ import annotations

from channels.voice.dialogue.around import Around
from channels.voice.dialogue.call import CallConversation
from channels.voice.proof import KeypadProof
from channels.voice.session import VoiceSession
from hotline.bootstrap import Core
from hotline.privacy.ciphers import FieldCipher
from web.registry import build_codes, short_name
from web.telephone.people import DeskPeople


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


async def converse(session: VoiceSession, *, around: Around) -> None:
    """The whole call."""
    await CallConversation(session, around).run()
