"""Both ends of a relay in memory: a socket that tests play Twilio on, and a control that remembers what it was told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from channels.voice.relay.link import SocketClosed
from channels.voice.relay.saying import Pace
from channels.voice.relay.session import RelaySession
from channels.voice.session import Call, VoiceEvent

FIXTURES = Path(__file__).parents[3] / "fixtures" / "twilio_relay"
CALL = "CA0123456789abcdef0123456789abcdef"
PACE = Pace(
    characters_per_s=200.0,
    lead_s=0.02,
    settle_s=0.03,
    adrift_s=0.3,
    back_s=0.3,
    connect_s=0.3,
    end_s=0.3,
    joined_s=5.0,
)
WAIT_S = 2.0


def steps(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


class FakeSocket:
    """`TextSocket`; ``says`` and ``closes`` are Twilio's side, ``sent`` what we have sent and nobody has looked at."""

    def __init__(self) -> None:
        self._incoming: asyncio.Queue[str | int] = asyncio.Queue()
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.closed_with: int | None = None
        self.stuck = False

    async def receive(self) -> str:
        if self.closed_with is not None:
            raise SocketClosed(self.closed_with)
        message = await self._incoming.get()
        if isinstance(message, int):
            self.closed_with = self.closed_with or message
            raise SocketClosed(message)
        return message

    async def send(self, message: str) -> None:
        if self.closed_with is not None:
            raise SocketClosed(self.closed_with)
        if self.stuck:
            await asyncio.Event().wait()
        self.sent.put_nowait(json.loads(message))

    async def close(self, code: int) -> None:
        if self.closed_with is None:
            self.closed_with = code
            self._incoming.put_nowait(code)

    def says(self, message: dict[str, Any] | str) -> None:
        text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
        self._incoming.put_nowait(text)

    def closes(self, code: int) -> None:
        self._incoming.put_nowait(code)

    async def next_sent(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.sent.get(), WAIT_S)


@dataclass
class FakeControl:
    """`Control` whose answers tests set."""

    works: bool = True
    done: list[str] = field(default_factory=list)

    async def record(self, *, on: bool) -> bool:
        return self._note("record" if on else "pause")

    async def bring_back(self) -> bool:
        return self._note("bring_back")

    async def complete(self) -> bool:
        return self._note("complete")

    def _note(self, what: str) -> bool:
        self.done.append(what)
        return self.works


class Played:
    """A session, the socket it is on, and its events one by one."""

    def __init__(self, *, can_transfer: bool = True, pace: Pace = PACE) -> None:
        self.control = FakeControl()
        call = Call(id=CALL, line="relay", caller="+8613800138000", called="+8612329")
        self.session = RelaySession(
            call, control=self.control, can_transfer=can_transfer, sound="https://x.example/{}.wav".format, pace=pace
        )
        self.socket = FakeSocket()
        self._events: AsyncIterator[VoiceEvent] = self.session.events()
        self._serving: list[asyncio.Task[None]] = []

    async def connects(self, *, dialled: str = "") -> FakeSocket:
        self.socket = FakeSocket()
        serving = self.session.serve(self.socket, dialled=dialled)
        self._serving.append(asyncio.create_task(serving))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return self.socket

    async def event(self) -> VoiceEvent:
        return await asyncio.wait_for(anext(self._events), WAIT_S)

    async def nothing_happens(self, for_s: float = 0.1) -> None:
        """No event within so long."""
        waiting = asyncio.ensure_future(anext(self._events))
        done, _ = await asyncio.wait({waiting}, timeout=for_s)
        if done:
            raise AssertionError(f"unexpected {waiting.result()}")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        self._events = self.session.events()

    async def settled(self) -> None:
        """Everything that was said by Twilio has been taken."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def ends(self) -> None:
        self.session.drop()
        await asyncio.gather(*self._serving)
