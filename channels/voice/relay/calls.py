"""The calls that this process holds, by the id that Twilio gave each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import structlog

from channels.voice.relay import codec
from channels.voice.relay.codec import Setup
from channels.voice.relay.documents import DIALLED_AS, RESUMED
from channels.voice.relay.link import NORMAL, SocketClosed, TextSocket
from channels.voice.relay.session import Next, RelaySession
from channels.voice.session import VoiceSession

log = structlog.get_logger(__name__)

MOST_CALLS: Final = 200
_REFUSE_S: Final = 5.0

RunCall = Callable[[VoiceSession], Awaitable[None]]


class RelayCalls:
    """Each call is led by one ``run_call``, from its first socket to its end."""

    def __init__(
        self, run_call: RunCall, begin: Callable[[Setup], RelaySession], *, most_calls: int = MOST_CALLS
    ) -> None:
        """``begin`` makes the session of a new call."""
        self._run_call = run_call
        self._begin = begin
        self._most = most_calls
        self._sessions: dict[str, RelaySession] = {}
        self._runs: set[asyncio.Task[None]] = set()

    async def serve(self, setup: Setup, socket: TextSocket) -> None:
        """Returns when the socket is closed; the call may go on over another one. A call that another process held,
        and one that is too many, goes on one webhook a turn."""
        session = self._sessions.get(setup.call) or self._new(setup)
        if session is None:
            log.warning("voice.relay.not_taken", channel="voice", count=len(self._sessions))
            await _refuse(socket)
            return
        await session.serve(socket, dialled=setup.parameters.get(DIALLED_AS, ""))

    def answered(self, call: str) -> str:
        """An agent has answered this call; what is whispered to him."""
        session = self._sessions.get(call)
        return session.answered() if session else ""

    def left(self, call: str) -> None:
        """The call is over, by Twilio's word."""
        session = self._sessions.get(call)
        if session:
            session.caller_left()

    @property
    def count(self) -> int:
        return len(self._sessions)

    async def close(self) -> None:
        """Nobody leads the calls any more. Their sockets close, and Twilio asks what comes next."""
        for run in self._runs:
            run.cancel()
        await asyncio.gather(*self._runs, return_exceptions=True)

    def _new(self, setup: Setup) -> RelaySession | None:
        if RESUMED in setup.parameters or len(self._sessions) >= self._most:
            return None
        session = self._sessions[setup.call] = self._begin(setup)
        run = asyncio.create_task(self._lead(setup.call, session), name="relay-call")
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)
        return session

    async def _lead(self, call: str, session: RelaySession) -> None:
        try:
            await self._run_call(session)
            await session.hang_up()
            await session.is_over.wait()
        except Exception as error:
            # Without its traceback: no word of the caller's gets into a log. He goes on another way.
            log.error("voice.relay.dialogue_failed", channel="voice", error=type(error).__name__)
            session.fall_back()
        finally:
            session.drop()
            del self._sessions[call]


async def _refuse(socket: TextSocket) -> None:
    with suppress(SocketClosed, TimeoutError):
        async with asyncio.timeout(_REFUSE_S):
            await socket.send(codec.end({"next": Next.GATHER}))
            await socket.receive()  # Twilio closes
    await socket.close(NORMAL)
