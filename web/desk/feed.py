"""The desk's feed as server-sent events: one stream for each open page.

It tells that something has happened, not what was said: pages read lines from storage by their own cursor."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import anyio
from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from hotline.agent_desk import AgentDesk, FellBehind
from hotline.desk_store import DeskEvent
from hotline.domain.desk import Agent
from hotline.errors import TemporaryError
from web.citizen.guard import DATA_HEADERS
from web.desk.entrance import Member
from web.desk.forms import number

HEART_BEAT_S: Final = 15
RETRY_MS: Final = 2000
SEND_TIMEOUT_S: Final = 30.0
"""A reader that takes nothing for this long is gone, whatever its connection says."""
LEAVING_S: Final = 2.0


StillIn = Callable[[], Awaitable[bool]]


async def _always() -> bool:
    return True


class DeskFeed:
    """Streams of one process."""

    def __init__(self, desk: AgentDesk, clock: Callable[[], datetime], *, beat_s: float = HEART_BEAT_S) -> None:
        self._desk = desk
        self._clock = clock
        self._beat_s = beat_s
        self._open: dict[str, int] = {}

    async def events(
        self, agent: Agent, *, after: int | None, at_desk: bool, watching: str = "", still_in: StillIn = _always
    ) -> AsyncIterator[ServerSentEvent]:
        """``hello``, then everything that concerns ``agent`` beyond ``after``, until cancelled.

        ``at_desk``: he is present while this goes on. ``watching``: a conversation of somebody else that he looks on.
        ``still_in``: asked at every beat whether he may go on, which counts as use of his session. ``behind`` tells the
        page that it has missed something and reads everything again. Ends quietly where storage is out of reach or he
        may not go on: the page asks again from where it was, and is let in or not.
        """
        yield ServerSentEvent(comment="open", retry=RETRY_MS)
        beat = asyncio.create_task(self._beat(agent.staff_id if at_desk else "", still_in))
        try:
            await self._come(agent, at_desk=at_desk, watching=watching)
            seq = after if after is not None else await self._desk.last_seq()
            yield _event("hello", {"now": self._clock().isoformat()}, seq=seq)
            while True:
                try:
                    async for event in _until(beat, self._desk.follow(agent.staff_id, after=seq)):
                        yield _told(event)
                except FellBehind:
                    seq = await self._desk.last_seq()
                    yield _event("behind", {}, seq=seq)
                else:
                    return
        except TemporaryError:
            return
        finally:
            beat.cancel()
            await self._leave(agent, at_desk=at_desk, watching=watching)

    def response(self, request: Request, member: Member, *, at_desk: bool, watching: str = "") -> EventSourceResponse:
        """The endless response, with a heart-beat comment so that no proxy thinks it idle."""
        after = number(request.headers.get("last-event-id") or request.query_params.get("after"))
        return _EventStream(
            self.events(member.agent, after=after, at_desk=at_desk, watching=watching, still_in=member.still_in),
            ping=HEART_BEAT_S,
            ping_message_factory=lambda: ServerSentEvent(comment="beat"),
            send_timeout=SEND_TIMEOUT_S,
            headers=dict(DATA_HEADERS),
        )

    async def _come(self, agent: Agent, *, at_desk: bool, watching: str) -> None:
        if at_desk:
            self._open[agent.staff_id] = self._open.get(agent.staff_id, 0) + 1
            await self._desk.connect(agent)
        if watching:
            await self._desk.watch(watching, agent=agent, on=True)

    async def _leave(self, agent: Agent, *, at_desk: bool, watching: str) -> None:
        """Shielded: the stream ends by being cancelled."""
        with anyio.move_on_after(LEAVING_S, shield=True), suppress(TemporaryError):
            if watching:
                await self._desk.watch(watching, agent=agent, on=False)
            if at_desk and self._is_last(agent.staff_id):
                await self._desk.disconnect(agent.staff_id)

    def _is_last(self, staff_id: str) -> bool:
        left = self._open.get(staff_id, 1) - 1
        if left > 0:
            self._open[staff_id] = left
            return False
        self._open.pop(staff_id, None)
        return True

    async def _beat(self, staff_id: str, still_in: StillIn) -> None:
        """Ends when the member may not go on."""
        while True:
            await asyncio.sleep(self._beat_s)
            with suppress(TemporaryError):
                if not await still_in():
                    return
                if staff_id:
                    await self._desk.seen(staff_id)


async def _until(end: asyncio.Task[None], events: AsyncIterator[DeskEvent]) -> AsyncIterator[DeskEvent]:
    """``events`` until ``end`` is done."""
    while True:
        step = asyncio.ensure_future(anext(events))
        try:
            await asyncio.wait({step, end}, return_when=asyncio.FIRST_COMPLETED)
            if not step.done():
                return
            yield step.result()
        except StopAsyncIteration:
            return
        finally:
            step.cancel()


class _EventStream(EventSourceResponse):
    """Ends without an error when its reader takes nothing any more."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(SendTimeoutError):
            await super().__call__(scope, receive, send)


def _told(event: DeskEvent) -> ServerSentEvent:
    told = {
        "kind": event.kind,
        "conversation": event.conversation_id,
        "handover": event.handover_id,
        "staff": event.staff_id,
        "data": dict(event.data),
    }
    return _event("desk", told, seq=event.seq)


def _event(name: str, data: dict[str, Any], *, seq: int) -> ServerSentEvent:
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # An event without a lasting place in the feed (typing) must not move the page's cursor.
    return ServerSentEvent(event=name, id=str(seq) if seq else None, data=written)
