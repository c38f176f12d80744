"""Gateway processes on one database, with a dialogue, a desk and a work-order service that tests steer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hotline.audit_store import AuditEntry
from hotline.desk_store import DeskConversation, NewHandover, Telling
from hotline.domain.conversations import DeliveryStatus, Job, Owner
from hotline.domain.desk import WAIT_LIMIT, Group, Reason
from hotline.domain.identity import Contact, Known, Level
from hotline.domain.messages import ChannelName, Inbound, InboundKind, Outcome, Reply, TurnResult
from hotline.domain.ratings import Subject
from hotline.domain.work_orders import OrderRefused, Refusal
from hotline.errors import TemporaryError
from hotline.identity_store import Registered
from hotline.services.asides.asides import Asides
from hotline.services.asides.parts import NewOrder, Opened, Parts
from hotline.storage import desk_tables, rating_tables  # noqa: F401  (their tables belong to the metadata)
from hotline.storage.database import Database
from hotline.storage.desk import SqlDesks
from hotline.storage.desk_held import SqlHeld
from hotline.storage.desk_queue import SqlQueue
from hotline.storage.prompts import SqlPrompts
from hotline.storage.ratings import SqlRatings
from hotline.storage.store import CLAIM_S, SqlStore
from hotline.storage.tables import metadata

START = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
MOBILE = "13800138000"
NOWHERE = Telling(replies={}, ways=dict.fromkeys(ChannelName, DeliveryStatus.STORED))


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class FakeOrders:
    """Opens each order once, like the real service, and refuses a key that comes with other content."""

    opened: dict[str, NewOrder] = field(default_factory=dict)
    is_away: bool = False

    async def open_order(self, order: NewOrder) -> Opened:
        if self.is_away:
            raise TemporaryError("database")
        if self.opened.setdefault(order.key, order) != order:
            raise OrderRefused(Refusal.KEY_REUSED)
        number = list(self.opened).index(order.key) + 1
        return Opened(number=f"GD20261125-{number:05d}0", due_at=START + timedelta(days=1))

    @property
    def texts(self) -> list[str]:
        return [order.text for order in self.opened.values()]


@dataclass
class FakeProgress:
    """Like the real service: told is who is known, in words."""

    asked: list[tuple[Contact, str]] = field(default_factory=list)
    says: str | None = "处理中"

    async def progress(self, text: str, *, contact: Contact, known: Known | None, conversation_id: str) -> str | None:
        self.asked.append((contact, known.person_id if known else ""))
        return self.says


@dataclass
class FakePeople:
    """Identification, the records of who is known, and the audit trail of looks at them."""

    known_there: dict[str, str] = field(default_factory=dict)
    mobile: str = MOBILE
    trail: list[AuditEntry] = field(default_factory=list)

    async def known_in(self, conversation_id: str) -> Known | None:
        person = self.known_there.get(conversation_id)
        return Known(person_id=person, person_no="1", name_masked="王*", level=Level.BOUND) if person else None

    async def registered(self, person_id: str) -> Registered | None:
        assert [entry.subject for entry in self.trail][-1:] == [person_id], "looked at before it was on record"
        return Registered(
            person_id=person_id,
            person_no="1",
            id_number="",
            mobile=self.mobile,
            name_masked="王*",
            registered_at=START,
        )

    async def record(self, entry: AuditEntry) -> None:
        self.trail.append(entry)


class Crash(Exception):
    """The process died before the turn was stored."""


@dataclass
class World:
    """What all processes share."""

    url: str
    clock: Clock = field(default_factory=Clock)
    orders: FakeOrders = field(default_factory=FakeOrders)
    progress: FakeProgress = field(default_factory=FakeProgress)
    people: FakePeople = field(default_factory=FakePeople)
    bubbles: int | None = None
    answered: list[str] = field(default_factory=list)
    """What the dialogue was asked, oldest first."""
    told: list[str] = field(default_factory=list)
    """Whose page or outbox was woken."""


class Gateway:
    """One process: what its turn worker does with a message, on the real store."""

    def __init__(self, world: World, name: str = "g1") -> None:
        self.world, self.name = world, name
        self.database = Database(world.url)
        clock = world.clock
        self.store = SqlStore(self.database, clock=clock, idle_close=timedelta(minutes=30))
        self.queue = SqlQueue(self.database, clock=clock)
        self.held = SqlHeld(self.database, clock=clock)
        self.desks = SqlDesks(self.database, clock=clock)
        self.prompts = SqlPrompts(self.database, clock=clock)
        self.ratings = SqlRatings(self.database, clock=clock)
        self.crashes = False
        self.said = 0
        self.asides = Asides(self._parts())

    def _parts(self) -> Parts:
        world = self.world

        async def room(_: DeskConversation) -> int | None:
            return world.bubbles

        return Parts(
            prompts=self.prompts,
            ratings=self.ratings,
            queue=self.queue,
            orders=world.orders,
            progress=world.progress,
            identification=world.people,  # type: ignore[arg-type]
            bindings=world.people,  # type: ignore[arg-type]
            audit=world.people,
            clock=world.clock,
            room=room,
            way=lambda _: DeliveryStatus.PENDING,
            told=lambda _, address: world.told.append(address),
        )

    async def hear(
        self,
        text: str,
        *,
        who: str = "o1",
        channel: ChannelName = ChannelName.WECHAT,
        kind: InboundKind = InboundKind.TEXT,
        number: str = "",
    ) -> list[Reply]:
        """The replies to a message; of one delivered again, those that are stored. Raises Crash."""
        self.said += 1
        inbound = Inbound(
            channel=channel,
            external_id=number or f"{self.name}-{self.said}",
            contact_key=who,
            session_key="call" if channel is ChannelName.VOICE else "",
            kind=kind,
            text=text,
        )
        accepted = await self.store.accept(inbound, worker=self.name)
        if accepted.job is not None:
            await self._work(accepted.job)
        record = await self.store.record(channel, inbound.external_id)
        return list(record.replies) if record else []

    async def tell(self, text: str, **where: object) -> str:
        """The words of the answer."""
        return "\n".join(reply.text for reply in await self.hear(text, **where))  # type: ignore[arg-type]

    async def take_up(self) -> None:
        """What another process has left behind is done."""
        self.world.clock.pass_(seconds=CLAIM_S + 1)
        for job in await self.store.claim_waiting(worker=self.name, limit=9):
            await self._work(job)

    async def wait_for_person(self, who: str = "o1", *, reason: Reason = Reason.REQUESTED) -> int:
        """The conversation is queued; the number of its request."""
        conversation = await self.conversation(who)
        queued = await self.queue.enqueue(self._wish(conversation, reason), expected_version=conversation.owner_version)
        assert queued is not None
        return queued.handover_id

    async def note_wish(self, who: str = "o1", *, reason: Reason = Reason.REQUESTED) -> int:
        """Nobody is at the desk: the number of the request that was noted."""
        return (await self.queue.note(self._wish(await self.conversation(who), reason)))[0]

    async def serve(self, who: str = "o1") -> DeskConversation:
        """An agent has served the citizen and said goodbye."""
        handover = await self.wait_for_person(who)
        assert await self.queue.pick(handover, staff_id="a1", telling=NOWHERE)
        conversation = await self.held.end((await self.conversation(who)).id, staff_id="a1", telling=NOWHERE)
        assert conversation is not None
        return conversation

    async def ask_agent_rating(self, conversation: DeskConversation) -> bool:
        assert conversation.handover is not None
        return await self.asides.ask_rating(
            conversation, subject=Subject.AGENT, handover_id=conversation.handover.id, staff_id="a1"
        )

    async def conversation(self, who: str = "o1") -> DeskConversation:
        return next(each for each in await self.desks.live(limit=99) if each.address == who)

    async def lines(self, who: str = "o1", channel: ChannelName = ChannelName.WECHAT) -> list[str]:
        return [line.text for line in await self.store.lines(channel, who, after=0, limit=999)]

    def _wish(self, conversation: DeskConversation, reason: Reason) -> NewHandover:
        return NewHandover(
            conversation_id=conversation.id,
            reason=reason,
            group=Group.DEPOSIT,
            expires_at=self.world.clock() + WAIT_LIMIT,
        )

    async def _work(self, job: Job | None) -> None:
        while job is not None:
            job, result = await self._turn(job)
            if self.crashes:
                raise Crash
            finished = await self.store.finish(
                job,
                result,
                status="done",
                delivery=DeliveryStatus.INLINE,
                worker=self.name,
                due_at=self.world.clock(),
            )
            job = finished.next_job

    async def _turn(self, job: Job) -> tuple[Job, TurnResult]:
        """The lines of hotline.services.turns that call the asides, in their order."""
        nothing = TurnResult(replies=(), intent="held")
        if job.owner is Owner.WRAP_UP:
            version = await self.held.resume_bot(job.conversation_id, expected_version=job.owner_version)
            job = replace(job, owner=Owner.BOT, owner_version=version or job.owner_version)
        if job.owner is Owner.QUEUED:
            return await self.asides.while_queued(job) or (job, nothing)
        if job.owner is not Owner.BOT:
            return job, nothing
        if (aside := await self.asides.answer(job)) is not None:
            return job, aside
        if job.kind is not InboundKind.TEXT:
            return job, nothing
        result = self._answer(job)
        also = await self.asides.rating_after(job, result)
        return job, replace(result, replies=(*result.replies, also)) if also else result

    def _answer(self, job: Job) -> TurnResult:
        self.world.answered.append(job.text)
        if job.text == "再见":
            over = job.channel is ChannelName.VOICE
            return TurnResult(replies=(Reply(text="祝您生活愉快", ends_call=over),), intent="goodbye")
        reply = Reply(text=f"答：{job.text}")
        return TurnResult(replies=(reply,), intent="ask_knowledge", matter="withdraw-rent", outcome=Outcome.ANSWERED)


@asynccontextmanager
async def gateways(directory: Path, count: int = 1) -> AsyncIterator[list[Gateway]]:
    """So many processes on one new database."""
    url = f"sqlite+aiosqlite:///{directory / 'asides.db'}"
    world = World(url)
    processes = [Gateway(world, f"g{number}") for number in range(1, count + 1)]
    async with processes[0].database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    try:
        yield processes
    finally:
        for process in processes:
            await process.database.close()
