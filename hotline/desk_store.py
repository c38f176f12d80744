"""The desk's storage port: the queue, who is at the desk, what is said there, and what live pages are told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from hotline.domain.conversations import DeliveryStatus, Owner
from hotline.domain.desk import Agent, AgentState, Assignment, Group, HandoverState, Presence, Reason, Waiting
from hotline.domain.messages import ChannelName, Choice, Reply

Packet = Mapping[str, Any]
"""What the agent gets with a conversation: redacted texts, codes and counts only (hotline.services.desk.packet)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHandover:
    """A request for a person. ``expires_at``: when it goes back to the bot if nobody took it."""

    conversation_id: str
    reason: Reason
    group: Group
    matter: str = ""
    packet: Packet = field(default_factory=dict)
    wanted_agent: str = ""
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """It waits. ``position`` counts from 1 over everybody who goes before; ``owner_version`` is the new one."""

    handover_id: int
    owner_version: int
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A request for a person as it stands."""

    id: int
    conversation_id: str
    channel: ChannelName
    contact_id: int
    group: Group
    reason: Reason
    matter: str
    state: HandoverState
    packet: Packet
    queued_at: datetime
    expires_at: datetime | None
    offered_to: str
    offer_until: datetime | None
    agent_id: str
    """Staff id of who holds or held it."""
    accepted_at: datetime | None
    ended_at: datetime | None
    transferred_from: str = ""
    transfer_note: str = ""
    wrap_reason: str = ""
    solved: bool | None = None
    wrap_note: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskConversation:
    """A conversation as the desk lists it. ``last_text``: what the citizen or an agent said last;
    ``unanswered_since``: the citizen's first line since the last answer."""

    id: str
    channel: ChannelName
    contact_id: int
    address: str
    owner: Owner
    owner_version: int
    holder: str
    opened_at: datetime
    last_at: datetime
    closed_at: datetime | None
    last_text: str
    unanswered_since: datetime | None
    handover: Handover | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a transcript as the desk sees it. ``delivery`` is the state of its outbox row, empty for the citizen's
    own lines; ``by`` names the member of staff who wrote it (staff id)."""

    seq: int
    conversation_id: str
    channel: ChannelName
    author: str
    by: str
    text: str
    choices: Sequence[Choice]
    at: datetime
    message_id: str
    delivery: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A turn of the bot: which entry it answered or offered, and how it ended."""

    matter: str
    aspect: str
    outcome: str
    intent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    """What a member of staff says to a citizen. ``client_id`` is made by his page, once per line: saying it again is
    saying it once."""

    conversation_id: str
    staff_id: str
    client_id: str
    text: str
    signed: str
    """How the citizen is told who speaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The line stands. ``again``: it stood already. ``delivery_id`` None: the line in storage is the delivery."""

    line: Line
    again: bool
    delivery_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A private note of staff on a conversation; citizens never see it. ``kind``: note, whisper, transfer."""

    id: int
    conversation_id: str
    staff_id: str
    kind: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUp:
    """What the agent says a conversation was about."""

    reason: str
    """A matter's code, or ``other``."""
    solved: bool
    note: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A conversation is passed on by who holds it. ``expires_at`` as in `NewHandover`."""

    conversation_id: str
    staff_id: str
    to_group: Group
    to_staff: str
    note: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskEvent:
    """Something live pages are told. ``staff_id`` empty: everybody at the desk; ``seq`` grows, with gaps."""

    seq: int
    kind: str
    conversation_id: str
    handover_id: int | None
    staff_id: str
    data: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What the citizen is told with a change of hands, by channel, and how the outbox row begins there. A channel
    without replies is told nothing."""

    replies: Mapping[ChannelName, Sequence[Reply]]
    ways: Mapping[ChannelName, DeliveryStatus]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What ran out of time: offers that rang out, requests nobody took, agents whose pages have gone. ``told``: the
    conversations whose citizens have been told something."""

    offers: int
    expired: int
    lost: Sequence[str]
    told: Sequence[DeskConversation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Counts of requests since a time, and how many conversations are held now, by group, or go on with the bot."""

    taken: int
    within: int
    left: int
    expired: int
    held: Mapping[Group, int]
    with_bot: int


class Queue(Protocol):
    """Requests for a person. Every method is one transaction; None means: it changed meanwhile, nothing was done."""

    async def enqueue(self, request: NewHandover, *, expected_version: int) -> Queued | None:
        """bot → queued. The conversation waits for a person."""
        ...

    async def note(self, request: NewHandover) -> tuple[int, bool]:
        """Nobody is at the desk: the request's number, and whether the same was open already. The owner stays."""
        ...

    async def leave(self, conversation_id: str, *, expected_version: int) -> int | None:
        """queued → bot, because the citizen wants that: the new owner version."""
        ...

    async def route(self, decide: Callable[[Collection[Waiting], Sequence[Presence]], list[Assignment]]) -> int:
        """Offers what ``decide`` assigns, one process at a time; how many were offered."""
        ...

    async def accept(self, handover_id: int, *, staff_id: str, telling: Telling) -> DeskConversation | None:
        """queued → agent: ``staff_id``, to whom it is offered, holds the conversation. Accepting twice is accepting."""
        ...

    async def pick(self, handover_id: int, *, staff_id: str, telling: Telling) -> DeskConversation | None:
        """queued → agent without an offer: taken out of the queue by hand, whoever it was offered to."""
        ...

    async def decline(self, handover_id: int, *, staff_id: str) -> bool:
        """Back into the queue, in its old place; not offered to ``staff_id`` again before everybody else."""
        ...

    async def sweep(self, *, expired: Telling, lost: Telling) -> Swept:
        """Offers past their time are withdrawn, requests past theirs go back to the bot (queued → bot), and agents not
        seen for the grace time are offline, their conversations queued again in front (agent → queued). An agent who
        let an offer ring out is busy: nobody else shall wait for an empty chair."""
        ...

    async def position(self, handover_id: int) -> int | None:
        """How many are served before it, counted from 1; None when it does not wait."""
        ...

    async def handling_s(self, group: Group, *, last: int) -> float | None:
        """Mean handling time of the group's last conversations, in seconds; None when there were fewer than 3."""
        ...


class Held(Protocol):
    """What is done with a conversation somebody holds. None: ``staff_id`` does not hold it any more."""

    async def say(self, line: NewLine, *, delivery: DeliveryStatus) -> Said | None:
        """The citizen is told, once; ``delivery`` is how its outbox row begins."""
        ...

    async def said(self, conversation_id: str, client_id: str) -> Line | None:
        """The line a member of staff's page has already sent under this id."""
        ...

    async def end(self, conversation_id: str, *, staff_id: str, telling: Telling) -> DeskConversation | None:
        """agent → wrap_up: the wrap-up is open."""
        ...

    async def wrap_up(self, handover_id: int, *, staff_id: str, wrap_up: WrapUp) -> bool:
        """The wrap-up is filed (again: corrected), and the conversation is the bot's (wrap_up → bot)."""
        ...

    async def resume_bot(self, conversation_id: str, *, expected_version: int) -> int | None:
        """wrap_up → bot, because the citizen goes on talking: the bot answers; the wrap-up stays open. The version of
        one that is the bot's already; None when people have it."""
        ...

    async def transfer(self, transfer: Transfer, *, telling: Telling) -> DeskConversation | None:
        """agent → queued: back into the queue with the time it has waited already, for ``to_staff`` where one is
        named. The record of the one who passes it on is done."""
        ...

    async def take_over(self, conversation_id: str, *, staff_id: str, telling: Telling) -> DeskConversation | None:
        """Whoever had it, ``staff_id`` holds the conversation now; None when it is closed."""
        ...

    async def add_note(self, conversation_id: str, *, staff_id: str, kind: str, text: str) -> Note: ...


class Desks(Protocol):
    """What the desk reads, and who is there."""

    async def connect(self, agent: Agent) -> AgentState:
        """The agent's page is open: what he serves is on record, and the state he is in (offline becomes the one before
        the connection was lost, within the grace time, otherwise break)."""
        ...

    async def seen(self, staff_id: str) -> None:
        """His page is still there."""
        ...

    async def set_state(self, staff_id: str, state: AgentState) -> None:
        """Ready, busy, break or offline; the time in each is on record."""
        ...

    async def presences(self) -> list[Presence]: ...

    async def conversation(self, conversation_id: str) -> DeskConversation | None: ...

    async def held_by(self, staff_id: str) -> list[DeskConversation]:
        """Held and in wrap-up, and what is offered to him, oldest first. A conversation stands there once with every
        request of his: a wrap-up stays his whoever has the conversation by now."""
        ...

    async def queue(self) -> list[DeskConversation]:
        """Waiting and offered, in the order they are served."""
        ...

    async def live(self, *, limit: int) -> list[DeskConversation]:
        """Open conversations with anybody, the last active first."""
        ...

    async def history(self, contact_ids: Sequence[int], *, before: int | None, limit: int) -> list[Line]:
        """The newest ``limit`` lines of these contacts with ``seq`` < ``before``, oldest first."""
        ...

    async def lines(self, conversation_id: str, *, after: int, limit: int) -> list[Line]:
        """Lines of one conversation with ``seq`` > ``after``, oldest first."""
        ...

    async def turns(self, conversation_id: str) -> list[Tried]:
        """What the bot answered in the conversation, oldest first."""
        ...

    async def notes(self, conversation_ids: Sequence[str]) -> list[Note]: ...

    async def handovers(self, contact_ids: Sequence[int], *, limit: int) -> list[Handover]:
        """Earlier requests of these contacts, newest first."""
        ...

    async def day(self, *, since: datetime, within_s: int) -> Day:
        """What became of requests since then; ``within``: how many were taken within ``within_s`` seconds."""
        ...

    async def state_times(self, *, since: datetime) -> Mapping[str, Mapping[AgentState, float]]:
        """Seconds per agent and state since then."""
        ...


class DeskEvents(Protocol):
    """The live pages' feed, over all processes."""

    async def last_seq(self) -> int: ...

    async def after(self, seq: int, *, limit: int) -> list[DeskEvent]:
        """Committed events beyond ``seq`` in order. A number may be missing because its transaction is slower."""
        ...

    async def among(self, seqs: list[int]) -> list[DeskEvent]:
        """Those of ``seqs`` that are committed by now."""
        ...
