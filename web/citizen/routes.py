"""The citizen's chat: the page, the messages it sends, and the lines it reads."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sse_starlette import EventSourceResponse
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from channels.webchat.channel import MESSAGES_PATH, START_PATH, WebChatChannel
from channels.webchat.codec import MAX_BODY_BYTES, MAX_CHARACTERS, Problem, encode_line
from channels.webchat.visitors import MAX_AGE_S, Visitors
from hotline.domain.messages import ChannelName
from hotline.errors import TemporaryError
from hotline.ports import Chats, RefusedRequest, WebhookRequest
from hotline.settings import Settings
from knowledge_base.model import Centre
from web.citizen.events import cursor, event_response
from web.citizen.guard import DATA_HEADERS, PAGE_HEADERS, is_same_origin
from web.citizen.limits import ChatGate, ChatLimits
from web.citizen.wording import Wording, load_wording

TEMPLATES = Path(__file__).with_name("templates")


def router(chats: Chats, settings: Settings, *, centre: Centre, limits: ChatLimits | None = None) -> APIRouter:
    """Routes of the chat page. `web.citizen.assets.static_files` has to be mounted at ``/static``."""
    chat = _Chat(chats, settings, centre=centre, limits=limits or ChatLimits())
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/", chat.front, methods=["GET"])
    routes.add_api_route("/chat", chat.page, methods=["GET"])
    routes.add_api_route(MESSAGES_PATH, chat.receive, methods=["POST"])
    routes.add_api_route(START_PATH, chat.receive, methods=["POST"])
    routes.add_api_route("/chat/events", chat.events, methods=["GET"], response_model=None)
    routes.add_api_route("/chat/history", chat.history, methods=["GET"])
    return routes


class _Chat:
    """The handlers and what they share."""

    def __init__(self, chats: Chats, settings: Settings, *, centre: Centre, limits: ChatLimits) -> None:
        self._chats = chats
        self._public_url = settings.gateway.public_url
        self._visitors = Visitors(
            settings.gateway.session_secret, secure=self._public_url.lower().startswith("https://")
        )
        self._channel = WebChatChannel(self._visitors)
        self._gate = ChatGate(limits)
        self._wording = load_wording(hotline=centre.hotline)
        self._html = _render(self._wording, centre)

    async def front(self) -> Response:
        return RedirectResponse("/chat", status_code=307)

    async def page(self, request: Request) -> Response:
        """The page, with a cookie that lives on for another month."""
        visitor = self._visitor(request) or self._visitors.new()
        response = HTMLResponse(self._html, headers=dict(PAGE_HEADERS))
        response.set_cookie(
            self._visitors.cookie_name,
            self._visitors.sign(visitor),
            max_age=MAX_AGE_S,
            path="/",
            httponly=True,
            samesite="lax",
            secure=self._visitors.secure,
        )
        return response

    async def receive(self, request: Request) -> Response:
        """A message or the page's start, stored and answered in the background."""
        try:
            self._check_sender(request)
            received = await self._channel.receive(await _webhook_request(request))
        except RefusedRequest as refused:
            return self._refusal(refused.status, refused.reason)
        if wait_s := self._gate.message_wait_s(self._visitor(request) or "", _address(request)):
            return self._refusal(429, "too_fast", retry_after_s=wait_s)
        if received.inbound is not None:
            try:
                await self._chats.submit(received.inbound)
            except TemporaryError:
                return self._refusal(503, "busy", retry_after_s=2)
        answer = self._channel.respond(received, None)
        return Response(answer.body, answer.status, media_type=answer.media_type, headers=dict(DATA_HEADERS))

    async def events(self, request: Request) -> EventSourceResponse | Response:
        """Lines beyond the cursor as they come, and typing states."""
        visitor = self._visitor(request)
        if refusal := self._reader_refusal(visitor, request):
            return refusal
        after = cursor(request.headers.get("last-event-id"), request.query_params.get("after"))
        return event_response(self._chats, visitor or "", after=after)

    async def history(self, request: Request) -> Response:
        """Lines beyond the cursor as they are now."""
        visitor = self._visitor(request)
        if refusal := self._reader_refusal(visitor, request):
            return refusal
        after = cursor(None, request.query_params.get("after"))
        try:
            lines = await self._chats.history(ChannelName.WEB, visitor or "", after=after)
        except TemporaryError:
            return self._refusal(503, "busy", retry_after_s=2)
        encoded = [encode_line(line, visitor=visitor or "") for line in lines]
        return JSONResponse({"lines": encoded}, headers=dict(DATA_HEADERS))

    def _visitor(self, request: Request) -> str | None:
        return self._visitors.recognise(request.headers.get("cookie", ""))

    def _check_sender(self, request: Request) -> None:
        if not is_same_origin(request.headers, public_url=self._public_url):
            raise RefusedRequest(403, "cross_origin")
        # A form of another page cannot send this type without asking first.
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise RefusedRequest(415, "not_json")

    def _reader_refusal(self, visitor: str | None, request: Request) -> Response | None:
        if visitor is None:
            return self._refusal(401, "no_visitor")
        if wait_s := self._gate.read_wait_s(visitor, _address(request)):
            return self._refusal(429, "too_fast", retry_after_s=wait_s)
        return None

    def _refusal(self, status: int, code: str, *, retry_after_s: int = 0) -> Response:
        headers = dict(DATA_HEADERS) | ({"Retry-After": str(retry_after_s)} if retry_after_s else {})
        return JSONResponse({"code": code, "message": self._wording.problem(code)}, status, headers=headers)


def _render(wording: Wording, centre: Centre) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    script = {**wording.script, "max": MAX_CHARACTERS}
    return environment.get_template("chat.html").render(centre=centre, t=wording.page, script=script)


async def _webhook_request(request: Request) -> WebhookRequest:
    return WebhookRequest(
        method=request.method,
        url=str(request.url),
        headers={name.lower(): value for name, value in request.headers.items()},
        query=dict(request.query_params),
        body=await _body(request),
        client_ip=_address(request),
    )


async def _body(request: Request) -> bytes:
    """The body, read no further than a message may be long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise RefusedRequest(413, Problem.TOO_LARGE.value)
    return bytes(body)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
