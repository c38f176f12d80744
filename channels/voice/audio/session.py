"""`VoiceSession` over a line that carries sound: speaking, listening, keys and recording of one call.

After the caller breaks in, our sound stops when he has spoken for 200 ms (`listening.BARGE_IN_S`; a key: at once); the
detector takes up to 50 ms to see a beginning and the line up to 100 ms to fall silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

import structlog

from channels.voice.audio.activity import Activity, SileroActivity
from channels.voice.audio.attention import Attention
from channels.voice.audio.event_queue import EventQueue
from channels.voice.audio.playout import Playout
from channels.voice.audio.recording import Track
from channels.voice.audio.speaking import Mouth, Words
from channels.voice.hearing.port import Recogniser
from channels.voice.line import AudioLine, Ended, Frame, Key, PeerGone, RecordingSink
from channels.voice.session import (
    AgentGone,
    Call,
    HangUp,
    HungUp,
    Listening,
    Partial,
    Silence,
    Spoken,
    Target,
    Transferred,
    VoiceEvent,
)
from channels.voice.sounding.port import Voice, VoiceAway

log = structlog.get_logger(__name__)

_TICK_S: Final = 0.05
_LINE_S: Final = 5.0
"""For what the line is told, and for its last event after it was told to hang up."""
_RING_S: Final = 15.0
"""On top of the time a telephone rings: for the line, and for the whisper to be heard."""
_RINGING: Final = "ringing"
_WHISPER_S: Final = 10.0


class AudioSession:
    """One call, from its answer to `HungUp`. To be made in the event loop; `close` ends it where its reader gives up.
    While an agent is joined, only `join_off`, `record` and `hang_up` count."""

    def __init__(
        self,
        *,
        line: AudioLine,
        recogniser: Recogniser | None,
        voice: Voice,
        sink: RecordingSink | None,
        hints: Sequence[str] = (),
        activity: Callable[[], Activity] = SileroActivity,
    ) -> None:
        self._line = line
        self._voice = voice
        self._events = EventQueue()
        self._playout = Playout(line)
        self._attention = Attention(
            events=self._events, recogniser=recogniser, activity=activity, hints=hints, interrupt=self._broken_in
        )
        self._mouth = Mouth(
            playout=self._playout, voice=voice, on_spoken=self._attention.spoken, on_stuck=self._line_is_stuck
        )
        self._track = Track(sink)
        self._commands = asyncio.Lock()
        self._ringing: asyncio.Task[Transferred] | None = None
        self._joined = False
        self._agent_gone = False
        self._over = False
        self._by: HangUp | None = None
        self._line_ended = False
        self._leaving: asyncio.Task[None] | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._pump = asyncio.create_task(self._run(), name="voice-session")

    @property
    def call(self) -> Call:
        return self._line.call

    @property
    def can_transfer(self) -> bool:
        return self._line.can_transfer

    @property
    def hears(self) -> bool:
        """Whether speech is understood at present; else keys alone count."""
        return self._attention.hears

    def events(self) -> AsyncIterator[VoiceEvent]:
        return self._events.read()

    # --- commands ----------------------------------------------------------------------------------------------------

    async def say(self, says: Sequence[str], listening: Listening | None) -> None:
        async with self._commands:
            if self._is_deaf:
                return
            self._attention.suspend()
            if not await self._silenced(self._mouth.stop()):
                return
            self._events.forget(Silence, Partial)
            self._keep_secret(listening is not None and listening.secret)
            typed = self._attention.attend(listening, kept=listening is not None and not listening.interruptible)
            if typed is None:
                self._mouth.say(says)
                return
            self._attention.spoken(Spoken(heard="", whole=False))
            self._attention.emit(typed)

    async def play(self, sound: str) -> None:
        async with self._commands:
            if not self._is_deaf and await self._silenced(self._mouth.end_music(unless=sound)):
                self._mouth.play(sound)

    async def transfer(self, target: Target) -> Transferred:
        async with self._commands:
            if self._is_deaf or self._ringing is not None or not self.can_transfer:
                return Transferred.CALLER_GONE if self._over else Transferred.FAILED
            self._keep_secret(False)
            await self._silenced(self._mouth.end_music(unless=_RINGING))
            self._mouth.play(_RINGING)
            self._agent_gone = False
            ringing = self._ringing = asyncio.create_task(self._ring(target), name="voice-transfer")
        try:
            await asyncio.wait((ringing,))
        finally:
            ringing.cancel()
            self._ringing = None
        return await self._rang(Transferred.FAILED if ringing.cancelled() else ringing.result())

    async def join_off(self) -> None:
        if self._ringing is not None:
            self._ringing.cancel()
        if self._joined and not self._over:
            self._joined = False
            await self._told(self._line.join_off())

    async def record(self, *, on: bool) -> None:
        if not self._over:
            self._track.turn(on=on)

    async def hang_up(self) -> None:
        async with self._commands:
            if self._over or self._leaving is not None:
                return
            self._attention.suspend()
            await self._silenced(self._mouth.end_music())
            self._leaving = asyncio.create_task(self._leave(), name="voice-hang-up")

    async def close(self) -> None:
        """Ends the call at once, whatever its state. Safe to repeat."""
        self._give_up(HangUp.US)
        await asyncio.gather(self._pump, return_exceptions=True)
        await self._end()  # where the pump had not even begun

    @property
    def _is_deaf(self) -> bool:
        return self._over or self._joined or self._leaving is not None

    def _keep_secret(self, secret: bool) -> None:
        if secret != self._track.is_secret:
            self._attention.forget_sound()
        self._track.keep_secret(secret)

    async def _silenced(self, stopping: Awaitable[None]) -> bool:
        try:
            await stopping
        except TimeoutError:
            self._line_is_stuck()
            return False
        return True

    async def _broken_in(self, words: Words) -> None:
        async with self._commands:
            await self._silenced(self._mouth.interrupt(words))

    # --- an agent ----------------------------------------------------------------------------------------------------

    async def _whisper(self, text: str) -> bytes:
        try:
            async with asyncio.timeout(_WHISPER_S):
                return await self._voice.speak(text) if text else b""
        except (VoiceAway, TimeoutError) as error:
            log.warning("voice.whisper.away", error=type(error).__name__)
            return b""

    async def _ring(self, target: Target) -> Transferred:
        whisper = await self._whisper(target.whisper)
        try:
            async with asyncio.timeout(target.ring_s + _RING_S):
                return await self._line.transfer(target, whisper=whisper)
        except TimeoutError:
            log.warning("voice.transfer.late")
            return Transferred.FAILED

    async def _rang(self, became: Transferred) -> Transferred:
        if self._over:
            return Transferred.CALLER_GONE
        self._joined = became is Transferred.ANSWERED
        if self._joined:
            self._attention.forget()
        async with self._commands:
            await self._silenced(self._mouth.stop() if self._joined else self._mouth.end_music(_RINGING))
        if self._joined and self._agent_gone:
            self._part()
        return became

    def _part(self) -> None:
        self._joined = False
        self._events.put(AgentGone())

    # --- what the line brings ----------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            self._tick()
            await self._follow()
        except Exception:
            log.exception("voice.session.fault")
        finally:
            await self._end()

    async def _follow(self) -> None:
        async for event in self._line.events():
            if isinstance(event, Ended):
                self._by, self._line_ended = event.by, True
                return
            await self._on(event)

    async def _on(self, event: Frame | Key | PeerGone) -> None:
        if isinstance(event, Frame):
            await self._frame(event.pcm)
        elif isinstance(event, Key) and not self._joined:
            await self._attention.key(event.key, words=self._mouth.words)
        elif isinstance(event, PeerGone) and self._joined:
            self._part()
        elif isinstance(event, PeerGone):
            self._agent_gone = True

    async def _frame(self, pcm: bytes) -> None:
        self._playout.advance()
        self._track.frame(pcm, self._playout.heard)
        if not self._joined:
            await self._attention.frame(pcm, played=self._playout.level(), words=self._mouth.words)

    def _tick(self) -> None:
        self._ticker = asyncio.get_running_loop().call_later(_TICK_S, self._tick)
        if not self._joined:
            self._attention.tick()

    # --- the end -----------------------------------------------------------------------------------------------------

    def _line_is_stuck(self) -> None:
        log.warning("voice.line.stuck")
        self._give_up(HangUp.LOST)

    def _give_up(self, by: HangUp) -> None:
        if not self._over:
            self._by = self._by or by
            self._pump.cancel()

    async def _leave(self) -> None:
        await self._mouth.finished()
        await self._told(self._line.hang_up())
        await asyncio.sleep(_LINE_S)
        self._give_up(HangUp.US)

    async def _told(self, telling: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(_LINE_S):
                await telling
        except TimeoutError:
            log.warning("voice.line.late")

    async def _end(self) -> None:
        if self._over:
            return
        self._over = True
        if self._ticker is not None:
            self._ticker.cancel()
        left = [task for task in (self._leaving, self._ringing) if task is not None]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        try:
            await self._release()
        finally:
            self._events.put(HungUp(by=self._by or HangUp.LOST))

    async def _release(self) -> None:
        await self._attention.close()
        await self._mouth.close()
        if not self._line_ended:
            await self._told(self._line.hang_up())
        await self._track.close()
