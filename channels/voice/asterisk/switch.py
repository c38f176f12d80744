"""The switch: takes every call that Asterisk hands to our Stasis application, for as long as the process lives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import stamina
import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from channels.voice.asterisk import events, leftovers
from channels.voice.asterisk.ari import Ari, AriAway, AriRefused
from channels.voice.asterisk.audiosocket import AudioSocketMedia
from channels.voice.asterisk.events import AriEvent, Entered, Replaced
from channels.voice.asterisk.line import AsteriskLine
from channels.voice.asterisk.media_websocket import WebSocketMedia
from channels.voice.asterisk.stasis import Stasis
from channels.voice.line import AudioLine
from channels.voice.session import Call
from hotline.settings import TelephoneSettings

Answer = TypeVar("Answer")
OnCall = Callable[[AudioLine], Awaitable[None]]

_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_END_S: Final = 5.0
_REMEMBERED: Final = 1000

log = structlog.get_logger(__name__)


class AsteriskSwitch:
    """Answers calls and hands each, with its sound, to ``on_call``.

    A call whose ``on_call`` returns is hung up; one whose ``on_call`` raises, whose sound breaks off or which is still
    there when `run` is cancelled goes to people by the dialplan's own means.
    """

    def __init__(self, settings: TelephoneSettings, on_call: OnCall, *, media_port: int | None = None) -> None:
        """``media_port``: where Asterisk brings the sound to, instead of the settings'; 0: any free one."""
        self._media = _media(settings, media_port)
        self._ari = Ari(settings.asterisk)
        self._stasis = Stasis(settings.asterisk, ari=self._ari, media=self._media)
        self._on_call = on_call
        self._lines: dict[str, tuple[AsteriskLine, asyncio.Task[None]]] = {}
        self._seen: dict[str, None] = {}
        self._connected = asyncio.Event()
        self._socket: ClientConnection | None = None

    @property
    def connected(self) -> bool:
        """Whether calls can come in now."""
        return self._connected.is_set()

    @property
    def calls(self) -> int:
        """How many there are."""
        return len(self._lines)

    @property
    def media_port(self) -> int:
        """Where Asterisk brings the sound to; after the start."""
        return self._media.port

    async def ready(self) -> None:
        """Returns when calls can come in."""
        await self._connected.wait()

    async def run(self) -> None:
        """For ever. Asterisk may come and go: calls whose sound goes on go on. Raises OSError where the media port is
        taken."""
        await self._media.start()
        try:
            while True:
                await self._through_one_connection()
        finally:
            self._connected.clear()
            await asyncio.shield(self._end())

    async def _through_one_connection(self) -> None:
        async for attempt in stamina.retry_context(
            on=AriAway,
            attempts=None,
            timeout=None,
            wait_initial=_FIRST_PAUSE_S,
            wait_max=_LONGEST_PAUSE_S,
            wait_jitter=_FIRST_PAUSE_S,
        ):
            with attempt:
                async with self._connection() as socket:
                    log.info("asterisk.connected")
                    await self._read(socket)
                    log.warning("asterisk.disconnected")
        await asyncio.sleep(_FIRST_PAUSE_S)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[ClientConnection]:
        """The application is ours and what an earlier process or connection has left is being put in order."""
        before = await self._in_order(self._ari.channels())
        async with self._ari.events() as socket:
            await self._in_order(self._ari.want_only_calls())
            await self._in_order(leftovers.resume(self._stasis))
            self._stasis.later(leftovers.clear(self._stasis, before))
            self._socket = socket
            self._connected.set()
            try:
                yield socket
            finally:
                self._connected.clear()

    @staticmethod
    async def _in_order(asked: Awaitable[Answer]) -> Answer:
        """What no Asterisk in order would refuse."""
        try:
            return await asked
        except AriRefused as error:
            raise AriAway(str(error)) from error

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for message in socket:
                event = events.read(message)
                if isinstance(event, Replaced):
                    log.error("asterisk.replaced")
                    await asyncio.sleep(_LONGEST_PAUSE_S)
                    return
                if event:
                    self._take(event)
        except ConnectionClosed:
            return

    def _take(self, event: AriEvent) -> None:
        if self._stasis.tell(event) or not isinstance(event, Entered):
            return
        if self._stasis.is_ours(event.channel):
            self._stasis.later(self._stasis.drop_channel(event.channel))  # came too late: nobody waits for it
        elif self._is_new(event.channel):
            self._begin(event)
        else:
            self._stasis.later(self._stasis.to_people(event.channel))  # the dialplan has sent it round again

    def _is_new(self, channel: str) -> bool:
        if channel in self._seen:
            return False
        self._seen[channel] = None
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True

    def _begin(self, event: Entered) -> None:
        call = Call(id=_call_id(event), line="asterisk", caller=event.caller, called=_called(event))
        line = AsteriskLine(self._stasis, call, channel=event.channel)
        task = asyncio.create_task(self._serve(line))
        self._lines[call.id] = (line, task)
        task.add_done_callback(lambda _: self._lines.pop(call.id, None))

    async def _serve(self, line: AsteriskLine) -> None:
        with structlog.contextvars.bound_contextvars(call_id=line.call.id):
            try:
                await line.open()
                log.info("asterisk.call.answered", called=line.call.called)
                await self._on_call(line)
                await line.hang_up()
            except (AriAway, AriRefused, TimeoutError) as error:
                log.warning("asterisk.call.not_taken", error=type(error).__name__)
                line.abandon()
            except Exception:
                log.exception("asterisk.call.failed")
                line.abandon()

    async def _end(self) -> None:
        served = list(self._lines.values())
        for line, _ in served:
            line.abandon()
        tasks = {task for _, task in served}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_END_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._stasis.settled(within_s=_END_S)
        await self._media.close()
        await self._ari.close()


def _media(settings: TelephoneSettings, port: int | None) -> WebSocketMedia | AudioSocketMedia:
    kind = WebSocketMedia if settings.asterisk.media == "websocket" else AudioSocketMedia
    return kind(host=settings.host, port=settings.asterisk.media_port if port is None else port)


def _call_id(event: Entered) -> str:
    asterisk = "".join(letter for letter in event.asterisk_id if letter.isalnum())
    return f"ast-{asterisk}-{event.channel}" if asterisk else f"ast-{event.channel}"


def _called(event: Entered) -> str:
    return event.args[0] if event.args else event.called
