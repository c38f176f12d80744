"""Signing in: password, second factor, session. Every step gives a new secret, so that none can be planted."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hotline.audit_store import ActorKind, Audit, AuditEntry
from hotline.domain.staff import Session, SignInRefusal, SignInRefused, Staff, StaffState, Stage
from hotline.identity_store import AttemptKey, Attempts
from hotline.privacy.hashes import LookupHash
from hotline.services.identity_locks import ADDRESS_ALLOWANCE, network
from hotline.services.staff.passwords import Passwords, is_good
from hotline.services.staff.second_factor import (
    address,
    new_recovery_codes,
    new_secret,
    plain_recovery_code,
    step_of,
)
from hotline.settings import Settings
from hotline.staff_store import Changes, Members, Secrets, Sessions

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
    csrf: str


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
        self._attempts = attempts
        self._passwords = passwords
        self._hashes = hashes
        self._audit = audit
        self._settings = settings
        self._clock = clock

    async def with_password(self, name: str, password: str, *, browser: Browser) -> Opened:
        """The password is right. Raises SignInRefused, for every wrong cause alike."""
        typed = name.strip().lower()[:32]
        keys = self._keys(typed, browser)
        charge = await self._attempts.charge(keys)
        if not charge.counted:
            raise SignInRefused(SignInRefusal.LOCKED, wait_s=charge.locked_s)
        found = await self._members.by_name(typed)
        right = await self._passwords.are_right(found.password_hash if found else "", password)
        if found is None or not right or not self._may_use(found.staff):
            await self._record("staff.sign_in_failed", found.staff.id if found else self._hashes.of("staff", typed))
            raise SignInRefused(SignInRefusal.WRONG, wait_s=charge.locked_s)
        await self._attempts.refund(keys)
        if self._passwords.is_outdated(found.password_hash):
            fresh = Changes(password_hash=await self._passwords.hashed(password))
            await self._members.change(found.staff.id, fresh, ends_sessions=False)
        return await self._open(found.staff, self._stage(found.staff), browser=browser)

    async def with_code(self, token: str, code: str, *, browser: Browser) -> Opened:
        """The second factor is right. Raises SignInRefused."""
        session, found = await self._in_stage(token, Stage.CODE)
        keys = self._keys(found.staff.name, browser)
        charge = await self._attempts.charge(keys)
        if not charge.counted:
            raise SignInRefused(SignInRefusal.LOCKED, wait_s=charge.locked_s)
        if not await self._is_second_factor(found, code):
            await self._record("staff.code_failed", found.staff.id)
            raise SignInRefused(SignInRefusal.WRONG_CODE, wait_s=charge.locked_s)
        await self._attempts.refund(keys)
        next_stage = Stage.PASSWORD if found.staff.must_change_password else Stage.FULL
        return await self._open(found.staff, next_stage, browser=browser, instead_of=session.token_hash)

    async def begin_enrolment(self, token: str) -> str:
        """What an authenticator reads from the QR code. The same for the whole session.

        Raises:
            SignInRefused: the session is not at this stage.
        """
        session, found = await self._in_stage(token, Stage.ENROL)
        secret = await self._sessions.pending_secret(session.token_hash)
        return address(secret, name=found.staff.name, issuer=self._settings.centre)

    async def enrol(self, token: str, code: str, *, browser: Browser) -> tuple[Opened, list[str]]:
        """The authenticator works: it is the second factor from now on. The recovery codes are shown this once.

        Raises:
            SignInRefused: wrong code, or the session has ended.
        """
        session, found = await self._in_stage(token, Stage.ENROL)
        secret = await self._sessions.pending_secret(session.token_hash)
        step = step_of(secret, code, now=self._clock())
        if step is None:
            raise SignInRefused(SignInRefusal.WRONG_CODE)
        await self._members.change(found.staff.id, Changes(totp_secret=secret), ends_sessions=True)
        await self._members.use_step(found.staff.id, step)
        codes = await self._new_recovery(found.staff.id)
        await self._record("staff.second_factor_enrolled", found.staff.id)
        next_stage = Stage.PASSWORD if found.staff.must_change_password else Stage.FULL
        return await self._open(found.staff, next_stage, browser=browser), codes

    async def change_password(self, token: str, *, old: str, new: str, browser: Browser) -> Opened:
        """The password is ``new`` and every other session has ended. Raises SignInRefused."""
        session, found = await self._found(token)
        if session.stage not in (Stage.PASSWORD, Stage.FULL):
            raise SignInRefused(SignInRefusal.EXPIRED)
        keys = self._keys(found.staff.name, browser)
        charge = await self._attempts.charge(keys)
        if not charge.counted:
            raise SignInRefused(SignInRefusal.LOCKED, wait_s=charge.locked_s)
        if not await self._passwords.are_right(found.password_hash, old):
            raise SignInRefused(SignInRefusal.WRONG, wait_s=charge.locked_s)
        await self._attempts.refund(keys)
        if old == new:
            raise SignInRefused(SignInRefusal.SAME)
        if not is_good(new, name=found.staff.name):
            raise SignInRefused(SignInRefusal.WEAK)
        changes = Changes(password_hash=await self._passwords.hashed(new), must_change_password=False)
        await self._members.change(found.staff.id, changes, ends_sessions=True)
        await self._record("staff.password_changed", found.staff.id)
        return await self._open(found.staff, Stage.FULL, browser=browser)

    async def new_recovery_codes(self, token: str) -> list[str]:
        """New ones, shown this once; the old ones are void. Raises SignInRefused."""
        _, found = await self._in_stage(token, Stage.FULL)
        await self._record("staff.recovery_codes_made", found.staff.id)
        return await self._new_recovery(found.staff.id)

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
            await self._sessions.touch(session.token_hash, before=now - TOUCH + timedelta(seconds=1))
        return Here(staff=found.staff, session=session, csrf=self._hashes.of("staff.csrf", token))

    async def sign_out(self, token: str, *, everywhere: bool = False) -> None:
        """The session has ended, or with ``everywhere`` all of the member's. What has ended already has ended."""
        session = await self._sessions.find(self._hash(token))
        if session is None:
            return
        await self._sessions.end(session.token_hash)
        if everywhere:
            await self._members.change(session.staff_id, Changes(), ends_sessions=True)
        await self._record("staff.signed_out", session.staff_id)

    async def sessions(self, here: Here) -> list[Session]:
        """The member's own sessions that let somebody in."""
        now = self._clock()
        found = await self._sessions.of(here.staff.id)
        return [each for each in found if each.stage is Stage.FULL and not self._is_over(each, now)]

    async def trusted(self, name: str, *, browser: Browser) -> Opened:
        """Somebody the centre's own sign-in service has vouched for, second factor included. Raises SignInRefused where
        there is no such member here."""
        found = await self._members.by_name(name.strip().lower()[:32])
        if found is None or not self._may_use(found.staff):
            raise SignInRefused(SignInRefusal.OIDC)
        return await self._open(found.staff, Stage.FULL, browser=browser)

    # --- how -----------------------------------------------------------------------------------------------------

    async def _is_second_factor(self, found: Secrets, typed: str) -> bool:
        step = step_of(found.totp_secret, typed, now=self._clock()) if found.totp_secret else None
        if step is not None:
            return await self._members.use_step(found.staff.id, step)
        plain = plain_recovery_code(typed)
        if len(plain) != 10 or not await self._members.use_recovery(found.staff.id, self._recovery(plain)):
            return False
        await self._record("staff.recovery_code_used", found.staff.id)
        return True

    async def _new_recovery(self, staff_id: str) -> list[str]:
        codes = new_recovery_codes()
        await self._members.set_recovery(staff_id, [self._recovery(plain_recovery_code(each)) for each in codes])
        return codes

    async def _open(self, staff: Staff, stage: Stage, *, browser: Browser, instead_of: str = "") -> Opened:
        now, token = self._clock(), secrets.token_urlsafe(32)
        span = timedelta(hours=self._settings.staff.session_hours)
        ends_at = now + (span if stage is Stage.FULL else timedelta(minutes=STAGE_MINUTES))
        session = Session(
            token_hash=self._hash(token),
            staff_id=staff.id,
            stage=stage,
            address=browser.address,
            browser=browser.name,
            began_at=now,
            seen_at=now,
            ends_at=ends_at,
        )
        pending = new_secret() if stage is Stage.ENROL else ""
        await self._sessions.open(session, instead_of=instead_of, pending_secret=pending)
        if stage is Stage.FULL:
            await self._record("staff.signed_in", staff.id)
        return Opened(token=token, stage=stage, ends_at=ends_at)

    async def _in_stage(self, token: str, stage: Stage) -> tuple[Session, Secrets]:
        session, found = await self._found(token)
        if session.stage is not stage:
            raise SignInRefused(SignInRefusal.EXPIRED)
        return session, found

    async def _found(self, token: str) -> tuple[Session, Secrets]:
        session = await self._sessions.find(self._hash(token))
        if session is None or self._is_over(session, self._clock()):
            raise SignInRefused(SignInRefusal.EXPIRED)
        found = await self._members.by_id(session.staff_id)
        if found is None or not self._may_use(found.staff):
            raise SignInRefused(SignInRefusal.EXPIRED)
        return session, found

    def _is_over(self, session: Session, now: datetime) -> bool:
        idle = timedelta(minutes=self._settings.staff.idle_minutes)
        return now >= session.ends_at or now - session.seen_at >= idle

    def _may_use(self, staff: Staff) -> bool:
        return staff.state is StaffState.ACTIVE and (not staff.is_demo or self._settings.sandbox.enabled)

    def _stage(self, staff: Staff) -> Stage:
        if staff.has_second_factor:
            return Stage.CODE
        if self._settings.staff.second_factor and not staff.is_demo:
            return Stage.ENROL
        return Stage.PASSWORD if staff.must_change_password else Stage.FULL

    def _keys(self, name: str, browser: Browser) -> list[AttemptKey]:
        allowed = self._settings.staff.wrong_before_lock
        named = AttemptKey(kind="staff", key_hash=self._hashes.of("attempt.staff", name), allowed=allowed)
        where = self._hashes.of("attempt.staff_address", network(browser.address))
        return [named, AttemptKey(kind="staff_address", key_hash=where, allowed=allowed * ADDRESS_ALLOWANCE)]

    def _hash(self, token: str) -> str:
        return self._hashes.of("staff.session", token)

    def _recovery(self, code: str) -> str:
        return self._hashes.of("staff.recovery", code)

    async def _record(self, action: str, staff_id: str) -> None:
        await self._audit.record(AuditEntry(actor_kind=ActorKind.STAFF, actor_id=staff_id, action=action))
