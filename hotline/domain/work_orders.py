"""Work orders (工单): what has to be found out or done by people, until when, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hotline.domain.desk import Group
from hotline.domain.identity import Contact
from hotline.errors import HotlineError


class OrderType(StrEnum):
    CONSULT = "consult"
    SUGGESTION = "suggestion"
    COMPLAINT = "complaint"
    PRAISE = "praise"
    FRAUD_REPORT = "fraud_report"
    """Report of a fraudulent withdrawal or of somebody who offers one."""
    APPEAL = "appeal"
    """复核: somebody disputes what was decided."""


class Source(StrEnum):
    """Where an order came from."""

    BOT = "bot"
    AGENT = "agent"
    SMS = "sms"
    LEAVE_WORD = "leave_word"
    CALLBACK = "callback"
    CITY_HOTLINE = "city_hotline"
    POOR_RATING = "poor_rating"


class State(StrEnum):
    NEW = "new"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    WAITING_CITIZEN = "waiting_citizen"
    """Something was asked of the citizen. The clock runs on."""
    CONCLUDED = "concluded"
    CLOSED = "closed"
    REOPENED = "reopened"
    """The citizen was not satisfied at the return visit: once."""
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    """Withdrawn by who had filed it."""
    MERGED = "merged"
    """It was the same as another one, which answers for it."""


OPEN = frozenset({State.NEW, State.ACCEPTED, State.IN_PROGRESS, State.WAITING_CITIZEN, State.REOPENED})
"""Something is still to be done, and the clock runs."""

ALLOWED: Mapping[State, frozenset[State]] = {
    State.NEW: frozenset({State.ACCEPTED, State.REJECTED, State.CANCELLED, State.MERGED}),
    State.ACCEPTED: frozenset({State.IN_PROGRESS, State.REJECTED, State.CANCELLED, State.MERGED}),
    State.IN_PROGRESS: frozenset(
        {State.WAITING_CITIZEN, State.CONCLUDED, State.REJECTED, State.CANCELLED, State.MERGED}
    ),
    State.WAITING_CITIZEN: frozenset({State.IN_PROGRESS, State.CONCLUDED, State.CANCELLED, State.MERGED}),
    State.CONCLUDED: frozenset({State.CLOSED, State.REOPENED}),
    State.CLOSED: frozenset({State.REOPENED}),
    State.REOPENED: frozenset({State.IN_PROGRESS, State.CANCELLED, State.MERGED}),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
    State.MERGED: frozenset(),
}
"""Every change of state there is."""


class Priority(StrEnum):
    NORMAL = "normal"
    URGENT = "urgent"


class Upheld(StrEnum):
    """是否属实."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class Alarm(StrEnum):
    """What an order's timer says when it rings. An order has one timer, so each of these rings once a deadline."""

    NONE = ""
    NEAR = "near"
    """The reminder's share of the time has passed."""
    DUE = "due"
    LATE = "late"
    """It goes to the supervisors."""
    VISIT = "visit"
    """The return visit is due."""


class By(StrEnum):
    """Who changes an order."""

    STAFF = "staff"
    CITIZEN = "citizen"
    CITY = "city_hotline"
    SYSTEM = "system"


class ChangeKind(StrEnum):
    """What an event in an order's log tells. The last ones are no changes of the order itself."""

    OPENED = "opened"
    ACCEPTED = "accepted"
    STARTED = "started"
    WAITING = "waiting"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    CONCLUDED = "concluded"
    CLOSED = "closed"
    REOPENED = "reopened"
    VISITED = "visited"
    ASSIGNED = "assigned"
    PRIORITY = "priority"
    CONFIDENTIAL = "confidential"
    EXTENDED = "extended"
    URGED = "urged"
    MERGED = "merged"
    TAKEN_IN = "taken_in"
    ERASED = "erased"
    NOTE = "note"
    FILE_ADDED = "file_added"
    RANG = "rang"
    UNDELIVERED = "undelivered"


class Alert(StrEnum):
    """Who at the desk has to look."""

    NOBODY = ""
    OWNER = "owner"
    """The owner, or the whole group where there is none."""
    SUPERVISORS = "supervisors"


class Refusal(StrEnum):
    """Why something was not done with an order: a closed list, each worded for staff by a sentence of the same key."""

    NOT_FOUND = "not_found"
    CHANGED = "changed"
    """Somebody else changed it meanwhile: look again."""
    WRONG_STATE = "wrong_state"
    NOT_ALLOWED = "not_allowed"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    UNKNOWN_MATTER = "unknown_matter"
    KEY_REUSED = "key_reused"
    """The same key came with other content before."""
    VISIT_OPEN = "visit_open"
    """The return visit is still to be made."""
    UPHELD_MISSING = "upheld_missing"
    """A complaint's conclusion says whether it was true."""
    BAD_RATING = "bad_rating"
    BAD_DAYS = "bad_days"
    REOPENED_BEFORE = "reopened_before"
    NOT_MERGEABLE = "not_mergeable"
    FILE_TYPE = "file_type"
    FILE_BROKEN = "file_broken"
    """It does not hold together as what it says it is."""
    FILE_MIXED = "file_mixed"
    """There is something else inside."""
    FILE_SIZE = "file_size"
    FILE_COUNT = "file_count"


class OrderRefused(HotlineError):
    """It was not done; nothing changed."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(f"{refusal.value}{f': {detail}' if detail else ''}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something: for staff the account's id and name, for a citizen our own id of him where he is known."""

    by: By
    id: str
    name: str = ""
    supervises: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What was found and what was done, in words the citizen reads. ``upheld``: of complaints and reports."""

    finding: str
    done: str
    upheld: Upheld | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A return visit (回访). ``rating`` 1 (very dissatisfied) to 5; None where nobody was reached."""

    rating: int | None
    reason: str = ""


DISSATISFIED = 2
"""Ratings up to this one are not satisfied (好差评 1 and 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """What rings next, and when. ``Alarm.NONE``: nothing does."""

    alarm: Alarm
    at: datetime | None = None


STOPPED = Timer(alarm=Alarm.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """An order as it stands. Texts are without personal numbers. ``version`` grows by one with every change."""

    id: int
    number: str
    version: int
    type: OrderType
    source: Source
    matter: str
    """Code in the catalogue, or empty."""
    title: str
    text: str = field(repr=False)
    contact: Contact | None = field(repr=False)
    """Where the citizen is told; None where he left no way back."""
    conversation_id: str
    person_id: str
    """Who filed it, where that is known."""
    confidential: bool
    """保密: its owner and supervisors alone see it, and nobody is shown who filed it."""
    priority: Priority
    group: Group
    owner: str
    """Staff id, or empty."""
    state: State
    opened_at: datetime
    due_at: datetime
    due_provisional: bool
    escalate_at: datetime
    reason: str = ""
    """Why it was rejected or cancelled."""
    conclusion: Conclusion | None = None
    concluded_at: datetime | None = None
    visit_due_at: datetime | None = None
    visit_tries: int = 0
    """Return visits that reached nobody."""
    rating: int | None = None
    rating_reason: str = ""
    reopened: int = 0
    closed_at: datetime | None = None
    merged_into: int | None = None
    """Id of the order that answers for it."""
    city_id: str = ""
    """The city hotline's own number of it."""
    erased_at: datetime | None = None
    timer: Timer = STOPPED
    updated_at: datetime

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def may_be_seen_by(self, actor: Actor) -> bool:
        """Whether a member of staff may read it."""
        return not self.confidential or actor.supervises or (bool(self.owner) and self.owner == actor.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of an order, as its log will tell it. ``timer`` None: the timer goes on as it was."""

    before: WorkOrder
    after: WorkOrder
    kind: ChangeKind
    note: str = ""
    timer: Timer | None = None
    alert: Alert = Alert.NOBODY
    tells_citizen: bool = False
    data: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    """Of who asked for what: the same request again is the same change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A line of an order's log. ``number``: of the order it happened to, where orders were merged."""

    number: str
    version: int | None
    kind: ChangeKind
    by: By
    actor_id: str
    actor_name: str
    state_from: State | None
    state_to: State | None
    note: str
    data: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A file that belongs to an order."""

    id: int
    name: str
    media_type: str
    size: int
    digest: str
    """SHA-256 of the content, hexadecimal: where it is kept."""
    added_by: str
    added_at: datetime
