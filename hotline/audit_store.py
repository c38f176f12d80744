"""The audit port: who did or saw what of whom, kept in order for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

Detail = Mapping[str, str | int | bool]


class ActorKind(StrEnum):
    """What ``actor_id`` names."""

    PERSON = "person"
    """A citizen of known identity, by person_id."""
    CONTACT = "contact"
    """Somebody unknown, by the keyed hash of the contact."""
    STAFF = "staff"
    """A member of staff, by the name of the account."""
    SYSTEM = "system"
    """A command or a process, by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What happened. ``action`` is a dotted name (``identity.proven``, ``balance.shown``), ``subject`` the person_id
    of whose data it was, ``purpose`` why it was looked at (a skill or business code).

    ``detail`` holds codes and counts, never personal values: what looks like one is masked before it is stored,
    except under ``reference``, which names a record: an application, a certificate, a person_id."""

    actor_kind: ActorKind
    actor_id: str
    action: str
    subject: str = ""
    purpose: str = ""
    channel: str = ""
    conversation_id: str = ""
    detail: Detail = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """An entry as it stands in the trail. ``seq`` counts from 1 without gaps; ``digest`` covers the row and, through
    ``previous``, all rows before it."""

    seq: int
    at: datetime
    entry: AuditEntry
    previous: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """The last row at some time. Kept outside the database it shows later that nothing up to it was changed, and that
    it has not been cut off."""

    seq: int
    digest: str


class Fault(StrEnum):
    """What is wrong with the first bad row."""

    EDITED = "edited"
    """The row does not fit its own digest."""
    REMOVED = "removed"
    """Rows are missing before this one."""
    OUT_OF_ORDER = "out_of_order"
    """The row does not follow from the one before it: inserted, moved, or the one before was replaced."""
    CUT_OFF = "cut_off"
    """The trail ends before the kept head."""
    REWRITTEN = "rewritten"
    """The row where the kept head was has another digest: the trail was made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What checking the whole trail found: ``fault`` None and its head, or the first bad row's ``seq``."""

    rows: int
    head: ChainHead
    fault: Fault | None = None
    seq: int = 0


class Audit(Protocol):
    """Append only. A look at personal data that cannot be recorded must not happen: record first."""

    async def record(self, entry: AuditEntry) -> None:
        """The entry is the trail's last row. Raises TemporaryError when the database does not answer in time."""
        ...


class AuditTrail(Audit, Protocol):
    """What `hotline audit` needs besides."""

    async def rows(self, *, after: int = 0, limit: int = 100, subject: str = "") -> list[AuditRow]:
        """Rows with ``seq`` > ``after``, oldest first; with ``subject`` only those about this person."""
        ...

    async def newest(self, *, limit: int, subject: str = "") -> list[AuditRow]:
        """The last ``limit`` rows, oldest first."""
        ...

    async def verify(self, *, kept: ChainHead | None = None) -> Verified:
        """Reads all rows. Any row edited, removed, inserted or moved is found; with a ``kept`` head also a trail
        that was cut off or made anew."""
        ...
