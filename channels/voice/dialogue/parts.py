"""What a call's conversation keeps in mind, and what can happen in it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from channels.voice.dialogue.agent_call import Told
from channels.voice.keypad import KeypadState
from channels.voice.session import Transferred, VoiceEvent
from hotline.domain.messages import InboundKind, Reply

ANNOUNCE_S: Final = 30.0
"""How often somebody who waits for a person is told that he still does."""


class Phase(StrEnum):
    """Who is on the other end for the caller."""

    BOT = "bot"
    PROVING = "proving"
    QUEUED = "queued"
    RINGING = "ringing"
    TYPING = "typing"
    """An agent has the conversation without a telephone: what he types is read out."""
    JOINED = "joined"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """``about_rules``: it may be sent by SMS."""

    turn: int
    kind: InboundKind
    replies: tuple[Reply, ...] | None
    first: tuple[str, ...] = ()
    about_rules: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    turn: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofAt:
    state: KeypadState


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofWaits:
    """Entry number ``entry`` is still being worked."""

    entry: int


@dataclass(frozen=True, slots=True)
class Announce:
    pass


@dataclass(frozen=True, slots=True)
class TooLong:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rang:
    outcome: Transferred


Item: TypeAlias = VoiceEvent | Told | Answered | Patience | ProofAt | ProofWaits | Announce | TooLong | Rang


@dataclass(slots=True)
class Strikes:
    """How often in a row nothing came of the caller's turn."""

    no_match: int = 0
    ever_heard: bool = False


@dataclass(slots=True)
class Pages:
    """The answer being told."""

    kind: InboundKind = InboundKind.TEXT
    replies: tuple[Reply, ...] = ()
    may_be_texted: bool = False
    texts: int = 0


@dataclass(slots=True)
class Waiting:
    """The turn whose answer is waited for."""

    turn: int = -1
    since: float = 0.0
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    def over(self) -> None:
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()
        self.turn = -1
