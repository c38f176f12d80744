"""A call and the people at the desk: who has it, what they say, what goes with it to an agent's telephone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import structlog

from channels.voice.dialogue.around import Around
from channels.voice.wording import wording
from hotline.agent_desk import DeskRefused, FellBehind
from hotline.desk_store import DeskConversation, DeskEvent
from hotline.domain.conversations import DeliveryStatus, Owner
from hotline.errors import TemporaryError

log = structlog.get_logger()

CITIZEN = "citizen"
PAGE = 50
RETRY_PAUSES_S = (0.2, 0.5, 1.0, 2.0)
LONGEST_WHISPER = 24
"""Characters said in five seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What has happened in the conversation: who has it now (None: as before), and what its caller is to be told."""

    owner: Owner | None = None
    holder: str = ""
    says: tuple[str, ...] = ()


class AgentCall:
    """The people's side of one call."""

    def __init__(self, call_id: str, around: Around) -> None:
        self._call_id = call_id
        self._around = around
        self._seen = 0
        self._held_by = (Owner.BOT, "")
        self.staff_id = ""
        """Whose telephone rings or has rung last."""
        self.is_over = False
        """An agent has had the call and has ended it."""

    async def follow(self, conversation_id: str) -> AsyncIterator[Told]:
        """Everything from now on, each once; endless."""
        while True:
            try:
                async for told in self._follow_once(conversation_id):
                    yield told
            except (FellBehind, TemporaryError) as error:
                log.warning("voice.follow.again", reason=type(error).__name__)
                await asyncio.sleep(0.5)

    async def _follow_once(self, conversation_id: str) -> AsyncIterator[Told]:
        events = self._around.people.follow(conversation_id)
        found = await self._around.people.conversation(conversation_id)
        if found is not None:
            yield Told(owner=found.owner, holder=found.holder, says=await self._new_lines(conversation_id))
        async for event in events:
            yield await self._told(conversation_id, event)

    async def _told(self, conversation_id: str, event: DeskEvent) -> Told:
        if event.kind not in ("owner", "line"):
            return Told()
        says = await self._new_lines(conversation_id)
        if event.kind != "owner":
            return Told(says=says)
        return Told(owner=Owner(event.data["owner"]), holder=str(event.data.get("holder", "")), says=says)

    async def _new_lines(self, conversation_id: str) -> tuple[str, ...]:
        """What was said to the caller by others than the machine's answers, which he hears by themselves."""
        says: list[str] = []
        while lines := await self._around.people.lines(conversation_id, after=self._seen, limit=PAGE):
            self._seen = lines[-1].seq
            says += [
                wording().agent_line.format(text=line.text) if line.author == "agent" else line.text
                for line in lines
                if line.author != CITIZEN and line.delivery == DeliveryStatus.STORED and line.text.strip()
            ]
            if len(lines) < PAGE:
                break
        return tuple(says)

    def is_news(self, told: Told) -> bool:
        """Whether somebody else has the conversation than before; from now on he has."""
        before = self._held_by
        if told.owner is not None:
            self._held_by = (told.owner, told.holder if told.owner is Owner.AGENT else "")
        return self._held_by != before

    def headers(self, conversation: DeskConversation) -> Mapping[str, str]:
        """What goes with the call to the agent's telephone: numbers of ours, nothing personal."""
        number = str(conversation.handover.id) if conversation.handover else ""
        return {
            "X-Hotline-Conversation": conversation.id,
            "X-Hotline-Handover": number,
            "X-Hotline-Call": self._call_id,
        }

    async def position(self, conversation_id: str) -> int | None:
        """The place in the queue, from 1."""
        found = await self._around.people.conversation(conversation_id)
        return await self._around.people.position(found.handover.id) if found and found.handover else None

    async def give_back(self, conversation_id: str) -> None:
        """The agent's telephone was not answered: the call waits for somebody else."""
        for pause in RETRY_PAUSES_S:
            try:
                found = await self._around.people.conversation(conversation_id)
                if found is not None and found.owner is Owner.AGENT:
                    await self._around.people.missed(found)
                return
            except DeskRefused as refused:
                log.warning("voice.not_given_back", reason=str(refused))
                return
            except TemporaryError:
                await asyncio.sleep(pause)
        log.error("voice.not_given_back", reason="database")

    async def end(self, conversation_id: str) -> bool:
        """The agent has put the telephone down: his part is over, the wrap-up is open, and the caller is told. False:
        it could not be ended, and he is not."""
        found = await self._around.people.conversation(conversation_id)
        if found is None or found.owner is not Owner.AGENT:
            return True
        try:
            await self._around.people.end(found)
        except DeskRefused as refused:
            log.warning("voice.not_ended", reason=str(refused))
            return False
        return True


def whisper(conversation: DeskConversation, matter: Callable[[str], str]) -> str:
    """Who calls and why, as the agent hears it before the two are joined."""
    words, handover = wording(), conversation.handover
    packet: Mapping[str, object] = handover.packet if handover else {}
    level = packet.get("level", 0)
    known = isinstance(level, int) and level >= 1
    about = (matter(handover.matter) if handover and handover.matter else "") or words.whisper_no_matter
    who = words.whisper_known if known else words.whisper_unknown
    return words.whisper.format(who=who, matter=about)[:LONGEST_WHISPER]
