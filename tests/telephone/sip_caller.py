"""Real SIP telephones for tests: they dial, speak, press keys, hear, and answer as an agent's phone does.

    async with SipCaller.started("127.0.0.1:5075") as caller:
        phone = await caller.phone("13800138000", domain="127.0.0.1:5060")
        call = await phone.dial("sip:12329@127.0.0.1:5060")
        await call.established()
        await call.press("1")
        heard = await call.heard()

The stack allows one runtime in a process, and the tested line has its own; so the phones are in a child process
(`tests.telephone.phones`), many in one. Times are of the machine's monotonic clock, the same in both processes.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib.util
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MISSING = "" if importlib.util.find_spec("baresip") else "baresip-python has no wheel for this platform"
"""Why there are no telephones here; empty: there are."""


def free_port() -> int:
    """A UDP and TCP port of loopback that nobody has now."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, socket.socket() as stream:
            datagrams.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                stream.bind(("127.0.0.1", datagrams.getsockname()[1]))
                return int(datagrams.getsockname()[1])


class PhoneError(Exception):
    """A telephone could not do what it was told, or what was waited for did not happen."""


@dataclass(frozen=True, slots=True)
class Heard:
    """``chunks``: when each piece of sound had come, and it (PCM, 8 kHz, 16 bit)."""

    chunks: Sequence[tuple[float, bytes]]

    @property
    def pcm(self) -> bytes:
        return b"".join(pcm for _, pcm in self.chunks)

    def between(self, start: float, end: float) -> bytes:
        return b"".join(pcm for at, pcm in self.chunks if start <= at < end)

    def loud_until(self, threshold: int = 200) -> float:
        """When the last piece with any sound had come; 0.0: there was none."""
        return max((at for at, pcm in self.chunks if _peak(pcm) > threshold), default=0.0)

    def loud_from(self, threshold: int = 200) -> float:
        """When the first piece with any sound had come; 0.0: there was none."""
        return min((at for at, pcm in self.chunks if _peak(pcm) > threshold), default=0.0)


def _peak(pcm: bytes) -> int:
    return max((abs(sample) for sample in memoryview(pcm).cast("h")), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """``kind``: rung, ringing, progress, established, key (``text`` is it), closed (``text`` is why)."""

    kind: str
    call: str
    phone: str
    at: float
    text: str = ""
    peer: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class PhoneCall:
    """One call of a telephone, made or received."""

    def __init__(self, caller: SipCaller, id: str, rung: Happening | None = None) -> None:
        self._caller = caller
        self.id = id
        self.peer = rung.peer if rung else ""
        self.headers = rung.headers if rung else {}
        """Those of the INVITE that rang this phone which `tests.telephone.phones` lets through."""

    async def until(self, kind: str, timeout_s: float = 5.0) -> Happening:
        """The first of its kind on this call. Raises PhoneError when it does not come in time, or never can."""
        return await self._caller.until(kind, call=self.id, timeout_s=timeout_s)

    async def established(self, timeout_s: float = 5.0) -> float:
        return (await self.until("established", timeout_s)).at

    async def closed(self, timeout_s: float = 5.0) -> Happening:
        return await self.until("closed", timeout_s)

    @property
    def keys(self) -> str:
        """Keys the other side has pressed."""
        return "".join(one.text for one in self._caller.happenings if one.call == self.id and one.kind == "key")

    async def accept(self) -> None:
        await self._caller.do("accept", call=self.id)

    async def end(self, how: str = "hang_up") -> float:
        """``hang_up``; of a call that rings: ``busy``, ``decline``."""
        return float((await self._caller.do("end", call=self.id, how=how))["at"])

    async def hang_up(self) -> float:
        return await self.end()

    async def say(self, pcm: bytes) -> float:
        """Begins to say it after what is being said; returns when it began."""
        return float((await self._caller.do("say", call=self.id, pcm=base64.b64encode(pcm).decode()))["at"])

    async def said(self) -> float:
        """Returns when all of it has left."""
        return float((await self._caller.do("said", call=self.id))["at"])

    async def press(self, keys: str, *, hold_s: float = 0.1, gap_s: float = 0.12) -> list[float]:
        """Presses them by RTP telephone events; when each press began."""
        return list((await self._caller.do("press", call=self.id, keys=keys, hold_s=hold_s, gap_s=gap_s))["at"])

    async def heard(self, since: float = 0.0) -> Heard:
        chunks = (await self._caller.do("heard", call=self.id, since=since))["chunks"]
        return Heard([(at, base64.b64decode(pcm)) for at, pcm in chunks])


class Phone:
    """A telephone with a number."""

    def __init__(self, caller: SipCaller, number: str) -> None:
        self._caller = caller
        self.number = number
        self._rung = 0

    async def dial(self, uri: str, headers: Mapping[str, str] | None = None, *, records: bool = True) -> PhoneCall:
        """``records`` False: what it hears is thrown away (load)."""
        made = await self._caller.do("dial", number=self.number, uri=uri, headers=dict(headers or {}), records=records)
        return PhoneCall(self._caller, made["call"])

    async def answers(self, how: str, after_s: float = 0.0) -> None:
        """What it does from now on when it rings: ``accept``, ``busy``, ``decline``, ``ring``."""
        await self._caller.do("answers", number=self.number, answer=how, after_s=after_s)

    async def rung(self, timeout_s: float = 5.0) -> PhoneCall:
        """The next call that has come to it."""
        happening = await self._caller.until("rung", phone=self.number, timeout_s=timeout_s, skip=self._rung)
        self._rung += 1
        return PhoneCall(self._caller, happening.call, happening)


class SipCaller:
    """The process with the telephones."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._changed = asyncio.Condition()
        self._requests = 0
        self.happenings: list[Happening] = []
        self._ready = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    @asynccontextmanager
    async def started(cls, listen: str = "", *, prefix: Sequence[str] = ()) -> AsyncIterator[SipCaller]:
        """``listen``: its SIP address, a free port of loopback unless given. ``prefix``: a command to run it under
        (``ip netns exec NAME``)."""
        listen = listen or f"127.0.0.1:{free_port()}"
        command = (*prefix, sys.executable, "-m", "tests.telephone.phones", listen)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, cwd=ROOT, env=os.environ, limit=2**26
        )
        caller = cls(process)
        try:
            await asyncio.wait_for(caller._ready.wait(), 60)
            yield caller
        finally:
            await caller.close()

    async def phone(
        self,
        number: str,
        *,
        domain: str,
        password: str = "",
        register: bool = False,
        answer: str = "ring",
        after_s: float = 0.0,
        codecs: Sequence[str] = ("pcma",),
    ) -> Phone:
        """A telephone that calls as ``sip:number@domain``; ``register`` with the domain (an agent's at Asterisk).
        ``answer``, ``after_s``: as `Phone.answers`."""
        await self.do(
            "phone",
            number=number,
            domain=domain,
            password=password,
            register=register,
            answer=answer,
            after_s=after_s,
            codecs=list(codecs),
        )
        return Phone(self, number)

    async def do(self, request: str, **fields: Any) -> dict[str, Any]:
        self._requests += 1
        future = self._answers[self._requests] = asyncio.get_running_loop().create_future()
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"id": self._requests, "do": request, **fields}).encode() + b"\n")
        await self._process.stdin.drain()
        return await asyncio.wait_for(future, 60)

    async def until(
        self, kind: str, *, call: str = "", phone: str = "", timeout_s: float = 5.0, skip: int = 0
    ) -> Happening:
        def found() -> Happening | None:
            fitting = [
                one
                for one in self.happenings
                if one.kind == kind and (not call or one.call == call) and (not phone or one.phone == phone)
            ]
            return fitting[skip] if len(fitting) > skip else None

        try:
            async with asyncio.timeout(timeout_s), self._changed:
                while not (happening := found()):
                    if call and kind != "closed" and self._is_closed(call):
                        raise PhoneError(f"{call} closed before {kind}")
                    await self._changed.wait()
                return happening
        except TimeoutError:
            raise PhoneError(f"no {kind} of {call or phone} in {timeout_s} s") from None

    def _is_closed(self, call: str) -> bool:
        return any(one.kind == "closed" and one.call == call for one in self.happenings)

    async def _read(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            await self._take(json.loads(line))
        for future in self._answers.values():
            if not future.done():
                future.set_exception(PhoneError("the telephones are gone"))

    async def _take(self, line: dict[str, Any]) -> None:
        if "id" in line:
            future = self._answers.pop(line["id"])
            if future.done():
                return
            if "error" in line:
                future.set_exception(PhoneError(line["error"]))
            else:
                future.set_result(line["result"])
        elif line["event"] == "ready":
            self._ready.set()
        else:
            async with self._changed:
                self.happenings.append(Happening(kind=line.pop("event"), **line))
                self._changed.notify_all()

    def kill(self) -> None:
        """The telephones are gone at once, without a word: as when their network breaks."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self.kill()
            await self._process.wait()
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading
