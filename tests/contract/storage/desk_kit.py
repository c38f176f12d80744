"""A desk on a database of its own, with a clock that tests turn."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from hotline.desk_store import DeskConversation, DeskEvent, Line, NewHandover, NewLine, Said, Telling, Transfer, WrapUp
from hotline.domain.conversations import Accepted, DeliveryStatus, Job, Owner
from hotline.domain.desk import WAIT_LIMIT, Agent, AgentState, Group, HandoverState, Lane, Presence, Reason, assign
from hotline.domain.messages import ChannelName, Inbound, InboundKind, Reply, TurnResult
from hotline.storage.database import Database
from hotline.storage.desk import SqlDesks
from hotline.storage.desk_events import SqlDeskEvents
from hotline.storage.desk_held import SqlHeld
from hotline.storage.desk_queue import SqlQueue
from hotline.storage.store import SqlStore
from hotline.store import Finished

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GROUPS = frozenset(Group)
WORKER = "w"


def telling(words: str) -> Telling:
    """``words`` on every channel, all of them pushed."""
    return Telling(
        replies={channel: (Reply(text=words),) for channel in ChannelName},
        ways=dict.fromkeys(ChannelName, DeliveryStatus.PENDING),
    )


GREETING = telling("坐席为您服务。")
FAREWELL = telling("再见。")
PASSED_ON = telling("正在转接。")
EXPIRED = telling("暂时无人接听。")
LOST = telling("请稍候。")


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def later(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@dataclass
class Desk:
    """The stores as one process has them."""

    url: str
    clock: Clock = field(default_factory=Clock)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.database = Database(self.url)
        self.store = SqlStore(self.database, clock=self.clock, idle_close=timedelta(minutes=30))
        self.queue = SqlQueue(self.database, clock=self.clock)
        self.held = SqlHeld(self.database, clock=self.clock)
        self.desks = SqlDesks(self.database, clock=self.clock)
        self.events = SqlDeskEvents(self.database, clock=self.clock)

    def another(self) -> Desk:
        """Another process on the same database, with the same clock."""
        return Desk(self.url, self.clock, self.numbers)

    # --- citizens and the bot ------------------------------------------------------------------------------------

    async def accept(
        self,
        words: str = "人工",
        *,
        who: str = "o1",
        kind: InboundKind = InboundKind.TEXT,
        channel: ChannelName = ChannelName.WECHAT,
    ) -> Accepted:
        number = f"m{next(self.numbers)}"
        inbound = Inbound(channel=channel, external_id=number, contact_key=who, kind=kind, text=words)
        return await self.store.accept(inbound, worker=WORKER)

    async def said(self, words: str = "人工", *, who: str = "o1", channel: ChannelName = ChannelName.WECHAT) -> Job:
        job = (await self.accept(words, who=who, channel=channel)).job
        assert job is not None
        return job

    async def finish(self, job: Job, words: str = "") -> Finished:
        """The turn ends with ``words``, or silently."""
        result = TurnResult(replies=(Reply(text=words),) if words else ())
        return await self.store.finish(
            job, result, status="done", delivery=DeliveryStatus.PENDING, worker=WORKER, due_at=self.clock()
        )

    async def gone(self, who: str = "o1") -> None:
        """The citizen has left for good."""
        job = (await self.accept("", who=who, kind=InboundKind.LEAVE)).job
        assert job is not None
        await self.finish(job)

    def request(self, conversation_id: str, reason: Reason = Reason.REQUESTED, **changes: object) -> NewHandover:
        values = {"group": Group.LOAN, "expires_at": self.clock() + WAIT_LIMIT, **changes}
        return NewHandover(conversation_id=conversation_id, reason=reason, **values)  # type: ignore[arg-type]

    async def queued(self, who: str = "o1", reason: Reason = Reason.REQUESTED, **changes: object) -> tuple[str, int]:
        """A citizen who waits for a person: his conversation and his request."""
        channel = changes.pop("channel", ChannelName.WECHAT)
        job = await self.said(who=who, channel=ChannelName(str(channel)))
        request = self.request(job.conversation_id, reason, **changes)
        queued = await self.queue.enqueue(request, expected_version=job.owner_version)
        assert queued is not None
        await self.finish(job)
        return job.conversation_id, queued.handover_id

    # --- staff ---------------------------------------------------------------------------------------------------

    async def ready(
        self, *staff_ids: str, groups: Collection[Group] = GROUPS, chats: int = 5, state: AgentState = AgentState.READY
    ) -> None:
        """They are at the desk and free."""
        for staff_id in staff_ids:
            agent = Agent(
                staff_id=staff_id,
                display_name=staff_id,
                work_no=staff_id,
                groups=frozenset(groups),
                capacity={Lane.CHAT: chats, Lane.SMS: 5, Lane.VOICE: 1},
            )
            await self.desks.connect(agent)
            await self.desks.set_state(staff_id, state)

    async def route(self) -> int:
        return await self.queue.route(lambda waiting, agents: assign(waiting, agents, now=self.clock()))

    async def held_by(self, staff_id: str, who: str = "o1", **changes: object) -> tuple[str, int]:
        """A conversation that ``staff_id`` holds."""
        conversation_id, handover_id = await self.queued(who, **changes)  # type: ignore[arg-type]
        assert await self.pick(handover_id, staff_id) is not None
        return conversation_id, handover_id

    async def take(self, handover_id: int, staff_id: str) -> DeskConversation | None:
        return await self.queue.accept(handover_id, staff_id=staff_id, telling=GREETING)

    async def pick(self, handover_id: int, staff_id: str) -> DeskConversation | None:
        return await self.queue.pick(handover_id, staff_id=staff_id, telling=GREETING)

    async def say(
        self, conversation_id: str, staff_id: str, words: str = "您好", *, client_id: str = ""
    ) -> Said | None:
        line = NewLine(
            conversation_id=conversation_id,
            staff_id=staff_id,
            client_id=client_id or f"page-{next(self.numbers)}",
            text=words,
            signed=f"坐席{staff_id}",
        )
        return await self.held.say(line, delivery=DeliveryStatus.PENDING)

    async def end(self, conversation_id: str, staff_id: str) -> DeskConversation | None:
        return await self.held.end(conversation_id, staff_id=staff_id, telling=FAREWELL)

    async def file(self, handover_id: int, staff_id: str, *, note: str = "", solved: bool = True) -> bool:
        wrap_up = WrapUp(reason="loan-rate", solved=solved, note=note, summary="说明了利率")
        return await self.held.wrap_up(handover_id, staff_id=staff_id, wrap_up=wrap_up)

    async def transfer(
        self, conversation_id: str, staff_id: str, *, group: Group = Group.LOAN, to: str = "", note: str = ""
    ) -> DeskConversation | None:
        transfer = Transfer(
            conversation_id=conversation_id,
            staff_id=staff_id,
            to_group=group,
            to_staff=to,
            note=note,
            expires_at=self.clock() + WAIT_LIMIT,
        )
        return await self.held.transfer(transfer, telling=PASSED_ON)

    async def take_over(self, conversation_id: str, staff_id: str) -> DeskConversation | None:
        return await self.held.take_over(conversation_id, staff_id=staff_id, telling=GREETING)

    async def sweep(self) -> tuple[int, int, tuple[str, ...], list[str]]:
        """Offers withdrawn, requests expired, agents lost, and whose citizens were told."""
        swept = await self.queue.sweep(expired=EXPIRED, lost=LOST)
        return swept.offers, swept.expired, tuple(swept.lost), [each.id for each in swept.told]

    async def seen(self, *staff_ids: str) -> None:
        for staff_id in staff_ids:
            await self.desks.seen(staff_id)

    # --- what stands there ---------------------------------------------------------------------------------------

    async def at(self, conversation_id: str) -> tuple[Owner, str, int]:
        """Owner, holder and version."""
        found = await self.conversation(conversation_id)
        return found.owner, found.holder, found.owner_version

    async def conversation(self, conversation_id: str) -> DeskConversation:
        found = await self.desks.conversation(conversation_id)
        assert found is not None
        return found

    async def state_of(self, handover_id: int) -> HandoverState:
        rows = await self.rows("SELECT state FROM handovers WHERE id = :id", id=handover_id)
        return HandoverState(rows[0][0])

    async def texts(self, conversation_id: str) -> list[str]:
        return [line.text for line in await self.lines(conversation_id)]

    async def lines(self, conversation_id: str) -> list[Line]:
        return await self.desks.lines(conversation_id, after=0, limit=500)

    async def presence(self, staff_id: str) -> Presence:
        (found,) = [each for each in await self.desks.presences() if each.agent.staff_id == staff_id]
        return found

    async def told(self, after: int = 0) -> list[DeskEvent]:
        return await self.events.after(after, limit=500)

    async def rows(self, query: str, **values: object) -> list[tuple[object, ...]]:
        async with self.database.read() as connection:
            return [tuple(row) for row in await connection.execute(text(query), values)]
