"""Working days of the national calendar, make-up days (调休) included.

The calendar is the package chinesecalendar, which holds the yearly notices of the General Office of the State Council
(国务院办公厅关于部分节假日安排的通知). A notice comes out in the autumn before its year: of a year without one only the
weekends are known, and every answer that leans on such a year says that it is provisional.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

_SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A day counted in working days. ``provisional``: a day on the way lies in a year whose holidays are not known."""

    day: date
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A number of working days; ``provisional`` as in `Due`."""

    days: int
    provisional: bool


def is_published(year: int) -> bool:
    """Whether the holidays of ``year`` are known."""
    first, last = _years()
    return first <= year <= last


def is_workday(day: date) -> bool:
    """Whether ``day`` is worked; in a year that is not published: whether it is no Saturday or Sunday."""
    if not is_published(day.year):
        return day.weekday() < _SATURDAY
    import chinese_calendar  # type: ignore[import-untyped]

    return bool(chinese_calendar.is_workday(day))


def add_workdays(day: date, n: int) -> Due:
    """The ``n``-th working day after ``day``; with ``n`` 0 the first one on or after it.

    The day itself is not counted (民法典 article 201: 开始的当日不计入).

    Raises:
        ValueError: ``n`` is negative.
    """
    if n < 0:
        raise ValueError("working days are counted forward")
    start, left = day, n
    if n == 0 and not is_workday(day):
        left = 1
    while left:
        day += _DAY
        left -= is_workday(day)
    return Due(day=day, provisional=_unpublished(start, day))


def workdays_between(first: date, last: date) -> Count:
    """Working days after ``first`` up to ``last``, ``last`` included; 0 where ``last`` is not later."""
    days = (first + _DAY * at for at in range(1, (last - first).days + 1))
    return Count(days=sum(map(is_workday, days)), provisional=last > first and _unpublished(first, last))


def _unpublished(first: date, last: date) -> bool:
    return not (is_published(first.year) and is_published(last.year))


@cache
def _years() -> tuple[int, int]:
    from chinese_calendar.constants import holidays  # type: ignore[import-untyped]

    return min(holidays).year, max(holidays).year
