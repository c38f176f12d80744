"""Calls by keypad alone over FastAGI, for a switch that cannot bring its sound to us: Asterisk plays prompts as files.

Nothing is heard and nobody can be rung; and a file is played to its end unless a key is pressed, so what is to be said
next waits for that.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from channels.voice.asterisk.agi_protocol import Agi, AgiGone
from channels.voice.asterisk.media import BYTES_PER_S
from channels.voice.audio.entries import KeyEntry
from channels.voice.audio.event_queue import EventQueue
from channels.voice.session import (
    Call,
    HangUp,
    HungUp,
    Keys,
    Listening,
    Silence,
    Spoken,
    Target,
    Transferred,
    VoiceEvent,
    VoiceSession,
)
from channels.voice.sounding import wav
from channels.voice.sounding.port import Voice, VoiceAway

_LOOK_S: Final = 0.2
_PIECE: Final = 2 * BYTES_PER_S
_END_S: Final = 5.0

log = structlog.get_logger(__name__)

OnCall = Callable[[VoiceSession], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile:
    """``name`` as Asterisk wants it: the path without its ending."""

    name: str
    seconds: float


class PromptFiles:
    """Prompts as sound files in a folder that Asterisk reads. Each is written once, by its content."""

    def __init__(self, voice: Voice, folder: Path, *, seen_as: Path | None = None) -> None:
        """``seen_as``: the folder's path for Asterisk, where it is another one."""
        self._voice = voice
        self._folder = folder
        self._seen_as = seen_as or folder

    async def of(self, text: str) -> PromptFile | None:
        """None: it cannot be said."""
        try:
            return await self._written(await self._voice.speak(text))
        except (VoiceAway, OSError) as error:
            log.warning("agi.prompt.failed", error=type(error).__name__)
            return None

    async def of_sound(self, name: str) -> Sequence[PromptFile]:
        """In pieces of at most two seconds; none: there is no such sound."""
        try:
            pcm = await self._voice.sound(name)
            return [await self._written(pcm[start : start + _PIECE]) for start in range(0, len(pcm), _PIECE)]
        except (VoiceAway, OSError) as error:
            log.warning("agi.prompt.failed", error=type(error).__name__)
            return []

    async def _written(self, pcm: bytes) -> PromptFile:
        name = hashlib.sha256(pcm).hexdigest()[:32]
        await asyncio.to_thread(_write, self._folder / f"{name}.wav", pcm)
        return PromptFile(name=str(self._seen_as / name), seconds=len(pcm) / BYTES_PER_S)


@dataclass(frozen=True, slots=True)
class _Say:
    texts: Sequence[str]
    listening: Listening | None


@dataclass(frozen=True, slots=True)
class _Play:
    sound: str


class AgiSession:
    """Implements `VoiceSession`."""

    hears = False
    can_transfer = False

    def __init__(self, agi: Agi, call: Call, files: PromptFiles) -> None:
        self._agi = agi
        self._call = call
        self._files = files
        self._events = EventQueue()
        self._entry = KeyEntry()
        self._act: _Say | _Play | None = None
        self._pressed: Sequence[Keys] = ()
        self._silent_at: float | None = None
        self._closing = False
        self._over = False

    @property
    def call(self) -> Call:
        return self._call

    def events(self) -> AsyncIterator[VoiceEvent]:
        return self._events.read()

    async def say(self, says: Sequence[str], listening: Listening | None) -> None:
        self._act = _Say(tuple(says), listening)

    async def play(self, sound: str) -> None:
        self._act = _Play(sound)

    async def transfer(self, target: Target) -> Transferred:
        return Transferred.CALLER_GONE if self._over else Transferred.FAILED

    async def join_off(self) -> None:
        return

    async def record(self, *, on: bool) -> None:
        """Nothing is ever recorded: no sound comes here."""

    async def hang_up(self) -> None:
        self._closing = True

    async def run(self) -> None:
        """Until the call has ended."""
        by = HangUp.LOST
        try:
            await self._agi.answer()
            while not (self._closing and self._act is None):
                await self._do(self._act)
            by = HangUp.US
            await self._agi.hang_up()
        except AgiGone:
            by = HangUp.US if by is HangUp.US else HangUp.CALLER
        finally:
            self._over = True
            self._events.put(HungUp(by=by))

    async def _do(self, act: _Say | _Play | None) -> None:
        match act:
            case _Say():
                await self._speak(act)
                if self._act is act:
                    self._act = None
            case _Play(sound=sound):
                await self._play_on(act, await self._files.of_sound(sound))
            case None:
                await self._listen()

    async def _speak(self, act: _Say) -> None:
        kept = act.listening is not None and not act.listening.interruptible
        self._silent_at = None
        keys = self._entry.listen(act.listening, self._now(), kept=kept)
        heard: list[str] = []
        whole = not keys
        for text in act.texts if whole else ():
            file = await self._files.of(text)
            share = await self._say_file(file, act, stops=not kept) if file else 1.0
            heard.append(text[: round(len(text) * share)])
            whole = share == 1.0 and self._act is act
            if not whole:
                break
        self._events.put(Spoken(heard="".join(heard), whole=whole))
        pressed, self._pressed = self._pressed, ()
        self._tell((*keys, *pressed, *(self._entry.release(self._now()) if kept else ())))
        if act.listening and not keys and not pressed:
            self._silent_at = self._now() + act.listening.silence_s

    async def _say_file(self, file: PromptFile, act: _Say, *, stops: bool) -> float:
        """How much of it was heard, 0 to 1."""
        start = 0
        while (played := await self._agi.play(file.name, start=start, seconds=file.seconds)).key:
            meant = self._entry.press(played.key, self._now())
            if meant is not None and stops:
                self._pressed = meant
                return min(played.end * 2 / (file.seconds * BYTES_PER_S), 0.99)
            start = played.end
        return 1.0

    async def _play_on(self, act: _Play, pieces: Sequence[PromptFile]) -> None:
        if not pieces and self._act is act:
            self._act = None
        for piece in pieces:
            start = 0
            while self._act is act and not self._closing:
                played = await self._agi.play(piece.name, start=start, seconds=piece.seconds)
                if not played.key:
                    break
                start = played.end
                self._tell(self._entry.press(played.key, self._now()) or ())
        if self._closing and self._act is act:
            self._act = None

    async def _listen(self) -> None:
        key = await self._agi.key(_LOOK_S)
        now = self._now()
        self._tell((self._entry.press(key, now) or ()) if key else self._entry.tick(now))
        if self._entry.begun:
            self._silent_at = None
        elif self._silent_at is not None and now >= self._silent_at:
            self._silent_at = None
            self._events.put(Silence())

    def _tell(self, entries: Sequence[Keys]) -> None:
        for entry in entries:
            self._silent_at = None
            self._events.put(entry)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class AgiServer:
    """Takes calls from Asterisk's ``AGI(agi://…)``. A call whose handler returns is hung up; where it fails, or when
    `run` is cancelled, the dialplan goes on and finds people."""

    def __init__(self, on_call: OnCall, *, files: PromptFiles, host: str, port: int) -> None:
        """``port`` 0: any free one, see `port` once `started`."""
        self._on_call = on_call
        self._files = files
        self._host = host
        self.port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self.started = asyncio.Event()

    async def run(self) -> None:
        """For ever. Raises OSError where the port is taken."""
        server = await asyncio.start_server(self._accept, self._host, self.port)
        self.port = server.sockets[0].getsockname()[1]
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        agi = Agi(reader, writer)
        try:
            session = AgiSession(agi, _call(await agi.variables()), self._files)
            with structlog.contextvars.bound_contextvars(call_id=session.call.id):
                await self._through(session)
        except AgiGone:
            log.warning("agi.unreadable")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _through(self, session: AgiSession) -> None:
        line = asyncio.create_task(session.run())
        try:
            await self._on_call(session)
            await session.hang_up()
            await asyncio.wait_for(line, _END_S + 60)
        except TimeoutError:
            log.warning("agi.not_ended")
        except Exception:
            log.exception("agi.call.failed")
        finally:
            line.cancel()
            await asyncio.gather(line, return_exceptions=True)


def _call(known: Mapping[str, str]) -> Call:
    number = known.get("callerid", "")
    digits = number.removeprefix("+")
    return Call(
        id=f"agi-{known.get('uniqueid', '')}",
        line="asterisk",
        caller=number if digits.isascii() and digits.isdigit() else "",
        called=known.get("extension", ""),
    )


def _write(path: Path, pcm: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(wav.write(pcm))
    part.replace(path)
