"""The embedded tracker store: Rasa's SQL store on an SQLite file that is written without waiting for the disk."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from rasa.core.tracker_store import SQLTrackerStore

_PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA busy_timeout=2000")
"""A crash of this process loses nothing; a power cut at most the last turns, which the gateway has stored anyway."""


class SqliteTrackerStore(SQLTrackerStore):
    """Conversations in one file, which survive a restart of this process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("host", None)  # Rasa passes the endpoint's url, which a file has not
        super().__init__(*args, dialect="sqlite", **kwargs)
        sa.event.listen(self.engine, "connect", _prepare)
        self.engine.dispose()


def _prepare(connection: Any, record: Any) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma)
