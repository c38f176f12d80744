"""Until when a work order has to be done: working days of the national calendar, hours of Asia/Shanghai.

The clock runs on while the citizen is waited for: what was promised to him was a day, and the day does not move because
of a question we asked. Only a supervisor moves it, with a reason (`hotline.domain.work_order_changes.extend`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from hotline.domain.clock import SHANGHAI
from hotline.domain.workdays import Due, add_workdays, is_workday

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceHours:
    """From when to when orders are worked on a working day, Asia/Shanghai."""

    opens: time
    closes: time

    def on(self, day: date) -> tuple[datetime, datetime]:
        """The hours of ``day``, whatever day it is."""
        return datetime.combine(day, self.opens, SHANGHAI), datetime.combine(day, self.closes, SHANGHAI)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """``due_at``: the end of the service hours of the due day. ``provisional``: a day on the way lies in a year whose
    holidays are not published. ``remind_at``: when the reminder's share of the working hours until then has passed.
    ``escalate_at``: the first service hour after the due day."""

    due_at: datetime
    provisional: bool
    remind_at: datetime
    escalate_at: datetime


def deadline(start: datetime, workdays: int, *, hours: ServiceHours, share_percent: int) -> Deadline:
    """``workdays`` working days after the day of ``start``, which is not counted."""
    due = add_workdays(start.astimezone(SHANGHAI).date(), workdays)
    return deadline_on(start, due, hours=hours, share_percent=share_percent)


def deadline_on(start: datetime, due: Due, *, hours: ServiceHours, share_percent: int) -> Deadline:
    """The same for a due day that is known. The reminder's share is counted from ``start``."""
    due_at = hours.on(due.day)[1]
    after = add_workdays(due.day, 1)
    wanted = worked(start, due_at, hours=hours) * share_percent / 100
    return Deadline(
        due_at=due_at.astimezone(start.tzinfo),
        provisional=due.provisional,
        remind_at=_after(start, due_at, wanted, hours=hours).astimezone(start.tzinfo),
        escalate_at=hours.on(after.day)[0].astimezone(start.tzinfo),
    )


def end_of_workday(start: datetime, workdays: int, *, hours: ServiceHours) -> datetime:
    """The end of the service hours ``workdays`` working days after ``start``."""
    due = add_workdays(start.astimezone(SHANGHAI).date(), workdays)
    return hours.on(due.day)[1].astimezone(start.tzinfo)


def worked(first: datetime, last: datetime, *, hours: ServiceHours) -> timedelta:
    """Service hours of working days between ``first`` and ``last``."""
    return sum((end - begin for begin, end in _spans(first, last, hours)), start=timedelta())


def _after(first: datetime, last: datetime, wanted: timedelta, *, hours: ServiceHours) -> datetime:
    """When ``wanted`` service hours have passed since ``first``; ``last`` where there are none that many."""
    for begin, end in _spans(first, last, hours):
        if wanted <= end - begin:
            return begin + wanted
        wanted -= end - begin
    return last


def _spans(first: datetime, last: datetime, hours: ServiceHours) -> Iterator[tuple[datetime, datetime]]:
    day = first.astimezone(SHANGHAI).date()
    while day <= last.astimezone(SHANGHAI).date():
        opens, closes = hours.on(day)
        begin, end = max(first, opens), min(last, closes)
        if is_workday(day) and begin < end:
            yield begin, end
        day += _DAY
