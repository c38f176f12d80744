"""What a caller did, from Twilio's forms to the core's messages: pure functions."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from channels.twilio_signature import required
from channels.voice.call_state import CallState
from channels.voice.wording import wording
from hotline.domain.messages import ChannelName, Inbound, InboundKind
from hotline.ports import RefusedRequest

UNSURE_BELOW = 0.45

_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_DIGITS = re.compile(r"[0-9*#]{1,32}")
_ZEROS = re.compile(r"0+")
_GO_ON_KEY = "1"
_OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
# Twilio gives a withheld number as one of these words, some of them spelled on a keypad
# (ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE): they are nobody's number.
_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the caller did, and where the call stands after it."""

    inbound: Inbound
    state: CallState


def decode(form: dict[str, str], state: CallState) -> Heard:
    """One request of a call. A repeated request gives the same external id.

    Raises:
        RefusedRequest: 400 without a proper CallSid, or with keys or confidence no telephone sends.
    """
    call = call_of(form)
    if form.get("CallStatus") in _OVER:
        return Heard(inbound=leave(form), state=state)
    if state.turn == 0:
        return Heard(inbound=_inbound(form, turn_id(call, 0), kind=InboundKind.START), state=replace(state, turn=1))
    if state.wait:
        return Heard(inbound=_again(form, turn_id(call, state.of)), state=state)
    digits, words = _input(form)
    if state.page and (digits == _GO_ON_KEY or _plain(words) in wording().go_on_words):
        return Heard(inbound=_again(form, turn_id(call, state.of)), state=replace(state, silence=0))
    return _turn(form, state, digits=digits, words=words)


def call_of(form: dict[str, str]) -> str:
    """The call's id. Raises RefusedRequest (400) where there is none."""
    return required(form, "CallSid", pattern=_CALL_SID)


def turn_id(call: str, turn: int) -> str:
    """The external id of what the caller did in this turn."""
    return f"{call}:{turn}"


def keyed(form: dict[str, str]) -> str:
    """The keys of an entry that is no message. Raises RefusedRequest (400) for what no keypad has."""
    return _input(form)[0]


def proved(form: dict[str, str], turn: int) -> Inbound:
    """The caller has proven who he is, which takes the place of his turn. The same external id however often told."""
    return _inbound(form, turn_id(form["CallSid"], turn), kind=InboundKind.PROVED)


def wants_person(form: dict[str, str], turn: int) -> Inbound:
    """The caller wants a person, or needs one, in the middle of an entry by keypad."""
    return _inbound(form, turn_id(form["CallSid"], turn), text=wording().person, meta={"via": "dtmf"})


def leave(form: dict[str, str]) -> Inbound:
    """The caller has gone. The same external id however often and by whichever webhook it is reported."""
    return _inbound(form, f"{call_of(form)}:end", kind=InboundKind.LEAVE)


def is_over(form: dict[str, str]) -> bool:
    """True when a status report says that the call has ended."""
    return form.get("CallStatus") in _OVER


def _turn(form: dict[str, str], state: CallState, *, digits: str, words: str) -> Heard:
    external_id = turn_id(form["CallSid"], state.turn)
    if not digits and not words:
        silent = replace(state, turn=state.turn + 1, silence=state.silence + 1)
        meta = {"silence": str(silent.silence)}
        return Heard(inbound=_inbound(form, external_id, kind=InboundKind.SILENCE, meta=meta), state=silent)
    text, meta = _pressed(digits, menu=bool(state.menu)) if digits else _said(words, form.get("Confidence", ""))
    inbound = _inbound(form, external_id, text=text, meta=meta)
    return Heard(inbound=inbound, state=CallState(turn=state.turn + 1, of=state.turn))


def _input(form: dict[str, str]) -> tuple[str, str]:
    digits = form.get("Digits", "")
    if digits and not _DIGITS.fullmatch(digits):
        raise RefusedRequest(400, "Digits is malformed")
    return digits, form.get("SpeechResult", "").strip()


def _pressed(digits: str, *, menu: bool) -> tuple[str, dict[str, str]]:
    words = wording()
    meta = {"via": "dtmf"}
    if _ZEROS.fullmatch(digits):
        return words.person, meta
    if "#" in digits or "*" in digits:
        return words.repeat, meta
    return (words.keypad_menu.get(digits, digits) if menu else digits), meta


def _said(words: str, confidence: str) -> tuple[str, dict[str, str]]:
    meta = {"via": "speech"}
    if confidence:
        try:
            unsure = not float(confidence) >= UNSURE_BELOW
        except ValueError as error:
            raise RefusedRequest(400, "Confidence is malformed") from error
        meta |= {"confidence": confidence} | ({"unsure": "1"} if unsure else {})
    return (wording().person if _plain(words) in wording().person_words else words), meta


def _again(form: dict[str, str], external_id: str) -> Inbound:
    # The turn is stored already and its answer is asked for once more. Should it have been lost, the
    # caller gets the last answer again.
    return _inbound(form, external_id, text=wording().repeat, meta={"again": "1"})


def _inbound(
    form: dict[str, str],
    external_id: str,
    *,
    kind: InboundKind = InboundKind.TEXT,
    text: str = "",
    meta: dict[str, str] | None = None,
) -> Inbound:
    call, number = form["CallSid"], form.get("From", "")
    known = _NUMBER.fullmatch(number) and number not in _WITHHELD
    return Inbound(
        channel=ChannelName.VOICE,
        external_id=external_id,
        contact_key=number if known else call,
        session_key=call,
        kind=kind,
        text=text,
        meta=meta or {},
    )


def _plain(words: str) -> str:
    return unicodedata.normalize("NFKC", words).strip(wording().around_words)
