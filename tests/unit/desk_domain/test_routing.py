"""Whom a request is offered to, in which order, and which group it goes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.desk import (
    LANES,
    LONG_WAIT,
    SENSITIVE,
    WANTED_WAIT,
    Agent,
    AgentState,
    Assignment,
    Group,
    Lane,
    Presence,
    Reason,
    Waiting,
    assign,
    group_of,
    queue_order,
)
from hotline.domain.messages import ChannelName
from knowledge_base.model import TOPICS

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STAFF = ("a1", "a2", "a3", "a4")


def waiting(
    number: int,
    *,
    waited_s: float = 10,
    channel: ChannelName = ChannelName.WECHAT,
    group: Group = Group.LOAN,
    reason: Reason = Reason.REQUESTED,
    wanted: str = "",
    wanted_s: float | None = None,
    refused: frozenset[str] = frozenset(),
) -> Waiting:
    return Waiting(
        handover_id=number,
        conversation_id=f"c{number}",
        channel=channel,
        group=group,
        reason=reason,
        queued_at=NOW - timedelta(seconds=waited_s),
        wanted_agent=wanted,
        wanted_since=None if wanted_s is None else NOW - timedelta(seconds=wanted_s),
        refused_by=refused,
    )


def agent(
    staff_id: str,
    *,
    state: AgentState = AgentState.READY,
    groups: frozenset[Group] = frozenset(Group),
    capacity: Mapping[Lane, int] | None = None,
    load: Mapping[Lane, int] | None = None,
    offered_s: float | None = None,
) -> Presence:
    known = Agent(staff_id=staff_id, display_name=staff_id, work_no="1", groups=groups)
    if capacity is not None:
        known = Agent(staff_id=staff_id, display_name=staff_id, work_no="1", groups=groups, capacity=capacity)
    last = None if offered_s is None else NOW - timedelta(seconds=offered_s)
    return Presence(agent=known, state=state, since=NOW, seen_at=NOW, load=load or {}, last_offer_at=last)


def offered(queue: Sequence[Waiting], agents: Sequence[Presence]) -> dict[int, str]:
    return {each.handover_id: each.staff_id for each in assign(queue, agents, now=NOW)}


def test_nobody_is_offered_to_who_is_not_ready() -> None:
    states = [each for each in AgentState if each is not AgentState.READY]
    assert offered([waiting(1)], [agent(state.value, state=state) for state in states]) == {}


def test_the_least_loaded_is_asked_by_share_of_what_he_can_hold() -> None:
    small = agent("a1", capacity={Lane.CHAT: 2}, load={Lane.CHAT: 1})
    large = agent("a2", capacity={Lane.CHAT: 5}, load={Lane.CHAT: 2})
    assert offered([waiting(1)], [small, large]) == {1: "a2"}


def test_of_equally_loaded_agents_the_one_without_an_offer_for_longest_is_asked() -> None:
    agents = [agent("a1", offered_s=10), agent("a2", offered_s=60), agent("a3", offered_s=30)]
    assert offered([waiting(1)], agents) == {1: "a2"}
    assert offered([waiting(1)], [*agents, agent("a4")]) == {1: "a4"}


def test_a_telephone_call_and_chats_take_different_room() -> None:
    chatting = agent("a1", load={Lane.CHAT: 5})
    calling = agent("a2", load={Lane.VOICE: 1})
    queue = [waiting(1, channel=ChannelName.VOICE), waiting(2, channel=ChannelName.WEB)]
    assert offered(queue, [chatting, calling]) == {1: "a1", 2: "a2"}


def test_sensitive_requests_go_first_then_long_waiting_ones_then_by_arrival() -> None:
    long_s = LONG_WAIT.total_seconds()
    queue = [
        waiting(1, waited_s=20),
        waiting(2, waited_s=long_s + 1),
        waiting(3, waited_s=1, reason=Reason.COMPLAINT),
        waiting(4, waited_s=30),
        waiting(5, waited_s=2, reason=Reason.OVERDUE),
    ]
    order = sorted(queue, key=lambda each: queue_order(each, NOW))
    assert [each.handover_id for each in order] == [5, 3, 2, 4, 1]
    alone = agent("a1", capacity={Lane.CHAT: 1})
    assert offered(queue, [alone]) == {5: "a1"}


def test_the_wanted_agent_gets_his_citizen_whatever_his_groups_and_load() -> None:
    wanted = agent("a1", groups=frozenset(), load={Lane.CHAT: 4})
    assert offered([waiting(1, wanted="a1")], [wanted, agent("a2")]) == {1: "a1"}


@pytest.mark.parametrize("state", [AgentState.READY, AgentState.BUSY, AgentState.WRAP_UP])
def test_who_wants_an_agent_who_is_busy_or_full_waits_for_him_for_a_moment(state: AgentState) -> None:
    wanted = agent("a1", state=state, load={Lane.CHAT: 5})
    short, long = WANTED_WAIT.total_seconds() - 1, WANTED_WAIT.total_seconds()
    assert offered([waiting(1, waited_s=short, wanted="a1")], [wanted, agent("a2")]) == {}
    assert offered([waiting(1, waited_s=long, wanted="a1")], [wanted, agent("a2")]) == {1: "a2"}


def test_who_is_passed_on_waits_for_that_colleague_from_then_on() -> None:
    full = agent("a1", load={Lane.CHAT: 5})
    assert offered([waiting(1, waited_s=600, wanted="a1", wanted_s=5)], [full, agent("a2")]) == {}
    assert offered([waiting(1, waited_s=600, wanted="a1", wanted_s=40)], [full, agent("a2")]) == {1: "a2"}


@pytest.mark.parametrize("state", [AgentState.OFFLINE, AgentState.BREAK])
def test_nobody_waits_for_an_agent_who_is_not_there(state: AgentState) -> None:
    assert offered([waiting(1, wanted="a1")], [agent("a1", state=state), agent("a2")]) == {1: "a2"}


def test_who_refused_is_asked_again_only_when_everybody_free_has_refused() -> None:
    agents = [agent("a1"), agent("a2", load={Lane.CHAT: 4})]
    assert offered([waiting(1, refused=frozenset({"a1"}))], agents) == {1: "a2"}
    assert offered([waiting(1, refused=frozenset({"a1", "a2"}))], agents) == {1: "a1"}
    assert offered([waiting(1, wanted="a1", refused=frozenset({"a1"}))], agents) == {1: "a2"}


# --- whatever the queue and the desk look like -----------------------------------------------------------------------

requests = st.builds(
    waiting,
    st.integers(1, 10**6),
    waited_s=st.floats(0, 400),
    channel=st.sampled_from(ChannelName),
    group=st.sampled_from(Group),
    reason=st.sampled_from(Reason),
    wanted=st.sampled_from(("", *STAFF, "gone")),
    refused=st.frozensets(st.sampled_from(STAFF)),
)
rooms = st.dictionaries(st.sampled_from(Lane), st.integers(0, 3))


def at_the_desk(staff_id: str) -> st.SearchStrategy[Presence]:
    return st.builds(
        agent,
        st.just(staff_id),
        state=st.sampled_from(AgentState),
        groups=st.frozensets(st.sampled_from(Group)),
        capacity=rooms,
        load=rooms,
        offered_s=st.none() | st.floats(0, 600),
    )


queues = st.lists(requests, max_size=12, unique_by=lambda each: each.handover_id)
desks = st.tuples(*map(at_the_desk, STAFF))


@given(queues, desks)
def test_nobody_gets_more_than_he_can_hold_and_only_who_is_ready(
    queue: list[Waiting], agents: tuple[Presence, ...]
) -> None:
    of = {each.handover_id: each for each in queue}
    found = assign(queue, agents, now=NOW)
    assert len({each.handover_id for each in found}) == len(found)
    by_id = {each.agent.staff_id: each for each in agents}
    taken = Counter((each.staff_id, LANES[of[each.handover_id].channel]) for each in found)
    for (staff_id, lane), many in taken.items():
        assert by_id[staff_id].state is AgentState.READY
        assert many <= by_id[staff_id].room(lane)


@given(queues, desks)
def test_an_offer_goes_to_the_group_or_to_who_is_wanted(queue: list[Waiting], agents: tuple[Presence, ...]) -> None:
    of = {each.handover_id: each for each in queue}
    groups = {each.agent.staff_id: each.agent.groups for each in agents}
    for each in assign(queue, agents, now=NOW):
        request = of[each.handover_id]
        assert request.group in groups[each.staff_id] or request.wanted_agent == each.staff_id


@given(queues, desks)
def test_who_is_served_later_never_takes_the_room_of_who_waits_in_front(
    queue: list[Waiting], agents: tuple[Presence, ...]
) -> None:
    found = {each.handover_id: each.staff_id for each in assign(queue, agents, now=NOW)}
    by_id = {each.agent.staff_id: each for each in agents}
    order = sorted(queue, key=lambda each: queue_order(each, NOW))
    for place, first in enumerate(order):
        if first.handover_id in found:
            continue
        for later in order[place + 1 :]:
            staff_id = found.get(later.handover_id, "")
            is_same_room = LANES[later.channel] is LANES[first.channel]
            if staff_id and is_same_room and first.group in by_id[staff_id].agent.groups:
                assert _waits_for_somebody(first, agents)


def _waits_for_somebody(request: Waiting, agents: Sequence[Presence]) -> bool:
    there = {each.agent.staff_id for each in agents if each.state in _THERE}
    wanted = request.wanted_agent in there - request.refused_by
    return wanted and NOW - request.queued_at < WANTED_WAIT


_THERE = (AgentState.READY, AgentState.BUSY, AgentState.WRAP_UP)


@given(queues, desks)
def test_sensitive_requests_get_what_they_would_get_alone(queue: list[Waiting], agents: tuple[Presence, ...]) -> None:
    alone = assign([each for each in queue if each.reason in SENSITIVE], agents, now=NOW)
    everybody = assign(queue, agents, now=NOW)
    sensitive = {each.handover_id for each in queue if each.reason in SENSITIVE}
    assert alone == [each for each in everybody if each.handover_id in sensitive]


@given(queues, desks)
def test_who_refused_is_asked_only_if_nobody_else_has_room(queue: list[Waiting], agents: tuple[Presence, ...]) -> None:
    for request in queue:
        for each in assign([request], agents, now=NOW):
            if each.staff_id in request.refused_by:
                assert _able(request, agents) <= request.refused_by


def _able(request: Waiting, agents: Sequence[Presence]) -> set[str]:
    lane = LANES[request.channel]
    ready = [each for each in agents if each.state is AgentState.READY and each.room(lane) > 0]
    return {each.agent.staff_id for each in ready if request.group in each.agent.groups}


@given(requests, desks)
def test_one_who_waits_alone_is_offered_to_somebody_who_can_take_him(
    request: Waiting, agents: tuple[Presence, ...]
) -> None:
    found = assign([request], agents, now=NOW)
    if _able(request, agents) and not _waits_for_somebody(request, agents):
        assert [each.handover_id for each in found] == [request.handover_id]


@given(queues, desks)
def test_the_order_of_rows_in_storage_decides_nothing(queue: list[Waiting], agents: tuple[Presence, ...]) -> None:
    def decided(rows: Sequence[Waiting], desk: Sequence[Presence]) -> list[Assignment]:
        return assign(rows, desk, now=NOW)

    assert decided(queue, agents) == decided(queue[::-1], agents[::-1])


def test_in_front_of_one_agent_everybody_gets_his_turn_in_order_of_arrival() -> None:
    queue = [waiting(number, waited_s=300 - number) for number in range(1, 8)]
    alone = agent("a1", capacity={Lane.CHAT: 2})
    served: list[int] = []
    while queue:
        taken = offered(queue, [alone])
        served += sorted(taken)
        queue = [each for each in queue if each.handover_id not in taken]
    assert served == [1, 2, 3, 4, 5, 6, 7]


# --- groups ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "reason", "group"),
    [
        ("提取-租房", Reason.REQUESTED, Group.WITHDRAWAL),
        ("贷款-还款", Reason.FAILED, Group.LOAN),
        ("投诉", Reason.REQUESTED, Group.COMPLAINT),
        ("提取-租房", Reason.COMPLAINT, Group.COMPLAINT),
        ("贷款-还款", Reason.ANGER, Group.COMPLAINT),
        ("", Reason.OVERDUE, Group.LOAN),
        ("", Reason.INHERITANCE, Group.WITHDRAWAL),
        ("", Reason.COURT, Group.WITHDRAWAL),
        ("贷款-还款", Reason.COURT, Group.LOAN),
        ("缴存", Reason.REQUESTED, Group.DEPOSIT),
        ("", Reason.REQUESTED, Group.DEPOSIT),
    ],
)
def test_a_request_goes_to_the_group_of_its_reason_or_matter(topic: str, reason: Reason, group: Group) -> None:
    assert group_of(topic, reason=reason) is group


def test_employers_have_a_group_of_their_own_but_for_complaints() -> None:
    for topic in TOPICS:
        assert group_of(topic, reason=Reason.REQUESTED, employer=True) is Group.EMPLOYER
        assert group_of(topic, reason=Reason.COMPLAINT, employer=True) is Group.COMPLAINT


def test_every_topic_and_reason_has_a_group() -> None:
    assert {group_of(topic, reason=reason) for topic in TOPICS for reason in Reason} == set(Group) - {Group.EMPLOYER}
