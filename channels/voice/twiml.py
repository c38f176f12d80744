"""Steps as TwiML. The library escapes; what XML cannot hold at all never leaves `speech`."""

from __future__ import annotations

from urllib.parse import urlencode

from twilio.twiml.voice_response import Gather, VoiceResponse

from channels.voice.call_state import CallState
from channels.voice.plan import Step, Then
from channels.voice.wording import wording

HEARS = "cmn-Hans-CN"
SPEAKS = "cmn-CN"
_SILENCE_S = 5
_BREATH_S = 1


def render(step: Step, webhook: str, *, voice: str) -> str:
    """The document for one step; ``webhook`` is the public address of the telephone's webhook."""
    response = VoiceResponse()
    if step.then is Then.LISTEN:
        gather = _gather(webhook, step)
        _say(gather, step.says, voice=voice)
        response.append(gather)
    elif step.then is Then.ASK_AGAIN:
        keys = _keys_only(webhook, step.state)
        _say(keys, step.says, voice=voice)
        response.append(keys)
        response.redirect(_address(webhook, step.state), method="POST")
    elif step.then is Then.HANG_UP:
        _say(response, step.says, voice=voice)
        response.hangup()
    return str(response)


def _gather(webhook: str, step: Step) -> Gather:
    # With one key the finish key is switched off, so that # arrives as a key of its own.
    keys = {"num_digits": 1, "finish_on_key": ""} if not step.state.many else {"finish_on_key": "#"}
    return Gather(
        input="speech dtmf",
        language=HEARS,
        hints=",".join(wording().hints),
        action=_address(webhook, step.state),
        method="POST",
        action_on_empty_result=True,
        barge_in=True,
        profanity_filter=False,
        timeout=_SILENCE_S,
        speech_timeout="auto",
        **keys,
    )


def _keys_only(webhook: str, state: CallState) -> Gather:
    """While the caller waits, 0 must still reach a person; without a key the next verb is reached."""
    action = _address(webhook, CallState(turn=state.turn))
    return Gather(input="dtmf", action=action, method="POST", timeout=_BREATH_S, num_digits=1, finish_on_key="")


def _say(into: Gather | VoiceResponse, says: tuple[str, ...], *, voice: str) -> None:
    for number, words in enumerate(says):
        if number:
            into.pause(length=_BREATH_S)
        into.say(words, voice=voice, language=SPEAKS)


def _address(webhook: str, state: CallState) -> str:
    return f"{webhook}?{urlencode(state.query())}"
