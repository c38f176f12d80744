"""Periods in what people type or say; days and months are read in `days`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from hotline.domain.days import (
    DAY,
    Found,
    add_months,
    cleaned,
    length,
    match,
    parse_day,
    parse_month,
    table,
    whole_months,
    year_said,
)
from hotline.domain.wording import words

__all__ = ["Period", "add_months", "parse_day", "parse_month", "parse_period", "whole_months"]

_MOST_MONTHS = 12 * 40


@dataclass(frozen=True, slots=True)
class Period:
    """Both days included; ``first`` is never after ``last``."""

    first: date
    last: date


def parse_period(text: str, today: date) -> Period | None:
    """The period that ``text`` names, seen from ``today``; it ends today at the latest.

    A month without a year is the latest one that has begun, and a range without years the latest one whose second part
    has begun; else the second part lies in the first one's year or the next. A reversed range is turned round. None: no
    period is named, or it lies wholly in the future.
    """
    text = cleaned(text)
    found = _recent(text, today) or _span(text, today) or _range(text, today)
    if found is None or found.first > today:
        return None
    return Period(found.first, min(found.last, today))


# --- periods


def _span(text: str, today: date, after: date | None = None) -> Period | None:
    """A day, month, quarter, half-year, week or year. ``after``: what has no year begins there or later."""
    for name, reckon in _SPANS.items():
        if found := match(name, text):
            try:
                return reckon(found, _View(today, after))
            except ValueError:  # 31 February, year 2150
                return None
    return None


def _range(text: str, today: date) -> Period | None:
    """``since`` and ``from … to …``."""
    rules = words("periods")
    if found := re.fullmatch(f"(.+?){rules['until_now']}", text):
        begin = _span(found[1], today)
        return Period(begin.first, max(begin.first, today)) if begin else None
    for joint in re.finditer(rules["joint"], text):
        first, last = text[: joint.start()], text[joint.end() :]
        begin = _span(first, today) or _begin_without_unit(first, last, today)
        if begin is None:
            continue
        if re.fullmatch(rules["now"], last):
            return Period(begin.first, max(begin.first, today))
        if end := _span(last, today, begin.first):
            return _a_year_earlier(begin, end) if end.first > today and not _has_year(text) else _ordered(begin, end)
    return None


def _begin_without_unit(first: str, last: str, today: date) -> Period | None:
    """``1 to 3月``, ``2024 to 2025年``: the first part borrows the unit of the second."""
    return _span(first + last[-1:], today) if first[-1:].isdigit() and last and not last[-1].isdigit() else None


def _has_year(text: str) -> bool:
    return bool(re.search("|".join([r"\d{4}", *words("periods")["years"]]), text))


def _a_year_earlier(begin: Period, end: Period) -> Period:
    return Period(add_months(begin.first, -12), add_months(end.last + DAY, -12) - DAY)


def _ordered(one: Period, other: Period) -> Period:
    return Period(min(one.first, other.first), max(one.last, other.last))


def _recent(text: str, today: date) -> Period | None:
    """``the last three months``: as many months back, today included."""
    rules = words("periods")
    found = next((match for each in rules["recent"] if (match := re.fullmatch(each, text))), None)
    if found is None:
        return None
    months, days = length(found["count"], found["unit"])
    if not (days or months) or months > _MOST_MONTHS:
        return None
    return Period(add_months(today, -months) - DAY * days + DAY, today)


@dataclass(frozen=True, slots=True)
class _View:
    today: date
    after: date | None

    def placed(self, found: Mapping[str, str | None], month: int, day: int = 1) -> date:
        """The day in the year that was said; else the latest one that has begun, or the first from ``after`` on."""
        if year := year_said(found, self.today):
            return date(year, month, day)
        if self.after is None:
            this = date(self.today.year, month, day)
            return this if this <= self.today else date(self.today.year - 1, month, day)
        this = date(self.after.year, month, day)
        return this if (month, day) >= (self.after.month, 1) else date(self.after.year + 1, month, day)


def _months(first: date, count: int) -> Period:
    return Period(first, add_months(first, count) - DAY)


def _span_day(found: Found, view: _View) -> Period:
    day = view.placed(found, int(found["month"] or 0), int(found["day"] or 0))
    return Period(day, day)


def _span_day_of_month(found: Found, view: _View) -> Period:
    number = int(found["day"] or 0)
    month = (view.after or view.today).replace(day=1)
    if found.get("m"):
        month = add_months(view.today.replace(day=1), table("months")[found["m"]])
    elif view.after is None and number > view.today.day:
        month = add_months(month, -1)
    day = month.replace(day=number)
    return Period(day, day)


def _span_day_word(found: Found, view: _View) -> Period:
    day = view.today + DAY * table("days")[found["word"]]
    return Period(day, day)


def _span_month(found: Found, view: _View) -> Period:
    return _months(view.placed(found, int(found["month"] or 0)), 1)


def _span_month_word(found: Found, view: _View) -> Period:
    return _months(add_months(view.today.replace(day=1), table("months")[found["m"]]), 1)


def _span_half(found: Found, view: _View) -> Period:
    year = year_said(found, view.today) or (view.after or view.today).year
    return _months(date(year, table("halves")[found["half"]], 1), 6)


def _span_quarter(found: Found, view: _View) -> Period:
    return _months(view.placed(found, int(found["quarter"] or 0) * 3 - 2), 3)


def _span_quarter_word(found: Found, view: _View) -> Period:
    begin = date(view.today.year, (view.today.month - 1) // 3 * 3 + 1, 1)
    return _months(add_months(begin, 3 * table("months")[found["m"]]), 3)


def _span_week(found: Found, view: _View) -> Period:
    monday = view.today - DAY * view.today.weekday() + 7 * DAY * table("weeks")[found["week"]]
    return Period(monday, monday + 6 * DAY)


def _span_year(found: Found, view: _View) -> Period:
    year = year_said({**found, "year": found.get("year") or found.get("year2")}, view.today)
    return _months(date(year or 0, 1, 1), 12)


_SPANS: Mapping[str, Callable[[Found, _View], Period]] = {
    "day": _span_day,
    "iso_day": _span_day,
    "plain_day": _span_day,
    "day_word": _span_day_word,
    "day_of_month": _span_day_of_month,
    "month": _span_month,
    "bare_month": _span_month,
    "iso_month": _span_month,
    "plain_month": _span_month,
    "month_word": _span_month_word,
    "half_year": _span_half,
    "quarter": _span_quarter,
    "quarter_word": _span_quarter_word,
    "week": _span_week,
    "year": _span_year,
    "year_word": _span_year,
}
