"""Signing in: every step, every wrong turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hotline.domain.staff import NewStaff, Role, SignInRefusal, SignInRefused, StaffState, Stage
from hotline.services.staff.members import DEMO_PASSWORD, BadStaff
from hotline.services.staff.passwords import Passwords, is_good, one_time
from hotline.services.staff.sign_in import Browser
from hotline.staff_store import StaffExists, StaffUnknown
from tests.staff_kit import ALICE, HERE, PASSWORD, Office, an_office, cheap_passwords

pytestmark = pytest.mark.anyio


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(tmp_path) as office:
        yield office


async def refused(call: object, refusal: SignInRefusal) -> SignInRefused:
    with pytest.raises(SignInRefused) as caught:
        await call  # type: ignore[misc]
    assert caught.value.refusal is refusal
    return caught.value


async def test_the_first_sign_in_binds_a_second_factor_and_changes_the_password(office: Office) -> None:
    password = await office.accounts.add(ALICE)
    opened = await office.sign_in.with_password("Alice ", password, browser=HERE)
    assert opened.stage is Stage.ENROL
    opened, codes = await office.enrolled(opened)
    assert (opened.stage, len(set(codes))) == (Stage.PASSWORD, 8)
    assert await office.sign_in.here(opened.token) is None
    opened = await office.sign_in.change_password(opened.token, old=password, new=PASSWORD, browser=HERE)
    here = await office.sign_in.here(opened.token)
    assert here is not None
    assert (here.staff.name, here.staff.has_second_factor) == ("alice", True)
    assert (await office.actions())[-3:] == [
        "staff.second_factor_enrolled",
        "staff.password_changed",
        "staff.signed_in",
    ]


async def test_every_step_gives_another_secret_and_the_one_before_is_void(office: Office) -> None:
    await office.hired()
    office.clock.ahead(seconds=60)
    first = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    second = await office.sign_in.with_code(first.token, await office.code(), browser=HERE)
    assert second.token != first.token
    await refused(office.sign_in.with_code(first.token, await office.code(), browser=HERE), SignInRefusal.EXPIRED)
    assert await office.sign_in.here(second.token)


@pytest.mark.parametrize(
    ("name", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("", ""), ("a" * 5000, "x" * 9999)]
)
async def test_every_wrong_cause_is_told_alike(office: Office, name: str, password: str) -> None:
    await office.hired()
    await refused(office.sign_in.with_password(name, password, browser=HERE), SignInRefusal.WRONG)


async def test_a_name_nobody_has_is_not_written_down(office: Office) -> None:
    await refused(office.sign_in.with_password("my-password-by-mistake", "x", browser=HERE), SignInRefusal.WRONG)
    assert "my-password" not in str(await office.trail())


async def test_five_wrong_passwords_lock_the_name_and_the_lock_ends(office: Office) -> None:
    await office.hired()
    for _ in range(5):
        await refused(office.sign_in.with_password("alice", "wrong", browser=HERE), SignInRefusal.WRONG)
    locked = await refused(office.sign_in.with_password("alice", PASSWORD, browser=HERE), SignInRefusal.LOCKED)
    assert 0 < locked.wait_s <= 60
    office.clock.ahead(seconds=61)
    assert (await office.sign_in.with_password("alice", PASSWORD, browser=HERE)).stage is Stage.CODE


async def test_guessing_over_many_names_locks_the_address_and_nobody_elses(office: Office) -> None:
    await office.hired()
    for number in range(20):
        await refused(office.sign_in.with_password(f"guess{number}", "x", browser=HERE), SignInRefusal.WRONG)
    await refused(office.sign_in.with_password("alice", PASSWORD, browser=HERE), SignInRefusal.LOCKED)
    elsewhere = Browser(address="10.9.9.9")
    assert await office.sign_in.with_password("alice", PASSWORD, browser=elsewhere)


async def test_a_code_is_good_once_and_near_its_time(office: Office) -> None:
    await office.hired()
    office.clock.ahead(seconds=300)
    code = await office.code()
    opened = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    await office.sign_in.with_code(opened.token, code, browser=HERE)
    again = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    await refused(office.sign_in.with_code(again.token, code, browser=HERE), SignInRefusal.WRONG_CODE)
    older = await office.code(steps=-1)
    await refused(office.sign_in.with_code(again.token, older, browser=HERE), SignInRefusal.WRONG_CODE)
    assert await office.sign_in.with_code(again.token, await office.code(steps=1), browser=HERE)


@pytest.mark.parametrize("steps", [-2, 2, 40])
async def test_a_code_of_another_time_is_wrong(office: Office, steps: int) -> None:
    await office.hired()
    office.clock.ahead(seconds=3600)
    opened = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    await refused(
        office.sign_in.with_code(opened.token, await office.code(steps=steps), browser=HERE), SignInRefusal.WRONG_CODE
    )


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "000000 or 1=1"])
async def test_what_is_no_code_is_wrong(office: Office, code: str) -> None:
    await office.hired()
    opened = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    await refused(office.sign_in.with_code(opened.token, code, browser=HERE), SignInRefusal.WRONG_CODE)


async def test_a_recovery_code_is_good_once_however_it_is_typed(office: Office) -> None:
    await office.hired()
    opened = await office.signed_in()
    codes = await office.sign_in.new_recovery_codes(opened.token)
    typed = codes[0].upper().replace("-", " ")
    first = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    assert await office.sign_in.with_code(first.token, typed, browser=HERE)
    second = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    await refused(office.sign_in.with_code(second.token, typed, browser=HERE), SignInRefusal.WRONG_CODE)


async def test_a_session_not_used_ends_and_a_used_one_ends_at_its_time(office: Office) -> None:
    await office.hired()
    idle = await office.signed_in()
    office.clock.ahead(minutes=30)
    assert await office.sign_in.here(idle.token) is None
    used = await office.signed_in()
    for _ in range(36):
        office.clock.ahead(minutes=19)
        assert await office.sign_in.here(used.token)
    office.clock.ahead(minutes=40)
    assert await office.sign_in.here(used.token) is None


async def test_a_clock_that_goes_back_lets_nobody_in_again(office: Office) -> None:
    await office.hired()
    office.clock.ahead(seconds=300)
    code = await office.code()
    opened = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    await office.sign_in.with_code(opened.token, code, browser=HERE)
    office.clock.ahead(seconds=-30)
    again = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    await refused(office.sign_in.with_code(again.token, code, browser=HERE), SignInRefusal.WRONG_CODE)


@pytest.mark.parametrize("how", ["disabled", "roles", "password", "everywhere"])
async def test_sessions_end_with_what_they_were_given_for(office: Office, how: str) -> None:
    await office.hired()
    opened, other = await office.signed_in(), await office.signed_in()
    if how == "disabled":
        await office.accounts.set_state("alice", StaffState.DISABLED)
    elif how == "roles":
        await office.accounts.set_roles("alice", [Role.AUDITOR])
    elif how == "password":
        await office.accounts.reset_password("alice")
    else:
        await office.sign_in.sign_out(other.token, everywhere=True)
    assert await office.sign_in.here(opened.token) is None
    assert await office.sign_in.here(other.token) is None


async def test_changing_the_password_ends_the_other_sessions_alone(office: Office) -> None:
    await office.hired()
    mine, other = await office.signed_in(), await office.signed_in()
    fresh = await office.sign_in.change_password(mine.token, old=PASSWORD, new="another-long-phrase", browser=HERE)
    assert await office.sign_in.here(fresh.token)
    assert await office.sign_in.here(other.token) is None


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("wrong", "another-long-phrase", SignInRefusal.WRONG_OLD),
        (PASSWORD, PASSWORD, SignInRefusal.SAME),
        (PASSWORD, "short", SignInRefusal.WEAK),
        (PASSWORD, "xx-alice-xx-1234", SignInRefusal.WEAK),
        (PASSWORD, "password-password", SignInRefusal.WEAK),
        (PASSWORD, "aaaaaaaaaaaaaaaa", SignInRefusal.WEAK),
    ],
)
async def test_a_new_password_that_is_none_changes_nothing(
    office: Office, old: str, new: str, refusal: SignInRefusal
) -> None:
    await office.hired()
    opened = await office.signed_in()
    await refused(office.sign_in.change_password(opened.token, old=old, new=new, browser=HERE), refusal)
    assert await office.sign_in.here(opened.token)


async def test_a_hash_of_other_costs_is_made_anew_at_the_next_sign_in(office: Office) -> None:
    await office.hired()
    before = await office.members.by_name("alice")
    office.sign_in._passwords = Passwords()
    await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    after = await office.members.by_name("alice")
    assert before is not None
    assert after is not None
    assert before.password_hash != after.password_hash


async def test_demo_accounts_are_let_in_with_the_sandbox_alone(tmp_path: Path) -> None:
    async with an_office(tmp_path) as office:
        await office.accounts.ensure_demo()
        await office.accounts.ensure_demo()
        opened = await office.sign_in.with_password("agent1", DEMO_PASSWORD, browser=HERE)
        assert opened.stage is Stage.FULL
    async with an_office(tmp_path, sandbox={"enabled": False}) as office:
        await office.accounts.ensure_demo()
        await refused(office.sign_in.with_password("agent1", DEMO_PASSWORD, browser=HERE), SignInRefusal.WRONG)


async def test_whom_the_centres_sign_in_vouches_for_has_to_be_a_member(office: Office) -> None:
    await office.hired()
    assert (await office.sign_in.trusted("ALICE", browser=HERE)).stage is Stage.FULL
    await refused(office.sign_in.trusted("mallory", browser=HERE), SignInRefusal.OIDC)
    await office.accounts.set_state("alice", StaffState.DISABLED)
    await refused(office.sign_in.trusted("alice", browser=HERE), SignInRefusal.OIDC)


@pytest.mark.parametrize("name", ["", "A", "1abc", "al ice", "<script>", "a" * 40, "爱丽丝"])
async def test_a_name_that_cannot_be_one_is_refused(office: Office, name: str) -> None:
    with pytest.raises(BadStaff):
        await office.accounts.add(NewStaff(name=name, display_name="林晓", work_no="1", roles=[Role.AGENT]))


async def test_names_and_work_numbers_are_somebodys_alone(office: Office) -> None:
    await office.accounts.add(ALICE)
    for name, number in (("alice", "9"), ("bob", "1001")):
        with pytest.raises(StaffExists):
            await office.accounts.add(NewStaff(name=name, display_name="林晓", work_no=number, roles=[Role.AGENT]))
    with pytest.raises(StaffUnknown):
        await office.accounts.reset_password("carol")


async def test_nobody_of_that_name_costs_as_much_as_a_wrong_password() -> None:
    passwords = cheap_passwords()
    assert not await passwords.are_right("", "anything")
    assert passwords._nobody


def test_one_time_passwords_differ_and_are_good() -> None:
    made = {one_time() for _ in range(50)}
    assert len(made) == 50
    assert all(is_good(each, name="alice") for each in made)
