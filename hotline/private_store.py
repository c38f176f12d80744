"""The storage port of what a person has begun or filed: drafts of applications and their submissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An application that was begun. ``fields`` are the business's own, as in `hotline.domain.fund.NewApplication`;
    ``step`` is what is asked next."""

    person_id: str
    business: str
    fields: Mapping[str, str] = field(repr=False)
    step: str
    updated_at: datetime
    expires_at: datetime


class SubmissionState(StrEnum):
    """What became of a filing. The first two are open: the same person may not file the same business meanwhile."""

    SENDING = "sending"
    UNKNOWN = "unknown"
    """It left and no answer came; the core system is asked by its key."""
    SUBMITTED = "submitted"
    REFUSED = "refused"


NOT_SENT = "not_sent"
"""Error of a filing of which it is certain that it never arrived."""

OPEN_SUBMISSIONS = (SubmissionState.SENDING, SubmissionState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A filing under its idempotency ``key``. ``error`` is the code of a refusal."""

    key: str
    person_id: str
    business: str
    state: SubmissionState
    application_no: str = ""
    error: str = ""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """``new`` False: a filing of the same person and business is open already, or the key was used before."""

    submission: Submission
    new: bool


class Drafts(Protocol):
    """One draft a person and business, kept for 30 days after its last change. All raise TemporaryError when the
    database does not answer in time."""

    async def save(self, person_id: str, business: str, *, fields: Mapping[str, str], step: str) -> Draft:
        """The draft as it is now; an older one of the same business is replaced."""
        ...

    async def find(self, person_id: str, business: str) -> Draft | None:
        """None where there is none or it has expired."""
        ...

    async def of(self, person_id: str) -> list[Draft]:
        """The person's drafts, last changed first."""
        ...

    async def drop(self, person_id: str, business: str) -> bool:
        """False when there was none."""
        ...


class Submissions(Protocol):
    """Filings as we know them. All raise TemporaryError when the database does not answer in time."""

    async def begin(self, person_id: str, business: str, *, key: str) -> Begun:
        """A filing in state ``sending``, or the one that stands in its way."""
        ...

    async def settle(
        self, key: str, state: SubmissionState, *, application_no: str = "", error: str = ""
    ) -> Submission | None:
        """An open filing is in ``state`` now; None where it was not open. Settling it again changes nothing."""
        ...

    async def find(self, key: str) -> Submission | None: ...

    async def of(self, person_id: str, *, since: datetime) -> list[Submission]:
        """The person's filings that changed at ``since`` or later, the newest first."""
        ...

    async def open_before(self, moment: datetime, *, limit: int) -> list[Submission]:
        """Open filings last changed before ``moment``, oldest first: what became of them has to be asked."""
        ...
