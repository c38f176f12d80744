from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.periods import Period, add_months, parse_day, parse_month, parse_period, whole_months

TODAY = date(2026, 11, 23)
DAYS = st.dates(min_value=date(1992, 1, 1), max_value=date(2090, 12, 31))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("去年6月到现在", "2025-06-01", "2026-11-23"),
        ("帮我查去年6月到现在的缴存明细", "2025-06-01", "2026-11-23"),
        ("上个月", "2026-10-01", "2026-10-31"),
        ("查一下上个月", "2026-10-01", "2026-10-31"),
        ("上上个月", "2026-09-01", "2026-09-30"),
        ("本月", "2026-11-01", "2026-11-23"),
        ("今年", "2026-01-01", "2026-11-23"),
        ("去年", "2025-01-01", "2025-12-31"),
        ("去年一整年", "2025-01-01", "2025-12-31"),
        ("上一年", "2025-01-01", "2025-12-31"),
        ("2024年", "2024-01-01", "2024-12-31"),
        ("24年", "2024-01-01", "2024-12-31"),
        ("二零二五年三月", "2025-03-01", "2025-03-31"),
        ("近半年", "2026-05-24", "2026-11-23"),
        ("最近三个月", "2026-08-24", "2026-11-23"),
        ("三个月", "2026-08-24", "2026-11-23"),
        ("最近半个月", "2026-11-09", "2026-11-23"),
        ("近一年", "2025-11-24", "2026-11-23"),
        ("2025年3月至2026年2月", "2025-03-01", "2026-02-28"),
        ("2025.3-2026.2", "2025-03-01", "2026-02-28"),
        ("2025-03-01到2025-05-31", "2025-03-01", "2025-05-31"),
        ("2023到2025年", "2023-01-01", "2025-12-31"),
        ("1月到3月", "2026-01-01", "2026-03-31"),
        ("3-5月", "2026-03-01", "2026-05-31"),
        ("11月到2月", "2025-11-01", "2026-02-28"),
        ("去年11月到2月", "2025-11-01", "2026-02-28"),
        ("去年3月到5月", "2025-03-01", "2025-05-31"),
        ("1号到15号", "2026-11-01", "2026-11-15"),
        ("2025年5月到2024年3月", "2024-03-01", "2025-05-31"),
        ("12月", "2025-12-01", "2025-12-31"),
        ("今年10月到12月", "2026-10-01", "2026-11-23"),
        ("6月以来", "2026-06-01", "2026-11-23"),
        ("2025年1月起至今", "2025-01-01", "2026-11-23"),
        ("上季度", "2026-07-01", "2026-09-30"),
        ("第一季度", "2026-01-01", "2026-03-31"),
        ("去年下半年", "2025-07-01", "2025-12-31"),
        ("上周", "2026-11-16", "2026-11-22"),
        ("昨天", "2026-11-22", "2026-11-22"),
    ],
)
def test_a_period_is_read_however_it_is_said(text: str, first: str, last: str) -> None:
    assert parse_period(text, TODAY) == Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("text", ["", "随便", "最近", "明年", "2027年1月到3月", "2025年2月30日", "2150年", "13月"])
def test_what_names_no_past_period_is_none(text: str) -> None:
    assert parse_period(text, TODAY) is None


@given(st.text(alphabet="0123456789年月日号天上下个半去今明前后到至-近最三十二季度周起来", max_size=16), DAYS)
def test_a_period_never_runs_backward_or_beyond_today(text: str, today: date) -> None:
    period = parse_period(text, today)
    assert period is None or period.first <= period.last <= today


@given(DAYS, DAYS)
def test_two_written_days_are_the_period_between_them_in_either_order(one: date, other: date) -> None:
    period = parse_period(f"{one}到{other.year}年{other.month}月{other.day}日", date(2091, 1, 1))
    assert period == Period(min(one, other), max(one, other))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("明天", "2026-11-24"),
        ("大后天", "2026-11-26"),
        ("下周一", "2026-11-30"),
        ("下礼拜三", "2026-12-02"),
        ("周五", "2026-11-27"),
        ("周一", "2026-11-23"),
        ("12月1号", "2026-12-01"),
        ("十二月一日", "2026-12-01"),
        ("3月5号", "2027-03-05"),
        ("2026-12-01", "2026-12-01"),
        ("2026/12/1", "2026-12-01"),
        ("20261201", "2026-12-01"),
        ("15号", "2026-12-15"),
        ("23号", "2026-11-23"),
        ("31号", "2026-12-31"),
        ("下个月5号", "2026-12-05"),
        ("月底", "2026-11-30"),
        ("十天后", "2026-12-03"),
        ("半个月后", "2026-12-08"),
        ("三个月后", "2027-02-23"),
        ("2月29日", "2028-02-29"),
        ("我想明年1月1号还", "2027-01-01"),
    ],
)
def test_a_day_to_come_is_read_however_it_is_said(text: str, day: str) -> None:
    assert parse_day(text, TODAY) == date.fromisoformat(day)


@pytest.mark.parametrize("text", ["", "2月30号", "12月", "2150-01-01", "随时", "0号", "下周八"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert parse_day(text, TODAY) is None


@given(DAYS, DAYS)
def test_a_day_written_in_full_is_read_back(day: date, today: date) -> None:
    assert parse_day(day.isoformat(), today) == day
    assert parse_day(f"{day.year}年{day.month}月{day.day}日", today) == day


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("下个月", "2026-12-01"),
        ("本月", "2026-11-01"),
        ("2026年12月", "2026-12-01"),
        ("2026-12", "2026-12-01"),
        ("202612", "2026-12-01"),
        ("明年3月", "2027-03-01"),
        ("十一月", "2026-11-01"),
        ("1月", "2027-01-01"),
        ("8月", "2026-08-01"),
    ],
)
def test_a_month_is_read_however_it_is_said(text: str, month: str) -> None:
    assert parse_month(text, TODAY) == date.fromisoformat(month)


def test_a_month_that_does_not_exist_is_none() -> None:
    assert parse_month("13月", TODAY) is None


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
    ],
)
def test_months_end_on_the_same_day_or_the_last_of_the_month(first: str, months: int, last: str) -> None:
    assert add_months(date.fromisoformat(first), months) == date.fromisoformat(last)


@given(DAYS, st.integers(min_value=0, max_value=60))
def test_whole_months_are_the_most_that_fit(first: date, months: int) -> None:
    last = add_months(first, months)
    assert whole_months(first, last) == months
    assert whole_months(first, last - timedelta(days=1)) == months - 1
