"""Days and months: today, working days, month arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import chinese_calendar  # type: ignore[import-untyped]

PEOPLE = ZoneInfo("Asia/Shanghai")


class Clock:
    """The time; with ``today`` given, shifted by whole days so that it starts on that day."""

    def __init__(self, today: date | None = None, *, read: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._read = read
        self._shift = timedelta(0) if today is None else today - read().astimezone(PEOPLE).date()

    def now(self) -> datetime:
        """Aware UTC."""
        return self._read() + self._shift

    def today(self) -> date:
        return day_of(self.now())


def day_of(moment: datetime) -> date:
    """The day it is for people."""
    return moment.astimezone(PEOPLE).date()


def as_text(moment: datetime) -> str:
    """ISO 8601 in UTC, whole seconds, with Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def is_workday(day: date) -> bool:
    """By the national calendar with its make-up days; Monday to Friday in years that are not published."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def workdays_after(day: date, count: int) -> date:
    """The ``count``-th working day after ``day``."""
    while count:
        day += timedelta(days=1)
        count -= is_workday(day)
    return day


def month_of(day: date) -> date:
    return day.replace(day=1)


def months_after(month: date, count: int) -> date:
    """The first day of the month ``count`` months later, or earlier."""
    number = month.year * 12 + month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)


def months_between(earlier: date, later: date) -> int:
    """Full months from one day to a later one."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)


@cache
def remit_on(month: date, day: int) -> date:
    """When the contributions of a month are posted: on ``day``, or the Monday after it where that is a weekend."""
    on = month.replace(day=day)
    return on + timedelta(days=(7 - on.weekday()) % 7) if on.weekday() >= 5 else on


def last_posted_month(today: date, day: int) -> date:
    """The newest month whose contributions are posted by the end of ``today``."""
    month = month_of(today)
    return month if remit_on(month, day) <= today else months_after(month, -1)
