"""Where calls by SIP come in, and agents' telephones are rung from."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, TypeAlias

import structlog
from baresip import Account, BaresipError, Config, Runtime, RuntimeDead, UserAgent
from baresip import Call as StackCall

from channels.voice.line import AudioLine
from channels.voice.session import Call
from channels.voice.sip.clock import Clock
from channels.voice.sip.leg import Leg
from channels.voice.sip.line import SipLine
from hotline.settings import TelephoneSettings

log = structlog.get_logger(__name__)

OnCall: TypeAlias = Callable[[AudioLine], Awaitable[None]]

_COMMAND_S: Final = 5.0
_ANSWERED_S: Final = 10.0
_CLOSING_S: Final = 5.0
_MOST_LEGS: Final = 250
"""The library has sound for 256 calls."""

_STACK: Final = """\
sip_listen {listen}
sip_transports udp,tcp
call_hold_other_calls no
audio_jitter_buffer_type off
"""
"""Left to itself, the library puts one call on hold when another is answered, and holds sound back for 100 ms; who
listens here needs no even flow, and `Leg.pass_on` makes one for an agent."""


class SipAway(Exception):
    """There can be no calls: the address is taken, or the library has died. A new process may help."""


class SipSwitch:
    """The library allows one in a process at a time. ``on_call`` gets every call, answered; the call ends with it.
    ``lost_after_s``: a caller of whom nothing is heard for so long, not even silence, is gone."""

    def __init__(self, settings: TelephoneSettings, on_call: OnCall, *, lost_after_s: int = 60) -> None:
        self.listening: Final = asyncio.Event()
        self.clock: Final = Clock()
        self._settings = settings
        self._on_call = on_call
        self._lost_after_s = lost_after_s
        self._runtime: Any = None
        self._account: Any = None
        self._legs: set[Leg] = set()
        self._lines: set[SipLine] = set()
        self._calls = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._dead: asyncio.Future[None]

    @property
    def calls(self) -> int:
        """How many callers there are now."""
        return self._calls

    async def run(self) -> None:
        """Takes calls until it is cancelled; then hangs up. Raises SipAway."""
        self._dead = asyncio.get_running_loop().create_future()
        # Its records carry telephone numbers.
        logging.getLogger("baresip").setLevel(logging.ERROR)
        self._runtime = Runtime(command_timeout=_COMMAND_S)
        self._runtime.on_dead = self._died
        try:
            await self._listen()
            await self._dead
        except BaresipError as error:
            raise SipAway(str(error)) from error
        finally:
            self.listening.clear()
            await self._close()

    async def _listen(self) -> None:
        sip = self._settings.sip
        host, _, port = sip.listen.rpartition(":")
        await self._runtime.start(
            Config(
                net_interface=None if host in ("", "0.0.0.0") else host,
                max_concurrent_calls=min(2 * self._settings.most_calls + 2, _MOST_LEGS),
                native_log_level="error",
                rtp_timeout=self._lost_after_s,
                extra_config_text=_STACK.format(listen=sip.listen),
            )
        )
        account = Account(user=sip.number, domain=sip.listen, password="", reg_interval=0, audio_codecs=("pcma",))
        self._account = await UserAgent.create(self._runtime, account, transfer_policy="reject")
        self._account.on_incoming(self._rung)
        self.listening.set()
        log.info("telephone.sip.listening", port=int(port))

    def _rung(self, call: StackCall) -> None:
        leg = Leg(call)
        if self._calls >= self._settings.most_calls or not self.listening.is_set():
            log.warning("telephone.sip.full", count=self._calls)
            self.spawn(leg.refuse())
            return
        self._calls += 1
        self.spawn(self._serve(leg))

    async def _serve(self, leg: Leg) -> None:
        self._watch(leg)
        try:
            if await self._answered(leg):
                await self._talk(leg)
        finally:
            self._calls -= 1
            await leg.hang_up()

    async def _answered(self, leg: Leg) -> bool:
        try:
            await leg.answer()
        except BaresipError:
            return False
        outcome: set[asyncio.Future[Any]] = {leg.answered, leg.closed}
        await asyncio.wait(outcome, timeout=_ANSWERED_S, return_when=asyncio.FIRST_COMPLETED)
        return leg.answered.done()

    async def _talk(self, leg: Leg) -> None:
        call = Call(id=f"sip-{uuid.uuid4()}", line="sip", caller=leg.caller, called=self._settings.sip.number)
        line = SipLine(call, leg, self)
        self._lines.add(line)
        try:
            await self._on_call(line)
        except Exception:
            log.exception("telephone.sip.call_failed")
        finally:
            self._lines.discard(line)
            await line.hang_up()

    async def ring(self, extension: str, headers: Mapping[str, str]) -> Leg:
        early: list[Any] = []

        def note(event: Any) -> None:
            early.append(event)

        # A telephone that refuses at once has refused before `dial` is back, and nobody would be told.
        self._runtime.subscribe(note)
        try:
            call = await self._account.dial(
                self._settings.sip.agents.format(extension=extension), headers=dict(headers)
            )
        finally:
            self._runtime.unsubscribe(note)
        leg = Leg(call)
        for event in early:
            if event.call == call.handle:
                leg.happened(event)
        self._watch(leg)
        return leg

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _watch(self, leg: Leg) -> None:
        self._legs.add(leg)
        leg.closed.add_done_callback(lambda _: self._legs.discard(leg))

    def _died(self) -> None:
        """The library's thread has ended: no call of it will say another word."""
        for leg in tuple(self._legs):
            leg.lost()
        if not self._dead.done():
            self._dead.set_exception(RuntimeDead("the SIP thread has ended"))

    async def _close(self) -> None:
        await asyncio.gather(*(line.hang_up() for line in self._lines), return_exceptions=True)
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=_CLOSING_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self.clock.close()
        try:
            await self._runtime.close()
        except BaresipError:
            log.exception("telephone.sip.not_closed")
