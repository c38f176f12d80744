"""A switch that browser phones register at: enough of SIP over a WebSocket (RFC 7118) for one telephone.

``python phone_switch.py PORT`` prints ``open`` when it listens. Lines on its standard input tell it what to do, as
JSON: ``{"call": sdp, "conversation": id}`` rings the telephone, ``{"cancel": true}`` stops ringing, ``{"bye": true}``
hangs up. What it hears is printed, a line each: a method, or the status of an answer.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from contextlib import suppress

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

CALL = "c1@switch.test"
BRANCH = "z9hG4bK-ring"


class Switch:
    """One telephone at a time: the last that came."""

    def __init__(self) -> None:
        self._line: ServerConnection | None = None
        self._contact = ""
        self._to = ""

    async def serve(self, line: ServerConnection) -> None:
        self._line = line
        with suppress(ConnectionClosed):
            async for message in line:
                text = message if isinstance(message, str) else message.decode()
                if text.strip():
                    await self._heard(line, text)

    async def do(self, told: dict[str, str]) -> None:
        if "call" in told:
            await self._send("INVITE", 1, told["call"], f"X-Hotline-Conversation: {told['conversation']}")
        elif "cancel" in told:
            await self._send("CANCEL", 1)
        elif "bye" in told:
            await self._send("BYE", 2)

    async def _heard(self, line: ServerConnection, text: str) -> None:
        first = text.split("\r\n", 1)[0]
        if first.startswith("SIP/2.0"):
            status = first.split(" ")[1]
            say(status)
            self._to = header(text, "To") or self._to
            if "INVITE" in header(text, "CSeq") and int(status) >= 200:
                await self._send("ACK", 1)
            return
        method = first.split(" ")[0]
        if method == "ACK":
            return
        if method == "REGISTER" and "Authorization:" not in text:
            challenge = 'WWW-Authenticate: Digest realm="switch", nonce="n", algorithm=MD5, qop="auth"'
            await line.send(answer(text, "401 Unauthorized", challenge))
            return
        if method == "REGISTER":
            self._contact = header(text, "Contact")
            await line.send(answer(text, "200 OK", f"Contact: {self._contact}"))
        else:
            await line.send(answer(text, "200 OK"))
        say(method)

    async def _send(self, method: str, number: int, sdp: str = "", *more: str) -> None:
        target = re.search(r"<(sip:[^>]+)>", self._contact)
        assert target is not None
        assert self._line is not None
        to = "<sip:8001@switch.test>" if method in ("INVITE", "CANCEL") else self._to
        lines = [
            f"{method} {target[1]} SIP/2.0",
            f"Via: SIP/2.0/WS switch.test;branch={BRANCH}{'' if method != 'BYE' else '-bye'}",
            "Max-Forwards: 70",
            "From: <sip:12329@switch.test>;tag=ours",
            f"To: {to}",
            f"Call-ID: {CALL}",
            f"CSeq: {number} {method}",
            "Contact: <sip:12329@switch.test;transport=ws>",
            *more,
            *(["Content-Type: application/sdp"] if sdp else []),
            f"Content-Length: {len(sdp.encode())}",
        ]
        await self._line.send("\r\n".join(lines) + "\r\n\r\n" + sdp)


def answer(text: str, status: str, *more: str) -> str:
    """The answer to a request."""
    to = header(text, "To")
    to = to if "tag=" in to else f"{to};tag=switch"
    kept = [f"{name}: {header(text, name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
    return "\r\n".join([f"SIP/2.0 {status}", *kept, f"To: {to}", *more, "Content-Length: 0"]) + "\r\n\r\n"


def header(text: str, name: str) -> str:
    found = re.search(rf"^{name}:[ \t]*(.*?)\r$", text, re.M | re.I)
    return found[1] if found else ""


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


async def main(port: int) -> None:
    switch = Switch()
    told = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    async with serve(switch.serve, "127.0.0.1", port, subprotocols=["sip"]):
        say("open")
        while line := await told.readline():
            await switch.do(json.loads(line))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
