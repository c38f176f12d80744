"""What belongs to our Stasis application: its channels as they are watched, its bridges, its tasks."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from channels.voice.asterisk.ari import Ari, AriAway, AriRefused
from channels.voice.asterisk.events import AriEvent, Entered, Gone, Pressed
from channels.voice.asterisk.media import Ear, MediaLeg, MediaServer, arrived
from hotline.settings import AsteriskSettings

FALLBACK: Final = "hotline-fallback"
"""The context of the dialplan that says a sentence and puts the caller into the queue for people."""
_ENTER_S: Final = 3.0

log = structlog.get_logger(__name__)


class Watched:
    """One channel of ours. Everything is told once, however often Asterisk reports it."""

    def __init__(self, channel: str, *, on_key: Callable[[str], None] | None = None) -> None:
        self.channel = channel
        self.entered = asyncio.Event()
        self.gone = asyncio.Event()
        self.cause = 0
        self.on_key = on_key
        self.on_gone: Callable[[], None] | None = None

    def left(self, cause: int) -> None:
        """It is no more, or not ours any more."""
        if not self.gone.is_set():
            self.cause = cause
            self.gone.set()
            if self.on_gone:
                self.on_gone()


async def first(*events: asyncio.Event, timeout_s: float) -> bool:
    """Whether one of them came in time."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for wait in waits:
            wait.cancel()


class Stasis:
    """Shared by all lines of one Asterisk."""

    def __init__(self, settings: AsteriskSettings, *, ari: Ari, media: MediaServer) -> None:
        self.ari = ari
        self.media = media
        self.app = settings.app
        self.agents = settings.agents
        self._watched: dict[str, Watched] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.bridges: set[str] = set()
        """Those of lines that live."""

    def new_id(self, kind: str) -> str:
        """For a channel or bridge that we make: tells ours, of whichever process, from all others."""
        return f"{self.app}-{kind}-{uuid.uuid4().hex}"

    def is_ours(self, channel_or_bridge: str, kind: str = "") -> bool:
        """Whether `new_id` of some process has made it."""
        return channel_or_bridge.startswith(f"{self.app}-{kind}")

    def watch(self, watched: Watched) -> Watched:
        self._watched[watched.channel] = watched
        return watched

    def forget(self, *channels: str) -> None:
        for channel in channels:
            self._watched.pop(channel, None)

    def watches(self, channel: str) -> bool:
        return channel in self._watched

    def watched(self) -> list[Watched]:
        return list(self._watched.values())

    def tell(self, event: AriEvent) -> bool:
        """The channel's watcher knows; False: nobody watches it."""
        if not isinstance(event, Entered | Gone | Pressed) or not (watched := self._watched.get(event.channel)):
            return False
        match event:
            case Entered():
                watched.entered.set()
            case Pressed(key=key) if watched.on_key:
                watched.on_key(key)
            case Gone(cause=cause):
                watched.left(cause)
        return True

    async def open_leg(self, ear: Ear) -> tuple[str, MediaLeg]:
        """A channel that carries sound, in the application, and its sound. Raises AriAway, AriRefused or TimeoutError,
        and leaves nothing behind."""
        channel = self.new_id("media")
        leg_id = channel[-32:]
        watched = self.watch(Watched(channel))
        arrival = self.media.expected.open(leg_id, ear)
        try:
            await self.ari.media(channel, self.media.parameters(leg_id))
            leg = await arrived(arrival)
            if not await first(watched.entered, watched.gone, timeout_s=_ENTER_S) or watched.gone.is_set():
                await leg.close()
                raise TimeoutError
            return channel, leg
        except BaseException:
            self.media.expected.forget(leg_id)
            self.later(self.drop_channel(channel))
            raise

    async def drop_channel(self, channel: str) -> None:
        """It is hung up and not watched any more."""
        self.forget(channel)
        try:
            await self.ari.hang_up(channel)
        except AriRefused:
            return  # it is gone already
        except AriAway as error:
            log.warning("asterisk.left_behind", error=str(error))

    async def drop_bridge(self, bridge: str) -> None:
        self.bridges.discard(bridge)
        try:
            await self.ari.end_bridge(bridge)
        except AriRefused:
            return
        except AriAway as error:
            log.warning("asterisk.left_behind", error=str(error))

    async def to_people(self, channel: str) -> None:
        """A caller we cannot serve hears so from Asterisk itself and waits for a person."""
        self.forget(channel)
        try:
            await self.ari.go_on(channel, context=FALLBACK)
            log.info("asterisk.to_people")
        except AriRefused:
            return
        except AriAway as error:
            log.warning("asterisk.left_behind", error=str(error))

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Done beside everything else; `settled` waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self, *, within_s: float) -> None:
        """What was to be done later has been done, or is given up."""
        if tasks := set(self._tasks):
            _, late = await asyncio.wait(tasks, timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
