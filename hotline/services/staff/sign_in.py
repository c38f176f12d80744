"""Signing in: password, second factor, session. Every step gives a new secret, so that none can be planted."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from hotline.audit_store import Audit
from hotline.domain.staff import Session, SignInRefusal, SignInRefused, Staff, StaffState, Stage, as_name
from hotline.errors import TemporaryError
from hotline.identity_store import AttemptKey, Attempts
from hotline.privacy.hashes import LookupHash
from hotline.services.staff.locks import Attempt, StaffLocks
from hotline.services.staff.passwords import Passwords, is_good
from hotline.services.staff.second_factor import (
    address,
    new_recovery_codes,
    new_secret,
    plain_recovery_code,
    step_of,
)
from hotline.services.staff.trail import by_member, by_nobody
from hotline.settings import Settings
from hotline.staff_store import Changes, Members, Opening, SecondFactor, Secrets, Sessions, StaffChanged

STAGE_MINUTES: Final = 10
"""How long somebody may take for what comes after the password."""
TOUCH: Final = timedelta(minutes=1)
"""A session's last use is written down no more often than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """Where somebody signs in: network address and what the browser calls itself."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session's new secret, which nobody but the browser keeps, and what comes next."""

    token: str = field(repr=False)
    stage: Stage
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Who a session belongs to. ``csrf``: what forms and scripts of his pages send with every change."""

    staff: Staff
    session: Session
    csrf: str = field(repr=False)


class SignIn:
    """For the gateway's pages. Safe for concurrent use."""

    def __init__(
        self,
        members: Members,
        sessions: Sessions,
        attempts: Attempts,
        *,
        passwords: Passwords,
        hashes: LookupHash,
        audit: Audit,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._members = members
        self._sessions = sessions
        self._locks = StaffLocks(attempts, hashes=hashes, allowed=settings.staff.wrong_before_lock)
        self._passwords = passwords
        self._hashes = hashes
        self._audit = audit
        self._settings = settings
        self._clock = clock

    async def with_password(self, name: str, password: str, *, browser: Browser) -> Opened:
        """The password is right. Raises SignInRefused, for every wrong cause alike."""
        attempt = await self._locks.charge(name, address=browser.address)
        called = as_name(name)
        found = await self._members.by_name(called) if called else None
        right = await self._passwords.are_right(found.password_hash if found else "", password)
        if found is None or not right or not self._may_use(found.staff):
            await self._failed("staff.sign_in_failed", found, attempt, browser=browser)
            raise SignInRefused(SignInRefusal.WRONG, wait_s=attempt.locked_s)
        await self._locks.refund(attempt)
        if self._passwords.is_outdated(found.password_hash):
            fresh = Changes(password_hash=await self._passwords.hashed(password))
            with suppress(StaffChanged):  # by another sign-in, or he has another password by now
                await self._members.change(found.staff, fresh, entry=None, ends_sessions=False)
        return await self._open(found, self._stage(found.staff), browser=browser, forgets=attempt.of_name)

    async def with_code(self, token: str, code: str, *, browser: Browser) -> Opened:
        """The second factor is right. Raises SignInRefused."""
        session, found = await self._in_stage(token, Stage.CODE)
        attempt = await self._locks.charge(found.staff.name, address=browser.address)
        if not await self._is_second_factor(found, code):
            await self._failed("staff.code_failed", found, attempt, browser=browser)
            raise SignInRefused(SignInRefusal.WRONG_CODE, wait_s=attempt.locked_s)
        await self._locks.refund(attempt)
        stage = Stage.PASSWORD if found.staff.must_change_password else Stage.FULL
        return await self._open(found, stage, browser=browser, instead_of=session.token_hash, forgets=attempt.of_name)

    async def begin_enrolment(self, token: str) -> str:
        """What an authenticator reads from the QR code. The same for the whole session.

        Raises:
            SignInRefused: the session is not at this stage.
        """
        session, found = await self._in_stage(token, Stage.ENROL)
        secret = await self._sessions.pending_secret(session.token_hash)
        if not secret:
            raise SignInRefused(SignInRefusal.EXPIRED)
        return address(secret, name=found.staff.name, issuer=f"12329 {self._settings.centre}")

    async def enrol(self, token: str, code: str, *, browser: Browser) -> tuple[Opened, list[str]]:
        """The authenticator works: it is the second factor from now on. The recovery codes are shown this once.

        Raises:
            SignInRefused: wrong code, or the session has ended.
        """
        session, found = await self._in_stage(token, Stage.ENROL)
        secret = await self._sessions.pending_secret(session.token_hash)
        if not secret:  # another browser of his has bound one meanwhile, which ended this session
            raise SignInRefused(SignInRefusal.EXPIRED)
        step = step_of(secret, code, now=self._clock())
        if step is None:
            raise SignInRefused(SignInRefusal.WRONG_CODE)
        codes = new_recovery_codes()
        factor = SecondFactor(secret=secret, step=step, recovery=[self._recovery(each) for each in codes])
        try:
            await self._members.enrol(found.staff, factor, entry=by_member("staff.second_factor_enrolled", found.staff))
        except StaffChanged:
            raise SignInRefused(SignInRefusal.EXPIRED) from None
        stage = Stage.PASSWORD if found.staff.must_change_password else Stage.FULL
        return await self._open(_next_epoch(found), stage, browser=browser), codes

    async def change_password(self, token: str, *, old: str, new: str, browser: Browser) -> Opened:
        """The password is ``new`` and every other session has ended. Raises SignInRefused."""
        session, found = await self._found(token)
        if session.stage not in (Stage.PASSWORD, Stage.FULL):
            raise SignInRefused(SignInRefusal.EXPIRED)
        attempt = await self._locks.charge(found.staff.name, address=browser.address)
        if not await self._passwords.are_right(found.password_hash, old):
            await self._failed("staff.password_failed", found, attempt, browser=browser)
            raise SignInRefused(SignInRefusal.WRONG_OLD, wait_s=attempt.locked_s)
        await self._locks.refund(attempt)
        if old == new:
            raise SignInRefused(SignInRefusal.SAME)
        if not is_good(new, name=found.staff.name):
            raise SignInRefused(SignInRefusal.WEAK)
        changes = Changes(password_hash=await self._passwords.hashed(new), must_change_password=False)
        entry = by_member("staff.password_changed", found.staff)
        try:
            await self._members.change(found.staff, changes, entry=entry, ends_sessions=True)
        except StaffChanged:
            raise SignInRefused(SignInRefusal.EXPIRED) from None
        return await self._open(_next_epoch(found), Stage.FULL, browser=browser)

    async def new_recovery_codes(self, token: str) -> list[str]:
        """New ones, shown this once; the old ones are void. Raises SignInRefused."""
        _, found = await self._in_stage(token, Stage.FULL)
        if not found.staff.has_second_factor:
            raise SignInRefused(SignInRefusal.EXPIRED)
        codes = new_recovery_codes()
        entry = by_member("staff.recovery_codes_made", found.staff)
        await self._members.set_recovery(found.staff.id, [self._recovery(each) for each in codes], entry=entry)
        return codes

    async def here(self, token: str, *, stage: Stage = Stage.FULL) -> Here | None:
        """Who is signed in with this secret, and has come as far as ``stage``; None for nobody. It counts as use."""
        if not token:
            return None
        try:
            session, found = await self._in_stage(token, stage)
        except SignInRefused:
            return None
        now = self._clock()
        if now - session.seen_at >= TOUCH:
            with suppress(TemporaryError):  # it is written down with the next use
                await self._sessions.touch(session.token_hash, before=now - TOUCH + timedelta(seconds=1))
        return Here(staff=found.staff, session=session, csrf=self._hashes.of("staff.csrf", token))

    async def sign_out(self, token: str, *, everywhere: bool = False) -> None:
        """The session has ended, or with ``everywhere`` all of the member's. What has ended already has ended."""
        with suppress(SignInRefused, StaffChanged):
            session, found = await self._found(token)
            if everywhere:
                entry = by_member("staff.signed_out_everywhere", found.staff)
                await self._members.change(found.staff, Changes(), entry=entry, ends_sessions=True)
            else:
                await self.end(found.staff, session.token_hash)

    async def end(self, staff: Staff, token_hash: str) -> None:
        """That session of the member's has ended; another's does not."""
        await self._sessions.end(staff.id, token_hash, entry=by_member("staff.signed_out", staff))

    async def sessions(self, here: Here) -> list[Session]:
        """The member's own sessions that let somebody in."""
        found = await self._members.by_id(here.staff.id)
        kept = await self._sessions.of(here.staff.id)
        return [each for each in kept if found and each.stage is Stage.FULL and not self._is_over(each, found)]

    async def recovery_codes_left(self, here: Here) -> int:
        """How many of the member's recovery codes are still good."""
        return await self._members.recovery_left(here.staff.id)

    async def trusted(self, name: str, *, browser: Browser) -> Opened:
        """Somebody the centre's own sign-in service has vouched for, second factor included. Raises SignInRefused where
        there is no such member here."""
        called = as_name(name)
        found = await self._members.by_name(called) if called else None
        if found is None or not self._may_use(found.staff):
            attempt = Attempt(keys=[self._locks.of_name(name)], locked_s=0)
            await self._failed("staff.sign_in_failed", found, attempt, browser=browser)
            raise SignInRefused(SignInRefusal.OIDC)
        await self._audit.record(by_member("staff.vouched_for", found.staff))
        return await self._open(found, Stage.FULL, browser=browser)

    # --- how -----------------------------------------------------------------------------------------------------

    async def _is_second_factor(self, found: Secrets, typed: str) -> bool:
        step = step_of(found.totp_secret, typed, now=self._clock()) if found.totp_secret else None
        if step is not None:
            return await self._members.use_step(found.staff.id, step)
        plain = plain_recovery_code(typed)
        entry = by_member("staff.recovery_code_used", found.staff)
        return bool(plain) and await self._members.use_recovery(found.staff.id, self._recovery(plain), entry=entry)

    async def _open(
        self,
        found: Secrets,
        stage: Stage,
        *,
        browser: Browser,
        instead_of: str = "",
        forgets: AttemptKey | None = None,
    ) -> Opened:
        """A session of the member as he was ``found``: where his sessions have all ended since, it lets nobody in."""
        now, token = self._clock(), secrets.token_urlsafe(32)
        is_full = stage is Stage.FULL
        span = timedelta(hours=self._settings.staff.session_hours) if is_full else timedelta(minutes=STAGE_MINUTES)
        session = Session(
            token_hash=self._hash(token),
            staff_id=found.staff.id,
            stage=stage,
            epoch=found.epoch,
            address=browser.address,
            browser=browser.name,
            began_at=now,
            seen_at=now,
            ends_at=now + span,
        )
        opening = Opening(
            instead_of=instead_of,
            pending_secret=new_secret() if stage is Stage.ENROL else "",
            forgets=forgets if is_full else None,
            entry=by_member("staff.signed_in", found.staff, address=browser.address) if is_full else None,
        )
        await self._sessions.open(session, opening)
        return Opened(token=token, stage=stage, ends_at=session.ends_at)

    async def _failed(self, action: str, found: Secrets | None, attempt: Attempt, *, browser: Browser) -> None:
        where: dict[str, str | int] = {"address": browser.address, "locked_s": attempt.locked_s}
        nobody = attempt.of_name.key_hash
        entry = by_member(action, found.staff, **where) if found else by_nobody(action, nobody, **where)
        await self._audit.record(entry)

    async def _in_stage(self, token: str, stage: Stage) -> tuple[Session, Secrets]:
        session, found = await self._found(token)
        if session.stage is not stage:
            raise SignInRefused(SignInRefusal.EXPIRED)
        return session, found

    async def _found(self, token: str) -> tuple[Session, Secrets]:
        session = await self._sessions.find(self._hash(token))
        found = await self._members.by_id(session.staff_id) if session else None
        if session is None or found is None or not self._may_use(found.staff) or self._is_over(session, found):
            raise SignInRefused(SignInRefusal.EXPIRED)
        return session, found

    def _is_over(self, session: Session, found: Secrets) -> bool:
        now, idle = self._clock(), timedelta(minutes=self._settings.staff.idle_minutes)
        return session.epoch != found.epoch or now >= session.ends_at or now - session.seen_at >= idle

    def _may_use(self, staff: Staff) -> bool:
        return staff.state is StaffState.ACTIVE and (not staff.is_demo or self._settings.sandbox.enabled)

    def _stage(self, staff: Staff) -> Stage:
        if staff.has_second_factor:
            return Stage.CODE
        is_required = self._settings.staff.second_factor or not self._settings.sandbox.enabled
        if is_required and not staff.is_demo:
            return Stage.ENROL
        return Stage.PASSWORD if staff.must_change_password else Stage.FULL

    def _hash(self, token: str) -> str:
        return self._hashes.of("staff.session", token)

    def _recovery(self, code: str) -> str:
        return self._hashes.of("staff.recovery", plain_recovery_code(code))


def _next_epoch(found: Secrets) -> Secrets:
    """After all his sessions have ended."""
    return replace(found, epoch=found.epoch + 1)
