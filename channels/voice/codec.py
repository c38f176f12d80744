"""What a caller did, from Twilio's forms to the core's messages: pure functions."""

from __future__ import annotations

import re
from dataclasses import replace

from channels.twilio_signature import required
from channels.voice import acts
from channels.voice.acts import Act, Caller, Heard
from channels.voice.call_state import CallState
from hotline.ports import RefusedRequest

_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_DIGITS = re.compile(r"[0-9*#]{1,32}")
_OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def decode(form: dict[str, str], state: CallState) -> Heard:
    """One request of a call. A repeated request gives the same external id.

    Raises:
        RefusedRequest: 400 without a proper CallSid, or with keys or confidence no telephone sends.
    """
    caller = caller_of(form)
    if is_over(form):
        return Heard(inbound=acts.left(caller), state=state)
    if state.turn == 0:
        return Heard(inbound=acts.began(caller), state=replace(state, turn=1))
    if state.wait:
        return Heard(inbound=acts.asked_again(caller, state.of), state=state)
    act = _act(form)
    if state.page and acts.wants_more(act):
        return Heard(inbound=acts.asked_again(caller, state.of), state=replace(state, silence=0))
    return acts.done(caller, state, act)


def caller_of(form: dict[str, str]) -> Caller:
    """Who calls. Raises RefusedRequest (400) without a proper CallSid."""
    return Caller(call=required(form, "CallSid", pattern=_CALL_SID), number=form.get("From", ""))


def keyed(form: dict[str, str]) -> str:
    """The keys of an entry that is no message. Raises RefusedRequest (400) for what no keypad has."""
    digits = form.get("Digits", "")
    if digits and not _DIGITS.fullmatch(digits):
        raise RefusedRequest(400, "Digits is malformed")
    return digits


def is_over(form: dict[str, str]) -> bool:
    """True when a status report says that the call has ended."""
    return form.get("CallStatus") in _OVER


def _act(form: dict[str, str]) -> Act:
    confidence = form.get("Confidence", "")
    try:
        sure = float(confidence) if confidence else None
    except ValueError as error:
        raise RefusedRequest(400, "Confidence is malformed") from error
    return Act(digits=keyed(form), words=form.get("SpeechResult", "").strip(), confidence=sure)
