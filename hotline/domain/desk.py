"""People at the desk: who serves what, who is waiting, and whom to offer a conversation to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from hotline.domain.messages import ChannelName


class Group(StrEnum):
    """Skill groups (技能组). A request goes to the group of its matter."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    LOAN = "loan"
    COMPLAINT = "complaint"
    EMPLOYER = "employer"


class Lane(StrEnum):
    """Kinds of channels an agent has separate room for."""

    CHAT = "chat"
    SMS = "sms"
    VOICE = "voice"


LANES: Mapping[ChannelName, Lane] = {
    ChannelName.WEB: Lane.CHAT,
    ChannelName.WECHAT: Lane.CHAT,
    ChannelName.SMS: Lane.SMS,
    ChannelName.VOICE: Lane.VOICE,
}
CAPACITY: Mapping[Lane, int] = MappingProxyType({Lane.CHAT: 5, Lane.SMS: 5, Lane.VOICE: 1})
"""What an agent holds at once where nothing else was set for him."""


class Reason(StrEnum):
    """Why a person is wanted."""

    REQUESTED = "requested"
    COMPLAINT = "complaint"
    FAILED = "failed_twice"
    ANGER = "anger"
    OVERDUE = "overdue_loan"
    INHERITANCE = "inheritance"
    COURT = "court_freeze"
    SKILL = "skill"
    TRANSFER = "transfer"
    TAKE_OVER = "take_over"


SENSITIVE = frozenset({Reason.COMPLAINT, Reason.ANGER, Reason.OVERDUE, Reason.INHERITANCE, Reason.COURT})
"""These wait in front of all others."""


class HandoverState(StrEnum):
    """Life of one request for a person."""

    WAITING = "waiting"
    OFFERED = "offered"
    HELD = "held"
    WRAP_UP = "wrap_up"
    DONE = "done"
    LEFT = "left"
    """The citizen did not want to wait any longer, hung up or was called back."""
    EXPIRED = "expired"
    """Nobody took it in time; the conversation went back to the bot."""
    NOTED = "noted"
    """Nobody is at the desk: the request has a number and is listed until somebody closes it."""


OPEN = frozenset({HandoverState.WAITING, HandoverState.OFFERED, HandoverState.HELD})
"""A conversation has at most one of these."""


class AgentState(StrEnum):
    """What an agent is doing. ``wrap_up`` begins by itself with the last conversation's wrap-up and ends with it."""

    READY = "ready"
    BUSY = "busy"
    BREAK = "break"
    WRAP_UP = "wrap_up"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A member of staff at the desk, as routing and citizens know him."""

    staff_id: str
    display_name: str
    """For colleagues."""
    work_no: str
    """The number citizens are told (工号)."""
    groups: frozenset[Group]
    capacity: Mapping[Lane, int] = field(default_factory=lambda: dict(CAPACITY))
    supervises: bool = False
    extension: str = ""
    """His telephone's number (分机); empty: calls cannot be put through to him."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """An agent's state and load. ``seen_at``: when his page was last heard of."""

    agent: Agent
    state: AgentState
    since: datetime
    seen_at: datetime
    load: Mapping[Lane, int] = field(default_factory=dict)
    """Offered, held and in wrap-up, per lane."""
    last_offer_at: datetime | None = None

    def room(self, lane: Lane) -> int:
        return self.agent.capacity.get(lane, 0) - self.load.get(lane, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A request in the queue."""

    handover_id: int
    conversation_id: str
    channel: ChannelName
    group: Group
    reason: Reason
    queued_at: datetime
    wanted_agent: str = ""
    """Staff id: who had this citizen last, or to whom a colleague passed him on."""
    wanted_since: datetime | None = None
    """When that agent was wished for; None: when it was queued."""
    refused_by: frozenset[str] = frozenset()
    """Staff ids who declined it or let it ring, since everybody free was last asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Whom to offer a request to."""

    handover_id: int
    staff_id: str


WAIT_LIMIT = timedelta(minutes=5)
"""After so long without anybody free the conversation goes back to the bot, and the citizen is told so."""
LONG_WAIT = timedelta(seconds=120)
"""Who has waited this long goes before everybody who has not, sensitive requests excepted."""
WANTED_WAIT = timedelta(seconds=30)
"""How long a request waits for the agent it wants while that one is at the desk but full or busy."""


_AT_THE_DESK = frozenset({AgentState.READY, AgentState.BUSY, AgentState.WRAP_UP})


def queue_order(waiting: Waiting, now: datetime) -> tuple[int, datetime, int]:
    """Sorts the queue: sensitive first, then long waiting, then in order of arrival."""
    if waiting.reason in SENSITIVE:
        rank = 0
    else:
        rank = 1 if now - waiting.queued_at >= LONG_WAIT else 2
    return rank, waiting.queued_at, waiting.handover_id


def assign(queue: Collection[Waiting], agents: Sequence[Presence], *, now: datetime) -> list[Assignment]:
    """Whom each request that can be offered now goes to; every agent's room is counted down on the way.

    The wanted agent first; otherwise the least loaded of the group's ready agents (load as a share of capacity), then
    the one who has had no offer for longest. One whom everybody free has refused is offered to all of them again.
    """
    loads = {each.agent.staff_id: dict(each.load) for each in agents}
    found = []
    for waiting in sorted(queue, key=lambda each: queue_order(each, now)):
        chosen = _chosen(waiting, agents, loads, now=now)
        if chosen is not None:
            lane = LANES[waiting.channel]
            load = loads[chosen.agent.staff_id]
            load[lane] = load.get(lane, 0) + 1
            found.append(Assignment(handover_id=waiting.handover_id, staff_id=chosen.agent.staff_id))
    return found


def _chosen(
    waiting: Waiting, agents: Sequence[Presence], loads: Mapping[str, Mapping[Lane, int]], *, now: datetime
) -> Presence | None:
    lane = LANES[waiting.channel]

    def room(each: Presence) -> int:
        return each.agent.capacity.get(lane, 0) - loads[each.agent.staff_id].get(lane, 0)

    able = [each for each in agents if each.state is AgentState.READY and room(each) > 0]
    wanted = [each for each in able if each.agent.staff_id == waiting.wanted_agent]
    if wanted and waiting.wanted_agent not in waiting.refused_by:
        return wanted[0]
    if _waits_for_wanted(waiting, agents, now=now):
        return None
    served = [each for each in able if waiting.group in each.agent.groups]
    fresh = [each for each in served if each.agent.staff_id not in waiting.refused_by] or served
    if not fresh:
        return None

    def burden(each: Presence) -> tuple[float, float, str]:
        held, capacity = loads[each.agent.staff_id].get(lane, 0), each.agent.capacity.get(lane, 1)
        last = each.last_offer_at.timestamp() if each.last_offer_at else 0.0
        return held / capacity, last, each.agent.staff_id

    return min(fresh, key=burden)


def _waits_for_wanted(waiting: Waiting, agents: Sequence[Presence], *, now: datetime) -> bool:
    """The wanted agent is at the desk but full or busy: worth a short wait, since he knows the case."""
    if not waiting.wanted_agent or waiting.wanted_agent in waiting.refused_by:
        return False
    here = any(each.agent.staff_id == waiting.wanted_agent and each.state in _AT_THE_DESK for each in agents)
    return here and now - (waiting.wanted_since or waiting.queued_at) < WANTED_WAIT


def group_of(topic: str, *, reason: Reason, employer: bool = False) -> Group:
    """The group a request goes to, by its reason, who asks and the matter's topic (knowledge_base.model.TOPICS)."""
    if reason in (Reason.COMPLAINT, Reason.ANGER):
        return Group.COMPLAINT
    if employer:
        return Group.EMPLOYER
    for prefix, group in _TOPIC_GROUPS:
        if topic.startswith(prefix):
            return group
    return _REASON_GROUPS.get(reason, Group.DEPOSIT)


_REASON_GROUPS: Mapping[Reason, Group] = MappingProxyType(
    {Reason.OVERDUE: Group.LOAN, Reason.INHERITANCE: Group.WITHDRAWAL, Reason.COURT: Group.WITHDRAWAL}
)
_TOPIC_GROUPS = (
    ("提取", Group.WITHDRAWAL),
    ("贷款", Group.LOAN),
    ("投诉", Group.COMPLAINT),
)
