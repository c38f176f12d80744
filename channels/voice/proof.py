"""The steps of a proof of identity by keypad, for every kind of line.

What is keyed in goes to the identity port and nowhere else. It is no message: it has no line, no turn and no log. Only
the ID number waits, sealed, for the entry it is checked together with.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from channels.voice import keypad
from channels.voice.keypad import KEYS, KeypadState, Stage
from hotline.domain.id_number import parse
from hotline.domain.identity import IdentityRefused, Purpose, Refusal
from hotline.identification import Identification
from hotline.privacy.ciphers import FieldCipher, Place
from hotline.services.identity import KEYPAD_BROWSER

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What was keyed in. ``by_finish_key``: the finishing key ended it."""

    call: str
    keys: str = field(repr=False)
    by_finish_key: bool = False


class KeypadProof:
    """Each step takes where the proof stands and gives where it stands after. Nothing is kept here."""

    def __init__(self, identification: Identification, cipher: FieldCipher) -> None:
        self._identification = identification
        self._cipher = cipher

    async def begun(self, state: KeypadState, *, conversation_id: str, purpose: str) -> KeypadState:
        """The first thing is asked for. Faults end the proof, with a sentence."""
        return await self._guarded(state, self._begin(state, conversation_id, purpose))

    async def entered(self, state: KeypadState, entry: Entry) -> KeypadState:
        """What follows the entry. Faults end the proof, with a sentence."""
        return await self._guarded(state, self._step(state, entry))

    def id_tail(self, state: KeypadState, call: str) -> str:
        """The last four characters of the ID number just keyed in."""
        return self._cipher.open(state.sealed_id, _place(call))[-4:] if state.sealed_id else ""

    async def _guarded(self, state: KeypadState, step: Coroutine[Any, Any, KeypadState]) -> KeypadState:
        try:
            after = await step
        except IdentityRefused as refused:
            after = keypad.refused(state, refused)
        except Exception as error:
            # Without its traceback: the caller hears a sentence, and no key gets into a log.
            log.error("keypad.failed", channel="voice", error=type(error).__name__)
            after = state.ends(Stage.BACK, keypad.CORE_AWAY)
        if after.stage not in KEYS:
            log.info("keypad.ended", channel="voice", state=after.stage.value, reason=after.told)
        return after

    async def _begin(self, state: KeypadState, conversation_id: str, purpose: str) -> KeypadState:
        sign_in = await self._identification.begin_keypad(conversation_id, Purpose(purpose))
        first = Stage.CONSENT if sign_in.consent_needed else Stage.ID_NUMBER
        return state.asks(first, session=sign_in.session)

    async def _step(self, state: KeypadState, entry: Entry) -> KeypadState:
        if not entry.keys and state.stage in KEYS:
            # The finishing key alone is one pressed too late for the entry before.
            return state if entry.by_finish_key else keypad.unheard(state)
        match state.stage:
            case Stage.CONSENT:
                return keypad.answered_notice(state, entry.keys)
            case Stage.ID_NUMBER:
                return self._with_id_number(state, entry)
            case Stage.FACTOR:
                return await self._proven(state, entry)
            case Stage.CODE:
                return await self._confirmed(state, entry)
            case _:  # it has ended; only what was said last is said again
                return state

    def _with_id_number(self, state: KeypadState, entry: Entry) -> KeypadState:
        number = parse(keypad.id_text(entry.keys))
        if number is None:
            raise IdentityRefused(Refusal.MALFORMED_ID)
        return state.asks(Stage.FACTOR, sealed_id=self._cipher.seal(number.value, _place(entry.call)))

    async def _proven(self, state: KeypadState, entry: Entry) -> KeypadState:
        """A caller has no network address of his own: the locks count the person and the number that calls."""
        sent = await self._identification.prove(
            state.session,
            browser=KEYPAD_BROWSER,
            address="",
            id_number=self._cipher.open(state.sealed_id, _place(entry.call)),
            factor=keypad.factor(entry.keys),
            consent=state.agreed,
        )
        return state.asks(Stage.CODE, sealed_id="", mobile_tail=sent.mobile_masked[-4:])

    async def _confirmed(self, state: KeypadState, entry: Entry) -> KeypadState:
        if entry.keys == keypad.SEND_AGAIN_KEY:
            await self._identification.send_again(state.session, browser=KEYPAD_BROWSER)
            return state.asks(Stage.CODE, told=keypad.SENT_AGAIN)
        await self._identification.confirm(state.session, browser=KEYPAD_BROWSER, code=entry.keys)
        return state.ends(Stage.PROVED)


PLACE_PREFIX: Final = "keypad:"


def _place(call: str) -> Place:
    return Place("channel_states", "value", f"{PLACE_PREFIX}{call}")
