"""What members of staff do at the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog

from hotline.agent_desk import DeskRefused, Refusal
from hotline.audit_store import ActorKind, AuditEntry
from hotline.desk_store import (
    DeskConversation,
    DeskEvent,
    NewLine,
    Note,
    Said,
    Telling,
    Transfer,
    WrapUp,
)
from hotline.domain.conversations import Owner
from hotline.domain.desk import WAIT_LIMIT, Agent, AgentState, Group, HandoverState
from hotline.domain.redaction import redact
from hotline.errors import TemporaryError
from hotline.services.desk.pages import Pages
from hotline.services.desk.parts import WithParts
from hotline.services.desk.telling import desk_words, sentence
from hotline.wording import mask

log = structlog.get_logger()

MANUAL_STATES = (AgentState.READY, AgentState.BUSY, AgentState.BREAK, AgentState.OFFLINE)
LONGEST_NOTE = 1000


class Actions(WithParts):
    """The doing half of `hotline.agent_desk.AgentDesk`; `hotline.services.desk.pages` is the reading half."""

    # --- who is there --------------------------------------------------------------------------------------------

    async def connect(self, agent: Agent) -> AgentState:
        state = await self._parts.desks.connect(agent)
        self._changed()
        return state

    async def seen(self, staff_id: str) -> None:
        await self._parts.desks.seen(staff_id)

    async def disconnect(self, staff_id: str) -> None:
        """The grace time runs from when the page was last heard of; there is nothing to write."""

    async def set_state(self, staff_id: str, state: AgentState) -> None:
        """Raises DeskRefused where the state begins by itself, or somebody who holds conversations wants to go."""
        if state not in MANUAL_STATES:
            raise DeskRefused(Refusal.NOT_ALLOWED)
        if state is AgentState.OFFLINE and any(_is_held(each) for each in await self._parts.desks.held_by(staff_id)):
            raise DeskRefused(Refusal.NOT_ALLOWED)
        await self._parts.desks.set_state(staff_id, state)
        self._changed()

    # --- the queue -----------------------------------------------------------------------------------------------

    async def accept(self, handover_id: int, *, staff_id: str) -> DeskConversation:
        agent = await self._agent(staff_id)
        return self._taken(
            await self._parts.queue.accept(handover_id, staff_id=staff_id, telling=self._greeting(agent))
        )

    async def pick(self, handover_id: int, *, staff_id: str) -> DeskConversation:
        agent = await self._agent(staff_id)
        return self._taken(await self._parts.queue.pick(handover_id, staff_id=staff_id, telling=self._greeting(agent)))

    async def decline(self, handover_id: int, *, staff_id: str) -> None:
        if not await self._parts.queue.decline(handover_id, staff_id=staff_id):
            raise DeskRefused(Refusal.GONE)
        self._changed()

    # --- a conversation one holds --------------------------------------------------------------------------------

    async def say(self, conversation_id: str, text: str, *, agent: Agent, client_id: str) -> Said:
        conversation = await self._conversation(conversation_id)
        checked = self._parts.drafts.check(text, conversation.channel)
        if checked.refusal is not None:
            raise DeskRefused(checked.refusal, found=checked.found)
        if await self._takes_nothing(conversation) and await self._parts.held.said(conversation_id, client_id) is None:
            raise DeskRefused(Refusal.WINDOW_CLOSED)
        line = NewLine(
            conversation_id=conversation_id,
            staff_id=agent.staff_id,
            client_id=client_id,
            text=text.strip(),
            signed=_signed(agent),
        )
        said = await self._parts.held.say(line, delivery=self._parts.tellings.way(conversation.channel))
        if said is None:
            raise DeskRefused(Refusal.NOT_YOURS)
        self._reaches(conversation)
        return said

    async def typing(self, conversation_id: str, *, staff_id: str, on: bool) -> None:
        conversation = await self._conversation(conversation_id)
        if conversation.holder == staff_id and conversation.owner is Owner.AGENT:
            self._parts.typing(conversation.channel, conversation.address, on)

    async def end(self, conversation_id: str, *, staff_id: str) -> DeskConversation:
        telling = self._parts.tellings.tell("farewell")
        ended = self._done(await self._parts.held.end(conversation_id, staff_id=staff_id, telling=telling))
        try:
            await self._parts.rated(ended)
        except TemporaryError as error:  # the conversation has ended; how it was is not worth more
            log.warning("desk.not_rated", reason=str(error))
        return ended

    async def wrap_up(self, handover_id: int, *, staff_id: str, wrap_up: WrapUp) -> None:
        if not await self._parts.held.wrap_up(handover_id, staff_id=staff_id, wrap_up=wrap_up):
            raise DeskRefused(Refusal.NOT_YOURS)
        self._changed()

    async def transfer(
        self, conversation_id: str, *, staff_id: str, to_group: Group | None, to_staff: str, note: str
    ) -> None:
        conversation = await self._conversation(conversation_id)
        group = await self._target(conversation, staff_id, to_group, to_staff)
        transfer = Transfer(
            conversation_id=conversation_id,
            staff_id=staff_id,
            to_group=group,
            to_staff=to_staff,
            note=note[:LONGEST_NOTE],
            expires_at=self._parts.clock() + WAIT_LIMIT,
        )
        self._done(await self._parts.held.transfer(transfer, telling=self._parts.tellings.tell("transferred")))

    async def phone_missed(self, conversation: DeskConversation) -> None:
        """The telephone of the agent who took the call was not picked up: the call waits for somebody again, and he is
        busy, so that nobody else waits for an empty chair."""
        transfer = Transfer(
            conversation_id=conversation.id,
            staff_id=conversation.holder,
            to_group=conversation.handover.group if conversation.handover else Group.DEPOSIT,
            to_staff="",
            note=sentence("missed_note", conversation.channel),
            expires_at=self._parts.clock() + WAIT_LIMIT,
        )
        telling = self._parts.tellings.tell("missed")
        await self._parts.desks.set_state(conversation.holder, AgentState.BUSY)
        self._done(await self._parts.held.transfer(transfer, telling=telling))

    def follow_conversation(self, conversation_id: str) -> AsyncIterator[DeskEvent]:
        """Endless: what happens in one conversation from this call on. Raises FellBehind."""
        return self._parts.live.follow_conversation(conversation_id)

    async def add_note(self, conversation_id: str, *, staff_id: str, text: str) -> Note:
        return await self._note(conversation_id, staff_id=staff_id, kind="note", text=text)

    # --- supervisors ---------------------------------------------------------------------------------------------

    async def take_over(self, conversation_id: str, *, agent: Agent) -> DeskConversation:
        _only_supervisors(agent)
        await self._record("conversation.taken_over", agent, conversation_id)
        telling = self._greeting(agent)
        return self._taken(await self._parts.held.take_over(conversation_id, staff_id=agent.staff_id, telling=telling))

    async def whisper(self, conversation_id: str, *, agent: Agent, text: str) -> Note:
        _only_supervisors(agent)
        return await self._note(conversation_id, staff_id=agent.staff_id, kind="whisper", text=text)

    # --- live ----------------------------------------------------------------------------------------------------

    async def last_seq(self) -> int:
        return await self._parts.live.last_seq()

    def follow(self, staff_id: str, *, after: int | None) -> AsyncIterator[DeskEvent]:
        return self._parts.live.follow(staff_id, after=after)

    async def watch(self, conversation_id: str, *, agent: Agent, on: bool) -> None:
        """A supervisor looks on: the conversation's lines are told to him too. The look is in the audit trail."""
        _only_supervisors(agent)
        if on:
            await self._record("conversation.watched", agent, conversation_id)
        self._parts.live.watch(agent.staff_id, conversation_id, on=on)

    # --- how -----------------------------------------------------------------------------------------------------

    async def _agent(self, staff_id: str) -> Agent:
        for each in await self._parts.desks.presences():
            if each.agent.staff_id == staff_id:
                return each.agent
        raise DeskRefused(Refusal.NOT_ALLOWED)

    async def _takes_nothing(self, conversation: DeskConversation) -> bool:
        meter = await self._parts.meters.meter(conversation)
        if meter.falls_over_to:
            return False
        used_up = meter.bubbles_left is not None and meter.bubbles_left <= 0
        return used_up or (meter.closes_at is not None and meter.closes_at <= self._parts.clock())

    async def _target(
        self, conversation: DeskConversation, staff_id: str, to_group: Group | None, to_staff: str
    ) -> Group:
        """The group the conversation waits in. Raises DeskRefused for a colleague who is not there."""
        of_now = conversation.handover.group if conversation.handover else Group.DEPOSIT
        if not to_staff:
            if to_group is None:
                raise DeskRefused(Refusal.UNKNOWN_TARGET)
            return to_group
        there = [
            each
            for each in await self._parts.desks.presences()
            if each.agent.staff_id == to_staff != staff_id and each.state is not AgentState.OFFLINE
        ]
        if not there:
            raise DeskRefused(Refusal.UNKNOWN_TARGET)
        return to_group or of_now

    async def _note(self, conversation_id: str, *, staff_id: str, kind: str, text: str) -> Note:
        said = redact(text.strip(), mask()).text
        if not said:
            raise DeskRefused(Refusal.EMPTY)
        if len(said) > LONGEST_NOTE:
            raise DeskRefused(Refusal.TOO_LONG)
        await self._conversation(conversation_id)
        note = await self._parts.held.add_note(conversation_id, staff_id=staff_id, kind=kind, text=said)
        self._parts.live.wake()
        return note

    async def _record(self, action: str, agent: Agent, conversation_id: str) -> None:
        entry = AuditEntry(
            actor_kind=ActorKind.STAFF,
            actor_id=agent.staff_id,
            action=action,
            purpose="desk",
            conversation_id=conversation_id,
        )
        await self._parts.audit.record(entry)

    def _greeting(self, agent: Agent) -> Telling:
        return self._parts.tellings.tell("greeting", agent=_signed(agent))

    def _taken(self, conversation: DeskConversation | None) -> DeskConversation:
        if conversation is None:
            raise DeskRefused(Refusal.GONE)
        return self._reached(conversation)

    def _done(self, conversation: DeskConversation | None) -> DeskConversation:
        if conversation is None:
            raise DeskRefused(Refusal.NOT_YOURS)
        return self._reached(conversation)

    def _reached(self, conversation: DeskConversation) -> DeskConversation:
        self._reaches(conversation)
        self._parts.router.wake()
        return conversation

    def _reaches(self, conversation: DeskConversation) -> None:
        """Whatever was said is on its way, and the desk's pages hear of it."""
        self._parts.told(conversation.channel, conversation.address)
        self._parts.live.wake()

    def _changed(self) -> None:
        self._parts.router.wake()
        self._parts.live.wake()


def _only_supervisors(agent: Agent) -> None:
    if not agent.supervises:
        raise DeskRefused(Refusal.NOT_ALLOWED)


def _is_held(conversation: DeskConversation) -> bool:
    return conversation.handover is not None and conversation.handover.state is HandoverState.HELD


def _signed(agent: Agent) -> str:
    return str(desk_words()["agent_name"]).format(work_no=agent.work_no)


class Desk(Actions, Pages):
    """Implements `hotline.agent_desk.AgentDesk`."""
