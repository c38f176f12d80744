"""What our gateway noted about the turns of a load: how they ended, and where the time went."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.load.figures import mean

_ROWS = "SELECT inbox_id, outcome, intent, degraded, ms FROM turns WHERE inbox_id > ? ORDER BY inbox_id"
DEGRADED = "degraded"
"""Answered by knowledge search alone, because Rasa did not answer in time."""
FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Noted:
    """``outcomes`` counts answered, clarified, handoff and rejected, and of these the degraded and faulty once more."""

    outcomes: dict[str, int]
    hops_ms: dict[str, float]


def last_turn(database: Path) -> int:
    """The number of the newest turn; 0 before the first."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as opened:
        return int(opened.execute("SELECT coalesce(max(inbox_id), 0) FROM turns").fetchone()[0])


def noted_since(database: Path, turn: int, *, skip: int) -> Noted:
    """Over the turns after number ``turn``, without the first ``skip`` of them (the warm-up)."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as opened:
        rows = opened.execute(_ROWS, (turn,)).fetchall()[skip:]
    outcomes: Counter[str] = Counter()
    hops: defaultdict[str, list[float]] = defaultdict(list)
    for _, outcome, intent, degraded, ms in rows:
        outcomes[outcome] += 1
        outcomes[DEGRADED] += bool(degraded)
        outcomes[FAULT] += intent == FAULT
        for hop, value in json.loads(ms).items():
            hops[hop].append(value)
    return Noted(dict(+outcomes), {hop: round(mean(values), 1) for hop, values in hops.items()})
