"""Due times on the working-day calendar: make-up days (调休), long holidays, years that are not published yet."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.clock import SHANGHAI
from hotline.domain.work_order_time import ServiceHours, deadline, deadline_on, end_of_workday, worked
from hotline.domain.work_orders import OrderType
from hotline.domain.workdays import Due, add_workdays, is_workday
from hotline.services.work_orders.limits import FILE, order_limits

HOURS = ServiceHours(opens=time(9), closes=time(17))
FIRST, LAST = datetime(2025, 1, 1), datetime(2026, 11, 30)  # noqa: DTZ001 - Hypothesis puts the zone on
moments = st.datetimes(min_value=FIRST, max_value=LAST, timezones=st.just(SHANGHAI))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("opened", "workdays", "due", "why"),
    [
        ("2026-11-25T10:00", 1, "2026-11-26", "an ordinary Wednesday"),
        ("2026-11-27T23:30", 1, "2026-11-30", "Friday night: the day is not counted, the weekend is not worked"),
        ("2026-11-28T10:00", 1, "2026-11-30", "Saturday"),
        ("2026-09-30T10:00", 1, "2026-10-08", "the day before National Day"),
        ("2026-09-30T10:00", 3, "2026-10-10", "Saturday 10 October is worked"),
        ("2026-09-18T16:00", 1, "2026-09-20", "Sunday 20 September is worked"),
        ("2026-02-13T09:00", 1, "2026-02-14", "Saturday 14 February is worked"),
        ("2026-02-14T16:59", 1, "2026-02-24", "Spring Festival"),
        ("2026-02-14T16:59", 5, "2026-02-28", "Saturday 28 February is worked"),
        ("2026-04-30T08:00", 3, "2026-05-08", "Labour Day; 9 May is worked, but not needed"),
        ("2026-05-06T08:00", 3, "2026-05-09", "Saturday 9 May is worked"),
    ],
)
def test_due_days_over_holidays(opened: str, workdays: int, due: str, why: str) -> None:
    found = deadline(at(opened), workdays, hours=HOURS, share_percent=80)
    assert found.due_at == at(f"{due}T17:00"), why
    assert not found.provisional


def test_a_due_day_in_a_year_that_is_not_published_is_provisional() -> None:
    found = deadline(at("2026-12-31T10:00"), 1, hours=HOURS, share_percent=80)
    assert (found.due_at, found.provisional) == (at("2027-01-01T17:00"), True)
    assert deadline(at("2026-12-29T10:00"), 1, hours=HOURS, share_percent=80).provisional is False


@pytest.mark.parametrize(
    ("opened", "workdays", "reminded"),
    [
        ("2026-11-25T09:00", 1, "2026-11-26T13:48"),  # 80 % of 16 hours
        ("2026-11-25T17:00", 1, "2026-11-26T15:24"),  # of the 8 hours of the due day
        ("2026-11-27T20:00", 1, "2026-11-30T15:24"),  # not in the night of a weekend
        ("2026-09-30T13:00", 1, "2026-10-08T14:36"),  # not in the holiday
    ],
)
def test_the_reminder_comes_when_its_share_of_the_service_hours_has_passed(
    opened: str, workdays: int, reminded: str
) -> None:
    assert deadline(at(opened), workdays, hours=HOURS, share_percent=80).remind_at == at(reminded)


def test_the_supervisors_hear_of_it_in_the_first_service_hour_after_the_due_day() -> None:
    assert deadline(at("2026-11-26T10:00"), 1, hours=HOURS, share_percent=80).escalate_at == at("2026-11-30T09:00")
    assert deadline(at("2026-09-29T10:00"), 1, hours=HOURS, share_percent=80).escalate_at == at("2026-10-08T09:00")


def test_a_due_day_that_leaves_no_service_hours_reminds_at_the_due_time() -> None:
    start = at("2026-11-25T18:00")
    found = deadline_on(start, Due(day=date(2026, 11, 25), provisional=False), hours=HOURS, share_percent=80)
    assert found.remind_at == found.due_at == at("2026-11-25T17:00")


def test_service_hours_are_those_of_working_days_only() -> None:
    assert worked(at("2026-11-27T16:00"), at("2026-11-30T10:00"), hours=HOURS) == timedelta(hours=2)
    assert worked(at("2026-10-01T00:00"), at("2026-10-07T23:59"), hours=HOURS) == timedelta()
    assert worked(at("2026-11-25T20:00"), at("2026-11-25T12:00"), hours=HOURS) == timedelta()


def test_the_end_of_a_working_day_some_days_on() -> None:
    assert end_of_workday(at("2026-11-27T10:00"), 3, hours=HOURS) == at("2026-12-02T17:00")


@given(start=moments, workdays=st.integers(1, 15), share=st.integers(1, 99))
def test_the_order_of_a_deadline_s_moments_and_their_days(start: datetime, workdays: int, share: int) -> None:
    found = deadline(start, workdays, hours=HOURS, share_percent=share)
    assert start < found.remind_at <= found.due_at < found.escalate_at
    assert found.due_at.tzinfo == start.tzinfo
    for moment in (found.due_at, found.escalate_at, found.remind_at):
        assert is_workday(moment.astimezone(SHANGHAI).date())
    assert found.due_at.date() == add_workdays(start.date(), workdays).day
    passed = worked(start, found.remind_at, hours=HOURS)
    assert abs(passed - worked(start, found.due_at, hours=HOURS) * share / 100) < timedelta(milliseconds=1)


@given(start=moments, workdays=st.integers(1, 10))
def test_one_more_working_day_is_due_later(start: datetime, workdays: int) -> None:
    one = deadline(start, workdays, hours=HOURS, share_percent=80)
    more = deadline(start, workdays + 1, hours=HOURS, share_percent=80)
    assert one.due_at < more.due_at
    assert one.remind_at < more.remind_at


def test_every_type_has_its_working_days_and_every_figure_a_source() -> None:
    limits = order_limits("guangzhou")
    assert (limits.workdays[OrderType.CONSULT], limits.workdays[OrderType.COMPLAINT]) == (1, 3)
    assert limits.workdays[OrderType.APPEAL] == 5
    assert set(limits.workdays) == set(OrderType)
    assert (limits.remind_percent, limits.hours) == (80, HOURS)
    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for name, figure in [*data["figures"].items(), ("hours", data["hours"])]:
        assert figure["source"]["title"], name
        assert figure["source"]["strength"] in ("official", "reposted", "weak"), name
        assert isinstance(figure["from"], date), name
        assert name == "hours" or figure["unit"], name
