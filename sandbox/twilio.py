"""A stand-in for Twilio: the part of its REST API that is used, and citizens who text and call.

Messages sent to citizens stay in memory (``/twilio/outbox``); ``/twilio/sandbox/*`` plays a citizen's text
or call towards the gateway and returns what the citizen would read or hear. ``/sms-phone`` and ``/call``
are pages for people.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import ParseError

import httpx
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, Field

from sandbox.twilio_line import NotListening, TwilioSandbox
from sandbox.twilio_live import AGENT_DOES, AgentPhone
from sandbox.twilio_parties import Account, Call, Message
from sandbox.twilio_relay import CHARACTERS_PER_S, Relay

_STATIC = Path(__file__).with_name("static")
_REST = "/twilio/2010-04-01/Accounts/{sid}"
_MESSAGES = {
    20001: (400, "Unknown parameters"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    21211: (400, "The 'To' number is not a valid phone number."),
    21602: (400, "Message body is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number is not a valid, SMS-capable inbound phone number."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit."),
}


class TextIn(BaseModel):
    """A short message from a citizen. ``sid`` repeats an earlier one."""

    sender: str = Field("+8613800138000", alias="from")
    text: str = ""
    media: int = 0
    sid: str = ""


class CallIn(BaseModel):
    """A new call; an empty number is a withheld one. ``call_sid`` lets a page press keys while it rings."""

    sender: str = Field("+8613800138000", alias="from")
    call_sid: str = Field("", pattern="^(CA[0-9a-f]{32})?$")


class InputIn(BaseModel):
    """What the caller does next."""

    call_sid: str
    text: str = ""
    digits: str = ""
    confidence: float = 0.92


class AgentIn(BaseModel):
    """What an agent does whose telephone is rung."""

    call_sid: str
    does: str


class FaultIn(BaseModel):
    """The next ``times`` REST calls fail with this code, or take this long."""

    code: int = 0
    delay_s: float = 0.0
    times: int = 1


class _Rest:
    """Twilio's REST API: authentication, planned faults, messages and calls."""

    def __init__(self, line: TwilioSandbox) -> None:
        self._line = line
        self._faults: deque[FaultIn] = deque()

    def plan(self, fault: FaultIn) -> None:
        """The next calls fail as told."""
        self._faults.extend([fault] * fault.times)

    async def create(self, sid: str, request: Request) -> JSONResponse:
        """Messages.json: the message is in the outbox, or Twilio's error says why not."""
        if refused := await self._refused(sid, request):
            return refused
        form = await _form(request)
        taken = self._line.take(form)
        if isinstance(taken, int):
            return _error(taken)
        self._line.report(taken, form.get("StatusCallback", ""))
        return JSONResponse(self._shown(taken), status_code=201)

    async def update(self, sid: str, call_sid: str, request: Request) -> JSONResponse:
        """Calls/{sid}.json: the call follows another document, or ends."""
        if refused := await self._refused(sid, request):
            return refused
        call = self._line.calls.get(call_sid)
        if call is None or call.ended:
            return _error(20404)
        async with call.lock:
            try:
                await self._line.update(call, await _form(request))
            except ParseError:
                return _error(21617)
        status = "completed" if call.ended else "in-progress"
        return JSONResponse({"sid": call.sid, "account_sid": sid, "from": call.caller, "status": status})

    async def record(self, sid: str, call_sid: str, request: Request) -> JSONResponse:
        """Calls/{sid}/Recordings.json: the call is recorded from now on."""
        if refused := await self._refused(sid, request):
            return refused
        call = self._line.calls.get(call_sid)
        if call is None or call.ended:
            return _error(20404)
        callback = (await _form(request)).get("RecordingStatusCallback", "")
        call.recording = {"sid": "RE" + secrets.token_hex(16), "status": "in-progress", "callback": callback}
        return JSONResponse({"sid": call.recording["sid"], "call_sid": call_sid, "status": "in-progress"}, 201)

    async def change_recording(self, sid: str, call_sid: str, recording: str, request: Request) -> JSONResponse:
        """Calls/{sid}/Recordings/{sid}.json: it pauses, goes on or ends."""
        if refused := await self._refused(sid, request):
            return refused
        call = self._line.calls.get(call_sid)
        status = (await _form(request)).get("Status", "")
        if call is None or call.recording.get("sid") != recording or call.recording["status"] == "stopped":
            return _error(20404)
        if status not in ("paused", "in-progress", "stopped"):
            return _error(20001)
        call.recording["status"] = status
        return JSONResponse({"sid": recording, "call_sid": call_sid, "status": status})

    async def _refused(self, sid: str, request: Request) -> JSONResponse | None:
        if not self._authentic(sid, request.headers.get("authorization", "")):
            return _error(20003)
        if not self._faults:
            return None
        fault = self._faults.popleft()
        await asyncio.sleep(fault.delay_s)
        return _error(fault.code) if fault.code else None

    def _authentic(self, sid: str, header: str) -> bool:
        kind, _, value = header.partition(" ")
        try:
            given = base64.b64decode(value, validate=True)
        except binascii.Error:
            return False
        known = f"{self._line.account.sid}:{self._line.account.token}".encode()
        right = secrets.compare_digest(given, known) and kind.lower() == "basic"
        return right and sid == self._line.account.sid

    def _shown(self, message: Message) -> dict[str, Any]:
        at = format_datetime(datetime.now(UTC))
        return {
            "sid": message.sid,
            "account_sid": self._line.account.sid,
            "api_version": "2010-04-01",
            "to": message.to,
            "from": message.sender,
            "body": message.body,
            "status": "queued",
            "direction": "outbound-api",
            "num_segments": str(message.parts),
            "num_media": "0",
            "error_code": None,
            "error_message": None,
            "date_created": at,
            "date_updated": at,
            "uri": f"/2010-04-01/Accounts/{self._line.account.sid}/Messages/{message.sid}.json",
        }


def router(
    account: Account | None = None,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    pace: float = CHARACTERS_PER_S,
) -> APIRouter:
    """All routes. ``account`` defaults to the environment; ``transport`` leads to the gateway and ``pace`` is how many
    characters a second the voice of a relay says, for tests."""
    line = TwilioSandbox(account or Account.from_environment(), transport=transport, pace=pace)
    rest = _Rest(line)
    routes = APIRouter()
    routes.add_api_route(f"{_REST}/Messages.json", rest.create, methods=["POST"])
    routes.add_api_route(f"{_REST}/Calls/{{call_sid}}.json", rest.update, methods=["POST"])
    recordings = f"{_REST}/Calls/{{call_sid}}/Recordings"
    routes.add_api_route(f"{recordings}.json", rest.record, methods=["POST"])
    routes.add_api_route(f"{recordings}/{{recording}}.json", rest.change_recording, methods=["POST"])
    _add_phone(routes, line, rest)
    _add_calls(routes, line)
    _add_pages(routes)
    return routes


def _add_phone(routes: APIRouter, line: TwilioSandbox, rest: _Rest) -> None:
    @routes.get("/twilio/outbox")
    async def outbox(to: str = "") -> list[dict[str, Any]]:
        return [asdict(message) for message in line.outbox if not to or message.to == to]

    @routes.post("/twilio/sandbox/text")
    async def text(sent: TextIn) -> dict[str, Any]:
        try:
            return await line.text(sent.sender, sent.text, media=sent.media, sid=sent.sid)
        except httpx.HTTPError as error:
            raise HTTPException(502, f"11200 {type(error).__name__}") from error

    @routes.post("/twilio/sandbox/fault", status_code=204)
    async def fault(planned: FaultIn) -> None:
        rest.plan(planned)


def _add_calls(routes: APIRouter, line: TwilioSandbox) -> None:
    async def act(given: InputIn, does: Callable[[Call], Awaitable[None]]) -> dict[str, Any]:
        call = _known(line, given.call_sid)
        async with call.lock:
            before = len(call.heard)
            try:
                await does(call)
            except NotListening as error:
                raise HTTPException(409, "the call does not listen") from error
            return _told(call, before)

    @routes.post("/twilio/sandbox/call/start")
    async def start(caller: CallIn) -> dict[str, Any]:
        return _told(await line.start(caller.sender, sid=caller.call_sid), 0)

    @routes.post("/twilio/sandbox/call/say")
    async def say(given: InputIn) -> dict[str, Any]:
        call = _known(line, given.call_sid)
        if isinstance(call.live, Relay):
            await call.live.says(given.text)
            return _told(call, len(call.heard))
        said = {"SpeechResult": given.text, "Confidence": f"{given.confidence:.4f}"}
        return await act(given, lambda call: line.say(call, said))

    @routes.post("/twilio/sandbox/call/press")
    async def press(given: InputIn) -> dict[str, Any]:
        call = _known(line, given.call_sid)
        if isinstance(call.live, Relay):
            await call.live.press(given.digits)
            return _told(call, len(call.heard))
        if call.lock.locked():
            call.keys.put_nowait(given.digits)
            return _told(call, len(call.heard)) | {"state": "speaking"}
        return await act(given, lambda call: line.press(call, given.digits))

    @routes.post("/twilio/sandbox/call/silence")
    async def silence(given: InputIn) -> dict[str, Any]:
        return await act(given, line.pause)

    _add_relay(routes, line)
    _add_ends(routes, line)


def _add_ends(routes: APIRouter, line: TwilioSandbox) -> None:
    @routes.post("/twilio/sandbox/call/hangup")
    async def hang_up(given: InputIn) -> dict[str, Any]:
        call = _known(line, given.call_sid)
        await line.hang_up(call)
        return _told(call, len(call.heard))

    @routes.get("/twilio/sandbox/call/{call_sid}")
    async def show(call_sid: str) -> dict[str, Any]:
        return _told(_known(line, call_sid), 0)


def _add_relay(routes: APIRouter, line: TwilioSandbox) -> None:
    @routes.post("/twilio/sandbox/call/types")
    async def types(given: InputIn) -> dict[str, Any]:
        """The caller is speaking: what he has said so far."""
        call = _known(line, given.call_sid)
        if not isinstance(call.live, Relay):
            raise HTTPException(409, "the call is no relay")
        await call.live.types(given.text)
        return _told(call, len(call.heard))

    @routes.post("/twilio/sandbox/call/drop")
    async def drop(given: InputIn) -> dict[str, Any]:
        """The relay's connection breaks."""
        call = _known(line, given.call_sid)
        if not isinstance(call.live, Relay):
            raise HTTPException(409, "the call is no relay")
        await call.live.drop()
        return _told(call, len(call.heard))

    @routes.post("/twilio/sandbox/call/agent")
    async def agent(given: AgentIn) -> dict[str, Any]:
        call = _known(line, given.call_sid)
        if not isinstance(call.live, AgentPhone) or given.does not in AGENT_DOES:
            raise HTTPException(409, "no agent's telephone rings")
        call.live.does(given.does)
        return _told(call, len(call.heard))


def _add_pages(routes: APIRouter) -> None:
    pages = {
        "/sms-phone": "twilio_sms_phone.html",
        "/call": "twilio_call.html",
        "/twilio/static/twilio.css": "twilio.css",
        "/twilio/static/twilio_sms_phone.js": "twilio_sms_phone.js",
        "/twilio/static/twilio_call.js": "twilio_call.js",
    }

    def page(name: str) -> Any:
        async def show() -> FileResponse:
            return FileResponse(_STATIC / name)

        return show

    for path, name in pages.items():
        routes.add_api_route(path, page(name), methods=["GET"], include_in_schema=False)


def _known(line: TwilioSandbox, call_sid: str) -> Call:
    call = line.calls.get(call_sid)
    if call is None:
        raise HTTPException(404, "no such call")
    return call


def _told(call: Call, since: int) -> dict[str, Any]:
    if call.ended:
        state = "ended"
    elif call.live is not None:
        state = call.live.state
    else:
        state = "listening" if call.gather is not None else "speaking"
    shown = {"call_sid": call.sid, "state": state, "heard": call.heard[since:], "gather": call.gather or {}}
    speaks = isinstance(call.live, Relay) and call.live.speaks
    return shown | {"twiml": call.document, "speaks": speaks, "recording": call.recording.get("status", "")}


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


def _error(code: int) -> JSONResponse:
    status, message = _MESSAGES.get(code, (500, "Internal Server Error"))
    info = f"https://www.twilio.com/docs/errors/{code}"
    return JSONResponse({"code": code, "message": message, "more_info": info, "status": status}, status_code=status)
