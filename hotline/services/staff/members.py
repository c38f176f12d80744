"""Accounts of staff: made, changed, disabled, by whoever runs the service."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Sequence
from typing import Final

from hotline.audit_store import ActorKind, AuditEntry
from hotline.domain.desk import Group
from hotline.domain.staff import NewStaff, Role, Staff, StaffState, as_name
from hotline.errors import HotlineError
from hotline.services.staff.demo import DEMO_PASSWORD, demo_accounts
from hotline.services.staff.passwords import Passwords, one_time
from hotline.staff_store import Changes, Members, Secrets, StaffChanged, StaffExists, StaffUnknown

LONGEST_DISPLAY_NAME: Final = 32
_WORK_NO: Final = re.compile(r"[0-9A-Za-z]{1,16}")
_EXTENSION: Final = re.compile(r"[0-9]{0,8}")


class BadStaff(HotlineError):
    """A name, a work number, an extension or a display name that cannot be one."""


class Accounts:
    """For the terminal, and later the console. ``actor`` names the command or process that does it, for the audit
    trail."""

    def __init__(self, members: Members, *, passwords: Passwords, actor: str) -> None:
        self._members = members
        self._passwords = passwords
        self._actor = actor

    async def add(self, new: NewStaff) -> str:
        """The account is there; its one-time password, which has to be changed at the first sign-in.

        Raises:
            BadStaff, StaffExists.
        """
        password = one_time()
        await self._add(_checked(new), password, is_demo=False)
        return password

    async def ensure_demo(self) -> Sequence[str]:
        """The sandbox's accounts are there, with the password everybody knows and nothing between them and the desk.
        Gives the names that belong to somebody real, who is left alone."""
        taken = []
        for new in demo_accounts():
            found = await self._members.by_name(new.name)
            try:
                if found is None:
                    await self._add(new, DEMO_PASSWORD, is_demo=True)
                elif found.staff.is_demo:
                    await self._repair(found, new)
                else:
                    taken.append(new.name)
            except StaffExists:
                if await self._members.by_name(new.name) is None:
                    taken.append(new.name)  # the work number is somebody's; otherwise another process has just made it
            except StaffChanged:
                continue  # by another process that does the same
        return taken

    async def set_roles(self, name: str, roles: Collection[Role]) -> None:
        """What he may do from now on; his sessions have ended. Raises BadStaff, StaffUnknown, StaffChanged."""
        if not roles:
            raise BadStaff("at least one role is needed")
        await self._change(name, Changes(roles=roles), "staff.roles_changed", to=",".join(sorted(roles)))

    async def set_groups(self, name: str, groups: Collection[Group]) -> None:
        """Which skill groups he serves from now on. Raises StaffUnknown, StaffChanged."""
        to = ",".join(sorted(groups))
        await self._change(name, Changes(groups=groups), "staff.groups_changed", ends_sessions=False, to=to)

    async def set_extension(self, name: str, extension: str) -> None:
        """His telephone's number from now on; empty: he has none. Raises BadStaff, StaffUnknown, StaffChanged,
        StaffExists."""
        changes = Changes(extension=_checked_extension(extension))
        await self._change(name, changes, "staff.extension_changed", ends_sessions=False, to=extension)

    async def set_state(self, name: str, state: StaffState) -> None:
        """Whether he is let in from now on; his sessions have ended. Raises StaffUnknown, StaffChanged."""
        action = "staff.disabled" if state is StaffState.DISABLED else "staff.enabled"
        await self._change(name, Changes(state=state), action)

    async def reset_password(self, name: str) -> str:
        """A new one-time password; his sessions have ended. Raises StaffUnknown, StaffChanged."""
        password = one_time()
        changes = Changes(password_hash=await self._passwords.hashed(password), must_change_password=True)
        await self._change(name, changes, "staff.password_reset")
        return password

    async def reset_second_factor(self, name: str) -> None:
        """He has to enrol an authenticator at the next sign-in; his sessions have ended. Raises StaffUnknown,
        StaffChanged."""
        await self._change(name, Changes(totp_secret=""), "staff.second_factor_reset")

    async def _add(self, new: NewStaff, password: str, *, is_demo: bool) -> None:
        staff = Staff(
            id=str(uuid.uuid4()),
            name=new.name,
            display_name=new.display_name.strip(),
            work_no=new.work_no,
            extension=new.extension,
            roles=frozenset(new.roles),
            groups=frozenset(new.groups),
            must_change_password=not is_demo,
            is_demo=is_demo,
        )
        entry = self._entry("staff.added", staff, to=",".join(sorted(new.roles)))
        await self._members.add(staff, password_hash=await self._passwords.hashed(password), entry=entry)

    async def _repair(self, found: Secrets, new: NewStaff) -> None:
        staff, extension = found.staff, await self._free_extension(found.staff, new.extension)
        is_right = await self._passwords.are_right(found.password_hash, DEMO_PASSWORD)
        as_it_is = (staff.roles, staff.groups, staff.display_name, staff.extension)
        as_wanted = as_it_is == (new.roles, new.groups, new.display_name, extension)
        is_open = staff.state is StaffState.ACTIVE and not staff.must_change_password and not staff.has_second_factor
        if is_right and as_wanted and is_open:
            return
        changes = Changes(
            display_name=new.display_name,
            extension=extension,
            roles=new.roles,
            groups=new.groups,
            state=StaffState.ACTIVE,
            password_hash=None if is_right else await self._passwords.hashed(DEMO_PASSWORD),
            must_change_password=False,
            totp_secret="",
        )
        entry = self._entry("staff.demo_repaired", staff)
        await self._members.change(staff, changes, entry=entry, ends_sessions=True)

    async def _free_extension(self, staff: Staff, wanted: str) -> str:
        """``wanted``, or what he has where that is somebody else's."""
        taken = any(each.extension == wanted and each.id != staff.id for each in await self._members.all())
        return staff.extension if taken else wanted

    async def _change(
        self, name: str, changes: Changes, action: str, *, ends_sessions: bool = True, to: str = ""
    ) -> None:
        called = as_name(name)
        found = await self._members.by_name(called) if called else None
        if found is None:
            raise StaffUnknown(f"nobody is called {name}")
        entry = self._entry(action, found.staff, to=to)
        await self._members.change(found.staff, changes, entry=entry, ends_sessions=ends_sessions)

    def _entry(self, action: str, staff: Staff, *, to: str = "") -> AuditEntry:
        return AuditEntry(
            actor_kind=ActorKind.SYSTEM,
            actor_id=self._actor,
            action=action,
            subject=staff.id,
            detail={"member": staff.name} | ({"to": to} if to else {}),
        )


def _checked(new: NewStaff) -> NewStaff:
    if not new.name or as_name(new.name) != new.name:
        raise BadStaff("a name is 2 to 32 of a-z, 0-9, '.', '_' and '-', and begins with a letter")
    if not _WORK_NO.fullmatch(new.work_no):
        raise BadStaff("a work number is 1 to 16 letters and digits")
    _checked_extension(new.extension)
    if not 1 <= len(new.display_name.strip()) <= LONGEST_DISPLAY_NAME or not new.display_name.isprintable():
        raise BadStaff(f"a display name is 1 to {LONGEST_DISPLAY_NAME} characters, without line breaks")
    if not new.roles:
        raise BadStaff("at least one role is needed")
    return new


def _checked_extension(extension: str) -> str:
    if not _EXTENSION.fullmatch(extension):
        raise BadStaff("an extension is up to 8 digits")
    return extension
