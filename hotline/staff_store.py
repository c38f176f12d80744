"""The port for members of staff, their secrets and their sessions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hotline.domain.desk import Group, Lane
from hotline.domain.staff import Role, Session, Staff, StaffState
from hotline.errors import HotlineError


class StaffExists(HotlineError):
    """The name or the work number is somebody else's."""


class StaffUnknown(HotlineError):
    """There is nobody of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a member proves himself with. ``last_step``: the newest time step a code of his was used for."""

    staff: Staff
    password_hash: str = field(repr=False)
    totp_secret: str = field(repr=False)
    last_step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is changed of a member; None stays as it is."""

    display_name: str | None = None
    roles: Collection[Role] | None = None
    groups: Collection[Group] | None = None
    capacity: Mapping[Lane, int] | None = None
    state: StaffState | None = None
    password_hash: str | None = field(default=None, repr=False)
    must_change_password: bool | None = None
    totp_secret: str | None = field(default=None, repr=False)
    """Empty takes the second factor away."""


class Members(Protocol):
    """Every method is one transaction. All raise TemporaryError when the database does not answer in time."""

    async def add(self, staff: Staff, *, password_hash: str) -> None:
        """Raises StaffExists."""
        ...

    async def by_name(self, name: str) -> Secrets | None: ...

    async def by_id(self, staff_id: str) -> Secrets | None: ...

    async def all(self) -> Sequence[Staff]:
        """By name."""
        ...

    async def change(self, staff_id: str, changes: Changes, *, ends_sessions: bool, but: str = "") -> bool:
        """Changed, and with ``ends_sessions`` every session of his has ended except ``but`` (a token hash). False when
        there is no such member."""
        ...

    async def use_step(self, staff_id: str, step: int) -> bool:
        """True once for every time step, and never for one before it: a code is good once."""
        ...

    async def set_recovery(self, staff_id: str, hashes: Sequence[str]) -> None:
        """These recovery codes and no others are good."""
        ...

    async def use_recovery(self, staff_id: str, hashed: str) -> bool:
        """True once for every code."""
        ...


class Sessions(Protocol):
    """Every method is one transaction."""

    async def open(self, session: Session, *, instead_of: str = "", pending_secret: str = "") -> None:
        """The session is there; ``instead_of`` (a token hash) has ended. ``pending_secret`` is kept sealed until the
        second factor it belongs to is confirmed."""
        ...

    async def find(self, token_hash: str) -> Session | None: ...

    async def pending_secret(self, token_hash: str) -> str: ...

    async def touch(self, token_hash: str, *, before: datetime) -> None:
        """It was used now, where its last use was ``before``."""
        ...

    async def end(self, token_hash: str) -> None: ...

    async def of(self, staff_id: str) -> Sequence[Session]:
        """The last used first."""
        ...

    async def purge(self) -> int: ...
