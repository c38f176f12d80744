"""The desk's side: waiting for a person, ringing one, being joined and parted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from channels.voice import speech
from channels.voice.dialogue import parts
from channels.voice.dialogue.agent_call import Told, whisper
from channels.voice.dialogue.caller_side import CallerSide
from channels.voice.dialogue.parts import Announce, Phase, Rang
from channels.voice.session import Target, Transferred
from channels.voice.wording import wording
from hotline.call_store import CallMark
from hotline.domain.conversations import Owner


class WithPeople(CallerSide):
    """Follows who has the conversation."""

    async def _told(self, told: Told) -> None:
        if told.owner is not None and self._agent.is_news(told):
            await self._owner_is(told.owner, told.holder)
        if self._phase is Phase.RINGING:
            self._later += told.says
        elif told.says and self._phase is not Phase.JOINED:
            await self._tell(told.says)

    async def _owner_is(self, owner: Owner, holder: str) -> None:
        before = self._phase
        if before is Phase.PROVING and owner is not Owner.BOT:
            await self._proof_over(None)
        if owner is Owner.QUEUED:
            await self._queued()
        elif owner is Owner.AGENT:
            await self._agent_took_it(holder)
        else:
            await self._back_from_people(before, owner)

    async def _queued(self) -> None:
        if self._phase is Phase.JOINED:
            await self._session.join_off()
        self._phase = Phase.QUEUED
        self._mark(CallMark.QUEUED)
        self._announce_later()
        if not self._speaking and self._waiting.turn < 0:
            await self._session.play("waiting")

    async def _agent_took_it(self, holder: str) -> None:
        if self._phase in (Phase.JOINED, Phase.RINGING):  # somebody else has taken it over
            await self._session.join_off()
            self._mark(CallMark.AGENT_GONE)
        extension, work_no = await self._around.people.phone_of(holder)
        conversation = await self._around.people.conversation(self._conversation_id)
        if not extension or not self._session.can_transfer or conversation is None:
            self._phase = Phase.TYPING
            await self._listen_to()
            return
        self._phase = Phase.RINGING
        self._later.clear()
        self._waiting.over()
        self._agent.staff_id = holder
        self._mark(CallMark.AGENT_RINGS, staff=holder, extension=extension)
        await self._say((speech.speakable(wording().ringing.format(work_no=work_no)),), None)
        target = Target(
            extension=extension,
            headers=self._agent.headers(conversation),
            whisper=whisper(conversation, self._around.matter),
            ring_s=self._around.ring_s,
        )
        self._spawn(self._ring(target))

    async def _ring(self, target: Target) -> None:
        self._inbox.put_nowait(Rang(outcome=await self._session.transfer(target)))

    async def _rang(self, outcome: Transferred) -> None:
        if self._phase is not Phase.RINGING:
            return
        if outcome is Transferred.ANSWERED:
            self._phase, self._saying = Phase.JOINED, 0
            self._later.clear()
            self._mark(CallMark.AGENT_ANSWERED, staff=self._agent.staff_id)
        elif outcome is not Transferred.CALLER_GONE:
            self._mark(CallMark.AGENT_MISSED, why=str(outcome))
            self._later.clear()
            self._phase, self._saying = Phase.QUEUED, 0
            await self._agent.give_back(self._conversation_id)

    async def _agent_gone(self) -> None:
        """The agent has put his telephone down. The conversation stays his to wrap up; the caller is not left alone."""
        if self._phase is not Phase.JOINED:
            return
        self._mark(CallMark.AGENT_GONE)
        self._phase, self._agent.is_over = Phase.BOT, True
        if not await self._agent.end(self._conversation_id):
            await self._tell((wording().parted,))

    async def _back_from_people(self, before: Phase, owner: Owner) -> None:
        if before in (Phase.JOINED, Phase.RINGING):
            await self._session.join_off()
            self._mark(CallMark.AGENT_GONE)
        if before is Phase.QUEUED:
            self._mark(CallMark.QUEUE_LEFT, why="expired" if self._waiting.turn < 0 else "chosen")
        if owner is Owner.WRAP_UP:
            self._agent.is_over = True
        if before is not Phase.BOT and before is not Phase.OVER:
            self._phase = Phase.BOT
            if not self._speaking and self._waiting.turn < 0:
                await self._listen_to()

    def _announce_later(self) -> None:
        if self._announcing is not None:
            self._announcing.cancel()
        loop = asyncio.get_running_loop()
        self._announcing = loop.call_later(parts.ANNOUNCE_S, self._inbox.put_nowait, Announce())

    async def _announce(self) -> None:
        if self._phase is not Phase.QUEUED:
            return
        self._announce_later()
        position = await self._agent.position(self._conversation_id)
        if position is None or self._speaking or self._waiting.turn >= 0:
            return
        words = wording()
        place = words.place_first if position == 1 else words.place.format(before=position - 1)
        await self._say((words.waiting_for_person.format(place=place),), self._listening_at(self._at))

    async def _tell(self, says: Sequence[str]) -> None:
        """Said after what is being said, not instead of it."""
        if self._speaking:
            self._later += says
        else:
            await self._say((*self._later_taken(), *says), self._listening_at(self._at))
