"""Who is asking, how surely, and how that is lost again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from hotline.domain.messages import ChannelName


class Level(IntEnum):
    """How surely a contact is a person. A caller's number or an openid alone is ANONYMOUS."""

    ANONYMOUS = 0
    BOUND = 1
    """The contact has been bound to a person by proof."""
    PROVEN = 2
    """Proven within the last minutes: ID number, bank card or password, and a code by SMS."""
    IN_PERSON = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A citizen's address on one channel: openid, telephone number, call id, visitor id."""

    channel: ChannelName
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The person a contact is known to be."""

    person_id: str
    """Ours, a UUID: what records and the audit trail carry."""
    person_no: str = field(repr=False)
    """The core system's; never leaves the process except to it."""
    name_masked: str
    """As shown to the person himself and to agents: the surname and a star for each further character."""
    level: Level
    proven_until: datetime | None = None


class Purpose(StrEnum):
    """Why a sign-in link was made."""

    BIND = "bind"
    STEP_UP = "step_up"


class Refusal(StrEnum):
    """Why identity was not proven: a closed list, each worded for people by a sentence of the same key."""

    MISMATCH = "mismatch"
    """ID number and factor do not belong together; never said which is wrong."""
    MALFORMED_ID = "malformed_id"
    MALFORMED_FACTOR = "malformed_factor"
    LOCKED = "locked"
    """Too many wrong attempts of this person, contact or address; ``wait_s`` says how long."""
    NO_MOBILE = "no_mobile"
    TOO_MANY_CODES = "too_many_codes"
    WRONG_CODE = "wrong_code"
    CODE_EXPIRED = "code_expired"
    LINK_EXPIRED = "link_expired"
    LINK_USED = "link_used"
    OTHER_BROWSER = "other_browser"
    """The link was made for somebody else, or another browser has opened it."""
    NO_CONSENT = "no_consent"
    CORE_AWAY = "core_away"
    CODE_NOT_SENT = "code_not_sent"
    ANOTHER_PERSON = "another_person"
    """A step-up proved somebody other than the person the contact is bound to."""


class IdentityRefused(Exception):
    """Identity was not proven. ``attempts_left`` where it is known and may be said."""

    def __init__(self, reason: Refusal, *, wait_s: int = 0, attempts_left: int | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.wait_s = wait_s
        self.attempts_left = attempts_left


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in that has begun: what the page or the keypad shows. ``session`` ties its steps together."""

    session: str = field(repr=False)
    purpose: Purpose
    channel: ChannelName
    conversation_id: str
    expires_at: datetime
    consent_needed: bool = True
    """False where the contact's person has agreed to the present notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSent:
    """A code is on its way."""

    mobile_masked: str
    """138****5678."""
    expires_at: datetime
    again_after_s: int
