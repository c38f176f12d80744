"""The embedded tracker store: Rasa's SQL store on an SQLite file, with the conversations under way kept in memory."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Optional

import sqlalchemy as sa
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.trackers import DialogueStateTracker

_PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA busy_timeout=2000")
"""A crash of this process loses nothing; a power cut at most the last turns, which the gateway has stored anyway."""

KEPT = 1000
"""Conversations kept ready; an older one is read from the file again."""


class SqliteTrackerStore(SQLTrackerStore):
    """Conversations in one file, which survive a restart of this process.

    A tracker that has just been saved is what the next turn would read back, so it is handed out again instead of
    being rebuilt from its events. It leaves the memory while a turn works on it: a turn that fails half-way leaves
    nothing behind, and the next one reads the file. One process holds all conversations and Rasa works on each
    with one message at a time, so nobody else changes the file meanwhile.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("host", None)  # Rasa passes the endpoint's url, which a file has not
        super().__init__(*args, dialect="sqlite", **kwargs)
        sa.event.listen(self.engine, "connect", _prepare)
        self.engine.dispose()
        self._kept: OrderedDict[str, tuple[DialogueStateTracker, int]] = OrderedDict()
        self._written: dict[str, int] = {}

    async def retrieve(self, sender_id: str) -> Optional[DialogueStateTracker]:
        """The tracker of the conversation's present session, or None."""
        self._written.pop(sender_id, None)
        kept = self._kept.pop(sender_id, None)
        if kept is None:
            return await super().retrieve(sender_id)
        tracker, self._written[sender_id] = kept
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Everything that happened since the last save is in the file."""
        await super().save(tracker)
        self._written.pop(tracker.sender_id, None)
        self._kept[tracker.sender_id] = tracker, len(tracker.events)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def _additional_events(self, session: Any, tracker: DialogueStateTracker) -> Iterator[Any]:
        written = self._written.get(tracker.sender_id)
        if written is None:
            return super()._additional_events(session, tracker)
        return itertools.islice(tracker.events, written, None)


def _prepare(connection: Any, record: Any) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma)
