"""What the telephone does next, from the core's replies and where the call stands: a pure function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from channels.voice import speech
from channels.voice.call_state import CallState
from channels.voice.wording import Wording, wording
from hotline.domain.messages import InboundKind, Reply


class Then(StrEnum):
    """What follows the words."""

    LISTEN = "listen"
    ASK_AGAIN = "ask_again"
    KEYPAD = "keypad"
    HANG_UP = "hang_up"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``says`` one after the other, then ``then`` at ``state``."""

    then: Then
    says: tuple[str, ...] = ()
    state: CallState = field(default_factory=CallState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How this caller is spoken to. ``size``: characters said in one go; ``go_on`` offers the next page."""

    centre: str = ""
    recorded: bool = False
    hears: bool = True
    size: int = speech.PAGE_CHARACTERS
    go_on: str = field(default_factory=lambda: wording().go_on)


def plan(kind: InboundKind, state: CallState, replies: Sequence[Reply] | None, *, manner: Manner) -> Step:
    """The next step of the call. ``replies`` None: not ready; empty: the core says nothing."""
    words = wording()
    if kind in (InboundKind.LEAVE, InboundKind.IGNORED):
        return Step(then=Then.NOTHING)
    if replies and any(reply.ends_call for reply in replies):
        return Step(then=Then.HANG_UP, says=tuple(speech.pages(reply.text for reply in replies)))
    if kind is InboundKind.START:
        # The greeting is a notice the caller must hear, whatever else the core would say.
        return _greet(state, manner)
    if kind is InboundKind.SILENCE:
        return _after_silence(state, replies or (), words=words, manner=manner)
    if replies is None:
        return _waiting(state, words=words)
    return _answer(replies, state, manner) if _speaks(replies) else _listen(_fresh(state), words.listening)


def _greet(state: CallState, manner: Manner) -> Step:
    words = wording()
    text = words.greeting if manner.hears else words.greeting_keys
    recorded = words.recorded if manner.recorded else ""
    said = text.format(centre=manner.centre, recorded=recorded, menu=words.menu)
    return _listen(state if manner.hears else replace(state, menu=1), speech.speakable(said))


def _listen(state: CallState, *says: str) -> Step:
    return Step(then=Then.LISTEN, says=says, state=state)


def _fresh(state: CallState) -> CallState:
    return CallState(turn=state.turn)


def _speaks(replies: Sequence[Reply]) -> bool:
    return any(reply.text.strip() or reply.choices for reply in replies)


def _after_silence(state: CallState, replies: Sequence[Reply], *, words: Wording, manner: Manner) -> Step:
    count = min(state.silence, len(words.silence))
    last = count == len(words.silence)
    if _speaks(replies):
        told = _answer(replies, replace(state, of=state.turn - 1, page=0), manner)
        return replace(told, then=Then.HANG_UP) if last else told
    if last:
        return Step(then=Then.HANG_UP, says=(words.silence[-1],))
    is_menu = not manner.hears or count == len(words.silence) - 1
    prompt = words.silence[-2].format(menu=words.menu) if is_menu else words.silence[count - 1]
    kept = CallState(turn=state.turn, silence=count, menu=1) if is_menu else state
    return _listen(kept, prompt)


def _waiting(state: CallState, *, words: Wording) -> Step:
    if state.wait >= len(words.waiting):
        return _listen(_fresh(state), words.late)
    return Step(then=Then.ASK_AGAIN, says=(words.waiting[state.wait],), state=replace(state, wait=state.wait + 1))


def _answer(replies: Sequence[Reply], state: CallState, manner: Manner) -> Step:
    told = speech.pages((reply.text for reply in replies), size=manner.size)
    if any(reply.keypad for reply in replies):
        return Step(then=Then.KEYPAD, says=tuple(told), state=CallState(turn=state.turn, of=state.of))
    page = min(state.page, max(len(told) - 1, 0))
    says = told[page : page + 1]
    after = replace(state, wait=0, menu=0, page=0, many=0)
    if page + 1 < len(told):
        return _listen(replace(after, page=page + 1), *says, manner.go_on)
    choices = replies[-1].choices
    wants_digits = not choices and any(mark in replies[-1].text for mark in wording().digits_wanted)
    return _listen(replace(after, many=int(wants_digits)), *says, *filter(None, [speech.menu(choices)]))
