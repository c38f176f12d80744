"""A telephone of a few lines, for what a well-behaved one does not do: keys faster than a person's, lost packets, sound
that stops while the call goes on, a call that ends without a word.

It speaks SIP by UDP and RTP with A-law silence, from this process; it can only call. `SipCaller` is the other kind.
"""

from __future__ import annotations

import asyncio
import random
import re
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

KEYS = "0123456789*#"
FRAME_S = 0.02
SAMPLES = 160
PCMA, EVENTS = 8, 101
SILENCE = b"\xd5" * SAMPLES


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, take: Any) -> None:
        self.take = take

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.take(data)


class BareCaller:
    """One call. ``keeps_sending`` False: no sound, only keys."""

    def __init__(self, switch: str, number: str, *, keeps_sending: bool = True) -> None:
        host, _, port = switch.rpartition(":")
        self._switch = (host, int(port))
        self._number = number
        self._called = f"sip:12329@{switch}"
        self._id = f"{random.getrandbits(64):x}"
        self._to = f"<{self._called}>"
        self._requests = 0
        self._sequence, self._stamp, self._source = (
            random.getrandbits(15),
            random.getrandbits(31),
            random.getrandbits(32),
        )
        self._sound_to: tuple[str, int] | None = None
        self._keeps_sending = keeps_sending
        self._sending: asyncio.Task[None] | None = None
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.ended = asyncio.Event()
        self.packets = 0
        """Of sound, received."""

    @classmethod
    @asynccontextmanager
    async def called(
        cls, switch: str, number: str = "13900139000", *, keeps_sending: bool = True
    ) -> AsyncIterator[BareCaller]:
        """A call that was answered; hung up at the end unless it has ended."""
        caller = cls(switch, number, keeps_sending=keeps_sending)
        await caller._open()
        try:
            if (status := await asyncio.wait_for(caller.status, 10)) != 200:
                raise AssertionError(f"not answered: {status}")
            yield caller
        finally:
            await caller.hang_up()
            caller._close()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        local = ("127.0.0.1", 0)
        self._signals, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._signalled), local_addr=local)
        self._sound, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._heard), local_addr=local)
        self._port = self._signals.get_extra_info("sockname")[1]
        self._request("INVITE", self._description())
        if self._keeps_sending:
            self._sending = asyncio.create_task(self._send_on())

    def _close(self) -> None:
        if self._sending:
            self._sending.cancel()
        self._signals.close()
        self._sound.close()

    # --- signalling --------------------------------------------------------------------------------------------------

    def _description(self) -> str:
        port = self._sound.get_extra_info("sockname")[1]
        return (
            f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n"
            "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
        )

    def _request(self, method: str, body: str = "") -> None:
        if method != "ACK":
            self._requests += 1
        self._tell(
            f"{method} {self._called} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK{random.getrandbits(48):x};rport\r\n"
            f"From: <sip:{self._number}@127.0.0.1>;tag={self._id}\r\nTo: {self._to}\r\nCall-ID: {self._id}\r\n"
            f"CSeq: {self._requests} {method}\r\nMax-Forwards: 70\r\n",
            body,
        )

    def _tell(self, head: str, body: str) -> None:
        kind = "Content-Type: application/sdp\r\n" if body else ""
        text = (
            f"{head}Contact: <sip:{self._number}@127.0.0.1:{self._port}>\r\n{kind}Content-Length: {len(body)}\r\n\r\n"
        )
        self._signals.sendto((text + body).encode(), self._switch)

    def _signalled(self, data: bytes) -> None:
        if not data or data[0] & 0x80:
            return  # not text: sound or its report, meant for a neighbouring port
        text = data.decode()
        if text.startswith("SIP/2.0"):
            self._answered(text)
        elif not text.startswith("ACK"):
            self._answer(text)

    def _answered(self, text: str) -> None:
        status = int(text.split(" ", 2)[1])
        if status < 200 or f"{self._requests} INVITE" not in text:
            return
        self._to = re.findall(r"(?m)^To: (.+?)\r", text)[0]
        if found := re.search(r"(?m)^m=audio (\d+)", text):
            self._sound_to = (self._switch[0], int(found[1]))
        self._request("ACK")
        if not self.status.done():
            self.status.set_result(status)

    def _answer(self, text: str) -> None:
        head = "".join(f"{line}\r\n" for line in text.split("\r\n") if re.match("(Via|From|To|Call-ID|CSeq):", line))
        self._tell("SIP/2.0 200 OK\r\n" + head, self._description() if text.startswith("INVITE") else "")
        if text.startswith("BYE"):
            self.ended.set()

    async def hang_up(self) -> None:
        if not self.ended.is_set() and self.status.done() and self.status.result() == 200:
            self._request("BYE")
            self.ended.set()
            await asyncio.sleep(0)

    # --- sound and keys ----------------------------------------------------------------------------------------------

    def go_silent(self) -> None:
        """From now on no packet of sound is sent; the call goes on."""
        if self._sending:
            self._sending.cancel()

    def _heard(self, data: bytes) -> None:
        if data[1] & 0x7F == PCMA:
            self.packets += 1

    def _send(self, kind: int, payload: bytes, stamp: int, *, first: bool = False) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        if self._sound_to:
            marker = 0x80 if first else 0
            head = struct.pack("!BBHII", 0x80, kind | marker, self._sequence, stamp & 0xFFFFFFFF, self._source)
            self._sound.sendto(head + payload, self._sound_to)

    async def _send_on(self) -> None:
        due = time.monotonic()
        while True:
            self._stamp += SAMPLES
            self._send(PCMA, SILENCE, self._stamp)
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def press(self, keys: str, *, hold_s: float = 0.06, gap_s: float = 0.04, lost: int = 0) -> list[float]:
        """When each press began. ``lost``: of the three packets that end a key, so many do not arrive."""
        at = []
        due = time.monotonic()
        for key in keys:
            at.append(time.monotonic())
            stamp, events = self._stamp, max(1, round(hold_s / FRAME_S))
            for number in range(events):
                self._event(key, stamp, number + 1, first=number == 0)
                due += FRAME_S
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            for _ in range(3 - lost):
                self._event(key, stamp, events, end=True)
            self._stamp += SAMPLES * (events + 1)
            due += gap_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        return at

    def _event(self, key: str, stamp: int, length: int, *, first: bool = False, end: bool = False) -> None:
        payload = struct.pack("!BBH", KEYS.index(key), (0x80 if end else 0) | 10, length * SAMPLES)
        self._send(EVENTS, payload, stamp, first=first)
