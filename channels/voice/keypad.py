"""Proof of identity by keypad: what is asked for, and what comes of an entry or a refusal. Pure functions.

The notice comes first, then the ID number, the query password or bank card number, and the code by SMS. Nothing that
was keyed in is read back but the last four characters of the ID number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from math import ceil
from typing import Any, Final, Self

from channels.voice import speech
from channels.voice.wording import wording
from hotline.domain.fund import Factor, FactorKind
from hotline.domain.identity import IdentityRefused, Refusal

FAILURES_ALLOWED: Final = 3
"""At the third the caller is put through to a person."""
SILENCES_ALLOWED: Final = 2
"""At the second the conversation goes on without proof."""
AGREE_KEY: Final = "1"
DECLINE_KEY: Final = "2"
SEND_AGAIN_KEY: Final = "9"
PERSON_KEY: Final = "0"
PASSWORD_DIGITS: Final = 6
UNHEARD: Final = "unheard"
EXPIRED: Final = "expired"
CORE_AWAY: Final = Refusal.CORE_AWAY.value
SENT_AGAIN: Final = "sent_again"


class Stage(StrEnum):
    """What is waited for; the last three end it."""

    CONSENT = "consent"
    ID_NUMBER = "id_number"
    FACTOR = "factor"
    CODE = "code"
    PROVED = "proved"
    PERSON = "person"
    BACK = "back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """How an entry ends: with ``most`` keys, with the key ``finish`` ("": every key is part of it), or after
    ``pause_s`` seconds without a key."""

    most: int
    finish: str = "#"
    pause_s: int = 10
    """Long enough to look at a card."""


KEYS: Final[Mapping[Stage, Keys]] = {
    Stage.CONSENT: Keys(most=1, finish=""),
    Stage.ID_NUMBER: Keys(most=18),
    Stage.FACTOR: Keys(most=19),
    Stage.CODE: Keys(most=6, pause_s=20),  # the message has to arrive
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeypadState:
    """Where the proof stands between two requests of a call. Of all that is keyed in it holds the ID number alone,
    sealed, until that is checked together with what proves it."""

    turn: int
    """The turn of the call that it takes the place of."""
    entry: int = 0
    """The number of the entry that is waited for; an older one has been worked."""
    stage: Stage = Stage.CONSENT
    busy: bool = False
    """The entry before is still being worked."""
    session: str = field(default="", repr=False)
    agreed: bool = False
    sealed_id: str = field(default="", repr=False)
    mobile_tail: str = ""
    failures: int = 0
    silences: int = 0
    told: str = ""
    """Key of what has to be said of the entry before; empty: all is well."""
    wait_s: int = 0
    version: int = 0
    """How often it has been stored."""

    def asks(self, stage: Stage, **changes: Any) -> Self:
        """All is well and the next thing is asked for."""
        return replace(self, stage=stage, **{"told": "", "silences": 0, **changes})

    def ends(self, stage: Stage, told: str = "", *, wait_s: int = 0) -> Self:
        """Nothing more is asked for, and what was kept for it is forgotten."""
        return replace(self, stage=stage, told=told, wait_s=wait_s, session="", sealed_id="", mobile_tail="")

    def to_record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(**{**record, "stage": Stage(record["stage"])})


def unheard(state: KeypadState) -> KeypadState:
    """Nothing that could be read was pressed: asked for once more, then not any more."""
    if state.silences + 1 >= SILENCES_ALLOWED:
        return state.ends(Stage.BACK, UNHEARD)
    return replace(state, silences=state.silences + 1, told=UNHEARD)


def answered_notice(state: KeypadState, keys: str) -> KeypadState:
    """The caller has agreed to the notice, or not, or pressed something else."""
    if keys == AGREE_KEY:
        return state.asks(Stage.ID_NUMBER, agreed=True)
    return state.ends(Stage.BACK, "declined") if keys == DECLINE_KEY else unheard(state)


def id_text(keys: str) -> str:
    """An ID number as it is written; the star key stands for X."""
    return keys.replace("*", "X")


def factor(keys: str) -> Factor:
    """Six digits are the query password, anything else is taken for a bank card number."""
    kind = FactorKind.QUERY_PASSWORD if len(keys) == PASSWORD_DIGITS else FactorKind.BANK_CARD
    return Factor(kind=kind, value=keys)


_ASKED_AGAIN: Final[Mapping[Refusal, Stage]] = {
    Refusal.MALFORMED_ID: Stage.ID_NUMBER,
    Refusal.MALFORMED_FACTOR: Stage.FACTOR,
    Refusal.MISMATCH: Stage.ID_NUMBER,
    Refusal.WRONG_CODE: Stage.CODE,
    Refusal.CODE_EXPIRED: Stage.CODE,
}
_NOT_HIS_FAULT: Final = frozenset({Refusal.TOO_MANY_CODES, Refusal.CODE_NOT_SENT})
_ENDING: Final = frozenset({Refusal.LOCKED, Refusal.NO_MOBILE, Refusal.CORE_AWAY, Refusal.ANOTHER_PERSON})


def refused(state: KeypadState, refusal: IdentityRefused) -> KeypadState:
    """What follows when the identity was not proven by the entry."""
    reason, wait_s = refusal.reason, refusal.wait_s
    if reason is Refusal.MISMATCH and wait_s:
        return state.ends(Stage.BACK, Refusal.LOCKED.value, wait_s=wait_s)
    if reason in _ASKED_AGAIN:
        return _failed(state, reason)
    if reason in _NOT_HIS_FAULT and state.stage is Stage.CODE:
        return state.asks(Stage.CODE, told=reason.value, wait_s=wait_s)
    told = reason.value if reason in _ENDING | _NOT_HIS_FAULT else EXPIRED
    return state.ends(Stage.BACK, told, wait_s=wait_s)


def _failed(state: KeypadState, reason: Refusal) -> KeypadState:
    if state.failures + 1 >= FAILURES_ALLOWED:
        return state.ends(Stage.PERSON, "person")
    stage = _ASKED_AGAIN[reason]
    sealed_id = "" if stage is Stage.ID_NUMBER else state.sealed_id
    return state.asks(stage, told=reason.value, failures=state.failures + 1, sealed_id=sealed_id)


def says(state: KeypadState, *, id_tail: str = "") -> tuple[str, ...]:
    """What is said at this stage; ``id_tail`` is the end of the ID number just keyed in."""
    words = wording().keypad
    if state.stage not in KEYS:
        return (_spoken(words["ended"][state.told], state),) if state.told else ()
    if not state.told:
        asked = words["notice"] if state.stage is Stage.CONSENT else [words["ask"][state.stage]]
        return tuple(_spoken(each, state, tail=id_tail or state.mobile_tail) for each in asked)
    return (_spoken(words["told"][state.told] + words["again"][state.stage], state),)


def _spoken(text: str, state: KeypadState, *, tail: str = "") -> str:
    return speech.speakable(text.format(tail=tail, wait=_duration(state.wait_s)))


def _duration(seconds: int) -> str:
    words, minutes = wording().keypad, max(1, ceil(seconds / 60))
    return str(words["minutes"]).format(count=minutes) if minutes < 60 else _hours(minutes)


def _hours(minutes: int) -> str:
    return str(wording().keypad["hours"]).format(count=ceil(minutes / 60))
