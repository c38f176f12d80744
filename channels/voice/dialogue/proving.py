"""Proof of identity by keypad in the middle of a call."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from channels.voice import acts, keypad, proof
from channels.voice.call_state import CallState
from channels.voice.dialogue.parts import Phase, ProofAt, ProofWaits
from channels.voice.dialogue.turns import Turns
from channels.voice.keypad import KEYS, KeypadState, Stage
from channels.voice.plan import Step, Then
from channels.voice.session import Final as Words
from channels.voice.session import Keys, Listening, Silence
from channels.voice.wording import wording
from hotline.call_store import CallMark
from hotline.domain.messages import Inbound

PATIENCE_S: Final = 1.2


class Proving(Turns):
    """Collects what proves who the caller is; nothing of it is listened to, recorded or kept."""

    async def _begin_proof(self, step: Step) -> None:
        purpose = next((reply.keypad for reply in self._pages.replies if reply.keypad), "")
        self._phase = Phase.PROVING
        self._later = list(step.says)  # said with what is asked for first
        self._mark(CallMark.RECORDING_PAUSED)
        state = KeypadState(turn=self._at.turn)
        begun = self._around.proof.begun(state, conversation_id=self._conversation_id, purpose=purpose)
        self._work(begun)

    def _work(self, step: Coroutine[Any, Any, KeypadState]) -> None:
        """Nothing is asked for until the step is done; a slow one is excused."""
        self._proof_state = None
        self._entry += 1
        waits = ProofWaits(entry=self._entry)
        timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._inbox.put_nowait, waits)
        self._spawn(self._worked(step, timer))

    async def _worked(self, step: Coroutine[Any, Any, KeypadState], timer: asyncio.TimerHandle) -> None:
        try:
            self._inbox.put_nowait(ProofAt(state=await step))
        finally:
            timer.cancel()

    async def _proof_waits(self, entry: int) -> None:
        if self._phase is Phase.PROVING and self._proof_state is None and entry == self._entry:
            await self._say((wording().waiting[0],), None)

    async def _proves(self, event: Words | Keys | Silence) -> None:
        state = self._proof_state
        if state is None or isinstance(event, Words):
            return  # the entry before is still being worked, or nothing is listened to
        if isinstance(event, Keys) and event.keys == keypad.PERSON_KEY:
            await self._proof_over(acts.wants_person(self._caller, self._at.turn))
            return
        keys, by_finish = (event.keys, event.by_finish_key) if isinstance(event, Keys) else ("", False)
        entry = proof.Entry(call=self._caller.call, keys=keys, by_finish_key=by_finish)
        self._work(self._around.proof.entered(state, entry))

    async def _proof_is_at(self, state: KeypadState) -> None:
        if self._phase is not Phase.PROVING:
            return
        words = keypad.says(state, id_tail=self._around.proof.id_tail(state, self._caller.call))
        if state.stage in KEYS:
            self._proof_state = state
            first = self._later_taken()
            await self._say((*first, *words), _secret(state.stage))
        elif state.stage is Stage.PROVED:
            self._mark(CallMark.PROVED)
            await self._proof_over(acts.proved(self._caller, self._at.turn))
        elif state.stage is Stage.PERSON:
            await self._proof_over(acts.wants_person(self._caller, self._at.turn), first=words)
        else:
            await self._proof_over(None)
            await self._say_step(Step(then=Then.LISTEN, says=words, state=CallState(turn=self._at.turn)))

    async def _proof_over(self, inbound: Inbound | None, *, first: tuple[str, ...] = ()) -> None:
        self._phase, self._proof_state = Phase.BOT, None
        self._mark(CallMark.RECORDING_GOES_ON)
        if inbound is not None:
            await self._send(inbound, first=first)


def _secret(stage: Stage) -> Listening:
    keys = KEYS[stage]
    return Listening(
        speech=False,
        keys=keys.most,
        finish_key=keys.finish,
        key_pause_s=keys.pause_s,
        silence_s=float(keys.pause_s),
        interruptible=True,
        secret=True,
    )
