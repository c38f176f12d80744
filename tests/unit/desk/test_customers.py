"""What an agent sees of the citizen: as much as was proven, masked, on record first, and not asked for twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hotline.agent_desk import Customer, DeskRefused, Refusal
from hotline.audit_store import AuditEntry
from hotline.domain.identity import Contact, Known, Level
from hotline.domain.messages import ChannelName
from hotline.errors import TemporaryError
from hotline.identity_store import Registered
from hotline.services.desk.core_facts import CoreFacts
from hotline.services.desk.customers import Customers, shown_address
from tests.fake_fund import ID_NUMBER, FakeFundSystem, a_person, an_account
from tests.unit.desk.records import NOW, a_conversation

pytestmark = pytest.mark.anyio

MOBILE = "13800135678"
BOUND = Known(person_id="p1", person_no="P000001", name_masked="陈**", level=Level.BOUND)
PROVEN = replace(BOUND, level=Level.PROVEN)
PHONE, OPENID = f"+86{MOBILE}", "oCitizen0000000000000000001"


@dataclass
class World:
    """One person, who is known as ``known`` says, and all that is asked about him."""

    known: Known | None = BOUND
    registered_still: bool = True
    now: datetime = NOW
    trail: list[AuditEntry] = field(default_factory=list)
    trail_is_away: bool = False
    fund: FakeFundSystem = field(default_factory=FakeFundSystem)

    def __post_init__(self) -> None:
        self.fund.add(a_person(), accounts=[an_account()])
        core = CoreFacts(self.fund, names=lambda code: code, limit_s=0.05)
        self.customers = Customers(self, self, core=core, audit=self, clock=lambda: self.now)  # type: ignore[arg-type]

    async def known_in(self, conversation_id: str) -> Known | None:
        return self.known

    async def registered(self, person_id: str) -> Registered | None:
        person = Registered(
            person_id="p1",
            person_no="P000001",
            id_number=ID_NUMBER,
            mobile=MOBILE,
            name_masked="陈**",
            registered_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        return person if self.registered_still else None

    async def contacts_of(self, person_id: str) -> list[Contact]:
        sms, wechat = (ChannelName.SMS, PHONE), (ChannelName.WECHAT, OPENID)
        return [Contact(channel=channel, address=address) for channel, address in (wechat, sms)]

    async def contact_ids_of(self, person_id: str) -> list[int]:
        return [3, 7, 12]

    async def record(self, entry: AuditEntry) -> None:
        if self.trail_is_away:
            raise TemporaryError("the database is locked")
        assert self.fund.calls == [] or entry.action == "card.shown"
        self.trail.append(entry)

    @property
    def actions(self) -> list[str]:
        return [entry.action for entry in self.trail]

    async def seen(self, *, staff: str = "a1", **changes: object) -> Customer:
        return await self.customers.customer(a_conversation(**changes), staff_id=staff)

    async def revealed(self, name: str = "mobile", reason: str = "回拨核对预约") -> str:
        return await self.customers.reveal(a_conversation(), staff_id="a1", field=name, reason=reason)


async def test_of_somebody_unknown_nothing_is_looked_up() -> None:
    world = World(known=None)
    assert await world.seen() == Customer(level=0)
    assert (world.trail, world.fund.calls) == ([], [])
    assert await world.customers.contact_ids(a_conversation()) == [7]


async def test_a_bound_citizen_on_wechat_is_shown_masked_with_his_facts() -> None:
    seen = await World().seen()
    assert (seen.level, seen.person_id, seen.name_masked) == (1, "p1", "陈**")
    assert (seen.id_number_masked, seen.mobile_masked) == (f"****{ID_NUMBER[-4:]}", "138****5678")
    assert seen.contacts == (("wechat", "000001"), ("sms", "138****5678"))
    assert dict(seen.facts)["余额"] == "86,520.35元"
    assert not seen.facts_missing
    assert not any(secret in repr(seen) for secret in (ID_NUMBER, MOBILE, OPENID))


async def test_both_looks_are_on_record_before_anything_is_shown() -> None:
    world = World()
    await world.seen()
    assert [(entry.action, entry.actor_id, entry.subject, entry.purpose) for entry in world.trail] == [
        ("card.shown", "a1", "p1", "desk"),
        ("facts.shown", "a1", "p1", "desk"),
    ]
    assert (world.trail[1].channel, world.trail[1].conversation_id) == ("wechat", "c1")


async def test_what_cannot_be_recorded_is_not_shown() -> None:
    world = World(trail_is_away=True)
    with pytest.raises(TemporaryError):
        await world.seen()
    assert world.fund.calls == []
    world.trail_is_away = False
    assert (await world.seen()).name_masked == "陈**"


@pytest.mark.parametrize(
    ("channel", "known", "told"),
    [
        (ChannelName.WECHAT, BOUND, True),
        (ChannelName.WECHAT, PROVEN, True),
        (ChannelName.WEB, BOUND, False),
        (ChannelName.WEB, PROVEN, True),
        (ChannelName.VOICE, BOUND, False),
        (ChannelName.VOICE, PROVEN, True),
        (ChannelName.SMS, BOUND, False),
        (ChannelName.SMS, PROVEN, False),
    ],
)
async def test_facts_are_shown_where_the_citizen_himself_would_be_told_them(
    channel: ChannelName, known: Known, told: bool
) -> None:
    world = World(known=known)
    seen = await world.seen(channel=channel)
    assert bool(seen.facts) is told
    assert bool(world.fund.calls) is told
    assert ("facts.shown" in world.actions) is told
    assert (seen.name_masked, seen.facts_missing) == ("陈**", False)


async def test_a_page_put_together_again_within_a_minute_is_the_same_look() -> None:
    world = World()
    first = await world.seen()
    world.now += timedelta(seconds=59)
    assert await world.seen() is first
    assert world.actions == ["card.shown", "facts.shown"]
    world.now += timedelta(seconds=1)
    world.fund.calls.clear()
    assert await world.seen() == first
    assert world.actions == ["card.shown", "facts.shown"] * 2
    assert sorted(world.fund.calls) == ["accounts", "applications", "loans"]


async def test_pages_put_together_at_once_are_one_look() -> None:
    world = World()
    seen = await asyncio.gather(*(world.seen() for _ in range(5)))
    assert len({id(each) for each in seen}) == 1
    assert world.actions == ["card.shown", "facts.shown"]


async def test_a_colleague_who_looks_is_on_record_himself() -> None:
    world = World()
    await world.seen()
    world.fund.calls.clear()
    await world.seen(staff="a2")
    assert [entry.actor_id for entry in world.trail] == ["a1", "a1", "a2", "a2"]


async def test_who_proves_himself_is_seen_so_at_once_and_who_is_unbound_is_nobody() -> None:
    world = World()
    await world.seen()
    world.known, world.fund.calls = PROVEN, []
    assert (await world.seen()).level == 2
    world.known = None
    assert await world.seen() == Customer(level=0)


async def test_somebody_erased_a_moment_ago_is_nobody() -> None:
    assert await World(registered_still=False).seen() == Customer(level=0)


async def test_a_core_system_that_is_away_is_said_to_be_and_asked_again_soon() -> None:
    world = World()
    world.fund.away = True
    seen = await world.seen()
    assert (seen.facts, seen.facts_missing, seen.mobile_masked) == ((), True, "138****5678")
    world.fund.away, world.fund.calls = False, []
    world.now += timedelta(seconds=9)
    assert (await world.seen()).facts_missing
    world.now += timedelta(seconds=1)
    assert (await world.seen()).facts


async def test_what_is_over_is_not_kept_in_memory() -> None:
    world = World()
    await world.seen()
    world.now += timedelta(minutes=2)
    world.fund.calls.clear()
    await world.seen(id="c2")
    assert [key[0] for key in world.customers._looks] == ["c2"]


@pytest.mark.parametrize(("name", "value"), [("mobile", MOBILE), ("id_number", ID_NUMBER)])
async def test_a_number_is_revealed_with_its_reason_on_record(name: str, value: str) -> None:
    world = World()
    assert await world.revealed(name) == value
    (entry,) = world.trail
    assert (entry.action, entry.detail) == ("card.revealed", {"field": name, "reason": "回拨核对预约"})


@pytest.mark.parametrize(
    ("changes", "asked", "refusal"),
    [
        ({}, {"reason": " 看 看 "}, Refusal.EMPTY),
        ({}, {"reason": "长" * 201}, Refusal.TOO_LONG),
        ({}, {"name": "person_no"}, Refusal.NOT_ALLOWED),
        ({"known": None}, {}, Refusal.NOT_ALLOWED),
        ({"registered_still": False}, {}, Refusal.GONE),
    ],
)
async def test_what_may_not_be_revealed_is_refused(
    changes: dict[str, Any], asked: dict[str, str], refusal: Refusal
) -> None:
    world = World(**changes)
    with pytest.raises(DeskRefused) as refused:
        await world.revealed(**asked)
    assert refused.value.refusal is refusal
    assert world.trail == []


async def test_the_transcript_is_that_of_all_contacts_of_the_person() -> None:
    assert await World().customers.contact_ids(a_conversation()) == [3, 7, 12]
    assert await World().customers.contact_ids(a_conversation(contact_id=20)) == [3, 7, 12, 20]


@pytest.mark.parametrize(
    ("channel", "address", "shown"),
    [
        (ChannelName.SMS, PHONE, "138****5678"),
        (ChannelName.VOICE, "02083645678", "020****5678"),
        (ChannelName.VOICE, "anonymous", "****us"),
        (ChannelName.WECHAT, OPENID, "000001"),
        (ChannelName.WEB, "visitor-0000000000001x", "00001x"),
    ],
)
def test_an_address_is_shown_so_that_it_tells_contacts_apart_and_no_more(
    channel: ChannelName, address: str, shown: str
) -> None:
    assert shown_address(Contact(channel=channel, address=address)) == shown
