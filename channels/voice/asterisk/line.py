"""One call of an Asterisk as the audio port sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import structlog

from channels.voice.asterisk.ari import AriAway, AriRefused
from channels.voice.asterisk.media import MediaLeg
from channels.voice.asterisk.stasis import Stasis, Watched
from channels.voice.asterisk.transfer import ring, whisper
from channels.voice.line import FRAME_BYTES, FRAME_S, Ended, Frame, Key, LineEvent, PeerGone
from channels.voice.session import Call, HangUp, Target, Transferred

_SILENCE: Final = Frame(bytes(FRAME_BYTES))
# A telephone that sends nothing while nobody speaks is heard as silence: time goes on for whoever listens.
_GAP_S: Final = 0.2
_LOOK_S: Final = 0.1
_MOST_UNREAD: Final = 500

log = structlog.get_logger(__name__)


class AsteriskLine:
    """Implements `AudioLine` and is the `Ear` of its media leg."""

    can_transfer = True

    def __init__(self, stasis: Stasis, call: Call, *, channel: str) -> None:
        self._stasis = stasis
        self._call = call
        self._caller = stasis.watch(Watched(channel, on_key=self._pressed))
        self._caller.on_gone = self._caller_gone
        self._bridge = stasis.new_id("bridge")
        self._media = ""
        self._leg: MediaLeg | None = None
        self._agent: Watched | None = None
        self._events: asyncio.Queue[LineEvent] = asyncio.Queue()
        self._rest = bytearray()
        self._heard_at = 0.0
        self._clock: asyncio.Task[None] | None = None
        self._ended = False
        self._has_media = True
        self._over = asyncio.Event()
        """The caller is gone or the call has ended: nobody is to be joined to him any more."""

    @property
    def call(self) -> Call:
        return self._call

    @property
    def ended(self) -> bool:
        return self._ended

    async def open(self) -> None:
        """The call is answered and its sound flows. Raises AriAway, AriRefused or TimeoutError: then it is to be
        `abandon`ed."""
        ari = self._stasis.ari
        self._stasis.bridges.add(self._bridge)
        try:
            await ari.answer(self._caller.channel)
            await ari.make_bridge(self._bridge)
            self._media, self._leg = await self._stasis.open_leg(self)
            await ari.join(self._bridge, self._caller.channel, self._media)
        finally:
            if self._ended:
                self._stasis.later(self._release())  # what was made since he hung up
        self._heard_at = self._now()
        if not self._ended:
            self._clock = asyncio.create_task(self._keep_time())

    async def events(self) -> AsyncIterator[LineEvent]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    async def write(self, pcm: bytes) -> None:
        if self._leg and not self._ended:
            await self._leg.write(pcm)

    def buffered_s(self) -> float:
        return self._leg.buffered_s() if self._leg and not self._ended else 0.0

    async def flush(self) -> None:
        if self._leg and not self._ended:
            await self._leg.flush()

    async def transfer(self, target: Target, *, whisper: bytes) -> Transferred:
        """As the port says. While the two are joined our sound goes into their talk: nothing is to be written."""
        if self._ended:
            return Transferred.CALLER_GONE
        if self._agent:
            return Transferred.FAILED
        rung = await ring(self._stasis, target, caller=self._call.caller, caller_gone=self._over)
        if isinstance(rung, Transferred):
            return rung
        joined = False
        try:
            outcome = await self._join(rung, whisper)
            joined = outcome is Transferred.ANSWERED
            return outcome
        finally:
            if not joined:
                self._stasis.later(self._stasis.drop_channel(rung.channel))

    async def join_off(self) -> None:
        agent, self._agent = self._agent, None
        if agent:
            await self._stasis.drop_channel(agent.channel)
            self._back_from_agent()

    async def hang_up(self) -> None:
        self._end(HangUp.US)

    def abandon(self) -> None:
        """We cannot serve the caller any further: he is Asterisk's, unless an agent has him, who keeps him."""
        if self._agent and not self._ended:
            self._stasis.later(self._stasis.drop_channel(self._media))
            self._finish(HangUp.LOST)
        else:
            self._end(HangUp.LOST)

    def hear(self, pcm: bytes) -> None:
        """Of `Ear`: the caller's sound, of any length, cut into frames."""
        self._heard_at = self._now()
        self._rest += pcm
        while len(self._rest) >= FRAME_BYTES:
            self._tell(Frame(bytes(self._rest[:FRAME_BYTES])))
            del self._rest[:FRAME_BYTES]

    def deaf(self) -> None:
        """Of `Ear`: the sound has broken off. Who is talking with an agent goes on talking."""
        self._has_media = False
        if not self._ended:
            log.warning("asterisk.media.lost", joined=bool(self._agent))
        if not self._agent:
            self._end(HangUp.LOST)

    async def _join(self, agent: Watched, pcm: bytes) -> Transferred:
        if pcm:
            await whisper(self._stasis, agent, pcm, caller_gone=self._over)
        if self._over.is_set():
            return Transferred.CALLER_GONE
        if agent.gone.is_set():
            return Transferred.NO_ANSWER  # hung up on what was said to him
        try:
            await self.flush()
            await self._stasis.ari.join(self._bridge, agent.channel)
        except (AriAway, AriRefused) as error:
            log.warning("asterisk.join.failed", error=str(error))
            return Transferred.FAILED
        self._agent = agent
        agent.on_gone = self._agent_gone
        if agent.gone.is_set():
            self._agent_gone()
        return Transferred.ANSWERED

    def _agent_gone(self) -> None:
        if not self._agent or self._ended:
            return
        self._stasis.forget(self._agent.channel)
        self._agent = None
        self._tell(PeerGone())
        self._back_from_agent()

    def _back_from_agent(self) -> None:
        if not self._has_media:
            self._end(HangUp.LOST)

    def _caller_gone(self) -> None:
        self._end(HangUp.CALLER)

    def _pressed(self, key: str) -> None:
        self._tell(Key(key))

    def _tell(self, event: LineEvent) -> None:
        if self._ended or (isinstance(event, Frame) and self._events.qsize() > _MOST_UNREAD):
            return
        self._events.put_nowait(event)

    def _end(self, by: HangUp) -> None:
        if self._ended:
            return
        self._finish(by)
        self._stasis.later(self._tidy(by))

    def _finish(self, by: HangUp) -> None:
        self._tell(Ended(by))
        self._ended = True
        self._over.set()
        if self._clock:
            self._clock.cancel()

    async def _tidy(self, by: HangUp) -> None:
        stasis, caller = self._stasis, self._caller.channel
        if by is HangUp.LOST:
            await stasis.to_people(caller)
        elif by is HangUp.US:
            await stasis.drop_channel(caller)
        stasis.forget(caller)
        await self._release()

    async def _release(self) -> None:
        """Nothing that was made for the call is left."""
        if self._agent:
            await self._stasis.drop_channel(self._agent.channel)
        if self._leg:
            await self._leg.close()
        if self._media:
            await self._stasis.drop_channel(self._media)
        await self._stasis.drop_bridge(self._bridge)

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            missing_s = self._now() - self._heard_at
            if missing_s > _GAP_S:
                frames = int(missing_s / FRAME_S)
                self._heard_at += frames * FRAME_S
                for _ in range(frames):
                    self._tell(_SILENCE)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
