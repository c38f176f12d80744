"""A small desk in which everybody acts at any moment, and what they do.

Nobody here looks before he acts: he acts on what stood there before the step, as somebody does whose page is behind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hotline.domain.conversations import DeliveryStatus, Job, Owner
from hotline.domain.desk import AgentState
from hotline.domain.messages import ChannelName, InboundKind
from tests.contract.storage.desk_kit import Desk

Row = dict[str, Any]
CITIZENS = {"o1": ChannelName.WECHAT, "o2": ChannelName.WEB}
AGENTS = ("a1", "a2")
STAFF = (*AGENTS, "s1")
CHATS = 2
"""How many conversations an agent is offered at once."""


@dataclass
class Turn:
    """A message being worked. ``words`` None: what to say is not decided yet."""

    job: Job
    words: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """What stands in the tables, as far as anybody acts on it."""

    conversations: Sequence[Row] = ()
    handovers: Sequence[Row] = ()


@dataclass
class World:
    """Two processes on one database, the messages they are working, and what they have told whom."""

    desks: list[Desk]
    turns: list[Turn] = field(default_factory=list)
    said: dict[tuple[str, str], str] = field(default_factory=dict)
    """Text by conversation and client id, of every line that the desk said it has."""
    sent: list[str] = field(default_factory=list)
    """Ids of deliveries in the order in which the vendor took them."""
    seen: Snapshot = field(default_factory=Snapshot)
    retired: list[Desk] = field(default_factory=list)
    """Processes that have been replaced; what they had begun with the database, they still end."""
    steps: int = 0

    def __post_init__(self) -> None:
        self.clock = self.desks[0].clock

    @property
    def desk(self) -> Desk:
        """One process after the other serves."""
        self.steps += 1
        return self.desks[self.steps % len(self.desks)]

    def request(self, number: int, *states: str) -> Row | None:
        """One of the requests in these states; where there are none, any: somebody acts in vain."""
        found = [row for row in self.seen.handovers if row["state"] in states]
        return nth(found or self.seen.handovers, number)


Action = Callable[[World], Awaitable[None]]


def nth(rows: Sequence[Any], number: int) -> Any:
    return rows[number % len(rows)] if rows else None


# --- citizens and the bot --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Says:
    who: str
    words: str

    async def __call__(self, world: World) -> None:
        accepted = await world.desk.accept(self.words, who=self.who, channel=CITIZENS[self.who])
        if accepted.job is not None:
            world.turns.append(Turn(accepted.job))


@dataclass(frozen=True)
class LeavesForGood:
    who: str

    async def __call__(self, world: World) -> None:
        channel = CITIZENS[self.who]
        accepted = await world.desk.accept("", who=self.who, channel=channel, kind=InboundKind.LEAVE)
        if accepted.job is not None:
            world.turns.append(Turn(accepted.job))


async def decide(desk: Desk, turn: Turn) -> None:
    """As hotline.services.turns does it: what is said, and what becomes of the conversation before."""
    job = turn.job
    if job.owner is Owner.WRAP_UP and job.kind is InboundKind.TEXT:
        version = await desk.held.resume_bot(job.conversation_id, expected_version=job.owner_version)
        job = job if version is None else replace(job, owner=Owner.BOT, owner_version=version)
    words = ""
    if job.kind is InboundKind.TEXT and job.owner is Owner.QUEUED:
        words = "您前面还有1位。"
        if job.text == "不等了":
            version = await desk.queue.leave(job.conversation_id, expected_version=job.owner_version)
            job = job if version is None else replace(job, owner=Owner.BOT, owner_version=version)
            words = words if version is None else "已取消排队。"
    elif job.kind is InboundKind.TEXT and job.owner is Owner.BOT:
        words = f"答：{job.text}"
        if job.text == "人工":
            request = desk.request(job.conversation_id)
            queued = await desk.queue.enqueue(request, expected_version=job.owner_version)
            job = job if queued is None else replace(job, owner_version=queued.owner_version)
    turn.job, turn.words = job, words


@dataclass(frozen=True)
class Decides:
    number: int

    async def __call__(self, world: World) -> None:
        turn = nth(world.turns, self.number)
        if turn is not None and turn.words is None:
            await decide(world.desk, turn)


@dataclass(frozen=True)
class Finishes:
    """``dies``: the worker ends before it hears that the turn is stored, and forgets what comes next."""

    number: int
    dies: bool = False

    async def __call__(self, world: World) -> None:
        turn = nth(world.turns, self.number)
        if turn is None:
            return
        world.turns.remove(turn)
        desk = world.desk
        if turn.words is None:
            await decide(desk, turn)
        finished = await desk.finish(turn.job, turn.words or "")
        if finished.next_job is not None and not self.dies:
            world.turns.append(Turn(finished.next_job))


@dataclass(frozen=True)
class Recovers:
    """What nobody works any more is taken up again, perhaps while somebody slow still works it."""

    async def __call__(self, world: World) -> None:
        for job in await world.desk.store.claim_waiting(worker="w2", limit=10):
            world.turns.append(Turn(job))


@dataclass(frozen=True)
class Restarts:
    """A process is replaced; what it was working on is forgotten."""

    number: int

    async def __call__(self, world: World) -> None:
        place = self.number % len(world.desks)
        world.retired.append(world.desks[place])
        world.desks[place] = world.desks[place].another()
        world.turns.clear()


@dataclass(frozen=True)
class Delivers:
    """``fails``: the vendor takes nothing now; ``dies``: the worker ends in the middle."""

    fails: bool = False
    dies: bool = False

    async def __call__(self, world: World) -> None:
        desk = world.desk
        for due in await desk.store.lease_due(limit=3, lease_s=60):
            if self.dies:
                continue
            if due.is_void:
                status = DeliveryStatus.DROPPED
            elif self.fails:
                await desk.store.retry_later(due.delivery_id, due_at=world.clock.now, error="connection")
                continue
            else:
                assert due.author != "bot" or due.owner_version == due.current_version
                world.sent.append(due.delivery_id)
                status = DeliveryStatus.SENT
            await desk.store.settle(due.delivery_id, status, expected=DeliveryStatus.SENDING)


# --- staff -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comes:
    staff_id: str
    state: AgentState = AgentState.READY

    async def __call__(self, world: World) -> None:
        await world.desk.ready(self.staff_id, chats=CHATS, state=self.state)


@dataclass(frozen=True)
class IsThere:
    staff_id: str

    async def __call__(self, world: World) -> None:
        await world.desk.seen(self.staff_id)


@dataclass(frozen=True)
class OfStaff:
    """Something that a member of staff does with a request. ``stranger`` empty: he whose it is."""

    number: int
    stranger: str = ""

    def whose(self, row: Row) -> str:
        return self.stranger or str(row["offered_to"] or row["agent_id"] or AGENTS[0])


@dataclass(frozen=True)
class Accepts(OfStaff):
    async def __call__(self, world: World) -> None:
        if row := world.request(self.number, "offered"):
            taken = await world.desk.take(row["id"], self.whose(row))
            assert taken is None or taken.holder == self.whose(row)


@dataclass(frozen=True)
class Declines(OfStaff):
    async def __call__(self, world: World) -> None:
        if row := world.request(self.number, "offered"):
            await world.desk.queue.decline(row["id"], staff_id=self.whose(row))


@dataclass(frozen=True)
class Picks(OfStaff):
    async def __call__(self, world: World) -> None:
        if row := world.request(self.number, "waiting", "offered"):
            taken = await world.desk.pick(row["id"], self.whose(row))
            assert taken is None or taken.holder == self.whose(row)


@dataclass(frozen=True)
class Speaks(OfStaff):
    """``client``: few, so that pages send lines again and take each other's names for them."""

    client: int = 0

    async def __call__(self, world: World) -> None:
        row = world.request(self.number, "held")
        if row is None:
            return
        staff_id, key = self.whose(row), (row["conversation_id"], f"d{self.client}")
        words = f"{staff_id} {self.client}"
        said = await world.desk.say(key[0], staff_id, words, client_id=key[1])
        if said is None:
            return
        assert said.line.text == words
        assert said.again or key not in world.said
        world.said[key] = words


@dataclass(frozen=True)
class Ends(OfStaff):
    async def __call__(self, world: World) -> None:
        if row := world.request(self.number, "held"):
            await world.desk.end(row["conversation_id"], self.whose(row))


@dataclass(frozen=True)
class Files(OfStaff):
    async def __call__(self, world: World) -> None:
        if row := world.request(self.number, "wrap_up"):
            await world.desk.file(row["id"], self.whose(row))


@dataclass(frozen=True)
class PassesOn(OfStaff):
    to: str = ""

    async def __call__(self, world: World) -> None:
        if row := world.request(self.number, "held"):
            await world.desk.transfer(row["conversation_id"], self.whose(row), to=self.to)


@dataclass(frozen=True)
class TakesOver:
    number: int

    async def __call__(self, world: World) -> None:
        row = nth(world.seen.conversations, self.number)
        if row is not None:
            await world.desk.take_over(row["id"], "s1")


# --- the desk itself -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Passes:
    """Time."""

    seconds: int

    async def __call__(self, world: World) -> None:
        world.clock.later(self.seconds)


@dataclass(frozen=True)
class Routes:
    async def __call__(self, world: World) -> None:
        await world.desk.route()


@dataclass(frozen=True)
class Sweeps:
    async def __call__(self, world: World) -> None:
        await world.desk.sweep()
