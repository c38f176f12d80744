"""`AudioLine` over SIP: the caller's leg, and for a while an agent's."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any, Final, Protocol

import numpy as np
import structlog
from baresip import BaresipError

from channels.voice.line import FRAME_S, Ended, Frame, Key, LineEvent, PeerGone
from channels.voice.session import Call, HangUp, Target, Transferred
from channels.voice.sip.clock import Clock
from channels.voice.sip.leg import BYTES_PER_S, SILENCE, Leg

log = structlog.get_logger(__name__)

_UNREAD_FRAMES: Final = 500
"""So many frames (10 s) wait for a reader that does not come; then the oldest are left out."""
_HOLE_FRAMES: Final = 5
"""Silence is filled in when the caller's sound is so far behind: telephones send none while a key is held, or ever."""
_SIGN_OF_LIFE_S: Final = 3.0
"""A telephone that has not even said that it rings is not there."""
_EXTENSION: Final = re.compile(r"[A-Za-z0-9_.+*-]{1,64}")


class Exchange(Protocol):
    """What a line needs of the switch."""

    @property
    def clock(self) -> Clock: ...

    async def ring(self, extension: str, headers: Mapping[str, str]) -> Leg:
        """An agent's telephone begins to ring. Raises BaresipError, ValueError."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """In the background; the switch ends only after it."""
        ...


class SipLine:
    """An answered call; made by `SipSwitch`."""

    can_transfer: Final = True

    def __init__(self, call: Call, caller: Leg, exchange: Exchange) -> None:
        self.call: Final = call
        self._caller = caller
        self._exchange = exchange
        self._agent: Leg | None = None
        self._passing = False
        self._ended: HangUp | None = None
        self._by_us = False
        self._mail: deque[LineEvent] = deque()
        self._posted = asyncio.Event()
        self._beat = asyncio.Event()
        self._writing = asyncio.Lock()
        self._flushes = 0
        self._began = time.monotonic()
        self._frames = 0
        self._of_agent: deque[bytes] = deque(maxlen=_HOLE_FRAMES)
        caller.on_key(lambda key: self._post(Key(key)))
        caller.closed.add_done_callback(lambda _: self._end())
        exchange.clock.add(self._tick)

    async def events(self) -> AsyncIterator[LineEvent]:
        while True:
            while self._mail:
                event = self._mail.popleft()
                yield event
                if isinstance(event, Ended):
                    return
            self._posted.clear()
            await self._posted.wait()

    # --- sound -------------------------------------------------------------------------------------------------------

    async def write(self, pcm: bytes) -> None:
        async with self._writing:
            flushes, rest = self._flushes, memoryview(pcm)
            while rest and flushes == self._flushes and not self._ended and not self._agent:
                rest = rest[self._caller.take(rest) :]
                if rest:
                    await self._next_beat()

    def buffered_s(self) -> float:
        return self._caller.buffered() / BYTES_PER_S

    async def flush(self) -> None:
        self._flushes += 1
        self._beat.set()
        async with self._writing:
            await self._caller.flush()

    async def _next_beat(self) -> None:
        self._beat.clear()
        await self._beat.wait()

    def _tick(self) -> None:
        self._beat.set()
        heard = self._caller.frames()
        if self._agent and self._passing:
            self._join(self._agent, heard)
        due = int((time.monotonic() - self._began) / FRAME_S)
        missing = due - _HOLE_FRAMES - self._frames - len(heard)
        for frame in heard + [SILENCE] * missing:
            self._frames += 1
            self._post(Frame(self._mixed(frame)))

    def _join(self, agent: Leg, heard: list[bytes]) -> None:
        for frame in heard:
            agent.pass_on(frame)
        for frame in agent.frames():
            self._caller.pass_on(frame)
            self._of_agent.append(frame)

    def _mixed(self, frame: bytes) -> bytes:
        return mixed(frame, self._of_agent.popleft()) if self._of_agent else frame

    def _post(self, event: LineEvent) -> None:
        if isinstance(event, Frame) and len(self._mail) >= _UNREAD_FRAMES:
            self._leave_out_oldest()
        self._mail.append(event)
        self._posted.set()

    def _leave_out_oldest(self) -> None:
        """Sound may be left out, a key never."""
        oldest = next((at for at, event in enumerate(self._mail) if isinstance(event, Frame)), None)
        if oldest is not None:
            del self._mail[oldest]

    # --- an agent's telephone ----------------------------------------------------------------------------------------

    async def transfer(self, target: Target, *, whisper: bytes) -> Transferred:
        if self._ended or self._by_us:
            return Transferred.CALLER_GONE
        if self._agent:
            return Transferred.FAILED
        began = time.monotonic()
        outcome = await self._transfer(target, whisper)
        took = round((time.monotonic() - began) * 1000)
        log.info("telephone.sip.transfer", outcome=outcome, duration_ms=took)
        return outcome

    async def _transfer(self, target: Target, whisper: bytes) -> Transferred:
        if not _EXTENSION.fullmatch(target.extension):
            return Transferred.FAILED
        try:
            agent = await self._exchange.ring(target.extension, target.headers)
        except (BaresipError, ValueError) as error:
            log.warning("telephone.sip.not_dialled", error=type(error).__name__)
            return Transferred.FAILED
        outcome = Transferred.FAILED
        try:
            outcome = await self._rung(agent, target.ring_s)
            if outcome == Transferred.ANSWERED:
                outcome = await self._whispered(agent, whisper)
        finally:
            if outcome != Transferred.ANSWERED:
                self._exchange.spawn(agent.hang_up())
        if outcome == Transferred.ANSWERED:
            await self._joined(agent)
        return outcome

    async def _rung(self, agent: Leg, ring_s: float) -> Transferred:
        ends_at = time.monotonic() + ring_s
        outcome: set[asyncio.Future[Any]] = {agent.answered, agent.closed, self._caller.closed}
        signs = {agent.alive, *outcome}
        await asyncio.wait(signs, timeout=min(ring_s, _SIGN_OF_LIFE_S), return_when=asyncio.FIRST_COMPLETED)
        if not any(sign.done() for sign in signs):
            return Transferred.FAILED
        remaining_s = max(0.0, ends_at - time.monotonic())
        await asyncio.wait(outcome, timeout=remaining_s, return_when=asyncio.FIRST_COMPLETED)
        return self._became(agent)

    def _became(self, agent: Leg) -> Transferred:
        if self._caller.closed.done():
            return Transferred.CALLER_GONE
        if agent.closed.done():
            return agent.why_not_answered()
        return Transferred.ANSWERED if agent.answered.done() else Transferred.NO_ANSWER

    async def _whispered(self, agent: Leg, whisper: bytes) -> Transferred:
        """Said to the end, or one of the two has gone."""
        rest = memoryview(whisper)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(len(whisper) / BYTES_PER_S + 2):
                while self._became(agent) == Transferred.ANSWERED and (rest or agent.buffered()):
                    rest = rest[agent.take(rest) :]
                    await self._next_beat()
        return self._became(agent)

    async def _joined(self, agent: Leg) -> None:
        """What the caller was hearing stops; what the agent has said until now is nobody's."""
        self._agent = agent
        await self.flush()
        agent.frames()
        self._passing = True
        agent.closed.add_done_callback(lambda _: self._agent_gone(agent))

    def _agent_gone(self, agent: Leg) -> None:
        if self._agent is agent:
            self._part()
            if not self._ended:
                self._post(PeerGone())

    def _part(self) -> Leg | None:
        agent, self._agent, self._passing = self._agent, None, False
        self._of_agent.clear()
        return agent

    async def join_off(self) -> None:
        if agent := self._part():
            await agent.hang_up()

    # --- the end -----------------------------------------------------------------------------------------------------

    async def hang_up(self) -> None:
        self._by_us = True
        await self.join_off()
        await self._caller.hang_up()
        self._end()

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = HangUp.US if self._by_us else self._caller.how_ended()
        self._exchange.clock.remove(self._tick)
        if agent := self._part():
            self._exchange.spawn(agent.hang_up())
        self._beat.set()
        self._post(Ended(self._ended))


def mixed(one: bytes, other: bytes) -> bytes:
    """Two frames heard at once; what is too loud is cut off."""
    both = np.frombuffer(one, dtype="<i2").astype(np.int32) + np.frombuffer(other, dtype="<i2")
    return bytes(both.clip(-32768, 32767).astype("<i2").tobytes())
