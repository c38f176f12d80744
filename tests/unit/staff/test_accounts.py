"""Accounts, and what of them stands in the audit trail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hotline.audit_store import ActorKind
from hotline.domain.desk import Group
from hotline.domain.staff import NewStaff, Role, SignInRefusal, SignInRefused, StaffState, Stage
from hotline.errors import ConfigError
from hotline.services.staff.demo import DEMO_PASSWORD, demo_accounts
from hotline.services.staff.members import BadStaff
from hotline.services.staff.passwords import is_good
from tests.staff_kit import ALICE, HERE, PASSWORD, Office, an_office

pytestmark = pytest.mark.anyio


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(tmp_path) as office:
        yield office


async def stage(office: Office, name: str, password: str) -> Stage:
    return (await office.sign_in.with_password(name, password, browser=HERE)).stage


async def refusal(office: Office, name: str, password: str) -> SignInRefusal:
    with pytest.raises(SignInRefused) as caught:
        await stage(office, name, password)
    return caught.value.refusal


async def test_every_change_is_in_the_trail_with_who_did_it_and_to_whom(office: Office) -> None:
    staff_id = await office.hired()
    before = len(await office.trail())
    await office.accounts.set_roles("alice", [Role.EDITOR, Role.AGENT])
    await office.accounts.set_groups("alice", [Group.LOAN])
    await office.accounts.set_state("alice", StaffState.DISABLED)
    await office.accounts.set_state("alice", StaffState.ACTIVE)
    await office.accounts.reset_password("alice")
    await office.accounts.reset_second_factor("alice")
    entries = (await office.trail())[before:]
    assert [each.action.removeprefix("staff.") for each in entries] == [
        *("roles_changed", "groups_changed", "disabled", "enabled", "password_reset", "second_factor_reset")
    ]
    assert {(each.actor_kind, each.actor_id, each.subject) for each in entries} == {
        (ActorKind.SYSTEM, "test", staff_id)
    }
    assert entries[0].detail == {"member": "alice", "to": "agent,editor"}


async def test_who_signs_in_or_fails_to_is_in_the_trail_and_a_strange_name_only_by_its_hash(office: Office) -> None:
    await office.hired()
    before = len(await office.trail())
    await office.signed_in()
    await refusal(office, "alice", "wrong")
    await refusal(office, "nobody-of-this-name", "wrong")
    signed_in, known, unknown = (await office.trail())[before:]
    assert (signed_in.action, signed_in.actor_id, signed_in.detail) == (
        "staff.signed_in",
        "alice",
        {"address": HERE.address},
    )
    assert (known.action, known.actor_kind, known.actor_id) == ("staff.sign_in_failed", ActorKind.STAFF, "alice")
    assert (unknown.action, unknown.actor_kind) == ("staff.sign_in_failed", ActorKind.CONTACT)
    assert "nobody-of" not in str(unknown)


async def test_nothing_secret_is_in_the_trail(office: Office) -> None:
    await office.hired()
    opened = await office.signed_in()
    codes = await office.sign_in.new_recovery_codes(opened.token)
    found = await office.members.by_name("alice")
    assert found is not None
    trail = str(await office.trail())
    for secret in (PASSWORD, found.totp_secret, found.password_hash, opened.token, *codes):
        assert secret not in trail
    assert not {PASSWORD, found.totp_secret, opened.token} & set(repr(found).split("'"))


async def test_other_groups_end_no_session_and_other_roles_do(office: Office) -> None:
    await office.hired()
    opened = await office.signed_in()
    await office.accounts.set_groups("alice", [Group.DEPOSIT])
    here = await office.sign_in.here(opened.token)
    assert here is not None
    assert here.staff.groups == {Group.DEPOSIT}
    await office.accounts.set_roles("alice", [Role.AGENT])
    assert await office.sign_in.here(opened.token) is None


async def test_a_second_factor_taken_away_has_to_be_bound_anew_with_other_recovery_codes(office: Office) -> None:
    await office.hired()
    opened = await office.signed_in()
    codes = await office.sign_in.new_recovery_codes(opened.token)
    await office.accounts.reset_second_factor("alice")
    again = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    assert again.stage is Stage.ENROL
    await office.enrolled(again)
    third = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    with pytest.raises(SignInRefused):
        await office.sign_in.with_code(third.token, codes[0], browser=HERE)


async def test_a_whole_sign_in_forgets_the_wrong_attempts_before_it_and_a_right_password_alone_does_not(
    office: Office,
) -> None:
    await office.hired()
    office.clock.ahead(seconds=60)
    for _ in range(4):
        await refusal(office, "alice", "wrong")
    opened = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    with pytest.raises(SignInRefused) as fifth:
        await office.sign_in.with_code(opened.token, "000000", browser=HERE)
    assert fifth.value.wait_s == 60
    office.clock.ahead(seconds=61)
    await office.signed_in()
    assert [await refusal(office, "alice", "wrong") for _ in range(4)] == [SignInRefusal.WRONG] * 4


async def test_a_morning_of_right_passwords_locks_no_address(office: Office) -> None:
    await office.accounts.ensure_demo()
    for _ in range(30):
        assert await stage(office, "agent1", DEMO_PASSWORD) is Stage.FULL


async def test_demo_accounts_are_put_right_again_and_left_alone_where_they_are(office: Office) -> None:
    assert await office.accounts.ensure_demo() == []
    made = await office.actions()
    assert await office.accounts.ensure_demo() == []
    assert await office.actions() == made
    await office.accounts.reset_password("agent1")
    await office.accounts.set_state("agent2", StaffState.DISABLED)
    await office.accounts.set_roles("editor1", [Role.OPERATOR])
    await office.accounts.ensure_demo()
    for new in demo_accounts():
        assert await stage(office, new.name, DEMO_PASSWORD) is Stage.FULL
        found = await office.members.by_name(new.name)
        assert found is not None
        assert found.staff.roles == new.roles
    assert (await office.actions()).count("staff.demo_repaired") == 3


async def test_a_real_account_with_a_demo_accounts_name_or_number_is_nobody_elses(office: Office) -> None:
    one_time = await office.accounts.add(
        NewStaff(name="agent1", display_name="真人", work_no="7001", roles=[Role.EDITOR])
    )
    await office.accounts.add(NewStaff(name="carol", display_name="真人", work_no="1002", roles=[Role.EDITOR]))
    assert await office.accounts.ensure_demo() == ["agent1", "agent2"]
    assert await stage(office, "agent1", one_time) is Stage.ENROL
    assert await refusal(office, "agent1", DEMO_PASSWORD) is SignInRefusal.WRONG


async def test_the_published_password_is_nobodys_own() -> None:
    assert not is_good(DEMO_PASSWORD, name="alice")


async def test_without_the_sandbox_everybody_needs_a_second_factor_whatever_is_set(tmp_path: Path) -> None:
    off = {"second_factor": False}
    async with an_office(tmp_path, sandbox={"enabled": False}, staff=off) as office:
        assert await stage(office, "alice", await office.accounts.add(ALICE)) is Stage.ENROL
    async with an_office(tmp_path, staff=off) as office:
        one_time = await office.accounts.add(ALICE)
        assert await stage(office, "alice", one_time) is Stage.PASSWORD


async def test_a_demo_session_from_before_lets_nobody_in_without_the_sandbox(tmp_path: Path) -> None:
    async with an_office(tmp_path) as office:
        await office.accounts.ensure_demo()
        opened = await office.sign_in.with_password("agent1", DEMO_PASSWORD, browser=HERE)
        office.sign_in._settings = office.settings.model_copy(
            update={"sandbox": office.settings.sandbox.model_copy(update={"enabled": False})}
        )
        assert await office.sign_in.here(opened.token) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"display_name": ""},
        {"display_name": "  "},
        {"display_name": "林" * 33},
        {"display_name": "林\n晓"},
        {"work_no": ""},
        {"work_no": "1" * 17},
        {"work_no": "10 01"},
        {"work_no": "<b>"},
        {"roles": []},
    ],
)
async def test_what_nobody_can_be_is_refused_and_nothing_is_added(office: Office, wrong: dict[str, object]) -> None:
    right = {"name": "alice", "display_name": "林晓", "work_no": "1001", "roles": [Role.AGENT]}
    with pytest.raises(BadStaff):
        await office.accounts.add(NewStaff(**{**right, **wrong}))  # type: ignore[arg-type]
    assert await office.members.all() == []


async def test_a_file_of_demo_accounts_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "demo.yml"
    for text in ("accounts: [{name: a}]", "accounts: 5", "[", "accounts: [{name: a, roles: [king]}]"):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"demo\.yml"):
            demo_accounts.__wrapped__(file)


async def test_no_role_at_all_cannot_be_set(office: Office) -> None:
    await office.accounts.add(ALICE)
    with pytest.raises(BadStaff):
        await office.accounts.set_roles("alice", [])
