"""Accounts of staff: made, changed, disabled, by whoever runs the service."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from hotline.audit_store import ActorKind, Audit, AuditEntry
from hotline.domain.desk import Group
from hotline.domain.staff import Role, Staff, StaffState
from hotline.errors import HotlineError
from hotline.services.staff.passwords import Passwords, one_time
from hotline.staff_store import Changes, Members, StaffExists, StaffUnknown

_NAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,31}")
_WORK_NO: Final = re.compile(r"[0-9A-Za-z]{1,16}")


class BadStaff(HotlineError):
    """A name, a work number or a display name that cannot be one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStaff:
    """Somebody to be given an account."""

    name: str
    display_name: str
    work_no: str
    roles: Collection[Role]
    groups: Collection[Group] = ()


DEMO_PASSWORD: Final = "sandbox-12329-demo"  # noqa: S105 - published, and good with the sandbox alone
DEMO: Final = (
    NewStaff(name="agent1", display_name="林晓", work_no="1001", roles=[Role.AGENT], groups=list(Group)),
    NewStaff(name="agent2", display_name="陈默", work_no="1002", roles=[Role.AGENT], groups=list(Group)),
    NewStaff(
        name="supervisor1",
        display_name="周敏",
        work_no="2001",
        roles=[Role.SUPERVISOR, Role.AGENT],
        groups=[Group.COMPLAINT],
    ),
    NewStaff(name="editor1", display_name="何静", work_no="3001", roles=[Role.EDITOR]),
    NewStaff(name="reviewer1", display_name="罗平", work_no="3002", roles=[Role.REVIEWER]),
    NewStaff(name="operator1", display_name="许强", work_no="4001", roles=[Role.OPERATOR]),
    NewStaff(name="auditor1", display_name="邓洁", work_no="5001", roles=[Role.AUDITOR]),
)


class Accounts:
    """For the terminal, and later the console. ``actor`` names who does it, for the audit trail."""

    def __init__(self, members: Members, *, passwords: Passwords, audit: Audit, actor: str) -> None:
        self._members = members
        self._passwords = passwords
        self._audit = audit
        self._actor = actor

    async def add(self, new: NewStaff) -> str:
        """The account is there; its one-time password, which has to be changed at the first sign-in.

        Raises:
            BadStaff, StaffExists.
        """
        password = one_time()
        await self._add(_checked(new), password, is_demo=False)
        return password

    async def ensure_demo(self) -> None:
        """The sandbox's accounts are there, with the password everybody knows."""
        for new in DEMO:
            if await self._members.by_name(new.name) is None:
                await self._add(new, DEMO_PASSWORD, is_demo=True)

    async def set_roles(self, name: str, roles: Collection[Role]) -> None:
        """What he may do from now on; his sessions have ended. Raises StaffUnknown."""
        await self._change(name, Changes(roles=roles), "staff.roles_changed", detail=",".join(sorted(roles)))

    async def set_groups(self, name: str, groups: Collection[Group]) -> None:
        """Raises StaffUnknown."""
        await self._change(name, Changes(groups=groups), "staff.groups_changed", detail=",".join(sorted(groups)))

    async def set_state(self, name: str, state: StaffState) -> None:
        """Raises StaffUnknown."""
        await self._change(name, Changes(state=state), f"staff.{state.value}")

    async def reset_password(self, name: str) -> str:
        """A new one-time password. Raises StaffUnknown."""
        password = one_time()
        changes = Changes(password_hash=await self._passwords.hashed(password), must_change_password=True)
        await self._change(name, changes, "staff.password_reset")
        return password

    async def reset_second_factor(self, name: str) -> None:
        """He has to enrol an authenticator at the next sign-in. Raises StaffUnknown."""
        await self._change(name, Changes(totp_secret=""), "staff.second_factor_reset")

    async def _add(self, new: NewStaff, password: str, *, is_demo: bool) -> None:
        staff = Staff(
            id=str(uuid.uuid4()),
            name=new.name,
            display_name=new.display_name,
            work_no=new.work_no,
            roles=frozenset(new.roles),
            groups=frozenset(new.groups),
            must_change_password=not is_demo,
            is_demo=is_demo,
        )
        try:
            await self._members.add(staff, password_hash=await self._passwords.hashed(password))
        except StaffExists:
            if not is_demo:
                raise
            return  # another process has made the same demo account a moment ago
        await self._record("staff.added", staff.id, detail=",".join(sorted(new.roles)))

    async def _change(self, name: str, changes: Changes, action: str, *, detail: str = "") -> None:
        found = await self._members.by_name(name.strip().lower())
        if found is None:
            raise StaffUnknown(f"nobody is called {name}")
        await self._members.change(found.staff.id, changes, ends_sessions=True)
        await self._record(action, found.staff.id, detail=detail)

    async def _record(self, action: str, staff_id: str, *, detail: str) -> None:
        entry = AuditEntry(
            actor_kind=ActorKind.SYSTEM,
            actor_id=self._actor,
            action=action,
            detail={"reference": staff_id} | ({"to": detail} if detail else {}),
        )
        await self._audit.record(entry)


def _checked(new: NewStaff) -> NewStaff:
    if not _NAME.fullmatch(new.name):
        raise BadStaff("a name is 2 to 32 of a-z, 0-9, '.', '_' and '-', and begins with a letter")
    if not _WORK_NO.fullmatch(new.work_no):
        raise BadStaff("a work number is 1 to 16 letters and digits")
    if not 1 <= len(new.display_name.strip()) <= 64 or not new.display_name.isprintable():
        raise BadStaff("a display name is 1 to 64 characters")
    if not new.roles:
        raise BadStaff("at least one role is needed")
    return new
