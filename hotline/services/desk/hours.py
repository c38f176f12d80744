"""When people are at the desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

import yaml

from hotline.domain.clock import SHANGHAI
from hotline.domain.workdays import is_workday

_FILE = Path(__file__).with_name("hours.yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskHours:
    """Spans of a working day in which somebody is at the desk; ``words`` says them to citizens."""

    spans: tuple[tuple[time, time], ...]
    words: str

    def are_now(self, now: datetime) -> bool:
        """Whether the desk is open at ``now``: a working day of the national calendar, make-up days included."""
        local = now.astimezone(SHANGHAI)
        return is_workday(local.date()) and any(first <= local.time() < last for first, last in self.spans)


def desk_hours(centre: str) -> DeskHours:
    """The hours of the centre, or the usual ones."""
    data: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    found = data["centres"].get(centre, data["default"])
    return DeskHours(spans=tuple(_span(each) for each in found["spans"]), words=found["words"])


def _span(written: str) -> tuple[time, time]:
    first, last = written.split("-")
    return time.fromisoformat(first), time.fromisoformat(last)
