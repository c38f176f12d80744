"""Calls by ConversationRelay: the WebSocket that Twilio opens, and the webhooks around it.

Every request is signed by Twilio, the handshake of the WebSocket over the address it was told, which a proxy in front
of us has rewritten. That signature is the same for every call, so a socket also has to show the ticket that our
document gave it for its call.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from fastapi import APIRouter, Request, Response, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState
from twilio.request_validator import RequestValidator

from channels.twilio_signature import verified_form
from channels.voice import codec as forms
from channels.voice.acts import Caller
from channels.voice.relay.calls import RelayCalls, RunCall
from channels.voice.relay.codec import MAX_CHARACTERS, Malformed, Setup, decode, handoff_of
from channels.voice.relay.control import CallControl, CallsApi
from channels.voice.relay.documents import (
    AFTER,
    DIALLED,
    DIALLED_AS,
    PATH,
    QUEUED,
    RECORDING,
    RESUMED,
    TICKET,
    WHISPER,
    Documents,
    socket_url,
    ticket_of,
)
from channels.voice.relay.link import BROKEN, GOING_AWAY, POLICY, SocketClosed
from channels.voice.relay.saying import Pace
from channels.voice.relay.session import Next, RelaySession
from channels.voice.relay.sounds import NAMES, wav
from channels.voice.relay.wording import relay_wording
from channels.voice.session import Call
from hotline.bootstrap import Core
from hotline.ports import RefusedRequest
from hotline.settings import Settings
from hotline.storage.channel_store import PASSING, SqlChannelStore
from web.webhooks import read_request

log = structlog.get_logger()

SETUP_S: Final = 5.0
IDLE_S: Final = 900.0
TOO_BIG: Final = 1009
_XML: Final = "text/xml; charset=utf-8"
_TRIES: Final = 2
"""So often in a row a broken relay is begun anew."""
_LASTED_S: Final = 30
"""A relay that lasted so long before it broke was none that never worked."""
_DIAL_STATUSES: Final = frozenset({"completed", "answered", "busy", "no-answer", "failed", "canceled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long a socket may be silent, and what the session waits for. Tests make it short."""

    setup_s: float = SETUP_S
    idle_s: float = IDLE_S
    pace: Pace | None = None


class VoiceRelay:
    """``router`` goes into the application before the webhook of every channel; `close` belongs to its end."""

    def __init__(self, core: Core, run_call: RunCall, *, times: Times | None = None) -> None:
        """``run_call`` leads the dialogue of one call and returns when it is over."""
        self._core = core
        self._settings = core.settings.twilio
        self._public = core.settings.gateway.public_url.rstrip("/")
        self._documents = Documents(self._settings, self._public)
        self._api = CallsApi(self._settings, self._public)
        self._times = times or Times()
        self.calls = RelayCalls(run_call, self._begin)
        self._hooks = Webhooks(core.settings, self._documents, self.calls, core.storage.channel_store)
        self.router = self._routes()

    async def close(self) -> None:
        """Calls are let go: Twilio asks another process what comes next."""
        await self.calls.close()
        self._api.close()

    def _begin(self, setup: Setup) -> RelaySession:
        number = Caller(call=setup.call, number=setup.caller).known_number
        back = {RESUMED: "1"}
        return RelaySession(
            Call(id=setup.call, line="relay", caller=number, called=setup.called),
            control=CallControl(self._api, setup.call, back=lambda: self._documents.relay(setup.call, given=back)),
            can_transfer=bool(self._settings.relay.agents),
            sound=self._documents.sound,
            pace=self._times.pace,
        )

    def _routes(self) -> APIRouter:
        routes = APIRouter(include_in_schema=False)
        routes.add_api_websocket_route(PATH, self._talk)
        answers = {
            AFTER: self._hooks.after,
            DIALLED: self._hooks.dialled,
            WHISPER: self._hooks.whisper,
            QUEUED: self._hooks.queued,
        }
        for path, answer in answers.items():
            routes.add_api_route(path, self._webhook(answer), methods=["GET", "POST"])
        routes.add_api_route(RECORDING, self._recording, methods=["GET", "POST"])
        routes.add_api_route(f"{PATH}/sounds/{{name}}.wav", _sound, methods=["GET"])
        return routes

    # --- the socket ----------------------------------------------------------------------------------------------

    async def _talk(self, websocket: WebSocket) -> None:
        if not self._is_signed(websocket):
            log.warning("channel.request.refused", channel="voice", status=403, reason="handshake not signed")
            await websocket.close(POLICY)  # before it is accepted: the answer is 403
            return
        await websocket.accept()
        socket = _Socket(websocket, idle_s=self._times.idle_s)
        try:
            setup = await self._setup(socket)
        except (SocketClosed, TimeoutError, Malformed) as error:
            log.warning("channel.request.refused", channel="voice", status=POLICY, reason=_why(error))
            await socket.close(POLICY)
            return
        await self.calls.serve(setup, socket)

    def _is_signed(self, websocket: WebSocket) -> bool:
        signature = websocket.headers.get("x-twilio-signature", "")
        validator = RequestValidator(self._settings.auth_token.get_secret_value())
        # Twilio sends no query to such an address, and none was signed.
        return bool(
            signature and not websocket.url.query and validator.validate(socket_url(self._public), {}, signature)
        )

    async def _setup(self, socket: _Socket) -> Setup:
        """The first message, which says what call this is. Raises Malformed, TimeoutError, SocketClosed."""
        async with asyncio.timeout(self._times.setup_s):
            message = decode(await socket.receive())
        if not isinstance(message, Setup):
            raise Malformed("no setup")
        if message.account != self._settings.account_sid:
            raise Malformed("another account")
        ticket = message.parameters.get(TICKET, "")
        if not hmac.compare_digest(ticket.encode(), ticket_of(message.call, self._settings).encode()):
            raise Malformed("another call's ticket")
        return message

    # --- webhooks ------------------------------------------------------------------------------------------------

    def _webhook(self, answer: Callable[[dict[str, str], str], str]) -> Callable[[Request], object]:
        async def hook(request: Request) -> Response:
            try:
                form = await self._form(request)
                return Response(answer(form, request.query_params.get("tried", "0")), media_type=_XML)
            except RefusedRequest as refusal:
                return _refused(refusal)

        return hook

    async def _recording(self, request: Request) -> Response:
        try:
            return await self._hooks.recording(await self._form(request))
        except RefusedRequest as refusal:
            return _refused(refusal)

    async def _form(self, request: Request) -> dict[str, str]:
        return verified_form(await read_request(self._core, request), self._settings)


class Webhooks:
    """What Twilio is answered; every answer follows from the request alone, so a repeated one is answered alike."""

    def __init__(self, settings: Settings, documents: Documents, calls: RelayCalls, states: SqlChannelStore) -> None:
        self._documents = documents
        self._calls = calls
        self._states = states
        self._workflow = settings.twilio.relay.workflow_sid

    def after(self, form: dict[str, str], tried: str) -> str:
        """The relay is over: because we ended it, because the caller hung up, or because the socket broke."""
        call = self._call(form)
        if call is None:
            return self._documents.nothing()
        handoff = handoff_of(form.get("HandoffData", ""))
        match handoff.get("next"):
            case Next.HANG_UP:
                return self._documents.hang_up()
            case Next.DIAL:
                return self._dial(handoff)
            case Next.GATHER:
                return self._documents.gather(relay_wording().slower)
        log.warning(
            "voice.relay.ended", channel="voice", status=form.get("SessionStatus"), reason=form.get("ErrorCode")
        )
        return self._again(call, 0 if _number(form.get("SessionDuration", "0")) >= _LASTED_S else _number(tried))

    def dialled(self, form: dict[str, str], _tried: str) -> str:
        """The agent's telephone is not answered, or has hung up; the caller goes on with us."""
        call = self._call(form)
        if call is None:
            return self._documents.nothing()
        status = form.get("DialCallStatus", "")
        became = status if status in _DIAL_STATUSES else "failed"
        return self._documents.relay(call, given={RESUMED: "1", DIALLED_AS: became})

    def whisper(self, form: dict[str, str], _tried: str) -> str:
        """The agent has answered. This request is for his call; ``ParentCallSid`` is the caller's."""
        return self._documents.whisper(self._calls.answered(form.get("ParentCallSid", "")))

    def queued(self, form: dict[str, str], _tried: str) -> str:
        """The caller has left TaskRouter's queue."""
        if self._call(form) is None:
            return self._documents.nothing()
        if form.get("QueueResult") in ("bridged", "hangup", "bridging-in-process"):
            return self._documents.hang_up(relay_wording().goodbye)
        return self._documents.gather(relay_wording().slower)

    async def recording(self, form: dict[str, str]) -> Response:
        """Notes once how a recording stands. The sound stays with Twilio."""
        recording, status = form.get("RecordingSid", "")[:64], form.get("RecordingStatus", "")[:32]
        mark = {"seconds": _number(form.get("RecordingDuration", "0"))}
        if await self._states.put_state(PASSING, f"recording:{recording}:{status}", mark, version=1):
            log.info("voice.recording.reported", channel="voice", status=status)
        return Response(status_code=204)

    def _call(self, form: dict[str, str]) -> str | None:
        """The call that goes on; None where it is over, which its session is told."""
        call = forms.caller_of(form).call
        if not forms.is_over(form):
            return call
        self._calls.left(call)
        return None

    def _dial(self, handoff: dict[str, str]) -> str:
        try:
            return self._documents.dial(handoff)
        except ValueError:
            log.error("voice.relay.no_target", channel="voice")
            return self._documents.gather(relay_wording().slower)

    def _again(self, call: str, tried: int) -> str:
        words = relay_wording()
        if tried < _TRIES:
            return self._documents.relay(call, says=words.again, tried=tried + 1, given={RESUMED: "1"})
        if self._workflow:
            return self._documents.enqueue(words.person, reason="relay_failed")
        return self._documents.gather(words.slower)


class _Socket:
    """`channels.voice.relay.link.TextSocket` over Starlette's."""

    def __init__(self, websocket: WebSocket, *, idle_s: float) -> None:
        self._websocket = websocket
        self._idle_s = idle_s

    async def receive(self) -> str:
        try:
            async with asyncio.timeout(self._idle_s):
                message = await self._websocket.receive()
        except TimeoutError as error:
            await self.close(GOING_AWAY)
            raise SocketClosed(GOING_AWAY) from error
        except RuntimeError as error:  # received from after its end
            raise SocketClosed(BROKEN) from error
        if message["type"] == "websocket.disconnect":
            raise SocketClosed(int(message.get("code") or BROKEN))
        text = message.get("text") or ""
        if len(text) > MAX_CHARACTERS:
            await self.close(TOO_BIG)
            raise SocketClosed(TOO_BIG)
        return text

    async def send(self, message: str) -> None:
        try:
            await self._websocket.send_text(message)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise SocketClosed(BROKEN) from error

    async def close(self, code: int) -> None:
        states = (self._websocket.application_state, self._websocket.client_state)
        if WebSocketState.DISCONNECTED in states:
            return
        try:
            await self._websocket.close(code)
        except RuntimeError:  # the other side was faster
            return


async def _sound(name: str) -> Response:
    """No secret: Twilio fetches it without a signature."""
    if name not in NAMES:
        return Response(status_code=404)
    sound = await asyncio.to_thread(wav, name)
    return Response(sound, media_type="audio/wav", headers={"Cache-Control": "public, max-age=86400"})


def _refused(refusal: RefusedRequest) -> Response:
    log.warning("channel.request.refused", channel="voice", status=refusal.status, reason=refusal.reason)
    return Response(status_code=refusal.status, content=refusal.reason, media_type="text/plain")


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 6 else 0


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
