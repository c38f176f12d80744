"""Members of staff on a real database, with a clock that can be put forward and a hash that costs little."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
from argon2 import PasswordHasher

from hotline.audit_store import AuditEntry
from hotline.domain.desk import Group
from hotline.domain.staff import NewStaff, Role
from hotline.privacy.ciphers import FieldCipher
from hotline.privacy.hashes import LookupHash
from hotline.services.staff.members import Accounts
from hotline.services.staff.passwords import Passwords
from hotline.services.staff.sign_in import Browser, Opened, SignIn
from hotline.settings import Settings
from hotline.storage.attempts import SqlAttempts
from hotline.storage.audit import SqlAudit
from hotline.storage.database import Database
from hotline.storage.staff import SqlMembers, SqlSessions
from tests.core_kit import migrated_template, settings_in

HERE = Browser(address="10.1.2.3", name="Firefox")
PASSWORD = "correct-horse-battery"
ALICE = NewStaff(name="alice", display_name="林晓", work_no="1001", roles=[Role.AGENT], groups=[Group.LOAN])


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def ahead(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Office:
    """What signing in needs, with shortcuts."""

    settings: Settings
    clock: Clock
    audit: SqlAudit
    members: SqlMembers
    sessions: SqlSessions
    accounts: Accounts
    sign_in: SignIn

    async def hired(self, new: NewStaff = ALICE) -> str:
        """A member with a password of his own and no second factor yet; his id."""
        one_time = await self.accounts.add(new)
        opened = await self.sign_in.with_password(new.name, one_time, browser=HERE)
        opened, _ = await self.enrolled(opened)
        await self.sign_in.change_password(opened.token, old=one_time, new=PASSWORD, browser=HERE)
        found = await self.members.by_name(new.name)
        assert found is not None
        return found.staff.id

    async def enrolled(self, opened: Opened) -> tuple[Opened, list[str]]:
        address = await self.sign_in.begin_enrolment(opened.token)
        code = pyotp.parse_uri(address).at(self.clock.now)
        return await self.sign_in.enrol(opened.token, code, browser=HERE)

    async def code(self, name: str = "alice", *, steps: int = 0) -> str:
        found = await self.members.by_name(name)
        assert found is not None
        return pyotp.TOTP(found.totp_secret).at(self.clock.now + timedelta(seconds=30 * steps))

    async def trail(self) -> list[AuditEntry]:
        """The audit trail, oldest first."""
        return [row.entry for row in await self.audit.rows(limit=1000)]

    async def actions(self) -> list[str]:
        return [each.action for each in await self.trail()]

    async def signed_in(self, name: str = "alice") -> Opened:
        self.clock.ahead(seconds=60)
        opened = await self.sign_in.with_password(name, PASSWORD, browser=HERE)
        return await self.sign_in.with_code(opened.token, await self.code(name), browser=HERE)


def cheap_passwords() -> Passwords:
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def office_on(database: Database, settings: Settings) -> Office:
    clock, passwords = Clock(), cheap_passwords()
    audit = SqlAudit(database, clock=clock)
    cipher, hashes = FieldCipher.from_settings(settings.privacy), LookupHash.from_settings(settings.privacy)
    members = SqlMembers(database, cipher=cipher, clock=clock)
    sessions = SqlSessions(database, cipher=cipher, clock=clock)
    sign_in = SignIn(
        members,
        sessions,
        SqlAttempts(database, clock=clock),
        passwords=passwords,
        hashes=hashes,
        audit=audit,
        settings=settings,
        clock=clock,
    )
    accounts = Accounts(members, passwords=passwords, actor="test")
    return Office(settings, clock, audit, members, sessions, accounts, sign_in)


@asynccontextmanager
async def an_office(directory: Path, **settings: object) -> AsyncIterator[Office]:
    """On SQLite."""
    shutil.copy(await asyncio.to_thread(migrated_template), directory / "hotline.db")
    chosen = settings_in(directory, **settings)
    database = Database(chosen.resolved_database_url)
    try:
        yield office_on(database, chosen)
    finally:
        await database.close()
