"""Members of staff and their sessions, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from hotline.domain.desk import Group, Lane
from hotline.domain.staff import Role, Session, StaffState, Stage
from hotline.services.staff.members import NewStaff
from hotline.staff_store import Changes, StaffExists
from hotline.storage.database import Database
from hotline.storage.staff_tables import staff, staff_sessions
from tests.contract.storage.conftest import Migrated
from tests.core_kit import settings_in
from tests.databases import KINDS
from tests.staff_kit import ALICE, Office, office_on

pytestmark = pytest.mark.anyio


@pytest.fixture(params=KINDS)
async def office(request: pytest.FixtureRequest, migrated: Migrated, tmp_path: Path) -> AsyncIterator[Office]:
    async with migrated(request.param, tmp_path) as url:
        database = Database(url)
        yield office_on(database, settings_in(tmp_path))
        await database.close()


async def a_member(office: Office) -> str:
    await office.accounts.add(ALICE)
    found = await office.members.by_name("alice")
    assert found is not None
    return found.staff.id


def a_session(office: Office, staff_id: str, token_hash: str, *, hours: int = 12) -> Session:
    now = office.clock.now
    return Session(
        token_hash=token_hash,
        staff_id=staff_id,
        stage=Stage.FULL,
        address="10.0.0.1",
        browser="Firefox",
        began_at=now,
        seen_at=now,
        ends_at=now + timedelta(hours=hours),
    )


async def test_a_member_comes_back_as_he_was_added(office: Office) -> None:
    staff_id = await a_member(office)
    found = await office.members.by_id(staff_id)
    assert found is not None
    member = found.staff
    assert (member.name, member.display_name, member.work_no) == ("alice", "林晓", "1001")
    assert (member.roles, member.groups) == (frozenset({Role.AGENT}), frozenset({Group.LOAN}))
    assert (member.capacity[Lane.CHAT], member.must_change_password, member.has_second_factor) == (5, True, False)
    assert [each.id for each in await office.members.all()] == [staff_id]
    assert await office.members.by_id("nobody") is None


async def test_one_name_is_given_once_even_at_the_same_time(office: Office) -> None:
    both = await asyncio.gather(office.accounts.add(ALICE), office.accounts.add(ALICE), return_exceptions=True)
    assert sorted(type(each).__name__ for each in both) == ["StaffExists", "str"]
    with pytest.raises(StaffExists):
        await office.accounts.add(NewStaff(name="bob", display_name="陈", work_no="1001", roles=[Role.AGENT]))


async def test_a_change_leaves_what_it_does_not_name(office: Office) -> None:
    staff_id = await a_member(office)
    changes = Changes(roles=[Role.SUPERVISOR], state=StaffState.DISABLED, capacity={Lane.CHAT: 8})
    assert await office.members.change(staff_id, changes, ends_sessions=False)
    found = await office.members.by_id(staff_id)
    assert found is not None
    assert (found.staff.roles, found.staff.state, found.staff.capacity) == (
        frozenset({Role.SUPERVISOR}),
        StaffState.DISABLED,
        {Lane.CHAT: 8},
    )
    assert found.staff.groups == frozenset({Group.LOAN})
    assert not await office.members.change("nobody", Changes(), ends_sessions=True)


async def test_the_second_factor_stands_sealed_and_goes_with_its_recovery_codes(office: Office) -> None:
    staff_id = await a_member(office)
    await office.members.change(staff_id, Changes(totp_secret="JBSWY3DPEHPK3PXP"), ends_sessions=False)
    await office.members.set_recovery(staff_id, ["h1", "h2"])
    async with office.members._db.read() as connection:
        stored = await connection.scalar(select(staff.c.totp_secret))
    assert stored
    assert "JBSWY3DPEHPK3PXP" not in stored
    found = await office.members.by_id(staff_id)
    assert found is not None
    assert found.totp_secret == "JBSWY3DPEHPK3PXP"
    await office.members.change(staff_id, Changes(totp_secret=""), ends_sessions=False)
    assert not await office.members.use_recovery(staff_id, "h1")


async def test_a_step_and_a_recovery_code_are_used_once_by_whoever_is_first(office: Office) -> None:
    staff_id = await a_member(office)
    await office.members.set_recovery(staff_id, ["h1"])
    assert sorted(await asyncio.gather(*(office.members.use_step(staff_id, 7) for _ in range(4)))) == [False] * 3 + [
        True
    ]
    assert not await office.members.use_step(staff_id, 6)
    used = await asyncio.gather(*(office.members.use_recovery(staff_id, "h1") for _ in range(4)))
    assert sorted(used) == [False] * 3 + [True]


async def test_a_session_follows_another_and_its_secret_stands_sealed(office: Office) -> None:
    staff_id = await a_member(office)
    await office.sessions.open(a_session(office, staff_id, "t1"), pending_secret="JBSWY3DP")
    assert await office.sessions.pending_secret("t1") == "JBSWY3DP"
    async with office.members._db.read() as connection:
        assert "JBSWY3DP" not in str(await connection.scalar(select(staff_sessions.c.pending_secret)))
    await office.sessions.open(a_session(office, staff_id, "t2"), instead_of="t1")
    assert await office.sessions.find("t1") is None
    found = await office.sessions.find("t2")
    assert found == a_session(office, staff_id, "t2")


async def test_use_is_written_down_once_for_all_who_saw_it(office: Office) -> None:
    staff_id = await a_member(office)
    await office.sessions.open(a_session(office, staff_id, "t1"))
    before = office.clock.now + timedelta(seconds=1)
    office.clock.ahead(minutes=2)
    await office.sessions.touch("t1", before=before)
    seen = office.clock.now
    office.clock.ahead(minutes=2)
    await office.sessions.touch("t1", before=before)
    found = await office.sessions.find("t1")
    assert found is not None
    assert found.seen_at == seen


async def test_sessions_end_one_by_one_all_together_or_with_time(office: Office) -> None:
    staff_id = await a_member(office)
    for name, hours in (("t1", 12), ("t2", 12), ("t3", 1)):
        await office.sessions.open(a_session(office, staff_id, name, hours=hours))
    await office.sessions.end("t1")
    office.clock.ahead(hours=2)
    assert [each.token_hash for each in await office.sessions.of(staff_id)] == ["t2"]
    assert await office.sessions.purge() == 1
    await office.sessions.open(replace(a_session(office, staff_id, "t4"), stage=Stage.CODE))
    await office.members.change(staff_id, Changes(), ends_sessions=True, but="t2")
    assert [each.token_hash for each in await office.sessions.of(staff_id)] == ["t2"]
