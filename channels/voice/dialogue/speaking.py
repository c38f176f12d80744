"""What is said, one thing after the other, and how this caller is spoken to."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog

from channels.voice import speech
from channels.voice.acts import Caller
from channels.voice.call_state import CallState
from channels.voice.dialogue.agent_call import AgentCall
from channels.voice.dialogue.around import Around
from channels.voice.dialogue.parts import Item, Pages, Phase, Strikes, Waiting
from channels.voice.keypad import KeypadState
from channels.voice.plan import Manner, Step, Then
from channels.voice.session import Listening, Spoken, VoiceSession
from channels.voice.wording import wording
from hotline.call_store import CallMark
from hotline.errors import TemporaryError

log = structlog.get_logger()

PATIENT_PAGE: Final = 36
MOST_TEXTS: Final = 3
MOST_KEYS: Final = 20
MOBILE: Final = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")


class Speaking:
    """The lowest of the layers a call's conversation is made of: each knows those below it."""

    def __init__(self, session: VoiceSession, around: Around) -> None:
        self._session = session
        self._around = around
        self._caller = Caller(call=session.call.id, number=session.call.caller)
        self._at = CallState(turn=1)
        self._phase = Phase.BOT
        self._inbox: asyncio.Queue[Item] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = Waiting()
        self._strikes = Strikes()
        self._pages = Pages()
        self._patient = False
        self._unsure = ""
        self._conversation_id = ""
        self._proof_state: KeypadState | None = None
        self._entry = 0
        self._agent = AgentCall(session.call.id, around)
        self._saying = 0
        self._later: list[str] = []
        self._begun_recording = False
        self._timer: asyncio.TimerHandle | None = None
        self._announcing: asyncio.TimerHandle | None = None

    async def _say_step(self, step: Step, *, interruptible: bool = True) -> None:
        self._at = step.state if step.then is not Then.NOTHING else self._at
        if step.then is Then.KEYPAD:
            await self._begin_proof(step)
        elif step.then is Then.HANG_UP:
            await self._goodbye(*step.says)
        elif step.then is not Then.NOTHING:
            await self._say(step.says, replace(self._listening_at(self._at), interruptible=interruptible))

    async def _listen_to(self, *says: str) -> None:
        await self._say(says, self._listening_at(self._at))

    async def _say(self, says: Sequence[str], listening: Listening | None) -> None:
        self._saying += 1
        await self._session.say(tuple(says), listening)

    @property
    def _speaking(self) -> bool:
        """Every `say` is answered by one `Spoken`, that of a later one by the last."""
        return self._saying > 0

    async def _spoken(self, spoken: Spoken) -> None:
        self._saying = max(0, self._saying - 1)
        if self._saying:
            return
        if not spoken.whole:
            self._mark(CallMark.BROKE_IN, heard=len(spoken.heard))
        if not self._begun_recording and self._around.records:
            self._begun_recording = True
            await self._session.record(on=True)
        if self._later and self._phase not in (Phase.RINGING, Phase.JOINED, Phase.OVER):
            await self._say(self._later_taken(), self._listening_at(self._at))
        elif self._phase is Phase.QUEUED and self._waiting.turn < 0:
            await self._session.play("waiting")

    async def _goodbye(self, *says: str) -> None:
        self._phase = Phase.OVER
        self._waiting.over()
        await self._say(says, None)
        await self._session.hang_up()

    def _later_taken(self) -> tuple[str, ...]:
        later, self._later = tuple(self._later), []
        return later

    def _listening_at(self, at: CallState) -> Listening:
        many = at.many or self._phase is Phase.TYPING
        return Listening(
            keys=MOST_KEYS if many else 1,
            finish_key="#" if many else "",
            silence_s=12.0 if self._patient else 6.0,
            speech_pause_s=1.4 if self._patient else 0.6,
        )

    def _manner(self) -> Manner:
        words = wording()
        return Manner(
            centre=self._around.centre or words.default_centre,
            recorded=self._around.records,
            hears=self._session.hears,
            size=PATIENT_PAGE if self._patient else speech.PAGE_CHARACTERS,
            go_on=words.go_on_or_text if self._can_text() else words.go_on,
        )

    async def _begin_proof(self, step: Step) -> None:
        raise NotImplementedError

    def _mobile(self) -> str:
        """The number that calls, where an SMS reaches it; else empty."""
        found = MOBILE.fullmatch(self._session.call.caller)
        return found[1] if found else ""

    def _can_text(self) -> bool:
        texted = self._pages.texts
        return bool(self._around.text_to and self._pages.may_be_texted and texted < MOST_TEXTS and self._mobile())

    def _mark(self, mark: CallMark, **detail: str | int) -> None:
        self._spawn(self._noted(self._around.calls.mark(self._caller.call, mark, **detail)))

    async def _noted(self, write: Coroutine[Any, Any, None]) -> None:
        """The call goes on without its note."""
        try:
            await write
        except TemporaryError as error:
            log.warning("voice.not_noted", reason=str(error))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("voice.task.failed", error=repr(error))
