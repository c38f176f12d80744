"""What a caller did, as the core's messages: pure functions for every kind of line."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import Final

from channels.voice.call_state import CallState
from channels.voice.wording import wording
from hotline.domain.messages import ChannelName, Inbound, InboundKind

UNSURE_BELOW: Final = 0.45

_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_ZEROS = re.compile(r"0+")
YES_KEY: Final = "1"
_GO_ON_KEY = "1"
# Twilio gives a withheld number as one of these words, some of them spelled on a keypad
# (ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE): they are nobody's number.
_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """``call`` is the call's id, ``number`` as the line gives it, empty or nobody's where it is withheld."""

    call: str
    number: str = ""

    @property
    def known_number(self) -> str:
        """The number, empty where it is withheld."""
        return self.number if _NUMBER.fullmatch(self.number) and self.number not in _WITHHELD else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Keys or words; neither: silence. ``confidence`` of the words, 0-1, None where the line gives none."""

    digits: str = field(default="", repr=False)
    words: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the caller did, and where the call stands after it."""

    inbound: Inbound
    state: CallState


def turn_id(call: str, turn: int) -> str:
    """The external id of what the caller did in this turn."""
    return f"{call}:{turn}"


def began(caller: Caller) -> Inbound:
    """The call was answered."""
    return _inbound(caller, turn_id(caller.call, 0), kind=InboundKind.START)


def left(caller: Caller) -> Inbound:
    """The caller has gone. The same external id however often and by whichever way it is reported."""
    return _inbound(caller, f"{caller.call}:end", kind=InboundKind.LEAVE)


def proved(caller: Caller, turn: int) -> Inbound:
    """The caller has proven who he is, which takes the place of his turn. The same external id however often told."""
    return _inbound(caller, turn_id(caller.call, turn), kind=InboundKind.PROVED)


def wants_person(caller: Caller, turn: int) -> Inbound:
    """The caller wants a person, or needs one."""
    return _inbound(caller, turn_id(caller.call, turn), text=wording().person, meta={"via": "dtmf"})


def wants_more(act: Act) -> bool:
    """Whether the caller wants to hear the next page of an answer."""
    return act.digits == _GO_ON_KEY or plain(act.words) in wording().go_on_words


def asked_again(caller: Caller, turn: int) -> Inbound:
    """The turn is stored already and its answer is asked for once more. Should it have been lost, the caller gets the
    last answer again."""
    return _inbound(caller, turn_id(caller.call, turn), text=wording().repeat, meta={"again": "1"})


def done(caller: Caller, state: CallState, act: Act) -> Heard:
    """The caller's turn number ``state.turn``."""
    external_id = turn_id(caller.call, state.turn)
    if not act.digits and not act.words:
        silent = replace(state, turn=state.turn + 1, silence=state.silence + 1)
        meta = {"silence": str(silent.silence)}
        return Heard(inbound=_inbound(caller, external_id, kind=InboundKind.SILENCE, meta=meta), state=silent)
    text, meta = _pressed(act.digits, menu=bool(state.menu)) if act.digits else _said(act)
    inbound = _inbound(caller, external_id, text=text, meta=meta)
    return Heard(inbound=inbound, state=CallState(turn=state.turn + 1, of=state.turn))


def plain(words: str) -> str:
    """Without what stands around words, for comparing."""
    return unicodedata.normalize("NFKC", words).strip(wording().around_words)


def _pressed(digits: str, *, menu: bool) -> tuple[str, dict[str, str]]:
    words = wording()
    meta = {"via": "dtmf"}
    if _ZEROS.fullmatch(digits):
        return words.person, meta
    if "#" in digits or "*" in digits:
        return words.repeat, meta
    return (words.keypad_menu.get(digits, digits) if menu else digits), meta


def _said(act: Act) -> tuple[str, dict[str, str]]:
    meta = {"via": "speech"}
    if act.confidence is not None:
        meta |= {"confidence": str(act.confidence)} | ({} if act.confidence >= UNSURE_BELOW else {"unsure": "1"})
    return (wording().person if plain(act.words) in wording().person_words else act.words), meta


def _inbound(
    caller: Caller,
    external_id: str,
    *,
    kind: InboundKind = InboundKind.TEXT,
    text: str = "",
    meta: dict[str, str] | None = None,
) -> Inbound:
    return Inbound(
        channel=ChannelName.VOICE,
        external_id=external_id,
        contact_key=caller.known_number or caller.call,
        session_key=caller.call,
        kind=kind,
        text=text,
        meta=meta or {},
    )
