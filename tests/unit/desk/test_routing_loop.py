"""The loop that offers who waits to who is free, and ends what has waited too long: on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hotline.domain.clock import utc_now
from hotline.domain.conversations import Owner
from hotline.domain.desk import WAIT_LIMIT, AgentState, HandoverState, Presence
from hotline.domain.messages import ChannelName, Inbound, Outcome, Reply, TurnRequest, TurnResult
from hotline.services.desk.live import LiveDesk
from hotline.services.desk.routing import Router
from hotline.services.desk.telling import Tellings
from hotline.storage.desk_queue import GRACE, OFFER_S
from tests.core_kit import AGENT, Kit, core_kit

pytestmark = pytest.mark.anyio

OTHER = replace(AGENT, staff_id="a2", work_no="1025")


@dataclass
class Desk:
    """The kit with a router of its own and a clock that can be put forward."""

    kit: Kit
    router: Router
    told: list[tuple[ChannelName, str]] = field(default_factory=list)
    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return utc_now() + self.ahead

    async def pass_time(self, span: timedelta, *, seen: str = "") -> None:
        """So much later; of the agents only ``seen`` is still there."""
        self.ahead += span
        for staff_id in seen.split():
            await self.kit.storage.desks.seen(staff_id)
        await self.router.run_once()

    async def wants_person(self, who: str = "o1", channel: ChannelName = ChannelName.WECHAT) -> None:
        inbound = Inbound(channel=channel, external_id=f"{who}-{self.ahead}", contact_key=who, text="人工")
        await self.kit.core.intake.submit(inbound)
        await self.kit.core.turns.idle()
        await self.router.run_once()

    async def state_of(self, staff_id: str) -> Presence:
        return next(each for each in await self.kit.storage.desks.presences() if each.agent.staff_id == staff_id)

    async def texts(self, who: str, channel: ChannelName) -> list[str]:
        return [line.text for line in await self.kit.storage.store.lines(channel, who, after=0, limit=50)]


def wants(_: TurnRequest) -> TurnResult:
    return TurnResult(replies=(Reply(text="好"),), outcome=Outcome.HANDOFF, hand_over="requested")


def _clocked(kit: Kit, now: Callable[[], datetime]) -> None:
    for store in (kit.storage.store, kit.storage.queue, kit.storage.held, kit.storage.desks):
        store._clock = now


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with core_kit(tmp_path, agent=AGENT) as kit:
        kit.dialogue.script = wants
        told: list[tuple[ChannelName, str]] = []
        router = Router(
            kit.storage.queue,
            Tellings(kit.channels),
            live=LiveDesk(kit.storage.desk_events),
            clock=lambda: desk.now(),
            told=lambda channel, address: told.append((channel, address)),
        )
        desk = Desk(kit, router, told)
        _clocked(kit, desk.now)
        yield desk


async def test_who_waits_is_offered_to_who_is_free(desk: Desk) -> None:
    await desk.wants_person()
    (offered,) = await desk.kit.storage.desks.held_by("a1")
    assert offered.handover is not None
    assert (offered.handover.state, offered.handover.offered_to) == (HandoverState.OFFERED, "a1")


async def test_an_offer_that_rings_out_goes_on_and_the_empty_chair_is_busy(desk: Desk) -> None:
    await desk.wants_person()
    await desk.kit.storage.desks.connect(OTHER)
    await desk.kit.storage.desks.set_state("a2", AgentState.READY)
    await desk.pass_time(timedelta(seconds=OFFER_S + 1), seen="a1 a2")
    assert (await desk.state_of("a1")).state is AgentState.BUSY
    (offered,) = await desk.kit.storage.desks.held_by("a2")
    assert offered.owner is Owner.QUEUED


async def test_who_declines_is_not_asked_again_before_the_other(desk: Desk) -> None:
    await desk.kit.storage.desks.connect(OTHER)
    await desk.kit.storage.desks.set_state("a2", AgentState.READY)
    await desk.wants_person()
    asked = []
    for _ in range(3):
        offered = next(each.handover for each in await desk.kit.storage.desks.queue())
        assert offered is not None
        asked.append(offered.offered_to)
        assert await desk.kit.storage.queue.decline(offered.id, staff_id=offered.offered_to)
        await desk.router.run_once()
    assert set(asked[:2]) == {"a1", "a2"}
    assert len(asked) == 3


@pytest.mark.parametrize("channel", [ChannelName.WEB, ChannelName.WECHAT, ChannelName.SMS])
async def test_whom_nobody_takes_in_time_is_told_and_is_the_bots_again(desk: Desk, channel: ChannelName) -> None:
    await desk.wants_person(channel=channel)
    await desk.kit.storage.desks.set_state("a1", AgentState.BUSY)
    await desk.pass_time(timedelta(seconds=OFFER_S + 1), seen="a1")
    await desk.pass_time(WAIT_LIMIT, seen="a1")
    assert "抱歉，坐席都在忙" in (await desk.texts("o1", channel))[-1]
    assert desk.told[-1] == (channel, "o1")
    assert await desk.kit.storage.desks.queue() == []
    (_, conversation) = ("", (await desk.kit.storage.desks.live(limit=1))[0])
    assert (conversation.owner, conversation.handover and conversation.handover.state) == (
        Owner.BOT,
        HandoverState.EXPIRED,
    )


async def test_that_nobody_came_is_sent_even_though_the_owner_has_changed(desk: Desk) -> None:
    await desk.wants_person()
    await desk.kit.storage.desks.set_state("a1", AgentState.BREAK)
    await desk.pass_time(timedelta(seconds=OFFER_S + 1), seen="a1")
    await desk.pass_time(WAIT_LIMIT, seen="a1")
    desk.kit.core.turns.deliveries_due.set()

    def said() -> list[str]:
        sent = [reply.text for each in desk.kit.channels[ChannelName.WECHAT].sent for reply in each.replies]
        return [text for text in sent if text.startswith("抱歉，坐席都在忙")]

    await desk.kit.housekeep(until=lambda: bool(said()))
    assert len(said()) == 1


async def test_who_was_held_by_an_agent_whose_page_is_gone_waits_again_and_is_told_once(desk: Desk) -> None:
    await desk.wants_person()
    (offered,) = await desk.kit.storage.desks.held_by("a1")
    assert offered.handover is not None
    telling = Tellings(desk.kit.channels).tell("greeting", agent="坐席1024")
    assert await desk.kit.storage.queue.accept(offered.handover.id, staff_id="a1", telling=telling)
    await desk.pass_time(GRACE + timedelta(seconds=1))
    await desk.pass_time(timedelta(seconds=2))
    texts = await desk.texts("o1", ChannelName.WECHAT)
    assert len([text for text in texts if "断线" in text]) == 1
    (waiting,) = await desk.kit.storage.desks.queue()
    assert waiting.owner is Owner.QUEUED
    assert (await desk.state_of("a1")).state is AgentState.OFFLINE


async def test_the_agent_who_comes_back_in_time_gets_his_conversation_first(desk: Desk) -> None:
    await desk.wants_person()
    (offered,) = await desk.kit.storage.desks.held_by("a1")
    assert offered.handover is not None
    telling = Tellings(desk.kit.channels).tell("greeting", agent="坐席1024")
    await desk.kit.storage.queue.accept(offered.handover.id, staff_id="a1", telling=telling)
    await desk.kit.storage.desks.connect(OTHER)
    await desk.pass_time(GRACE + timedelta(seconds=1), seen="a2")
    assert await desk.kit.storage.desks.connect(AGENT) is AgentState.READY
    await desk.kit.storage.desks.set_state("a2", AgentState.READY)
    await desk.router.run_once()
    (again,) = await desk.kit.storage.desks.held_by("a1")
    assert again.handover is not None
    assert again.handover.state is HandoverState.OFFERED


async def test_a_database_that_is_away_stops_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.kit.storage.database.close()
    await desk.router.run_once()
