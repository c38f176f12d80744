"""Days and months in what people type or say, and reckoning with months."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache

from hotline.domain.wording import words

FIRST_YEAR, LAST_YEAR = 1991, 2099
"""The fund began in Shanghai in 1991; what is outside is a slip."""

DAY = timedelta(days=1)
Found = Mapping[str, str | None]
"""The named groups of a pattern of periods.yml that matched."""

_CENTURY = 2000
_LONGEST = 200


def add_months(day: date, months: int) -> date:
    """The same day of the month ``months`` later, or the last day of that month where it has no such day.

    This is how periods of months end by 民法典 article 202.
    """
    at = day.year * 12 + day.month - 1 + months
    year, month = divmod(at, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def whole_months(first: date, last: date) -> int:
    """Full months from ``first`` to ``last``: the largest n with ``add_months(first, n)`` not after ``last``.

    Negative where ``last`` is earlier.
    """
    months = (last.year - first.year) * 12 + last.month - first.month
    return months if add_months(first, months) <= last else months - 1


def parse_day(text: str, today: date) -> date | None:
    """The day that ``text`` names for something yet to be done; None where it names none.

    A day without a year or month is the next one from ``today`` on, today included.
    """
    text = cleaned(text)
    for name, reckon in _DAYS.items():
        if found := match(name, text):
            return _checked(reckon, found, today)
    return None


def parse_month(text: str, today: date) -> date | None:
    """The first day of the month that ``text`` names; without a year the one nearest to ``today``; None: no month."""
    text = cleaned(text)
    for name in ("month_word", "month", "bare_month", "iso_month", "plain_month"):
        if found := match(name, text):
            return _checked(_month_named, found, today)
    return None


def _month_named(found: Mapping[str, str | None], today: date) -> date:
    if found.get("m"):
        return add_months(today.replace(day=1), table("months")[found["m"]])
    month = int(found["month"] or 0)
    if year := year_said(found, today):
        return date(year, month, 1)
    near = (date(today.year + shift, month, 1) for shift in (-1, 0, 1))
    return min(near, key=lambda first: abs(whole_months(today.replace(day=1), first)))


# --- days yet to come


def _day_given(found: Found, today: date) -> date:
    """A day with its year, or the next one from today on."""
    month, number = int(found["month"] or 0), int(found["day"] or 0)
    if year := year_said(found, today):
        return date(year, month, number)
    years = range(today.year, today.year + 9)  # 29 February comes within eight years
    return next(day for year in years if (day := _or_none(year, month, number)) and day >= today)


def _day_word(found: Found, today: date) -> date:
    return today + DAY * table("days")[found["word"]]


def _weekday(found: Found, today: date) -> date:
    """``next Tuesday`` is in next week; a weekday alone the next one from today on."""
    monday = today - DAY * today.weekday()
    day = monday + DAY * (table("weekdays")[found["weekday"]] - 1)
    if found["week"]:
        return day + 7 * DAY * table("weeks")[found["week"]]
    return day if day >= today else day + 7 * DAY


def _later(found: Found, today: date) -> date:
    months, days = length(found["count"] or "", found["unit"] or "")
    return add_months(today, months) + DAY * days


def _month_end(found: Found, today: date) -> date:
    first = today.replace(day=1)
    if found["month"] or found["m"]:
        first = _month_named(found, today)
    return add_months(first, 1) - DAY


def _day_of_month(found: Found, today: date) -> date:
    number, month = int(found["day"] or 0), today.replace(day=1)
    if found["m"]:
        return add_months(month, table("months")[found["m"]]).replace(day=number)
    firsts = (add_months(month, shift) for shift in range(3))
    return next(day for at in firsts if (day := _or_none(at.year, at.month, number)) and day >= today)


_DAYS: Mapping[str, Callable[[Found, date], date]] = {
    "iso_day": _day_given,
    "plain_day": _day_given,
    "day": _day_given,
    "day_word": _day_word,
    "weekday": _weekday,
    "later": _later,
    "month_end": _month_end,
    "day_of_month": _day_of_month,
}


# --- reading


def length(count: str, unit: str) -> tuple[int, int]:
    """Months and days of a count of units; half a month is half_month_days."""
    rules = words("periods")
    months, days = rules["unit_months"].get(unit, 0), rules["unit_days"].get(unit, 0)
    if count == rules["half"]:
        return (0, rules["half_month_days"]) if months == 1 else (months // 2, days // 2)
    return months * int(count), days * int(count)


def _checked(reckon: Callable[[Found, date], date], found: Found, today: date) -> date | None:
    """The day, or None where there is no such day (31 April) or its year is a slip."""
    try:
        day = reckon(found, today)
    except (ValueError, StopIteration, OverflowError):
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _or_none(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def year_said(found: Found, today: date) -> int | None:
    """The year that was said. Raises: ValueError for one that is a slip."""
    if word := found.get("y"):
        return int(today.year + table("years")[word])
    if not (written := found.get("year")):
        return None
    year = int(written) + (_CENTURY if len(written) == 2 else 0)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(year)
    return year


def match(name: str, text: str) -> Found | None:
    """What the pattern ``name`` of periods.yml finds in the whole of ``text``."""
    found = _pattern(name).fullmatch(text)
    return found.groupdict() if found else None


@cache
def _pattern(name: str) -> re.Pattern[str]:
    rules = words("periods")
    text = rules["patterns"][name]
    for name_of_table in ("years", "months", "days", "weeks", "weekdays", "halves"):
        longest_first = sorted(rules[name_of_table], key=len, reverse=True)
        text = text.replace(f"{{{name_of_table}}}", "|".join(longest_first))
    return re.compile(text)


def table(name: str) -> dict[str | None, int]:
    """A table of periods.yml: word to number."""
    found: dict[str | None, int] = words("periods")[name]
    return found


def cleaned(text: str) -> str:
    """The part of ``text`` that can name a day or period: one width, no blanks, number words as digits."""
    rules = words("periods")
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text[:_LONGEST]))
    text = re.sub(rules["noise"], "", text)
    number = f"{rules['number']}{rules['number_before']}|(?:{rules['number_after']}){rules['number']}"
    text = re.sub(number, _as_digits, text)
    runs = [run.strip(rules["edges"]) for run in re.findall(rules["letters"], text)]
    return max(runs, key=len, default="")


def _as_digits(found: re.Match[str]) -> str:
    import cn2an

    try:
        return str(int(cn2an.cn2an(found.group(), "smart")))
    except ValueError:
        return found.group()
