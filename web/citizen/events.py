"""A conversation as server-sent events: ``line`` with its number as id, ``typing`` without one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from channels.webchat.codec import encode_line, encode_typing
from hotline.domain.messages import ChannelName
from hotline.errors import TemporaryError
from hotline.ports import ChatLine, Chats, Typing
from web.citizen.guard import DATA_HEADERS

HEART_BEAT_S = 15
RETRY_MS = 2000
SEND_TIMEOUT_S = 30.0
"""A reader that takes nothing for this long is gone, whatever its connection says."""


async def chat_events(chats: Chats, visitor: str, *, after: int) -> AsyncIterator[ServerSentEvent]:
    """Everything ``visitor`` has not seen beyond line ``after``, then what happens, until cancelled.

    Ends quietly where storage is out of reach: the page asks again from its last line."""
    # The first bytes tell proxies and the page that the stream is open.
    yield ServerSentEvent(comment="open", retry=RETRY_MS)
    try:
        async for event in chats.stream(ChannelName.WEB, visitor, after=after):
            yield _sent(event, visitor)
    except TemporaryError:
        return


def _sent(event: ChatLine | Typing, visitor: str) -> ServerSentEvent:
    if isinstance(event, Typing):
        return ServerSentEvent(event="typing", data=_json(encode_typing(event)))
    return ServerSentEvent(event="line", id=str(event.seq), data=_json(encode_line(event, visitor=visitor)))


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _EventStream(EventSourceResponse):
    """Ends without an error when its reader takes nothing any more: phones leave like that every day."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(SendTimeoutError):
            await super().__call__(scope, receive, send)


def event_response(chats: Chats, visitor: str, *, after: int) -> EventSourceResponse:
    """The endless response, with a heart-beat comment so that no proxy thinks it idle."""
    return _EventStream(
        chat_events(chats, visitor, after=after),
        ping=HEART_BEAT_S,
        ping_message_factory=lambda: ServerSentEvent(comment="beat"),
        send_timeout=SEND_TIMEOUT_S,
        headers=dict(DATA_HEADERS),
    )


def cursor(last_event_id: str | None, after: str | None) -> int:
    """The larger of the two line numbers the page may name; 0 for what is no number."""
    numbers = (_number(value) for value in (last_event_id, after))
    return max(numbers)


def _number(value: str | None) -> int:
    # Bounded to what a database integer holds.
    return int(value) if value and value.isascii() and value.isdigit() and len(value) <= 18 else 0
