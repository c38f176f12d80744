"""The port for members of staff, their secrets and their sessions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hotline.audit_store import AuditEntry
from hotline.domain.desk import Group, Lane
from hotline.domain.staff import Role, Session, Staff, StaffState
from hotline.errors import HotlineError
from hotline.identity_store import AttemptKey


class StaffExists(HotlineError):
    """The name, the work number or the extension is somebody else's."""


class StaffUnknown(HotlineError):
    """There is nobody of that name."""


class StaffChanged(HotlineError):
    """Somebody else has changed the member meanwhile; nothing was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a member proves himself with. ``last_step``: the newest time step a code of his was used for. ``epoch``
    grows whenever all his sessions end."""

    staff: Staff
    password_hash: str = field(repr=False)
    totp_secret: str = field(repr=False)
    last_step: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is changed of a member; None stays as it is."""

    display_name: str | None = None
    extension: str | None = None
    """Empty takes it away."""
    roles: Collection[Role] | None = None
    groups: Collection[Group] | None = None
    capacity: Mapping[Lane, int] | None = None
    state: StaffState | None = None
    password_hash: str | None = field(default=None, repr=False)
    must_change_password: bool | None = None
    totp_secret: str | None = field(default=None, repr=False)
    """Empty takes the second factor away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """An authenticator whose first code, of time step ``step``, was right. ``recovery``: hashes of the codes that go
    with it."""

    secret: str = field(repr=False)
    step: int
    recovery: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What happens together with a new session: ``instead_of`` (a token hash) ends, wrong attempts under ``forgets``
    count no more, ``entry`` is in the audit trail. ``pending_secret`` is kept sealed until the second factor it belongs
    to is confirmed."""

    instead_of: str = ""
    pending_secret: str = field(default="", repr=False)
    forgets: AttemptKey | None = None
    entry: AuditEntry | None = None


class Members(Protocol):
    """Every method is one transaction, its ``entry`` in the audit trail part of it. All raise TemporaryError when the
    database does not answer in time."""

    async def add(self, staff: Staff, *, password_hash: str, entry: AuditEntry) -> None:
        """Raises StaffExists."""
        ...

    async def by_name(self, name: str) -> Secrets | None: ...

    async def by_id(self, staff_id: str) -> Secrets | None: ...

    async def all(self) -> Sequence[Staff]:
        """By name."""
        ...

    async def change(self, seen: Staff, changes: Changes, *, entry: AuditEntry | None, ends_sessions: bool) -> None:
        """Changed, and with ``ends_sessions`` every session of his has ended: his epoch is the next one. Raises
        StaffChanged where he is not as he was ``seen`` any more, StaffExists where the extension is somebody else's."""
        ...

    async def enrol(self, seen: Staff, factor: SecondFactor, *, entry: AuditEntry) -> None:
        """The second factor is his, and every session of his has ended. Raises StaffChanged where he is not as he was
        ``seen`` any more: who has got one meanwhile keeps it."""
        ...

    async def use_step(self, staff_id: str, step: int) -> bool:
        """True once for every time step, and never for one before it: a code is good once."""
        ...

    async def set_recovery(self, staff_id: str, hashes: Sequence[str], *, entry: AuditEntry) -> None:
        """These recovery codes and no others are good."""
        ...

    async def use_recovery(self, staff_id: str, hashed: str, *, entry: AuditEntry) -> bool:
        """True once for every code."""
        ...

    async def recovery_left(self, staff_id: str) -> int: ...


class Sessions(Protocol):
    """Every method is one transaction, its ``entry`` in the audit trail part of it."""

    async def open(self, session: Session, opening: Opening) -> None:
        """The session is there, with all of ``opening``."""
        ...

    async def find(self, token_hash: str) -> Session | None: ...

    async def pending_secret(self, token_hash: str) -> str: ...

    async def touch(self, token_hash: str, *, before: datetime) -> None:
        """It was used now, where its last use was ``before``."""
        ...

    async def end(self, staff_id: str, token_hash: str, *, entry: AuditEntry) -> bool:
        """False where the member has no such session."""
        ...

    async def of(self, staff_id: str) -> Sequence[Session]:
        """The last used first."""
        ...

    async def purge(self) -> int:
        """Sessions whose time is over are gone; how many."""
        ...
