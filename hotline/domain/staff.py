"""Members of staff: what they may do, and how the desk knows them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from hotline.domain.desk import CAPACITY, Agent, Group, Lane

_NAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,31}")


class Role(StrEnum):
    """What somebody may do. One may have several."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    EDITOR = "editor"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class StaffState(StrEnum):
    """Whether the account may be used."""

    ACTIVE = "active"
    DISABLED = "disabled"


class Stage(StrEnum):
    """How far a session has come. Only ``full`` lets anybody in."""

    CODE = "code"
    """The password was right; the second factor is waited for."""
    ENROL = "enrol"
    """There is no second factor yet, and one is required."""
    PASSWORD = "password"  # noqa: S105 - a stage
    """The password was given by somebody else and has to be changed first."""
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """A member of staff. ``is_demo``: made for the sandbox, and let in with the sandbox alone. ``version`` grows with
    every change: who changes what was changed meanwhile is told so."""

    id: str
    name: str
    """What he signs in with."""
    display_name: str
    work_no: str
    """The number citizens are told (工号)."""
    roles: frozenset[Role]
    extension: str = ""
    """His telephone's number (分机); empty: he has none."""
    groups: frozenset[Group] = frozenset()
    capacity: Mapping[Lane, int] = field(default_factory=lambda: dict(CAPACITY))
    state: StaffState = StaffState.ACTIVE
    must_change_password: bool = False
    has_second_factor: bool = False
    is_demo: bool = False
    version: int = 1
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def agent(self) -> Agent:
        """How the desk knows him."""
        return Agent(
            staff_id=self.id,
            display_name=self.display_name,
            work_no=self.work_no,
            groups=self.groups,
            capacity=self.capacity,
            supervises=Role.SUPERVISOR in self.roles,
            extension=self.extension,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStaff:
    """Somebody to be given an account."""

    name: str
    display_name: str
    work_no: str
    roles: Collection[Role]
    groups: Collection[Group] = frozenset()
    extension: str = ""


def as_name(typed: str) -> str:
    """``typed`` as the name it may be, or empty where nobody can be called that."""
    name = typed.strip().lower()
    return name if _NAME.fullmatch(name) else ""


class SignInRefusal(StrEnum):
    """Why somebody was not let in, each worded by a sentence of the same key."""

    WRONG = "wrong"
    """Name or password; never said which."""
    LOCKED = "locked"
    WRONG_CODE = "wrong_code"
    EXPIRED = "expired"
    """The session has ended: sign in again."""
    WEAK = "weak"
    """The new password is too short, too common or the name."""
    SAME = "same"
    """The new password is the old one."""
    WRONG_OLD = "wrong_old"
    """Of somebody who is signed in and wants to change it."""
    OIDC = "oidc"
    """The centre's sign-in service did not confirm who it is."""


class SignInRefused(Exception):
    """Nobody was let in. ``wait_s`` says how long a lock lasts."""

    def __init__(self, refusal: SignInRefusal, *, wait_s: int = 0) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that somebody has signed in with. ``token_hash`` is all that is kept of its secret. ``epoch``: the
    member's own when it began; a session of an earlier one lets nobody in."""

    token_hash: str
    staff_id: str
    stage: Stage
    epoch: int
    address: str
    browser: str
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
