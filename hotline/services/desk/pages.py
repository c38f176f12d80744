"""What the desk's pages show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from hotline.agent_desk import Canned, Checked, Meter, Suggestion, View, Wall
from hotline.desk_store import DeskConversation, Line, Note
from hotline.domain.clock import SHANGHAI
from hotline.domain.conversations import Owner
from hotline.domain.desk import AgentState, Group, Presence
from hotline.services.desk.parts import WithParts
from hotline.services.desk.summing_up import summary

PAGE: Final = 60
"""Lines of a transcript shown at once."""
EARLIER: Final = 10
LIVE: Final = 500
SERVICE_LEVEL_S: Final = 20
"""80 % within 20 s is the common aim of call centres; GB/T 33358 asks for 15 s on the telephone."""


class Pages(WithParts):
    """The reading half of `hotline.agent_desk.AgentDesk`."""

    async def check(self, conversation_id: str, text: str) -> Checked:
        conversation = await self._conversation(conversation_id)
        return self._parts.drafts.check(text, conversation.channel)

    async def mine(self, staff_id: str) -> Sequence[DeskConversation]:
        return await self._parts.desks.held_by(staff_id)

    async def queue(self) -> Sequence[DeskConversation]:
        return await self._parts.desks.queue()

    async def live(self, *, limit: int) -> Sequence[DeskConversation]:
        return await self._parts.desks.live(limit=limit)

    async def conversation(self, conversation_id: str) -> DeskConversation:
        return await self._conversation(conversation_id)

    async def notes(self, conversation_id: str) -> Sequence[Note]:
        return await self._parts.desks.notes([conversation_id])

    async def meter(self, conversation_id: str) -> Meter:
        return await self._parts.meters.meter(await self._conversation(conversation_id))

    async def view(self, conversation_id: str, *, staff_id: str, before: int | None = None) -> View:
        conversation = await self._conversation(conversation_id)
        customer = await self._parts.customers.customer(conversation, staff_id=staff_id)
        contacts = await self._parts.customers.contact_ids(conversation)
        lines = await self._parts.desks.history(contacts, before=before, limit=PAGE + 1)
        earlier = await self._parts.desks.handovers(contacts, limit=EARLIER)
        shown = lines[-PAGE:]
        return View(
            conversation=conversation,
            lines=shown,
            has_more=len(lines) > PAGE,
            notes=await self._parts.desks.notes(sorted({line.conversation_id for line in shown} | {conversation_id})),
            earlier=[each for each in earlier if each.conversation_id != conversation_id],
            customer=customer,
            meter=await self._parts.meters.meter(conversation),
            wait_s=self._waited_s(conversation),
        )

    async def lines(self, conversation_id: str, *, after: int) -> Sequence[Line]:
        return await self._parts.desks.lines(conversation_id, after=after, limit=PAGE)

    async def reveal(self, conversation_id: str, *, staff_id: str, field: str, reason: str) -> str:
        conversation = await self._conversation(conversation_id)
        return await self._parts.customers.reveal(conversation, staff_id=staff_id, field=field, reason=reason)

    async def suggestions(self, conversation_id: str, *, text: str = "") -> Sequence[Suggestion]:
        conversation = await self._conversation(conversation_id)
        if text.strip():
            return await self._parts.suggesting.search(text, conversation.channel, limit=5)
        lines = await self._parts.desks.lines(conversation_id, after=0, limit=LIVE)
        said = next((line.text for line in reversed(lines) if line.author == "citizen"), "")
        matter = conversation.handover.matter if conversation.handover else ""
        return await self._parts.suggesting.suggest(said, conversation.channel, limit=3, matter=matter) if said else ()

    async def canned(self) -> Sequence[Canned]:
        return self._parts.canned

    async def wrap_reasons(self) -> Sequence[tuple[str, str]]:
        return self._parts.wrap_reasons

    async def summary(self, conversation_id: str) -> str:
        conversation = await self._conversation(conversation_id)
        lines = await self._parts.desks.lines(conversation_id, after=0, limit=LIVE)
        names = dict(self._parts.wrap_reasons)
        return summary(lines, conversation.handover, lambda code: names.get(code, code))

    async def colleagues(self) -> Sequence[Presence]:
        there = await self._parts.desks.presences()
        return [each for each in there if each.state is not AgentState.OFFLINE]

    async def wall(self) -> Wall:
        now = self._parts.clock()
        waiting = await self._parts.desks.queue()
        day = await self._parts.desks.day(since=_midnight(now), within_s=SERVICE_LEVEL_S)
        waits = [self._waited_s(each) for each in waiting]
        return Wall(
            waiting=waiting,
            longest_wait_s=max(waits, default=0.0),
            agents=await self._parts.desks.presences(),
            held=sum(day.held.values()),
            with_bot=day.with_bot,
            service_level=day.within / day.taken if day.taken else None,
            service_level_s=SERVICE_LEVEL_S,
            taken_today=day.taken,
            left_today=day.left,
            expired_today=day.expired,
            by_group=[(group, _waiting_in(waiting, group), day.held.get(group, 0)) for group in Group],
        )

    def _waited_s(self, conversation: DeskConversation) -> float:
        handover = conversation.handover
        if handover is None:
            return 0.0
        until = handover.accepted_at or (self._parts.clock() if conversation.owner is Owner.QUEUED else None)
        return max(0.0, (until - handover.queued_at).total_seconds()) if until else 0.0


def _waiting_in(waiting: Sequence[DeskConversation], group: Group) -> int:
    return sum(each.handover is not None and each.handover.group is group for each in waiting)


def _midnight(now: datetime) -> datetime:
    """The beginning of today in China."""
    local = now.astimezone(SHANGHAI)
    return local - timedelta(
        hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
