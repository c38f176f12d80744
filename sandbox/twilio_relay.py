"""ConversationRelay as Twilio plays it: a WebSocket to the gateway, a voice that takes its time, a caller who may break
in. Nothing here is shared with the adapter that it tries out.

Messages are those of https://www.twilio.com/docs/voice/conversationrelay/websocket-messages. Instead of sound there is
text: what the voice has said so far stands in the call's ``heard``, what was not heard any more in ``rest``.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

CHARACTERS_PER_S: Final = 4.5
_OPEN_S: Final = 5.0
_CLAUSE: Final = re.compile(r"[^\u3001\u3002\uff0c\uff01\uff1f\uff1b]*[\u3001\u3002\uff0c\uff01\uff1f\uff1b]*")
_MOST_MALFORMED: Final = 10
_FIELDS: Final[Mapping[str, Mapping[str, type]]] = {
    "text": {"token": str, "last": bool, "lang": str, "interruptible": bool, "preemptible": bool},
    "play": {"source": str, "loop": int, "interruptible": bool, "preemptible": bool},
    "sendDigits": {"digits": str},
    "language": {"ttsLanguage": str, "transcriptionLanguage": str},
    "end": {"handoffData": str},
}
_NEEDED: Final = {"text": "token", "play": "source", "sendDigits": "digits"}


@dataclass(slots=True, kw_only=True)
class _Item:
    """Something to be heard. ``entry`` is how it stands in the call's ``heard``."""

    text: str
    entry: dict[str, Any]
    interruptible: bool
    preemptible: bool
    for_ever: bool = False


@dataclass(slots=True, kw_only=True)
class RelayedCall:
    """The call as the first message tells it."""

    sid: str
    account: str
    caller: str
    called: str
    parameters: Mapping[str, str] = field(default_factory=dict)


class Relay:
    """One session. ``heard`` is filled with what the caller hears."""

    def __init__(
        self,
        call: RelayedCall,
        heard: list[dict[str, Any]],
        *,
        attributes: Mapping[str, str],
        pace: float = CHARACTERS_PER_S,
    ) -> None:
        """``attributes`` are those of <ConversationRelay>."""
        self._call = call
        self._heard = heard
        self._attributes = attributes
        self._pace = pace
        self._socket: ClientConnection | None = None
        self._items: deque[_Item] = deque()
        self._more = asyncio.Event()
        self._cut = asyncio.Event()
        self._cycle_open = False
        self._playing: _Item | None = None
        self._clause_began = 0.0
        self._malformed = 0
        self._caller_speaks = False
        self._hung_up = False

    @property
    def state(self) -> str:
        return "relay"

    @property
    def speaks(self) -> bool:
        """The voice is on; music is no voice."""
        return self._playing is not None and not self._playing.for_ever

    async def run(self, *, signature: str) -> dict[str, str]:
        """Talks until the session is over; the fields by which the document's action is told of it."""
        began = asyncio.get_running_loop().time()
        outcome = await self._session(signature)
        duration = asyncio.get_running_loop().time() - began
        return {"SessionId": "VX" + secrets.token_hex(16), "SessionDuration": f"{duration:.0f}", **outcome}

    async def _session(self, signature: str) -> dict[str, str]:
        try:
            async with connect(
                self._attributes["url"],
                additional_headers={"X-Twilio-Signature": signature},
                user_agent_header="Jetty/11.0.24",
                open_timeout=_OPEN_S,
                compression=None,
                proxy=None,
            ) as socket:
                self._socket = socket
                voice = asyncio.create_task(self._voice())
                try:
                    return await self._read(socket)
                finally:
                    self._stop()
                    voice.cancel()
                    await asyncio.gather(voice, return_exceptions=True)
        except (OSError, InvalidHandshake, TimeoutError):
            return _failed(64102, "Unable to connect to websocket URL")

    # --- what the caller does ------------------------------------------------------------------------------------

    async def types(self, words: str) -> None:
        """The caller is speaking; ``words`` so far. Breaks in on the voice."""
        await self._begins_speaking()
        if words and self._attributes.get("partialPrompts") == "true":
            await self._send({"type": "prompt", "voicePrompt": words, "lang": self._lang, "last": False})

    async def says(self, words: str) -> None:
        """The caller has said something."""
        await self._begins_speaking()
        self._caller_speaks = False
        await self._info("clientSpeaking", "off")
        await self._send({"type": "prompt", "voicePrompt": words, "lang": self._lang, "last": True})

    async def press(self, keys: str) -> None:
        """Keys one after the other."""
        for key in keys:
            if self._attributes.get("dtmfDetection") == "true":
                await self._send({"type": "dtmf", "digit": key})
            await self._break_in("dtmf")

    async def hang_up(self) -> None:
        """The caller has gone."""
        self._hung_up = True
        if self._socket is not None:
            await self._socket.close(1000, "Closing websocket session")

    async def drop(self) -> None:
        """The connection breaks, as a network does."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def _begins_speaking(self) -> None:
        if not self._caller_speaks:
            self._caller_speaks = True
            await self._info("clientSpeaking", "on")
            await self._break_in("speech")

    async def _break_in(self, by: str) -> None:
        """What is being said ends, and everything behind it, where it may be interrupted."""
        item = self._playing
        if item is None or not item.interruptible or self._attributes.get("interruptible", "any") not in (by, "any"):
            return
        fragment, after_s = self._fragment(item)
        self._silence_all()
        if fragment:
            await self._info("tokensPlayed", fragment)
        interrupt = {"utteranceUntilInterrupt": fragment, "durationUntilInterruptMs": round(after_s * 1000)}
        await self._send({"type": "interrupt", **interrupt})
        await self._info("agentSpeaking", "off")

    # --- what the gateway sends ----------------------------------------------------------------------------------

    async def _read(self, socket: ClientConnection) -> dict[str, str]:
        await self._send(self._setup())
        try:
            async for message in socket:
                ended = await self._take(message)
                if ended is not None:
                    return {"SessionStatus": "ended", "HandoffData": ended}
                if self._malformed >= _MOST_MALFORMED:
                    await socket.close(1007, "Too many consecutive malformed messages.")
        except ConnectionClosed:
            pass  # how it was closed does not matter: it was not by us
        if self._hung_up:
            return {"SessionStatus": "completed", "CallStatus": "completed"}
        return _failed(64105, "Websocket ended")

    async def _take(self, message: str | bytes) -> str | None:
        """The handoff data when the message ends the session."""
        fields = _checked(message)
        if fields is None:
            self._malformed += 1
            quoted = message if isinstance(message, str) else "bytes"
            await self._send({"type": "error", "description": f"Invalid message received, code: 64107, {quoted[:200]}"})
            return None
        self._malformed = 0
        match fields["type"]:
            case "end":
                return str(fields.get("handoffData", ""))
            case "text":
                await self._queue(fields, text=fields["token"])
            case "play":
                await self._queue(fields, text=fields["source"], for_ever=fields.get("loop", 1) == 0)
        return None

    async def _queue(self, fields: Mapping[str, Any], *, text: str, for_ever: bool = False) -> None:
        if not self._cycle_open:
            await self._preempt()
        kind = "play" if fields["type"] == "play" else "say"
        entry: dict[str, Any] = {"kind": kind, "text": text if kind == "play" else "", "rest": "", "on": False}
        item = _Item(
            text=text,
            entry=entry,
            interruptible=fields.get("interruptible", True),
            preemptible=fields.get("preemptible", False),
            for_ever=for_ever,
        )
        self._cycle_open = kind == "say" and not fields.get("last", False)
        self._items.append(item)
        self._more.set()

    async def _preempt(self) -> None:
        """A new turn of the gateway's cuts off what it has sent as preemptible."""
        if self._playing is not None and self._playing.preemptible:
            fragment, _ = self._fragment(self._playing)
            voice_was_on = self.speaks
            self._silence_all()
            if voice_was_on:
                if fragment:
                    await self._info("tokensPlayed", fragment)
                await self._info("agentSpeaking", "off")

    # --- the voice -----------------------------------------------------------------------------------------------

    async def _voice(self) -> None:
        """Says one item after the other."""
        on = False
        while True:
            if not self._items:
                if on and not self._cut.is_set():
                    await self._info("agentSpeaking", "off")
                on = False
                self._more.clear()
                await self._more.wait()
                continue
            self._cut.clear()
            item = self._playing = self._items.popleft()
            self._heard.append(item.entry)
            item.entry["on"] = True
            if not on and not item.for_ever:
                on = True
                await self._info("agentSpeaking", "on")
            await self._utter(item)
            item.entry["on"] = False
            self._playing = None
            on = on and not self._cut.is_set()

    async def _utter(self, item: _Item) -> None:
        if item.for_ever:
            await self._cut.wait()
            return
        loop = asyncio.get_running_loop()
        for clause in _CLAUSE.findall(item.text):
            if not clause:
                continue
            self._clause_began = loop.time()
            for character in clause:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._cut.wait(), 1 / self._pace)
                if self._cut.is_set():
                    item.entry["rest"] = item.text[len(item.entry["text"]) :]
                    return
                item.entry["text"] += character
            await self._info("tokensPlayed", clause)

    def _fragment(self, item: _Item) -> tuple[str, float]:
        """What has been heard of the clause that is being said, and for how long it has been."""
        heard, over = len(item.entry["text"]), 0
        for clause in _CLAUSE.findall(item.text):
            if not clause or over + len(clause) > heard:
                break
            over += len(clause)
        return item.entry["text"][over:], asyncio.get_running_loop().time() - self._clause_began

    def _silence_all(self) -> None:
        self._items.clear()
        self._cycle_open = False
        self._cut.set()
        self._playing = None

    def _stop(self) -> None:
        if self._playing is not None:
            item = self._playing
            item.entry["on"] = False
            if not item.for_ever:
                item.entry["rest"] = item.text[len(item.entry["text"]) :]

    # --- sending -------------------------------------------------------------------------------------------------

    def _setup(self) -> dict[str, Any]:
        return {
            "type": "setup",
            "sessionId": "VX" + secrets.token_hex(16),
            "accountSid": self._call.account,
            "parentCallSid": "",
            "callSid": self._call.sid,
            "from": self._call.caller,
            "to": self._call.called,
            "forwardedFrom": "",
            "callType": "PSTN",
            "callerName": "",
            "direction": "inbound",
            "callStatus": "IN_PROGRESS",
            "customParameters": dict(self._call.parameters),
        }

    @property
    def _lang(self) -> str:
        return self._attributes.get("transcriptionLanguage") or self._attributes.get("language", "en-US")

    async def _info(self, name: str, value: str) -> None:
        wanted = "tokens-played" if name == "tokensPlayed" else "speaker-events"
        if wanted in self._attributes.get("events", "").split():
            await self._send({"type": "info", "name": name, "value": value})

    async def _send(self, message: Mapping[str, Any]) -> None:
        if self._socket is not None:
            with suppress(ConnectionClosed):
                await self._socket.send(json.dumps(message, ensure_ascii=False))


def _checked(message: str | bytes) -> dict[str, Any] | None:
    """The message, if Twilio would take it."""
    try:
        fields = json.loads(message)
    except ValueError:
        return None
    if not isinstance(fields, dict) or fields.get("type") not in _FIELDS:
        return None
    known = _FIELDS[fields["type"]]
    right = all(name == "type" or (name in known and type(value) is known[name]) for name, value in fields.items())
    needed = _NEEDED.get(fields["type"])
    return fields if right and (needed is None or fields.get(needed)) else None


def _failed(code: int, why: str) -> dict[str, str]:
    return {"SessionStatus": "failed", "ErrorCode": str(code), "ErrorMessage": why}
