"""Telephones in a process of their own: one SIP stack, many phones and calls, driven by JSON lines.

    python -m tests.telephone.phones 127.0.0.1:5075

A request is one line ``{"id": 1, "do": "dial", …}``, its answer ``{"id": 1, "result": …}`` or
``{"id": 1, "error": …}``. What happens by itself is a line with ``event``. Times are of the machine's monotonic clock.
`SipCaller` drives it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from baresip import Account, AudioNotActive, AudioRestarted, BaresipError, Call, Config, Event, Runtime, UserAgent

FRAME_S = 0.02
HEADERS = ("X-Hotline-Conversation", "X-Hotline-Call", "X-Conversation", "X-Test", "P-Asserted-Identity")
HAPPENINGS = {
    Event.CALL_RINGING: "ringing",
    Event.CALL_PROGRESS: "progress",
    Event.CALL_ESTABLISHED: "established",
    Event.CALL_CLOSED: "closed",
    Event.CALL_DTMF_START: "key",
}
ENDINGS = {"hang_up": "hangup", "busy": "reject", "decline": "hangup"}


def emit(**line: Any) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


@dataclass
class Ear:
    """One call: what is heard of the other side, and what is still to be said to it."""

    id: str
    phone: str
    call: Call
    records: bool = True
    heard: list[tuple[float, bytes]] = field(default_factory=list)
    to_say: bytearray = field(default_factory=bytearray)
    said: asyncio.Event = field(default_factory=asyncio.Event)

    def happened(self, event: Any) -> None:
        if event.event in HAPPENINGS:
            kind, text = HAPPENINGS[event.event], event.text or ""
            emit(event=kind, call=self.id, phone=self.phone, text=text, at=time.monotonic())

    def tick(self) -> None:
        with contextlib.suppress(AudioNotActive, AudioRestarted):
            if self.records and (pcm := self.call.audio.read(8000)):
                self.heard.append((time.monotonic(), pcm))
            if self.to_say:
                del self.to_say[: self.call.audio.write(bytes(self.to_say[:8000]))]
        if not self.to_say:
            self.said.set()


@dataclass
class Answering:
    """What a phone does when it rings: ``accept``, ``busy``, ``decline``, or ``ring`` (nothing)."""

    how: str = "ring"
    after_s: float = 0.0


class Phones:
    def __init__(self, listen: str) -> None:
        self.listen = listen
        self.runtime = Runtime(command_timeout=10.0)
        self.agents: dict[str, UserAgent] = {}
        self.answering: dict[str, Answering] = {}
        self.ears: dict[str, Ear] = {}
        self.count = 0
        self.tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        # No jitter buffer: what is heard is stamped when it comes.
        text = f"sip_listen {self.listen}\ncall_hold_other_calls no\naudio_jitter_buffer_type off\n"
        host = self.listen.rpartition(":")[0]
        await self.runtime.start(
            Config(
                net_interface=host,
                max_concurrent_calls=None,
                expose_headers=HEADERS,
                native_log_level="error",
                extra_config_text=text,
            )
        )
        self.background(self.tick())

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def tick(self) -> None:
        due = time.monotonic()
        while True:
            due = max(due + FRAME_S, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            for ear in list(self.ears.values()):
                ear.tick()

    def ear(self, call: Call, phone: str, *, records: bool) -> Ear:
        self.count += 1
        ear = Ear(id=f"call-{self.count}", phone=phone, call=call, records=records)
        self.ears[ear.id] = ear
        call.on(ear.happened)
        return ear

    async def phone(
        self,
        *,
        number: str,
        domain: str,
        password: str = "",
        register: bool = False,
        answer: str = "ring",
        after_s: float = 0.0,
        codecs: list[str] | None = None,
    ) -> dict[str, Any]:
        account = Account(
            user=number,
            domain=domain,
            password=password,
            reg_interval=600 if register else 0,
            audio_codecs=tuple(codecs or ("pcma",)),
        )
        agent = await UserAgent.create(self.runtime, account)
        self.agents[number] = agent
        self.answering[number] = Answering(answer, after_s)
        agent.on_incoming(lambda call: self.rung(number, call))
        if register:
            await agent.register(timeout=10)
        return {}

    async def answers(self, *, number: str, answer: str, after_s: float = 0.0) -> dict[str, Any]:
        self.answering[number] = Answering(answer, after_s)
        return {}

    def rung(self, number: str, call: Call) -> None:
        ear = self.ear(call, number, records=True)
        emit(event="rung", call=ear.id, phone=number, peer=call.peer, headers=call.headers, at=time.monotonic())
        self.background(self.respond(ear, self.answering[number]))

    async def respond(self, ear: Ear, answering: Answering) -> None:
        await asyncio.sleep(answering.after_s)
        with contextlib.suppress(BaresipError):
            if answering.how == "accept":
                await ear.call.answer()
            elif answering.how in ENDINGS:
                await getattr(ear.call, ENDINGS[answering.how])()

    async def dial(
        self, *, number: str, uri: str, headers: dict[str, str] | None = None, records: bool = True
    ) -> dict[str, Any]:
        early: list[Any] = []

        def note(event: Any) -> None:
            early.append(event)

        # A call that fails at once has failed before `dial` is back.
        self.runtime.subscribe(note)
        try:
            call = await self.agents[number].dial(uri, headers=headers)
        finally:
            self.runtime.unsubscribe(note)
        ear = self.ear(call, number, records=records)
        for event in early:
            if event.call == call.handle:
                ear.happened(event)
        return {"call": ear.id}

    async def say(self, *, call: str, pcm: str) -> dict[str, Any]:
        ear = self.ears[call]
        ear.said.clear()
        ear.to_say += base64.b64decode(pcm)
        return {"at": time.monotonic()}

    async def said(self, *, call: str) -> dict[str, Any]:
        """When the last of what was to be said has left."""
        ear = self.ears[call]
        await ear.said.wait()
        with contextlib.suppress(AudioNotActive, AudioRestarted):
            await asyncio.sleep(ear.call.audio.info().tx_buffered / 16000)
        return {"at": time.monotonic()}

    async def press(self, *, call: str, keys: str, hold_s: float = 0.1, gap_s: float = 0.12) -> dict[str, Any]:
        """The library's own ``send_dtmf`` holds every key for 100 ms; people are faster and slower than that."""
        line, at = self.ears[call].call, []
        due = time.monotonic()
        for key in keys:
            at.append(time.monotonic())
            await line._send_digit(key)
            due += hold_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await line._send_digit("R")
            due += gap_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        return {"at": at}

    async def heard(self, *, call: str, since: float = 0.0) -> dict[str, Any]:
        chunks = [(at, base64.b64encode(pcm).decode()) for at, pcm in self.ears[call].heard if at >= since]
        return {"chunks": chunks}

    async def accept(self, *, call: str) -> dict[str, Any]:
        await self.ears[call].call.answer()
        return {}

    async def end(self, *, call: str, how: str = "hang_up") -> dict[str, Any]:
        with contextlib.suppress(BaresipError):
            await getattr(self.ears[call].call, ENDINGS[how])()
        return {"at": time.monotonic()}

    async def do(self, request: dict[str, Any]) -> None:
        number = request.pop("id")
        try:
            emit(id=number, result=await self.requests()[request.pop("do")](**request))
        except Exception as error:
            emit(id=number, error=f"{type(error).__name__}: {error}")

    def requests(self) -> dict[str, Callable[..., Awaitable[dict[str, Any]]]]:
        known = (
            self.phone,
            self.answers,
            self.dial,
            self.say,
            self.said,
            self.press,
            self.heard,
            self.accept,
            self.end,
        )
        return {request.__name__: request for request in known}

    async def close(self) -> None:
        """Hangs up what is left: a stack that stops with a call up leaks it, and the other side would not know."""
        for ear in self.ears.values():
            with contextlib.suppress(BaresipError):
                await ear.call.hangup()
        for task in self.tasks:
            task.cancel()
        await self.runtime.close()


async def main(listen: str) -> None:
    phones = Phones(listen)
    await phones.start()
    emit(event="ready")
    reader = asyncio.StreamReader(limit=2**26)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        phones.background(phones.do(json.loads(line)))
    await phones.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
