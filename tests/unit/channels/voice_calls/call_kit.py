"""A call on the whole core, with a caller and a line that tests play."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from channels.voice.dialogue.around import Around
from channels.voice.dialogue.call import CallConversation
from channels.voice.proof import KeypadProof
from channels.voice.session import (
    AgentGone,
    Call,
    Final,
    HangUp,
    HungUp,
    Keys,
    Listening,
    Silence,
    Spoken,
    Target,
    Transferred,
    VoiceEvent,
)
from hotline.call_store import CallEnding, CallMark
from hotline.desk_store import DeskConversation
from hotline.domain.desk import Agent
from hotline.domain.messages import ChannelName
from hotline.privacy.ciphers import FieldCipher
from tests.core_kit import Kit, core_kit
from web.telephone.people import DeskPeople


@dataclass
class FakeLine:
    """A session as `channels.voice.session.VoiceSession` describes it: words are over as soon as they are said."""

    call: Call
    hears: bool = True
    can_transfer: bool = True
    outcome: Transferred = Transferred.ANSWERED
    rings_s: float = 0.0
    said: list[str] = field(default_factory=list)
    listenings: list[Listening | None] = field(default_factory=list)
    played: list[str] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    recorded: list[bool] = field(default_factory=list)
    parted: int = 0
    hung_up: bool = False
    holds: bool = False
    """Words take until somebody lets go."""
    queue: asyncio.Queue[VoiceEvent] = field(default_factory=asyncio.Queue)

    async def events(self) -> AsyncIterator[VoiceEvent]:
        while True:
            event = await self.queue.get()
            yield event
            if isinstance(event, HungUp):
                return

    async def say(self, says: Sequence[str], listening: Listening | None) -> None:
        self.said += says
        self.listenings.append(listening)
        if not self.holds:
            self.queue.put_nowait(Spoken(heard="".join(says), whole=True))

    async def play(self, sound: str) -> None:
        self.played.append(sound)

    async def transfer(self, target: Target) -> Transferred:
        self.targets.append(target)
        await asyncio.sleep(self.rings_s)
        return self.outcome

    async def join_off(self) -> None:
        self.parted += 1

    async def record(self, *, on: bool) -> None:
        self.recorded.append(on)

    async def hang_up(self) -> None:
        if not self.hung_up:
            self.hung_up = True
            self.queue.put_nowait(HungUp(by=HangUp.US))


@dataclass
class FakeCalls:
    marks: list[tuple[CallMark, dict[str, Any]]] = field(default_factory=list)
    ending: CallEnding | None = None
    conversation_id: str = ""

    async def begin(self, call_id: str, *, line: str, caller: str, called: str) -> None: ...

    async def belongs(self, call_id: str, conversation_id: str) -> None:
        self.conversation_id = conversation_id

    async def mark(self, call_id: str, mark: CallMark, **detail: str | int) -> None:
        self.marks.append((mark, detail))

    async def end(self, call_id: str, ending: CallEnding) -> None:
        self.ending = ending

    @property
    def names(self) -> list[CallMark]:
        return [mark for mark, _ in self.marks]


class People(DeskPeople):
    """The real desk, with telephones that tests hand out."""

    def __init__(self, kit: Kit, phones: dict[str, str]) -> None:
        super().__init__(kit.core)
        self._phones = phones

    async def phone_of(self, staff_id: str) -> tuple[str, str]:
        return self._phones.get(staff_id, ""), "1001"


@dataclass
class CallKit:
    kit: Kit
    line: FakeLine
    calls: FakeCalls
    texts: list[tuple[str, str]]
    task: asyncio.Task[None]
    conversation: CallConversation

    async def says(self, text: str, confidence: float | None = None) -> str:
        """The caller says something; what he hears next."""
        return await self.hears_after(Final(text=text, confidence=confidence))

    async def presses(self, keys: str, *, by_finish_key: bool = False) -> str:
        return await self.hears_after(Keys(keys=keys, by_finish_key=by_finish_key))

    async def is_silent(self) -> str:
        return await self.hears_after(Silence())

    async def hears_after(self, event: VoiceEvent) -> str:
        before = len(self.line.said)
        self.line.queue.put_nowait(event)
        return await self.hears(before)

    async def hears(self, before: int | None = None) -> str:
        """What is said beyond the ``before`` texts said already."""
        before = len(self.line.said) if before is None else before
        await until(lambda: len(self.line.said) > before)
        await asyncio.sleep(0.05)
        return "|".join(self.line.said[before:])

    async def hears_nothing_after(self, text: str) -> None:
        """The caller says something that nobody answers at once."""
        before = len(self.line.said)
        self.line.queue.put_nowait(Final(text=text))
        await asyncio.sleep(0.6)
        assert self.line.said[before:] == []

    async def hangs_up(self) -> None:
        self.line.queue.put_nowait(HungUp(by=HangUp.CALLER))
        await asyncio.wait_for(self.task, 10)

    def agent_gone(self) -> None:
        self.line.queue.put_nowait(AgentGone())

    @property
    def listening(self) -> Listening:
        found = self.line.listenings[-1]
        assert found is not None
        return found

    async def waiting(self) -> DeskConversation:
        """The call in the queue."""
        found: list[DeskConversation] = []
        for _ in range(200):
            found = list(await self.kit.core.desk.queue())
            if found:
                return found[0]
            await asyncio.sleep(0.02)
        raise AssertionError("nobody waits")


async def until(true: Any, *, seconds: float = 10.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")


@asynccontextmanager
async def a_call(
    directory: Path,
    *,
    agent: Agent | None = None,
    phones: dict[str, str] | None = None,
    caller: str = "13800138000",
    texts: bool = True,
    records: bool = True,
    **line: Any,
) -> AsyncIterator[CallKit]:
    """A call that has been greeted."""
    async with core_kit(directory, agent=agent, wait_s=5) as kit:
        voice = kit.channels[ChannelName.VOICE]
        voice.capabilities = replace(voice.capabilities, greets_itself=True)
        sent: list[tuple[str, str]] = []

        async def text_to(mobile: str, text: str) -> None:
            sent.append((mobile, text))

        session, calls = FakeLine(Call(id="sip-1", line="sip", caller=caller), **line), FakeCalls()
        around = Around(
            intake=kit.core.intake,
            record=kit.storage.store.record,
            people=People(kit, phones or {}),
            calls=calls,  # type: ignore[arg-type] # what a call does not use is left out
            proof=KeypadProof(kit.core.identification, FieldCipher.from_settings(kit.core.settings.privacy)),
            matter={"withdraw-rent": "租房提取"}.get,  # type: ignore[arg-type]
            text_to=text_to if texts else None,
            centre="广州公积金",
            records=records,
        )
        keeping = asyncio.create_task(kit.core.housekeeping.run())
        conversation = CallConversation(session, around)
        task = asyncio.create_task(conversation.run())
        made = CallKit(kit, session, calls, sent, task, conversation)
        try:
            await until(lambda: bool(session.said))
            await until(lambda: bool(calls.conversation_id))
            yield made
        finally:
            if not task.done():
                session.queue.put_nowait(HungUp(by=HangUp.CALLER))
            await asyncio.wait_for(task, 10)
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
