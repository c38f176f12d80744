"""The agent desk in memory: several conversations and colleagues to look at, and a feed that can be lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hotline.agent_desk import Canned, Checked, DeskRefused, FellBehind, Meter, Refusal, Suggestion, View, Wall
from hotline.desk_store import DeskConversation, DeskEvent, Handover, Line, Note, Said, WrapUp
from hotline.domain.conversations import Owner
from hotline.domain.desk import LANES, Agent, AgentState, Group, HandoverState, Presence
from hotline.domain.messages import ChannelName
from hotline.domain.redaction import redact
from hotline.wording import mask
from tests.desk_cast import OWNERS, Cast, Talk, customer, is_his, meter

LIMITS = {ChannelName.WEB: 1000, ChannelName.WECHAT: 600, ChannelName.SMS: 134, ChannelName.VOICE: 120}
SENSITIVE = ("保证能批", "内部关系")
PAGE = 60


class FakeDesk:
    """Implements `hotline.agent_desk.AgentDesk`. ``asked`` is what it was asked for; ``refuse`` what it refuses next by
    method name, with a Refusal or an exception."""

    def __init__(self, *, now: datetime | None = None) -> None:
        """``now`` stands still where it is given."""
        self._now = now
        self._seq = 0
        self._lines = 100
        self.events: list[DeskEvent] = []
        self.asked: list[tuple[str, object]] = []
        self.refuse: dict[str, Exception] = {}
        self.reset()
        self.following: set[str] = set()
        self.watched: set[tuple[str, str]] = set()
        self.meters: dict[str, Meter] = {}
        self.behind = False
        self._cut = asyncio.Event()
        self._news = asyncio.Condition()

    def reset(self) -> None:
        """Everybody and everything as at the beginning; only the feed goes on."""
        self.cast = Cast(self.clock(), self._next_line)
        self.talks = self.cast.talks()
        self.presences = self.cast.presences()
        self.asked.clear()
        self.refuse.clear()

    def agent(self, staff_id: str) -> Agent:
        return self.presences[staff_id].agent

    async def citizen_says(self, conversation_id: str, text: str) -> Line:
        talk = self.talks[conversation_id]
        line = self._line(talk, "citizen", text)
        since = talk.at.unanswered_since or line.at
        talk.at = replace(talk.at, last_text=text, last_at=line.at, unanswered_since=since)
        await self.tell("line", conversation_id, staff_id=talk.at.holder, author="citizen", seq=line.seq)
        return line

    async def offer(self, conversation_id: str, staff_id: str, *, for_s: float = 20) -> int:
        until = self.clock() + timedelta(seconds=for_s)
        handover = self._becomes(conversation_id, HandoverState.OFFERED, offered_to=staff_id, offer_until=until)
        await self.tell("offer", conversation_id, handover.id, staff_id=staff_id, until=until.isoformat())
        return handover.id

    async def tell(
        self, kind: str, conversation_id: str = "", handover_id: int | None = None, *, staff_id: str = "", **data: Any
    ) -> DeskEvent:
        """Live pages hear of it."""
        self._seq += 1
        event = DeskEvent(
            seq=self._seq,
            kind=kind,
            conversation_id=conversation_id,
            handover_id=handover_id,
            staff_id=staff_id,
            data=data,
            at=self.clock(),
        )
        async with self._news:
            self.events.append(event)
            self._news.notify_all()
        return event

    async def lose_streams(self) -> None:
        """Every stream ends, as when the gateway restarts."""
        self._cut.set()
        async with self._news:
            self._news.notify_all()
        self._cut = asyncio.Event()

    async def connect(self, agent: Agent) -> AgentState:
        self._ask("connect", agent.staff_id)
        known = self.presences.get(agent.staff_id)
        if known is None:
            known = Presence(agent=agent, state=AgentState.BREAK, since=self.clock(), seen_at=self.clock())
            self.presences[agent.staff_id] = known
        return known.state

    async def seen(self, staff_id: str) -> None:
        self._ask("seen", staff_id)

    async def disconnect(self, staff_id: str) -> None:
        self._ask("disconnect", staff_id)

    async def set_state(self, staff_id: str, state: AgentState) -> None:
        self._ask("set_state", state)
        self.presences[staff_id] = replace(self.presences[staff_id], state=state, since=self.clock())
        await self.tell("state", who=staff_id, state=state)

    async def accept(self, handover_id: int, *, staff_id: str) -> DeskConversation:
        self._ask("accept", handover_id)
        return await self._take(handover_id, staff_id, {HandoverState.OFFERED})

    async def pick(self, handover_id: int, *, staff_id: str) -> DeskConversation:
        self._ask("pick", handover_id)
        return await self._take(handover_id, staff_id, {HandoverState.OFFERED, HandoverState.WAITING})

    async def decline(self, handover_id: int, *, staff_id: str) -> None:
        self._ask("decline", handover_id)
        talk = self._of(handover_id)
        self._becomes(talk.at.id, HandoverState.WAITING, offered_to="", offer_until=None)
        await self.tell("offer_gone", talk.at.id, handover_id, staff_id=staff_id)

    async def say(self, conversation_id: str, text: str, *, agent: Agent, client_id: str) -> Said:
        self._ask("say", (conversation_id, text, client_id))
        talk = self._known(conversation_id)
        for line in talk.lines:
            if line.message_id == client_id:
                return Said(line=line, again=True, delivery_id=None)
        checked = await self.check(conversation_id, text)
        if checked.refusal:
            raise DeskRefused(checked.refusal, found=checked.found)
        if talk.at.holder != agent.staff_id:
            raise DeskRefused(Refusal.NOT_YOURS)
        line = self._line(talk, "agent", text.strip(), by=agent.staff_id, message_id=client_id, delivery="sent")
        talk.at = replace(talk.at, last_text=line.text, last_at=line.at, unanswered_since=None)
        await self.tell("line", conversation_id, staff_id=agent.staff_id, author="agent", seq=line.seq)
        return Said(line=line, again=False, delivery_id="d-1")

    async def check(self, conversation_id: str, text: str) -> Checked:
        channel = self._known(conversation_id).at.channel
        personal, limit = redact(text, mask()), LIMITS[channel]
        words = tuple(word for word in SENSITIVE if word in text)
        refusal = Refusal.EMPTY if not text.strip() else Refusal.TOO_LONG if len(text) > limit else None
        if not refusal and (personal.found or words):
            refusal = Refusal.PERSONAL if personal.found else Refusal.SENSITIVE
        parts = -(-len(text) // 67) if len(text) > 70 else 1
        return Checked(
            refusal=refusal,
            found=personal.found or words,
            masked=personal.text,
            characters=len(text),
            limit=limit,
            parts=parts if channel is ChannelName.SMS else 0,
        )

    async def typing(self, conversation_id: str, *, staff_id: str, on: bool) -> None:
        self._ask("typing", (conversation_id, on))

    async def end(self, conversation_id: str, *, staff_id: str) -> None:
        self._ask("end", conversation_id)
        self._held(conversation_id, staff_id)
        self._becomes(conversation_id, HandoverState.WRAP_UP, ended_at=self.clock())
        await self.tell("owner", conversation_id, owner=Owner.WRAP_UP, holder="")

    async def wrap_up(self, handover_id: int, *, staff_id: str, wrap_up: WrapUp) -> None:
        self._ask("wrap_up", wrap_up)
        talk = self._of(handover_id)
        self._becomes(talk.at.id, HandoverState.DONE)
        await self.tell("owner", talk.at.id, owner=Owner.BOT, holder="")

    async def transfer(
        self, conversation_id: str, *, staff_id: str, to_group: Group | None, to_staff: str, note: str
    ) -> None:
        self._ask("transfer", (conversation_id, to_group, to_staff, note))
        if to_staff and to_staff not in self.presences:
            raise DeskRefused(Refusal.UNKNOWN_TARGET)
        self._held(conversation_id, staff_id)
        self._becomes(conversation_id, HandoverState.WAITING, agent_id="", accepted_at=None)
        await self.tell("owner", conversation_id, owner=Owner.QUEUED, holder="")

    async def add_note(self, conversation_id: str, *, staff_id: str, text: str) -> Note:
        return await self._noted(conversation_id, staff_id, "note", text)

    async def take_over(self, conversation_id: str, *, agent: Agent) -> DeskConversation:
        self._ask("take_over", conversation_id)
        self._known(conversation_id)
        self._becomes(conversation_id, HandoverState.HELD, agent_id=agent.staff_id, accepted_at=self.clock())
        await self.tell("owner", conversation_id, owner=Owner.AGENT, holder=agent.staff_id)
        return self.talks[conversation_id].at

    async def whisper(self, conversation_id: str, *, agent: Agent, text: str) -> Note:
        return await self._noted(conversation_id, agent.staff_id, "whisper", text)

    async def watch(self, conversation_id: str, *, agent: Agent, on: bool) -> None:
        self._ask("watch", (conversation_id, on))
        (self.watched.add if on else self.watched.discard)((agent.staff_id, conversation_id))

    async def wall(self) -> Wall:
        self._ask("wall", None)
        waiting = await self.queue()
        waits = [(self.clock() - each.handover.queued_at).total_seconds() for each in waiting if each.handover]
        held = [talk.at for talk in self.talks.values() if talk.at.owner is Owner.AGENT]

        def count(among: Sequence[DeskConversation], group: Group) -> int:
            return sum(each.handover is not None and each.handover.group is group for each in among)

        return Wall(
            waiting=waiting,
            longest_wait_s=max(waits, default=0.0),
            agents=[self._loaded(each) for each in self.presences.values()],
            held=len(held),
            with_bot=128,
            service_level=0.87,
            service_level_s=20,
            taken_today=214,
            left_today=9,
            expired_today=4,
            by_group=[(group, count(waiting, group), count(held, group)) for group in Group],
        )

    async def mine(self, staff_id: str) -> Sequence[DeskConversation]:
        self._ask("mine", staff_id)
        return [talk.at for talk in self.talks.values() if is_his(talk.at, staff_id)]

    async def queue(self) -> Sequence[DeskConversation]:
        return [talk.at for talk in self.talks.values() if talk.at.owner is Owner.QUEUED]

    async def live(self, *, limit: int) -> Sequence[DeskConversation]:
        return [talk.at for talk in self.talks.values() if talk.at.closed_at is None][:limit]

    async def conversation(self, conversation_id: str) -> DeskConversation:
        self._ask("conversation", conversation_id)
        return self._known(conversation_id).at

    async def notes(self, conversation_id: str) -> Sequence[Note]:
        return self._known(conversation_id).notes

    async def meter(self, conversation_id: str) -> Meter:
        at = self._known(conversation_id).at
        return self.meters.get(conversation_id) or meter(at, self.clock())

    async def view(self, conversation_id: str, *, staff_id: str, before: int | None = None) -> View:
        self._ask("view", (conversation_id, before))
        talk = self._known(conversation_id)
        lines = [line for line in talk.lines if before is None or line.seq < before]
        return View(
            conversation=talk.at,
            lines=lines[-PAGE:],
            has_more=len(lines) > PAGE,
            notes=talk.notes,
            earlier=self.cast.earlier(talk.at),
            customer=customer(talk.at),
            meter=await self.meter(conversation_id),
            wait_s=62.0,
        )

    async def lines(self, conversation_id: str, *, after: int) -> Sequence[Line]:
        return [line for line in self._known(conversation_id).lines if line.seq > after][:PAGE]

    async def reveal(self, conversation_id: str, *, staff_id: str, field: str, reason: str) -> str:
        self._ask("reveal", (conversation_id, field, reason))
        return {"id_number": "11010519491231002X", "mobile": "13800138000"}[field]

    async def suggestions(self, conversation_id: str, *, text: str = "") -> Sequence[Suggestion]:
        self._ask("suggestions", text)
        return [Suggestion(**each) for each in self.cast.raw["suggestions"] if text in each["title"] + each["text"]]

    async def canned(self) -> Sequence[Canned]:
        return [Canned(shortcut=one, title=title, text=text) for one, title, text in self.cast.raw["canned"]]

    async def wrap_reasons(self) -> Sequence[tuple[str, str]]:
        return [(code, name) for code, name in self.cast.raw["matters"]]

    async def summary(self, conversation_id: str) -> str:
        return "询问租房提取的条件和限额，已答复。"

    async def colleagues(self) -> Sequence[Presence]:
        return [self._loaded(each) for each in self.presences.values() if each.state is not AgentState.OFFLINE]

    async def last_seq(self) -> int:
        return self._seq

    async def follow(self, staff_id: str, *, after: int | None) -> AsyncIterator[DeskEvent]:
        self._ask("follow", after)
        cut, told = self._cut, self._seq if after is None else after
        self.following.add(staff_id)
        try:
            while not cut.is_set():
                if self.behind:
                    self.behind = False
                    raise FellBehind
                for event in [each for each in self.events if each.seq > told]:
                    told = event.seq
                    if event.staff_id in ("", staff_id) or (staff_id, event.conversation_id) in self.watched:
                        yield event
                async with self._news:
                    if self._seq <= told and not cut.is_set():
                        await self._news.wait()
        finally:
            self.following.discard(staff_id)

    def clock(self) -> datetime:
        return self._now or datetime.now(UTC)

    def _next_line(self) -> int:
        self._lines += 1
        return self._lines

    def _ask(self, what: str, given: object) -> None:
        self.asked.append((what, given))
        if (refused := self.refuse.pop(what, None)) is not None:
            raise refused

    def _known(self, conversation_id: str) -> Talk:
        if conversation_id not in self.talks:
            raise DeskRefused(Refusal.GONE)
        return self.talks[conversation_id]

    def _of(self, handover_id: int) -> Talk:
        for talk in self.talks.values():
            if talk.at.handover and talk.at.handover.id == handover_id:
                return talk
        raise DeskRefused(Refusal.GONE)

    def _held(self, conversation_id: str, staff_id: str) -> None:
        if self._known(conversation_id).at.holder != staff_id:
            raise DeskRefused(Refusal.NOT_YOURS)

    def _becomes(self, conversation_id: str, state: HandoverState, **changes: Any) -> Handover:
        talk = self._known(conversation_id)
        handover = replace(talk.at.handover, state=state, **changes) if talk.at.handover else None
        owner = OWNERS.get(state, Owner.BOT)
        holder = handover.agent_id if handover and owner is Owner.AGENT else ""
        talk.at = replace(talk.at, handover=handover, owner=owner, holder=holder)
        assert handover is not None
        return handover

    async def _take(self, handover_id: int, staff_id: str, states: set[HandoverState]) -> DeskConversation:
        talk = self._of(handover_id)
        if talk.at.holder == staff_id:
            return talk.at
        if talk.at.handover is None or talk.at.handover.state not in states:
            raise DeskRefused(Refusal.GONE)
        self._becomes(talk.at.id, HandoverState.HELD, agent_id=staff_id, accepted_at=self.clock())
        await self.tell("owner", talk.at.id, handover_id, owner=Owner.AGENT, holder=staff_id)
        return talk.at

    async def _noted(self, conversation_id: str, staff_id: str, kind: str, text: str) -> Note:
        self._ask(kind, (conversation_id, text))
        talk = self._known(conversation_id)
        if not text.strip():
            raise DeskRefused(Refusal.EMPTY)
        note = Note(
            id=len(talk.notes) + 1,
            conversation_id=conversation_id,
            staff_id=staff_id,
            kind=kind,
            text=redact(text.strip(), mask()).text,
            at=self.clock(),
        )
        talk.notes.append(note)
        await self.tell("note", conversation_id, note=note.id, note_kind=kind)
        return note

    def _line(self, talk: Talk, author: str, text: str, *, by: str = "", **more: str) -> Line:
        seq = self._next_line()
        line = Line(
            seq=seq,
            conversation_id=talk.at.id,
            channel=talk.at.channel,
            author=author,
            by=by,
            text=text,
            choices=(),
            at=self.clock(),
            message_id=more.get("message_id", f"in-{seq}"),
            delivery=more.get("delivery", ""),
        )
        talk.lines.append(line)
        return line

    def _loaded(self, presence: Presence) -> Presence:
        load = dict.fromkeys(dict.fromkeys(LANES.values()), 0)
        for talk in self.talks.values():
            if is_his(talk.at, presence.agent.staff_id):
                load[LANES[talk.at.channel]] += 1
        return replace(presence, load=load)
