"""Members of staff and their sessions, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from hotline.audit_store import ActorKind, AuditEntry
from hotline.domain.desk import Group, Lane
from hotline.domain.staff import NewStaff, Role, Session, SignInRefusal, SignInRefused, StaffState, Stage
from hotline.identity_store import AttemptKey
from hotline.staff_store import Changes, Opening, SecondFactor, Secrets, StaffChanged, StaffExists
from hotline.storage.attempts import SqlAttempts
from hotline.storage.database import Database
from hotline.storage.desk import SqlDesks
from hotline.storage.staff_tables import staff, staff_sessions
from tests.contract.storage.conftest import Migrated
from tests.core_kit import settings_in
from tests.databases import KINDS
from tests.staff_kit import ALICE, HERE, Office, office_on

pytestmark = pytest.mark.anyio

DONE = AuditEntry(actor_kind=ActorKind.SYSTEM, actor_id="test", action="staff.done")
FACTOR = SecondFactor(secret="JBSWY3DPEHPK3PXP", step=7, recovery=["h1", "h2"])


@pytest.fixture(params=KINDS)
async def office(request: pytest.FixtureRequest, migrated: Migrated, tmp_path: Path) -> AsyncIterator[Office]:
    async with migrated(request.param, tmp_path) as url:
        database = Database(url)
        yield office_on(database, settings_in(tmp_path))
        await database.close()


async def a_member(office: Office) -> Secrets:
    await office.accounts.add(ALICE)
    return await alice(office)


async def alice(office: Office) -> Secrets:
    found = await office.members.by_name("alice")
    assert found is not None
    return found


def a_session(office: Office, staff_id: str, token_hash: str, *, hours: int = 12) -> Session:
    now = office.clock.now
    return Session(
        token_hash=token_hash,
        staff_id=staff_id,
        stage=Stage.FULL,
        epoch=1,
        address="10.0.0.1",
        browser="Firefox",
        began_at=now,
        seen_at=now,
        ends_at=now + timedelta(hours=hours),
    )


async def opened(office: Office, staff_id: str, *names: str) -> None:
    for name in names:
        await office.sessions.open(a_session(office, staff_id, name), Opening())


def outcomes(results: list[object]) -> list[str]:
    return sorted(type(each).__name__ for each in results)


async def test_a_member_comes_back_as_he_was_added(office: Office) -> None:
    member = (await a_member(office)).staff
    assert (member.name, member.display_name, member.work_no) == ("alice", "林晓", "1001")
    assert (member.roles, member.groups) == (frozenset({Role.AGENT}), frozenset({Group.LOAN}))
    assert (member.capacity[Lane.CHAT], member.must_change_password, member.has_second_factor) == (5, True, False)
    assert (member.version, member.created_at, member.updated_at) == (1, office.clock.now, office.clock.now)
    assert [each.id for each in await office.members.all()] == [member.id]
    assert await office.members.by_id("nobody") is None


async def test_one_name_is_given_once_even_at_the_same_time(office: Office) -> None:
    both = await asyncio.gather(office.accounts.add(ALICE), office.accounts.add(ALICE), return_exceptions=True)
    assert outcomes(both) == ["StaffExists", "str"]
    with pytest.raises(StaffExists):
        await office.accounts.add(NewStaff(name="bob", display_name="陈", work_no="1001", roles=[Role.AGENT]))
    assert await office.actions() == ["staff.added"]


async def test_a_change_leaves_what_it_does_not_name_and_is_written_down_with_it(office: Office) -> None:
    before = (await a_member(office)).staff
    office.clock.ahead(minutes=1)
    changes = Changes(roles=[Role.SUPERVISOR], state=StaffState.DISABLED, capacity={Lane.CHAT: 8})
    await office.members.change(before, changes, entry=DONE, ends_sessions=False)
    after = await alice(office)
    wanted = replace(
        before,
        roles=frozenset({Role.SUPERVISOR}),
        state=StaffState.DISABLED,
        capacity={Lane.CHAT: 8},
        version=2,
        updated_at=office.clock.now,
    )
    assert (after.staff, after.epoch) == (wanted, 1)
    assert await office.actions() == ["staff.added", "staff.done"]


async def test_of_two_who_change_what_they_have_seen_one_is_told_to_look_again(office: Office) -> None:
    seen = (await a_member(office)).staff
    both = await asyncio.gather(
        office.members.change(seen, Changes(roles=[Role.EDITOR]), entry=DONE, ends_sessions=True),
        office.members.change(seen, Changes(roles=[Role.AUDITOR]), entry=DONE, ends_sessions=True),
        return_exceptions=True,
    )
    assert outcomes(list(both)) == ["NoneType", "StaffChanged"]
    assert (await office.actions()).count("staff.done") == 1
    assert (await alice(office)).epoch == 2


async def test_the_second_factor_stands_sealed_and_goes_with_its_recovery_codes(office: Office) -> None:
    seen = (await a_member(office)).staff
    await office.members.enrol(seen, FACTOR, entry=DONE)
    async with office.members._db.read() as connection:
        stored = await connection.scalar(select(staff.c.totp_secret))
    assert stored
    assert FACTOR.secret not in stored
    found = await alice(office)
    assert (found.totp_secret, found.last_step, found.epoch) == (FACTOR.secret, 7, 2)
    await office.members.change(found.staff, Changes(totp_secret=""), entry=DONE, ends_sessions=False)
    assert not await office.members.use_recovery(seen.id, "h1", entry=DONE)
    assert (await alice(office)).totp_secret == ""


async def test_of_two_who_enrol_at_once_one_does_with_his_own_codes(office: Office) -> None:
    seen = (await a_member(office)).staff
    other = SecondFactor(secret="KRSXG5CTMVRXEZLU", step=7, recovery=["h3"])
    both = await asyncio.gather(
        office.members.enrol(seen, FACTOR, entry=DONE),
        office.members.enrol(seen, other, entry=DONE),
        return_exceptions=True,
    )
    assert outcomes(list(both)) == ["NoneType", "StaffChanged"]
    first = (await alice(office)).totp_secret == FACTOR.secret
    assert await office.members.use_recovery(seen.id, "h1", entry=DONE) is first
    assert await office.members.use_recovery(seen.id, "h3", entry=DONE) is not first


async def test_a_step_and_a_recovery_code_are_used_once_by_whoever_is_first(office: Office) -> None:
    staff_id = (await a_member(office)).staff.id
    await office.members.set_recovery(staff_id, ["h1"], entry=DONE)
    used = await asyncio.gather(*(office.members.use_step(staff_id, 7) for _ in range(4)))
    assert sorted(used) == [False] * 3 + [True]
    assert not await office.members.use_step(staff_id, 6)
    used = await asyncio.gather(*(office.members.use_recovery(staff_id, "h1", entry=DONE) for _ in range(4)))
    assert sorted(used) == [False] * 3 + [True]
    assert (await office.actions()).count("staff.done") == 2


async def test_a_session_follows_another_and_its_secret_stands_sealed(office: Office) -> None:
    staff_id = (await a_member(office)).staff.id
    await office.sessions.open(a_session(office, staff_id, "t1"), Opening(pending_secret="JBSWY3DP"))
    assert await office.sessions.pending_secret("t1") == "JBSWY3DP"
    async with office.members._db.read() as connection:
        assert "JBSWY3DP" not in str(await connection.scalar(select(staff_sessions.c.pending_secret)))
    await office.sessions.open(a_session(office, staff_id, "t2"), Opening(instead_of="t1", entry=DONE))
    assert await office.sessions.find("t1") is None
    assert await office.sessions.find("t2") == a_session(office, staff_id, "t2")
    assert (await office.actions())[-1] == "staff.done"


async def test_wrong_attempts_are_forgotten_with_the_session_they_led_to(office: Office) -> None:
    staff_id = (await a_member(office)).staff.id
    attempts, key = (
        SqlAttempts(office.members._db, clock=office.clock),
        AttemptKey(kind="staff", key_hash="k", allowed=2),
    )
    await attempts.charge([key])
    await office.sessions.open(a_session(office, staff_id, "t1"), Opening(forgets=key))
    assert (await attempts.charge([key])).left == 1


async def test_use_is_written_down_once_for_all_who_saw_it(office: Office) -> None:
    await opened(office, (await a_member(office)).staff.id, "t1")
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
    member = (await a_member(office)).staff
    await opened(office, member.id, "t1", "t2")
    await office.sessions.open(a_session(office, member.id, "t3", hours=1), Opening())
    assert await office.sessions.end(member.id, "t1", entry=DONE)
    assert not await office.sessions.end(member.id, "t1", entry=DONE)
    assert not await office.sessions.end("somebody-else", "t2", entry=DONE)
    assert (await office.actions()).count("staff.done") == 1
    office.clock.ahead(hours=2)
    assert [each.token_hash for each in await office.sessions.of(member.id)] == ["t2"]
    assert await office.sessions.purge() == 1
    await office.members.change(member, Changes(), entry=DONE, ends_sessions=True)
    assert await office.sessions.of(member.id) == []


async def test_what_cannot_be_a_name_is_nobodys_on_every_database(office: Office) -> None:
    for typed in ("a\x00b", "\ud800", "' OR 1=1 --", "x" * 10_000):
        with pytest.raises(SignInRefused) as caught:
            await office.sign_in.with_password(typed, "x", browser=HERE)
        assert caught.value.refusal is SignInRefusal.WRONG


async def test_a_member_changed_since_he_was_seen_stays_as_he_is(office: Office) -> None:
    seen = (await a_member(office)).staff
    await office.members.change(seen, Changes(display_name="陈"), entry=DONE, ends_sessions=False)
    with pytest.raises(StaffChanged):
        await office.members.enrol(seen, FACTOR, entry=DONE)
    with pytest.raises(StaffChanged):
        await office.members.change(seen, Changes(display_name="王"), entry=DONE, ends_sessions=True)
    found = await alice(office)
    assert (found.staff.display_name, found.totp_secret) == ("陈", "")


async def test_many_have_no_telephone_and_each_one_is_somebodys(office: Office) -> None:
    member = (await a_member(office)).staff
    await office.accounts.add(NewStaff(name="bob", display_name="陈", work_no="7", roles=[Role.AGENT]))
    assert member.extension == ""
    both = await asyncio.gather(
        office.accounts.set_extension("alice", "8001"),
        office.accounts.set_extension("bob", "8001"),
        return_exceptions=True,
    )
    assert outcomes(both) == ["NoneType", "StaffExists"]
    owner = next(each for each in await office.members.all() if each.extension)
    again = await office.members.by_id(owner.id)
    assert again is not None
    assert again.staff.extension == "8001" == owner.agent().extension


async def test_who_is_at_the_desk_is_known_with_his_present_telephone(office: Office) -> None:
    member = (await a_member(office)).staff
    desks = SqlDesks(office.members._db, clock=office.clock)
    await desks.connect(member.agent())
    await office.accounts.set_extension("alice", "8001")
    [presence] = await desks.presences()
    assert presence.agent == replace(member.agent(), extension="8001")
