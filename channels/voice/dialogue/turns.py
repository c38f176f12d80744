"""The caller's turns and what the core answers to them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Final

import structlog

from channels.voice import acts
from channels.voice.acts import Act
from channels.voice.call_state import CallState
from channels.voice.dialogue.parts import Answered, Patience, Phase
from channels.voice.dialogue.speaking import Speaking
from channels.voice.plan import Step, Then, plan
from channels.voice.wording import wording
from hotline.call_store import CallMark
from hotline.domain.conversations import TurnRecord
from hotline.domain.messages import ChannelName, Inbound, TurnResult
from hotline.errors import TemporaryError
from hotline.ports import SendError

log = structlog.get_logger()

FILLERS_S: Final = (1.2, 5.0, 9.0)
"""After so long without an answer the caller hears a word of patience."""
GIVE_UP_S: Final = 12.0


class Turns(Speaking):
    """Asks the core, and says what it answers."""

    async def _ask(self, act: Act) -> None:
        """The caller's turn, answered by the core, or the next page of what is being told."""
        self._unsure = ""
        if self._at.page and acts.wants_more(act):
            await self._say_step(self._replanned())
            return
        heard = acts.done(self._caller, self._at, act)
        self._at = heard.state
        await self._send(heard.inbound, counted=True)

    async def _send(self, inbound: Inbound, *, first: tuple[str, ...] = (), counted: bool = False) -> None:
        if not counted:
            self._at = CallState(turn=self._at.turn + 1, of=self._at.turn)
        self._waiting.over()
        self._waiting.turn, self._waiting.since = self._at.turn, time.perf_counter()
        loop = asyncio.get_running_loop()
        self._waiting.timers = [
            loop.call_later(after, self._inbox.put_nowait, Patience(turn=self._at.turn, number=number))
            for number, after in enumerate((*FILLERS_S, GIVE_UP_S))
        ]
        self._spawn(self._answer_to(inbound, self._at.turn, first))

    async def _answer_to(self, inbound: Inbound, turn: int, first: tuple[str, ...]) -> None:
        answer = await self._around.intake.answer(inbound, wait_s=GIVE_UP_S)
        record = await self._record(inbound.external_id) if answer.replies else None
        answered = Answered(
            turn=turn,
            kind=inbound.kind,
            replies=answer.replies,
            first=first,
            about_rules=bool(record and record.result.sources),
        )
        self._inbox.put_nowait(answered)
        if record is not None:
            self._served(record.result)

    def _served(self, result: TurnResult) -> None:
        if result.hand_over:
            self._mark(CallMark.PERSON_WANTED, why=result.hand_over)
        elif result.matter and result.outcome == "answered":
            self._mark(CallMark.SERVED, matter=result.matter)

    async def _answered(self, item: Answered) -> None:
        if item.turn != self._waiting.turn:
            return  # the caller has gone on meanwhile
        log.info("voice.answered", ms=round((time.perf_counter() - self._waiting.since) * 1000, 1), kind=str(item.kind))
        self._waiting.over()
        if self._phase in (Phase.RINGING, Phase.JOINED, Phase.OVER):
            return
        if self._phase is Phase.TYPING and not item.replies:
            return
        if item.replies is None:
            self._at = CallState(turn=self._at.turn)
            await self._listen_to(*item.first, wording().late)
            return
        self._pages.kind, self._pages.replies = item.kind, item.replies
        self._pages.may_be_texted = item.about_rules
        step = plan(item.kind, self._at, item.replies, manner=self._manner())
        await self._say_step(replace(step, says=(*item.first, *step.says)))

    async def _be_patient(self, item: Patience) -> None:
        if item.turn != self._waiting.turn or self._phase in (Phase.JOINED, Phase.OVER, Phase.RINGING):
            return
        words = wording()
        if item.number < len(FILLERS_S):
            await self._say((words.waiting[min(item.number, len(words.waiting) - 1)],), self._listening_at(self._at))
        else:
            self._waiting.over()
            await self._listen_to(words.late)

    def _replanned(self, first: tuple[str, ...] = ()) -> Step:
        """What is being told, from the page where it stands, in the manner of now."""
        step = plan(self._pages.kind, self._at, self._pages.replies, manner=self._manner())
        if step.then is not Then.LISTEN:
            return Step(then=Then.LISTEN, says=first, state=self._at)
        return replace(step, says=(*first, *step.says))

    async def _text(self) -> None:
        text_to = self._around.text_to
        if text_to is None:
            return
        try:
            await text_to(self._mobile(), "\n".join(reply.text for reply in self._pages.replies))
        except SendError as error:
            log.warning("voice.not_texted", reason=str(error.reason))
            await self._say((wording().not_texted,), self._listening_at(self._at))
            return
        self._pages.texts += 1
        self._at = CallState(turn=self._at.turn)
        await self._listen_to(wording().texted, wording().listening)

    async def _record(self, external_id: str) -> TurnRecord | None:
        """The finished turn, which names the conversation; None while it goes on, or storage is away."""
        try:
            record = await self._around.record(ChannelName.VOICE, external_id)
        except TemporaryError:
            return None
        if record is not None and not self._conversation_id:
            self._conversation_id = record.conversation_id
            await self._noted(self._around.calls.belongs(self._caller.call, record.conversation_id))
        return record
