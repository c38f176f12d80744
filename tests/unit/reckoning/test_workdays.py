from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.workdays import Count, Due, add_workdays, is_published, is_workday, workdays_between


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 2, 14), True),  # Saturday made up for the Spring Festival
        (date(2026, 2, 17), False),  # Spring Festival
        (date(2026, 10, 1), False),
        (date(2026, 10, 10), True),  # Saturday made up for National Day
        (date(2026, 11, 21), False),
        (date(2026, 11, 23), True),
    ],
)
def test_make_up_days_are_worked_and_holidays_are_not(day: date, worked: bool) -> None:
    assert is_workday(day) is worked


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        (date(2026, 11, 23), 3, date(2026, 11, 26)),
        (date(2026, 11, 20), 1, date(2026, 11, 23)),
        (date(2026, 9, 30), 3, date(2026, 10, 10)),
        (date(2026, 11, 21), 0, date(2026, 11, 23)),
        (date(2026, 11, 23), 0, date(2026, 11, 23)),
    ],
)
def test_the_day_itself_is_not_counted(start: date, days: int, due: date) -> None:
    assert add_workdays(start, days) == Due(day=due, provisional=False)


def test_a_day_in_a_year_without_a_notice_is_provisional_and_counts_weekends_only() -> None:
    assert not is_published(2099)
    assert is_workday(date(2099, 1, 1))
    assert add_workdays(date(2099, 1, 1), 1) == Due(day=date(2099, 1, 2), provisional=True)


def test_days_backward_are_refused() -> None:
    with pytest.raises(ValueError, match="forward"):
        add_workdays(date(2026, 11, 23), -1)


def test_an_earlier_day_is_no_working_day_away() -> None:
    assert workdays_between(date(2026, 11, 23), date(2026, 11, 20)) == Count(days=0, provisional=False)


@given(st.dates(min_value=date(2010, 1, 1), max_value=date(2026, 6, 1)), st.integers(min_value=1, max_value=40))
def test_counting_back_gives_the_days_that_were_added(start: date, days: int) -> None:
    due = add_workdays(start, days).day
    assert is_workday(due)
    assert workdays_between(start, due).days == days
    assert workdays_between(start, due - timedelta(days=1)).days == days - 1
