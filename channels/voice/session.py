"""The voice port: one telephone call as the dialogue sees it, whatever line carries it.

A session turns what the caller does into events and does what it is told. It decides nothing: what is said, what a key
means and who gets the call is decided by `channels.voice.dialogue`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that has come in. ``id`` is unique for ever; ``caller`` is empty where the number is withheld and proves
    nothing where it is not."""

    id: str
    line: str
    """Which adapter: ``asterisk``, ``sip``, ``relay``."""
    caller: str = ""
    called: str = ""


# --- what happens ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Speech as understood so far. Only for people who look on; nothing is decided by it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """The caller has said something. ``confidence`` 0-1, None where the recogniser gives none; ``text`` empty: there
    was speech, and nothing could be made of it."""

    text: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The caller has finished an entry by keypad: ``keys`` are of 0-9*# without the key that ended it.
    ``by_finish_key``: the finishing key ended it."""

    keys: str = field(repr=False)
    by_finish_key: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing was said or pressed for as long as was to be listened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What `say` was given is over. ``heard`` is what the caller has heard of it; ``whole`` False: he broke in."""

    heard: str
    whole: bool


@dataclass(frozen=True, slots=True)
class AgentGone:
    """The agent's telephone has hung up; the caller is still there and is the session's again."""


class HangUp(StrEnum):
    """How a call ended."""

    CALLER = "caller"
    US = "us"
    LOST = "lost"
    """The line or its media broke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HungUp:
    """The last event of every session."""

    by: HangUp = HangUp.CALLER


VoiceEvent: TypeAlias = Partial | Final | Keys | Silence | Spoken | AgentGone | HungUp


# --- what can be done ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """What the caller may do while something is said and after it.

    Keys always count at once and stop what is being said (unless ``interruptible`` is False: then they are kept and
    count when it is over).
    """

    speech: bool = True
    keys: int = 1
    """An entry ends with so many keys; 0: keys mean nothing."""
    finish_key: str = ""
    """Ends an entry before; it is not part of it. Empty: every key is part of an entry."""
    key_pause_s: float = 4.0
    """An entry that has begun ends when no key follows for so long."""
    silence_s: float = 6.0
    """From the end of the words; then `Silence`."""
    speech_pause_s: float = 0.6
    """So much silence ends what the caller is saying. Longer for people who speak slowly."""
    longest_speech_s: float = 20.0
    interruptible: bool = True
    """False for notices that must be heard: speech does not stop them."""
    secret: bool = False
    """What is keyed in is nobody's to read: no log, no recording, no transcript, and nothing is listened to."""


class Transferred(StrEnum):
    """What became of ringing an agent's telephone."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CALLER_GONE = "caller_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An agent's telephone. ``headers`` go with the call (``X-Hotline-Conversation``); ``whisper`` is said to the agent
    before the two are joined, the caller does not hear it."""

    extension: str
    headers: Mapping[str, str] = field(default_factory=dict)
    whisper: str = ""
    ring_s: float = 20.0


class VoiceSession(Protocol):
    """One call. Commands may come while events are read; none raises once the call has ended. Every call outside has a
    time limit; where a line breaks, `HungUp` follows and nothing else."""

    @property
    def call(self) -> Call: ...

    @property
    def hears(self) -> bool:
        """Whether speech is recognised at present; else there are keys alone."""
        ...

    @property
    def can_transfer(self) -> bool:
        """Whether an agent's telephone can be rung from this line."""
        ...

    def events(self) -> AsyncIterator[VoiceEvent]:
        """Everything that happens, once, in order; ends after `HungUp`. Read by one reader."""
        ...

    async def say(self, says: Sequence[str], listening: Listening | None) -> None:
        """Stops what is being said and says these, one after the other with a breath between, then listens. None:
        listens to nothing, not even keys. Returns at once; `Spoken` tells when it is over."""
        ...

    async def play(self, sound: str) -> None:
        """Plays the named sound again and again until the next command (``waiting``: music while somebody waits), and
        goes on listening as before."""
        ...

    async def transfer(self, target: Target) -> Transferred:
        """Rings an agent's telephone while the caller hears it ring. Answered: the two are joined until `AgentGone`
        or `HungUp`; else the session is as before and says nothing."""
        ...

    async def join_off(self) -> None:
        """Parts the caller from the agent's telephone; the caller is the session's again."""
        ...

    async def record(self, *, on: bool) -> None:
        """Recording goes on or pauses. A session begins without recording."""
        ...

    async def hang_up(self) -> None:
        """Ends the call, after what is being said has been said."""
        ...
