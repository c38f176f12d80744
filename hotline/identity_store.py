"""The storage port of identity: persons, what they are bound to, sign-ins, codes and wrong attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from hotline.domain.identity import Contact, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The person a contact is bound to. ``proven_until`` may lie in the past; None: nothing was proven here.
    ``proven_in`` is the conversation it was proven in."""

    contact: Contact
    person_id: str
    person_no: str = field(repr=False)
    name_masked: str
    proven_until: datetime | None = None
    proven_in: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A person who has proven himself once, as kept."""

    person_id: str
    person_no: str = field(repr=False)
    id_number: str = field(repr=False)
    mobile: str = field(repr=False)
    name_masked: str
    registered_at: datetime


class SignInState(StrEnum):
    """How far a sign-in has come. ``done`` and ``ended`` are final."""

    MADE = "made"
    OPENED = "opened"
    CODE_SENT = "code_sent"
    DONE = "done"
    ENDED = "ended"
    """A newer link of the same conversation took its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSignIn:
    """A sign-in as kept. ``token_hash`` finds it by its link (empty: by keypad, without one); ``browser_hash`` is the
    browser it belongs to, empty until one has opened it."""

    session: str = field(repr=False)
    token_hash: str = field(repr=False)
    contact: Contact
    conversation_id: str
    purpose: Purpose
    browser_hash: str = field(repr=False)
    state: SignInState
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Who the core system says it is, while his code is on its way. ``consent`` is the version of the notice he has
    just agreed to, empty where he had agreed before."""

    person_no: str = field(repr=False)
    id_number: str = field(repr=False)
    mobile: str = field(repr=False)
    name_masked: str = field(repr=False)
    consent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    """A code about to be sent. ``code_hash`` is keyed with the session; the code itself is not kept. The sign-in lasts
    until ``sign_in_until`` at least, so that another code can be asked for when this one has expired."""

    code_id: str
    session: str = field(repr=False)
    code_hash: str = field(repr=False)
    mobile_hash: str = field(repr=False)
    candidate: Candidate
    expires_at: datetime
    sign_in_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTry:
    """One try at a session's newest code, already counted. ``tries`` includes this one."""

    code_id: str
    code_hash: str = field(repr=False)
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLimits:
    """How many codes one mobile number may be sent: in a calendar minute and hour of China, and in 24 hours."""

    per_minute: int
    per_hour: int
    per_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Whether a code may be sent. ``free_at`` is when the next one may: after this one, or (``ok`` False) at all."""

    ok: bool
    free_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptKey:
    """Whose wrong attempts are counted: ``kind`` person, contact or address, by keyed hash. ``allowed`` wrong ones in
    a row go without a lock."""

    kind: str
    key_hash: str
    allowed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """An attempt that was counted as wrong in advance, or (``locked_s`` > 0 and ``counted`` False) not allowed.

    ``left`` is how many more may be wrong before a lock; ``locked_s`` is how long the lock lasts that stands if this
    attempt stays wrong."""

    counted: bool
    locked_s: int
    left: int


class Bindings(Protocol):
    """Persons, what they are bound to, and for how long they are proven.

    Every method of these ports is one transaction. All raise TemporaryError when the database does not answer in time.
    """

    async def bound(self, contact: Contact) -> Bound | None:
        """The person the contact is bound to. One query."""
        ...

    async def bound_in(self, conversation_id: str) -> Bound | None:
        """The same for the contact of a conversation."""
        ...

    async def contact_of(self, conversation_id: str) -> Contact | None: ...

    async def contacts_of(self, person_id: str) -> Sequence[Contact]:
        """Every contact bound to the person now, the last bound first."""
        ...

    async def contact_ids_of(self, person_id: str) -> Sequence[int]:
        """The numbers of these contacts in what was said; those who have never said anything have none."""
        ...

    async def registered(self, person_id: str) -> Registered | None: ...

    async def agreed(self, person_id: str, version: str) -> bool:
        """Whether the person has agreed to this version of the notice."""
        ...

    async def complete(self, session: str, code_id: str, *, proven_for: timedelta) -> Bound:
        """The code and the sign-in are used up, the person is registered, the contact bound to him and proven, his
        consent kept, his and the contact's wrong attempts forgotten, and all of it is in the audit trail.

        Raises:
            IdentityRefused: ``link_used`` or ``code_expired`` when another request was faster; ``another_person``
                when a step-up proves somebody other than whom the contact is bound to. Nothing has happened then.
        """
        ...

    async def unbind(self, contact: Contact) -> bool:
        """False when nobody was bound. Audited."""
        ...

    async def unbind_all(self, person_id: str) -> int:
        """How many contacts were bound. Audited."""
        ...

    async def erase(self, person_id: str, *, staff: str, reason: str) -> bool:
        """Nothing is left that says who the person is: unbound everywhere, numbers and drafts gone. What has to be kept
        (filings, consents, the audit trail) names our own id alone. False when there is no such person. Audited."""
        ...

    async def purge(self) -> int:
        """Expired sign-ins, codes, proofs, attempts and drafts are gone, and who a code was for as soon as its sign-in
        has ended; the number of rows removed."""
        ...


class SignIns(Protocol):
    """Sign-ins under way and the codes sent for them."""

    async def begin(self, sign_in: StoredSignIn) -> None:
        """Kept; older unfinished ones of the same conversation are ended."""
        ...

    async def by_token(self, token_hash: str) -> StoredSignIn | None: ...

    async def by_session(self, session: str) -> StoredSignIn | None: ...

    async def open(self, session: str, *, browser_hash: str, expires_at: datetime) -> bool:
        """True for exactly one browser: the sign-in is its own and lasts until ``expires_at``."""
        ...

    async def reserve_code(self, new: NewCode, limits: CodeLimits) -> Reserved:
        """Where the limits allow, the code is the session's newest, the only one that counts, and the sign-in lasts
        longer for it. Raises IdentityRefused ``link_expired`` when the sign-in was ended meanwhile."""
        ...

    async def take_back_code(self, code_id: str) -> None:
        """The code was not sent: it counts for nothing, and the one before it is the newest again."""
        ...

    async def candidate(self, session: str) -> Candidate | None:
        """Who the session's newest code is for; None where there is no code or the sign-in has ended."""
        ...

    async def try_code(self, session: str, *, tries: int) -> CodeTry | None:
        """A try is counted before the code is compared. None: there is no code, or it has been used, has expired, or
        has had ``tries`` tries."""
        ...


class Attempts(Protocol):
    """Wrong attempts in a row, and the locks they bring."""

    async def locked_s(self, keys: Sequence[AttemptKey]) -> int:
        """For how long the longest lock on any of these still lasts, in seconds; 0: none."""
        ...

    async def charge(self, keys: Sequence[AttemptKey]) -> Charge:
        """The attempt is counted as wrong for all keys, or none where one of them is locked."""
        ...

    async def refund(self, keys: Sequence[AttemptKey]) -> None:
        """The attempt was not wrong after all: as if it had not been counted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityStores:
    """The three on one database."""

    bindings: Bindings
    sign_ins: SignIns
    attempts: Attempts
