"""Steps as TwiML. The library escapes; what XML cannot hold at all never leaves `speech`.

No document records anything: calls are recorded, if at all, by whoever set up the number, who has to leave out what
follows a KEYPAD step.
"""

from __future__ import annotations

from urllib.parse import urlencode

from twilio.twiml.voice_response import Gather, VoiceResponse

from channels.voice.call_state import CallState
from channels.voice.keypad import Keys
from channels.voice.plan import Step, Then
from channels.voice.wording import wording

HEARS = "cmn-Hans-CN"
SPEAKS = "cmn-CN"
_SILENCE_S = 5
_BREATH_S = 1
KEYPAD = "/keypad"
"""Below the telephone's webhook: where entries by keypad go."""


def render(step: Step, webhook: str, *, voice: str) -> str:
    """The document for one step; ``webhook`` is the public address of the telephone's webhook."""
    response = VoiceResponse()
    if step.then is Then.LISTEN:
        gather = _gather(webhook, step)
        _say(gather, step.says, voice=voice)
        response.append(gather)
    elif step.then is Then.ASK_AGAIN:
        # While the caller waits, 0 must still reach a person.
        key_pressed = _address(webhook, CallState(turn=step.state.turn))
        _pass_on(response, step.says, to=_address(webhook, step.state), key_pressed=key_pressed, voice=voice)
    elif step.then is Then.KEYPAD:
        collecting = entry_address(webhook, 0, step.state)
        _pass_on(response, step.says, to=collecting, key_pressed=collecting, voice=voice)
    elif step.then is Then.HANG_UP:
        _say(response, step.says, voice=voice)
        response.hangup()
    return str(response)


def render_entry(says: tuple[str, ...], action: str, keys: Keys, *, voice: str) -> str:
    """The document that collects keys alone: nothing that is said meanwhile is listened to."""
    gather = Gather(
        input="dtmf",
        action=action,
        method="POST",
        action_on_empty_result=True,
        timeout=keys.pause_s,
        num_digits=keys.most,
        finish_on_key=keys.finish,
    )
    _say(gather, says, voice=voice)
    response = VoiceResponse()
    response.append(gather)
    return str(response)


def render_waiting(says: tuple[str, ...], address: str, *, voice: str) -> str:
    """The document that says something while an entry is worked on, and comes back to ``address``."""
    response = VoiceResponse()
    _pass_on(response, says, to=address, key_pressed=address, voice=voice)
    return str(response)


def entry_address(webhook: str, entry: int, state: CallState) -> str:
    """Where the entry of that number goes; ``state`` is where the call stands meanwhile."""
    return _address(f"{webhook}{KEYPAD}/{entry}", state)


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


def _pass_on(response: VoiceResponse, says: tuple[str, ...], *, to: str, key_pressed: str, voice: str) -> None:
    """Says something, then the call goes on at ``to``; a key takes it to ``key_pressed``."""
    keys = Gather(input="dtmf", action=key_pressed, method="POST", timeout=_BREATH_S, num_digits=1, finish_on_key="")
    _say(keys, says, voice=voice)
    response.append(keys)
    response.redirect(to, method="POST")


def _say(into: Gather | VoiceResponse, says: tuple[str, ...], *, voice: str) -> None:
    for number, words in enumerate(says):
        if number:
            into.pause(length=_BREATH_S)
        into.say(words, voice=voice, language=SPEAKS)


def _address(webhook: str, state: CallState) -> str:
    return f"{webhook}?{urlencode(state.query())}"
