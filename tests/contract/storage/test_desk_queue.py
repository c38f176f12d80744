"""The queue for a person: into it, out of it, offers, and what runs out of time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

import pytest

from hotline.desk_store import Queued
from hotline.domain.conversations import Owner
from hotline.domain.desk import WAIT_LIMIT, Assignment, Group, HandoverState, Presence, Reason, Waiting, assign
from hotline.storage.desk_queue import OFFER_S
from tests.contract.storage.desk_kit import START, Desk

pytestmark = pytest.mark.anyio

ROUNDS = 50


async def test_a_request_waits_and_the_conversation_with_it(desk: Desk) -> None:
    job = await desk.said("人工")
    request = desk.request(job.conversation_id, matter="loan-rate", packet={"turns": 1}, wanted_agent="a9")
    queued = await desk.queue.enqueue(request, expected_version=0)
    assert queued == Queued(handover_id=1, owner_version=1, position=1)
    (waiting,) = await desk.desks.queue()
    assert (waiting.owner, waiting.owner_version, waiting.holder) == (Owner.QUEUED, 1, "")
    assert waiting.handover is not None
    assert waiting.handover.packet == {"turns": 1}
    assert (waiting.handover.matter, waiting.handover.group) == ("loan-rate", Group.LOAN)
    assert (waiting.handover.queued_at, waiting.handover.expires_at) == (START, START + WAIT_LIMIT)


async def test_a_conversation_that_changed_meanwhile_does_not_wait(desk: Desk) -> None:
    job = await desk.said()
    await desk.take_over(job.conversation_id, "s1")
    assert await desk.queue.enqueue(desk.request(job.conversation_id), expected_version=0) is None
    assert await desk.queue.enqueue(desk.request(job.conversation_id), expected_version=1) is None
    assert await desk.queue.enqueue(desk.request("nowhere"), expected_version=0) is None
    assert await desk.desks.queue() == []


async def test_asking_twice_at_once_is_waiting_once(desk: Desk, other: Desk) -> None:
    job = await desk.said()
    request = desk.request(job.conversation_id)
    both = await asyncio.gather(*(each.queue.enqueue(request, expected_version=0) for each in (desk, other)))
    assert sum(each is not None for each in both) == 1
    assert len(await desk.desks.queue()) == 1


async def test_the_place_counts_everybody_who_is_served_before(desk: Desk) -> None:
    _, first = await desk.queued("o1")
    desk.clock.later(1)
    _, second = await desk.queued("o2")
    _, complaint = await desk.queued("o3", Reason.COMPLAINT)
    assert [await desk.queue.position(each) for each in (complaint, first, second)] == [1, 2, 3]
    listed = [each.handover.id for each in await desk.desks.queue() if each.handover]
    assert listed == [complaint, first, second]
    await desk.pick(first, "a1")
    assert [await desk.queue.position(each) for each in (complaint, first, second)] == [1, None, 2]


# --- noted -----------------------------------------------------------------------------------------------------------


async def test_a_request_at_an_empty_desk_has_one_number_and_the_owner_stays(desk: Desk, other: Desk) -> None:
    job = await desk.said()
    request = desk.request(job.conversation_id)
    noted = await asyncio.gather(*(each.queue.note(request) for each in (desk, other, desk)))
    assert sorted(noted) == [(1, False), (1, True), (1, True)]
    complaint = desk.request(job.conversation_id, Reason.COMPLAINT)
    assert await desk.queue.note(complaint) == (2, False)
    assert await desk.at(job.conversation_id) == (Owner.BOT, "", 0)
    assert (await desk.store.counts())["handovers"] == 2


# --- leaving ---------------------------------------------------------------------------------------------------------


async def test_who_does_not_want_to_wait_is_the_bots_again(desk: Desk) -> None:
    conversation_id, handover_id = await desk.queued()
    assert await desk.queue.leave(conversation_id, expected_version=1) == 2
    assert await desk.state_of(handover_id) is HandoverState.LEFT
    assert await desk.at(conversation_id) == (Owner.BOT, "", 2)
    assert await desk.queue.leave(conversation_id, expected_version=2) is None
    assert await desk.take(handover_id, "a1") is None
    assert await desk.pick(handover_id, "a1") is None


async def test_only_who_waits_can_leave_the_queue(desk: Desk) -> None:
    conversation_id, _ = await desk.held_by("a1")
    assert await desk.queue.leave(conversation_id, expected_version=2) is None
    await desk.end(conversation_id, "a1")
    assert await desk.queue.leave(conversation_id, expected_version=3) is None
    assert await desk.at(conversation_id) == (Owner.WRAP_UP, "a1", 3)


async def test_an_offer_that_is_left_goes_from_the_agents_page(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, handover_id = await desk.queued()
    await desk.route()
    await desk.queue.leave(conversation_id, expected_version=1)
    gone = [each for each in await desk.told() if each.kind == "offer_gone"]
    assert [(each.staff_id, each.handover_id) for each in gone] == [("a1", handover_id)]
    assert await desk.desks.held_by("a1") == []


# --- offers ----------------------------------------------------------------------------------------------------------


async def test_an_offer_rings_at_one_agent_and_takes_up_his_room(desk: Desk) -> None:
    await desk.ready("a1", chats=1)
    conversation_id, handover_id = await desk.queued()
    await desk.queued("o2")
    assert await desk.route() == 1
    assert await desk.route() == 0
    (offered,) = await desk.desks.held_by("a1")
    assert offered.id == conversation_id
    assert offered.handover is not None
    assert (offered.handover.state, offered.handover.offered_to) == (HandoverState.OFFERED, "a1")
    assert offered.handover.offer_until == START + timedelta(seconds=OFFER_S)
    presence = await desk.presence("a1")
    assert sum(presence.load.values()) == 1
    assert presence.last_offer_at == START
    (told,) = [each for each in await desk.told() if each.kind == "offer"]
    assert (told.staff_id, told.conversation_id, told.handover_id) == ("a1", conversation_id, handover_id)


async def test_two_processes_route_one_queue_and_nobody_is_given_too_much(desk: Desk, other: Desk) -> None:
    await desk.ready("a1", "a2", chats=2)
    for number in range(6):
        await desk.queued(f"o{number}")
    offered = await asyncio.gather(*(each.route() for each in (desk, other) * 5))
    assert sum(offered) == 4
    assert [sum(each.load.values()) for each in await desk.desks.presences()] == [2, 2]


async def test_two_processes_that_choose_differently_offer_one_agent_no_more_than_he_can_hold(
    desk: Desk, other: Desk
) -> None:
    def only(choose: Callable[[list[int]], int]) -> Callable[..., list[Assignment]]:
        def decide(waiting: Collection[Waiting], agents: Sequence[Presence]) -> list[Assignment]:
            chosen = choose([each.handover_id for each in waiting])
            return assign([each for each in waiting if each.handover_id == chosen], agents, now=desk.clock.now)

        return decide

    for round_no in range(ROUNDS):
        await desk.ready(f"a{round_no}", chats=1)
        await desk.queued(f"o{round_no}")
        await desk.queued(f"p{round_no}")
        offered = await asyncio.gather(desk.queue.route(only(min)), other.queue.route(only(max)))
        assert sum(offered) == 1
        (waiting,) = [each for each in await desk.desks.queue() if each.handover and not each.handover.offered_to]
        assert waiting.handover is not None
        await desk.pick(waiting.handover.id, "s1")


async def test_who_is_offered_it_holds_it_and_the_citizen_is_greeted(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, handover_id = await desk.queued()
    await desk.route()
    desk.clock.later(3)
    held = await desk.take(handover_id, "a1")
    assert held is not None
    assert (held.owner, held.holder, held.owner_version) == (Owner.AGENT, "a1", 2)
    assert held.handover is not None
    assert (held.handover.state, held.handover.accepted_at) == (HandoverState.HELD, desk.clock.now)
    assert (held.handover.offered_to, held.handover.offer_until) == ("", None)
    assert (await desk.texts(conversation_id))[-1] == "坐席为您服务。"


async def test_accepting_twice_is_accepting(desk: Desk) -> None:
    await desk.ready("a1")
    conversation_id, handover_id = await desk.queued()
    await desk.route()
    first = await desk.take(handover_id, "a1")
    assert await desk.take(handover_id, "a1") == first
    assert await desk.pick(handover_id, "a1") == first
    assert (await desk.texts(conversation_id)).count("坐席为您服务。") == 1


async def test_what_is_offered_to_another_cannot_be_accepted_but_picked(desk: Desk) -> None:
    await desk.ready("a1")
    _, handover_id = await desk.queued()
    assert await desk.take(handover_id, "a2") is None
    await desk.route()
    assert await desk.take(handover_id, "a2") is None
    assert await desk.pick(handover_id, "a2") is not None
    gone = [each.staff_id for each in await desk.told() if each.kind == "offer_gone"]
    assert gone == ["a1"]
    assert await desk.take(handover_id, "a1") is None
    assert await desk.pick(999, "a1") is None


async def test_two_agents_pick_at_once_and_one_gets_it(desk: Desk, other: Desk) -> None:
    for round_no in range(ROUNDS):
        conversation_id, handover_id = await desk.queued(f"o{round_no}")
        picked = await asyncio.gather(desk.pick(handover_id, "a1"), other.pick(handover_id, "a2"))
        (held,) = [each for each in picked if each is not None]
        assert await desk.at(conversation_id) == (Owner.AGENT, held.holder, 2)
        assert (await desk.texts(conversation_id)).count("坐席为您服务。") == 1


async def test_one_accepts_as_another_picks_and_one_gets_it(desk: Desk, other: Desk) -> None:
    await desk.ready("a1", chats=ROUNDS)
    for round_no in range(ROUNDS):
        conversation_id, handover_id = await desk.queued(f"o{round_no}")
        await desk.route()
        taken = await asyncio.gather(desk.take(handover_id, "a1"), other.pick(handover_id, "a2"))
        (held,) = [each for each in taken if each is not None]
        assert await desk.at(conversation_id) == (Owner.AGENT, held.holder, 2)


async def test_the_citizen_leaves_as_an_agent_accepts_and_one_of_both_happens(desk: Desk, other: Desk) -> None:
    await desk.ready("a1", chats=ROUNDS)
    for round_no in range(ROUNDS):
        conversation_id, handover_id = await desk.queued(f"o{round_no}")
        await desk.route()
        left, held = await asyncio.gather(
            desk.queue.leave(conversation_id, expected_version=1), other.take(handover_id, "a1")
        )
        assert (left is None) == (held is not None)
        state = HandoverState.HELD if held else HandoverState.LEFT
        assert await desk.state_of(handover_id) is state
        assert (await desk.at(conversation_id))[2] == 2


async def test_an_offer_is_accepted_as_it_rings_out_and_one_of_both_happens(desk: Desk, other: Desk) -> None:
    await desk.ready("a1", chats=ROUNDS)
    for round_no in range(ROUNDS):
        _, handover_id = await desk.queued(f"o{round_no}")
        await desk.route()
        desk.clock.later(OFFER_S + 1)
        held, swept = await asyncio.gather(desk.take(handover_id, "a1"), other.sweep())
        assert swept[0] == (held is None)
        assert await desk.state_of(handover_id) is (HandoverState.HELD if held else HandoverState.WAITING)
        await desk.ready("a1", chats=ROUNDS)
        if held is None:
            await desk.pick(handover_id, "a1")


async def test_who_declines_is_asked_again_after_everybody_else(desk: Desk) -> None:
    await desk.ready("a1", "a2", "a3")
    for number, staff_id in enumerate(("a2", "a3", "a3")):
        await desk.held_by(staff_id, f"p{number}")
    _, handover_id = await desk.queued()
    asked = []
    for _ in range(6):
        await desk.route()
        (offered,) = await desk.desks.queue()
        assert offered.handover is not None
        asked.append(offered.handover.offered_to)
        desk.clock.later(1)
        assert await desk.queue.decline(handover_id, staff_id=asked[-1])
    assert sorted(asked[:3]) == sorted(asked[3:]) == ["a1", "a2", "a3"]


async def test_declining_what_is_not_offered_to_one_changes_nothing(desk: Desk) -> None:
    await desk.ready("a1")
    _, handover_id = await desk.queued()
    assert not await desk.queue.decline(handover_id, staff_id="a1")
    await desk.route()
    assert not await desk.queue.decline(handover_id, staff_id="a2")
    assert not await desk.queue.decline(999, staff_id="a1")
    assert await desk.queue.decline(handover_id, staff_id="a1")
    assert not await desk.queue.decline(handover_id, staff_id="a1")
    assert await desk.state_of(handover_id) is HandoverState.WAITING
