"""One call by ConversationRelay: implements `channels.voice.session.VoiceSession`.

A call outlives its socket. Ringing an agent's telephone ends the relay, and Twilio asks our webhooks what comes next:
they answer with <Dial>, and when that is over with a new <ConversationRelay>, whose socket comes back to this object,
found by the call's id. What became of the ringing comes with that socket's first message, so that it does not matter
which gateway process answered the webhooks; the socket itself has to reach the process that holds the call. Where it
does not, the other process lets the call go on one webhook a turn, whose state is in storage, and this object gives
the call up for lost. With several gateway processes a load balancer should send ``/channels/voice/relay`` and what is
below it to one of them.

Twilio says nothing of how sure its recogniser is, cannot be told to stop listening, and ends a turn after a pause of
its own: words that come while something secret is keyed in are dropped here, and a longer pause is waited for here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Protocol

import structlog

from channels.voice.audio.event_queue import EventQueue
from channels.voice.relay import codec
from channels.voice.relay.alarm import Alarm
from channels.voice.relay.codec import Incoming
from channels.voice.relay.link import GOING_AWAY, NORMAL, Link, TextSocket
from channels.voice.relay.saying import Pace
from channels.voice.relay.talk import Talk
from channels.voice.session import (
    AgentGone,
    Call,
    HangUp,
    HungUp,
    Listening,
    Partial,
    Silence,
    Target,
    Transferred,
    VoiceEvent,
)

log = structlog.get_logger(__name__)


class Next(StrEnum):
    """What follows a relay that we ended; goes to Twilio and comes back as ``next`` of the handoff data."""

    HANG_UP = "hang_up"
    DIAL = "dial"
    GATHER = "gather"
    """Something failed here: the call goes on one webhook a turn."""


class Control(Protocol):
    """What is done to a call from outside it. Nothing raises; False: it could not be done."""

    async def record(self, *, on: bool) -> bool: ...

    async def bring_back(self) -> bool:
        """The call leaves whatever it is in and begins a new relay."""
        ...

    async def complete(self) -> bool: ...


class _Stage(StrEnum):
    TALKING = "talking"
    ADRIFT = "adrift"
    """The socket broke; Twilio is being told to open another."""
    RINGING = "ringing"
    JOINED = "joined"
    ENDING = "ending"
    OVER = "over"


# https://www.twilio.com/docs/voice/twiml/dial#action
_BECAME: Final[Mapping[str, Transferred]] = {
    "completed": Transferred.ANSWERED,
    "answered": Transferred.ANSWERED,
    "busy": Transferred.BUSY,
    "no-answer": Transferred.NO_ANSWER,
    "canceled": Transferred.NO_ANSWER,
}


class RelaySession:
    """``serve`` is called with every socket of the call, the first one within a moment."""

    def __init__(
        self,
        call: Call,
        *,
        control: Control,
        can_transfer: bool,
        sound: Callable[[str], str],
        pace: Pace | None = None,
    ) -> None:
        """``sound``: a sound's public address by its name."""
        self._call = call
        self._control = control
        self._can_transfer = can_transfer
        self._pace = pace or Pace()
        self._events = EventQueue()
        self._talk = Talk(send=self._send, emit=self._events.put, sound=sound, pace=self._pace)
        self._link: Link | None = None
        self._stage = _Stage.ADRIFT
        self._ended: HangUp = HangUp.LOST
        self._target: Target | None = None
        self._became: asyncio.Future[Transferred] | None = None
        self._parting: asyncio.Event | None = None
        self._lost = Alarm(lambda: self._finish(self._ended))
        self._recording: asyncio.Task[bool] | None = None
        self.is_over = asyncio.Event()

    @property
    def call(self) -> Call:
        return self._call

    @property
    def hears(self) -> bool:
        return True

    @property
    def can_transfer(self) -> bool:
        return self._can_transfer

    def events(self) -> AsyncIterator[VoiceEvent]:
        return self._events.read()

    # --- commands ------------------------------------------------------------------------------------------------

    async def say(self, says: Sequence[str], listening: Listening | None) -> None:
        if self._stage in (_Stage.TALKING, _Stage.ADRIFT):
            self._events.forget(Silence, Partial)
            self._talk.say(says, listening)

    async def play(self, sound: str) -> None:
        if self._stage in (_Stage.TALKING, _Stage.ADRIFT):
            self._talk.play(sound)

    async def record(self, *, on: bool) -> None:
        """Pausing returns when nothing is recorded any more, for what follows is secret."""
        if self._stage is _Stage.OVER:
            return
        self._recording = asyncio.create_task(self._record(self._recording, on=on), name="relay-record")
        if not on and not await asyncio.shield(self._recording):
            log.error("voice.relay.recording_not_paused", channel="voice")

    async def transfer(self, target: Target) -> Transferred:
        if self._stage is _Stage.OVER:
            return Transferred.CALLER_GONE
        if not self._can_transfer or self._stage is not _Stage.TALKING:
            return Transferred.FAILED
        self._stage, self._target = _Stage.RINGING, target
        self._became = asyncio.get_running_loop().create_future()
        self._end_relay(
            {
                "next": Next.DIAL,
                "extension": target.extension,
                "ring_s": f"{target.ring_s:.0f}",
                "headers": json.dumps(dict(target.headers)),
            }
        )
        try:
            async with asyncio.timeout(target.ring_s + self._pace.connect_s):
                return await asyncio.shield(self._became)
        except TimeoutError:
            return await self._give_up_ringing()

    async def join_off(self) -> None:
        if self._stage is _Stage.JOINED:
            self._parting = asyncio.Event()
            await self._bring_back(self._parting)
            self._parting = None

    async def hang_up(self) -> None:
        match self._stage:
            case _Stage.TALKING:
                self._talk.when_quiet(self._hang_up_now)
            case _Stage.ADRIFT:
                self._stage, self._ended = _Stage.ENDING, HangUp.US
            case _Stage.RINGING | _Stage.JOINED:
                await self._control.complete()
                self._finish(HangUp.US)

    def fall_back(self) -> None:
        """Nobody leads the dialogue any more: the call leaves the relay and goes on one webhook a turn."""
        if self._stage is not _Stage.OVER:
            self._end_relay({"next": Next.GATHER})
            self._finish(HangUp.US)

    def drop(self) -> None:
        """This process lets go of the call, which goes on elsewhere if it is not over."""
        self._finish(HangUp.LOST, closing=GOING_AWAY)

    # --- what the webhooks tell ----------------------------------------------------------------------------------

    def answered(self) -> str:
        """The agent has answered and will be joined to the caller; what is whispered to him before."""
        if self._stage is not _Stage.RINGING or self._target is None:
            return ""
        self._stage = _Stage.JOINED
        self._lost.set(self._pace.joined_s)
        self._tell(Transferred.ANSWERED)
        return self._target.whisper

    def caller_left(self) -> None:
        """Twilio has told that the call is over."""
        self._finish(HangUp.US if self._stage is _Stage.ENDING else HangUp.CALLER)

    # --- sockets -------------------------------------------------------------------------------------------------

    async def serve(self, socket: TextSocket, *, dialled: str = "") -> None:
        """Talks over this socket until it is closed; one that was open before is closed. ``dialled``: what became of
        ringing an agent's telephone, where that is where the call comes from."""
        if self._stage is _Stage.OVER:
            await socket.send(codec.end({"next": Next.HANG_UP}))
            return
        link = Link(socket, self._received)
        before, self._link = self._link, link
        if before is not None:
            log.warning("voice.relay.superseded", channel="voice")
            before.close(NORMAL)
            self._talk.lose()
        self._connected(dialled)
        code = await link.run()
        if self._link is link:
            self._link = None
            self._disconnected(code)

    def _received(self, message: Incoming) -> None:
        if self._stage is _Stage.TALKING:
            self._talk.received(message)

    def _connected(self, dialled: str) -> None:
        self._lost.cancel()
        stage = self._stage
        if stage is _Stage.ENDING:
            self._hang_up_now()
            return
        self._stage = _Stage.TALKING
        if stage is _Stage.RINGING:
            became = _BECAME.get(dialled, Transferred.FAILED)
            self._tell(became)
            if became is Transferred.ANSWERED:
                self._events.put(AgentGone())
        elif stage is _Stage.JOINED:
            if self._parting is not None:
                self._parting.set()
            else:
                self._events.put(AgentGone())
        self._talk.resume()

    def _disconnected(self, code: int) -> None:
        if self._stage is _Stage.ENDING:
            self._finish(HangUp.US)
        elif self._stage is _Stage.TALKING and code == NORMAL:
            self._finish(HangUp.CALLER)
        elif self._stage is _Stage.TALKING:
            log.warning("voice.relay.broken", channel="voice", status=code)
            self._stage = _Stage.ADRIFT
            self._talk.lose()
            self._lost.set(self._pace.adrift_s)

    def _send(self, message: str) -> None:
        if self._link is not None:
            self._link.send(message)

    # --- parts of commands ---------------------------------------------------------------------------------------

    def _end_relay(self, handoff: Mapping[str, str]) -> None:
        self._talk.stop()
        self._send(codec.end(handoff))

    def _hang_up_now(self) -> None:
        if self._stage is _Stage.OVER:
            return
        self._stage, self._ended = _Stage.ENDING, HangUp.US
        self._end_relay({"next": Next.HANG_UP})
        self._lost.set(self._pace.end_s)

    async def _give_up_ringing(self) -> Transferred:
        """Twilio has not told in time what became of the ringing."""
        log.error("voice.relay.dial_unanswered", channel="voice")
        if self._became is None or self._became.done():
            return self._became.result() if self._became else Transferred.FAILED
        done = asyncio.Event()
        self._became.add_done_callback(lambda _: done.set())
        await self._bring_back(done)
        if not self._became.done():
            self._finish(HangUp.LOST)
        return self._became.result()

    async def _bring_back(self, done: asyncio.Event) -> None:
        """Returns when the caller is the session's again (``done`` is set by then) or cannot be had back."""
        if not await self._control.bring_back():
            log.error("voice.relay.not_brought_back", channel="voice")
            return
        try:
            async with asyncio.timeout(self._pace.back_s):
                await done.wait()
        except TimeoutError:
            self._finish(HangUp.LOST)

    def _tell(self, became: Transferred) -> None:
        if self._became is not None and not self._became.done():
            self._became.set_result(became)

    async def _record(self, before: asyncio.Task[bool] | None, *, on: bool) -> bool:
        """In the order in which it was told to."""
        if before is not None:
            await asyncio.wait({before})
        return await self._control.record(on=on)

    def _finish(self, by: HangUp, *, closing: int = NORMAL) -> None:
        """The call is over, once."""
        if self._stage is _Stage.OVER:
            return
        self._stage = _Stage.OVER
        self._lost.cancel()
        self._talk.stop()
        self._tell(Transferred.CALLER_GONE)
        if self._parting is not None:
            self._parting.set()
        if self._link is not None:
            self._link.close(closing)
        self._events.put(HungUp(by=by))
        self.is_over.set()
