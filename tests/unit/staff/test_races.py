"""Signing in while somebody changes the account: what was begun before lets nobody in afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pyotp
import pytest

from hotline.domain.staff import Role, SignInRefusal, SignInRefused, StaffState, Stage
from hotline.services.staff.passwords import Passwords
from tests.staff_kit import ALICE, HERE, PASSWORD, Office, an_office, cheap_passwords

pytestmark = pytest.mark.anyio

Meanwhile = Callable[[Office], Awaitable[object]]


class Interrupted(Passwords):
    """While a password is checked, something else happens."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__(cheap_passwords()._hasher)
        self._meanwhile = meanwhile

    async def are_right(self, kept: str, password: str) -> bool:
        right = await super().are_right(kept, password)
        await self._meanwhile()
        return right


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with an_office(tmp_path) as office:
        yield office


def reset_password(office: Office) -> Awaitable[object]:
    return office.accounts.reset_password("alice")


def disabled_and_enabled(office: Office) -> Awaitable[object]:
    async def both() -> None:
        await office.accounts.set_state("alice", StaffState.DISABLED)
        await office.accounts.set_state("alice", StaffState.ACTIVE)

    return both()


def changed_roles(office: Office) -> Awaitable[object]:
    return office.accounts.set_roles("alice", [Role.AUDITOR])


@pytest.mark.parametrize("meanwhile", [reset_password, disabled_and_enabled, changed_roles])
async def test_a_sign_in_under_way_ends_with_what_ends_all_sessions(office: Office, meanwhile: Meanwhile) -> None:
    await office.hired()
    office.clock.ahead(seconds=60)
    office.sign_in._passwords = Interrupted(lambda: meanwhile(office))
    opened = await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    with pytest.raises(SignInRefused) as caught:
        await office.sign_in.with_code(opened.token, await office.code(), browser=HERE)
    assert caught.value.refusal is SignInRefusal.EXPIRED
    assert await office.sign_in.here(opened.token, stage=opened.stage) is None


async def test_a_password_changed_by_whoever_knew_the_old_one_does_not_undo_its_reset(office: Office) -> None:
    await office.hired()
    opened = await office.signed_in()
    told: list[str] = []

    async def reset() -> None:
        told.append(await office.accounts.reset_password("alice"))

    office.sign_in._passwords = Interrupted(reset)
    with pytest.raises(SignInRefused) as caught:
        await office.sign_in.change_password(opened.token, old=PASSWORD, new="the-thief-chose-this", browser=HERE)
    assert caught.value.refusal is SignInRefusal.EXPIRED
    office.sign_in._passwords = cheap_passwords()
    assert (await office.sign_in.with_password("alice", told[0], browser=HERE)).stage is Stage.CODE


async def test_a_hash_made_anew_does_not_undo_a_reset(office: Office) -> None:
    await office.hired()
    told: list[str] = []

    async def reset() -> None:
        if not told:
            told.append(await office.accounts.reset_password("alice"))

    office.sign_in._passwords = Interrupted(reset)
    office.sign_in._passwords.is_outdated = lambda kept: True  # type: ignore[method-assign]
    await office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    office.sign_in._passwords = cheap_passwords()
    assert (await office.sign_in.with_password("alice", told[0], browser=HERE)).stage is Stage.CODE


async def test_of_two_browsers_that_bind_an_authenticator_at_once_one_does(office: Office) -> None:
    one_time = await office.accounts.add(ALICE)
    both = [await office.sign_in.with_password("alice", one_time, browser=HERE) for _ in range(2)]
    secrets = [pyotp.parse_uri(await office.sign_in.begin_enrolment(each.token)) for each in both]
    done = await asyncio.gather(
        *(
            office.sign_in.enrol(opened.token, secret.at(office.clock.now), browser=HERE)
            for opened, secret in zip(both, secrets, strict=True)
        ),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in done) == ["SignInRefused", "tuple"]
    found = await office.members.by_name("alice")
    assert found is not None
    winner = next(at for at, each in enumerate(done) if isinstance(each, tuple))
    assert found.totp_secret == secrets[winner].secret


async def test_two_sessions_cannot_use_one_code_at_the_same_time(office: Office) -> None:
    await office.hired()
    office.clock.ahead(seconds=60)
    both = [await office.sign_in.with_password("alice", PASSWORD, browser=HERE) for _ in range(2)]
    code = await office.code()
    done = await asyncio.gather(
        *(office.sign_in.with_code(each.token, code, browser=HERE) for each in both), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in done) == ["Opened", "SignInRefused"]
