"""What live pages of the desk are told, over all processes, from one reader of the feed in each."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import structlog

from hotline.agent_desk import FellBehind
from hotline.desk_store import DeskEvent, DeskEvents
from hotline.errors import TemporaryError

log = structlog.get_logger()

LOOK_S: Final = 0.2
"""How often the feed is read for what other processes have written; what this one writes is read at once."""
PAGE: Final = 500
SLOW_S: Final = 10.0
"""How long a missing number is looked for: its transaction may still be going on."""
QUEUE_SIZE: Final = 1000
CAUGHT_UP: Final = 2000
"""A page that missed more than this is told to load itself anew."""


@dataclass(eq=False, slots=True)
class _Page:
    staff_id: str = ""
    conversation_id: str = ""
    """Where it is set, this conversation alone is followed, and nobody's name matters."""
    queue: asyncio.Queue[DeskEvent | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_SIZE))

    def put(self, event: DeskEvent) -> None:
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)  # the page fell behind: it starts anew
        self.queue.put_nowait(event)


class LiveDesk:
    """Reads the feed and hands it to the pages of this process. `run` has to be going on."""

    def __init__(self, events: DeskEvents) -> None:
        self._events = events
        self._pages: set[_Page] = set()
        self._watchers: defaultdict[str, set[str]] = defaultdict(set)
        self._wake = asyncio.Event()
        self._seq: int | None = None
        self._missing: dict[int, float] = {}

    def wake(self) -> None:
        """Something was written in this process: it is told now rather than at the next look."""
        self._wake.set()

    def watch(self, staff_id: str, conversation_id: str, *, on: bool) -> None:
        """A supervisor looks on in a conversation somebody else holds: its lines are told to him too."""
        watching = self._watchers[conversation_id]
        (watching.add if on else watching.discard)(staff_id)
        if not watching:
            del self._watchers[conversation_id]

    async def follow(self, staff_id: str, *, after: int | None) -> AsyncIterator[DeskEvent]:
        """Endless: events for ``staff_id`` and for everybody, each once, from ``after`` on (None: from now).

        Raises:
            FellBehind: events have been missed.
        """
        page = _Page(staff_id=staff_id)
        self._pages.add(page)
        try:
            told = after if after is not None else await self._events.last_seq()
            caught_up = await self._since(told)
            for event in caught_up:
                if self._concerns(event, staff_id):
                    yield event
            seen = {event.seq for event in caught_up}
            while True:
                event_or_end = await page.queue.get()
                if event_or_end is None:
                    raise FellBehind
                if event_or_end.seq not in seen:
                    yield event_or_end
        finally:
            self._pages.discard(page)

    def follow_conversation(self, conversation_id: str) -> AsyncIterator[DeskEvent]:
        """Endless: what happens in the conversation from this call on; now and then something is told twice. Raises
        FellBehind."""
        page = _Page(conversation_id=conversation_id)
        self._pages.add(page)
        return self._of(page)

    async def _of(self, page: _Page) -> AsyncIterator[DeskEvent]:
        try:
            while True:
                event = await page.queue.get()
                if event is None:
                    raise FellBehind
                yield event
        finally:
            self._pages.discard(page)

    async def last_seq(self) -> int:
        """The newest event's number."""
        return await self._events.last_seq()

    async def run(self) -> None:
        """Reads on until cancelled."""
        while True:
            try:
                await self._read_on()
            except TemporaryError as error:
                log.warning("desk.feed_waits", reason=str(error))
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    async def _read_on(self) -> None:
        if self._seq is None:
            self._seq = await self._events.last_seq()
        while found := await self._events.after(self._seq, limit=PAGE):
            self._note_gaps(self._seq, found)
            self._seq = found[-1].seq
            self._hand_out(found)
        if self._missing:
            late = await self._events.among(list(self._missing))
            for event in late:
                del self._missing[event.seq]
            self._hand_out(late)
            oldest = time.monotonic() - SLOW_S
            self._missing = {seq: since for seq, since in self._missing.items() if since > oldest}

    def _note_gaps(self, before: int, found: list[DeskEvent]) -> None:
        there = {event.seq for event in found}
        now = time.monotonic()
        gaps = (seq for seq in range(before + 1, found[-1].seq) if seq not in there)
        self._missing.update({seq: now for seq in gaps})

    def _hand_out(self, events: list[DeskEvent]) -> None:
        for event in events:
            for page in tuple(self._pages):
                if self._reaches(event, page):
                    page.put(event)

    def _reaches(self, event: DeskEvent, page: _Page) -> bool:
        if page.conversation_id:
            return event.conversation_id == page.conversation_id
        return self._concerns(event, page.staff_id)

    def _concerns(self, event: DeskEvent, staff_id: str) -> bool:
        if event.staff_id in ("", staff_id):
            return True
        return staff_id in self._watchers.get(event.conversation_id, ())

    async def _since(self, seq: int) -> list[DeskEvent]:
        found = await self._events.after(seq, limit=CAUGHT_UP + 1)
        if len(found) > CAUGHT_UP:
            raise FellBehind
        return found
