"""The telephone's side of a conversation, on any line: what is said when, what a key means, who gets the call.

One reader takes everything that happens, one thing after the other: what the caller does, answers of the core, the
desk's events and timers. What the core says is said as `channels.voice.plan` puts it, as on every other line.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Final

import structlog

from channels.voice import acts
from channels.voice.dialogue.agent_call import Told
from channels.voice.dialogue.parts import (
    Announce,
    Answered,
    Item,
    Patience,
    Phase,
    ProofAt,
    ProofWaits,
    Rang,
    TooLong,
)
from channels.voice.dialogue.people_side import WithPeople
from channels.voice.dialogue.turns import GIVE_UP_S
from channels.voice.plan import plan
from channels.voice.session import AgentGone, HangUp, HungUp, Keys, Silence, Spoken
from channels.voice.session import Final as Words
from channels.voice.wording import wording
from hotline.call_store import CallEnding, CallMark
from hotline.domain.messages import InboundKind

log = structlog.get_logger()

LONGEST_CALL_S: Final = 3600.0
ENDINGS: Final = {HangUp.CALLER: CallEnding.CALLER, HangUp.US: CallEnding.US, HangUp.LOST: CallEnding.LOST}


class CallConversation(WithPeople):
    """One call. `run` returns when it is over; whatever fails, the caller hears a sentence or a person."""

    async def run(self) -> None:
        """The whole call."""
        ending = CallEnding.LOST
        with structlog.contextvars.bound_contextvars(call=self._caller.call, channel="voice"):
            try:
                await self._begin()
                ending = await self._until_over()
            finally:
                await self._end(ending)

    async def _begin(self) -> None:
        call = self._session.call
        self._spawn(
            self._noted(self._around.calls.begin(call.id, line=call.line, caller=call.caller, called=call.called))
        )
        await self._say_step(plan(InboundKind.START, self._at, (), manner=self._manner()), interruptible=False)
        self._mark(CallMark.CONNECTED)
        self._spawn(self._read_session())
        self._spawn(self._open())
        self._limit()

    def _limit(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(LONGEST_CALL_S, self._inbox.put_nowait, TooLong())

    async def _is_long(self) -> None:
        """The machine's part of a call has a limit; who waits for a person or talks to one is left alone."""
        if self._phase in (Phase.BOT, Phase.PROVING):
            await self._goodbye(wording().no_more)
        else:
            self._limit()

    async def _until_over(self) -> CallEnding:
        while True:
            item = await self._inbox.get()
            if isinstance(item, HungUp):
                return ENDINGS[item.by]
            try:
                await self._handle(item)
            except Exception:  # a call goes on, whatever is broken
                log.exception("voice.turn.failed", kind=type(item).__name__)
                await self._listen_to(wording().failed)

    async def _end(self, ending: CallEnding) -> None:
        for timer in (self._timer, self._announcing):
            if timer is not None:
                timer.cancel()
        self._waiting.over()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.hang_up()
        await self._around.intake.submit(acts.left(self._caller))
        await self._noted(self._around.calls.end(self._caller.call, ending))
        log.info("voice.call.ended", by=str(ending), phase=str(self._phase))

    async def _read_session(self) -> None:
        async for event in self._session.events():
            self._inbox.put_nowait(event)

    async def _open(self) -> None:
        """The conversation begins in storage, and what people do in it is followed from then on."""
        await self._around.intake.answer(acts.began(self._caller), wait_s=GIVE_UP_S)
        for pause in itertools.repeat(1.0):
            if await self._record(acts.turn_id(self._caller.call, 0)):
                break
            await asyncio.sleep(pause)
        async for told in self._agent.follow(self._conversation_id):
            self._inbox.put_nowait(told)

    async def _handle(self, item: Item) -> None:
        if isinstance(item, (Words, Keys, Silence)):
            await self._did(item)
        elif isinstance(item, (Told, Rang, AgentGone, Announce)):
            await self._people(item)
        else:
            await self._went_on(item)

    async def _went_on(self, item: Item) -> None:
        match item:
            case Spoken():
                await self._spoken(item)
            case Answered():
                await self._answered(item)
            case Patience():
                await self._be_patient(item)
            case ProofAt():
                await self._proof_is_at(item.state)
            case ProofWaits():
                await self._proof_waits(item.entry)
            case TooLong():
                await self._is_long()
            case _:
                pass

    async def _people(self, item: Told | Rang | AgentGone | Announce) -> None:
        match item:
            case Told():
                await self._told(item)
            case Rang():
                await self._rang(item.outcome)
            case AgentGone():
                await self._agent_gone()
            case Announce():
                await self._announce()
