"""The figures of a day: answers of the shipped content on and around the days on which figures change."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import knowledge_base
from knowledge_base.errors import NotInForce
from knowledge_base.loader import load
from knowledge_base.model import Catalogue
from knowledge_base.render import Rendered, render


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load(Path(knowledge_base.__file__).parent, centre="guangzhou")


def answer(catalogue: Catalogue, entry: str, day: str, channel: str = "voice") -> Rendered:
    code, key = entry.split("/")
    return render(catalogue, code, key, channel=channel, on=date.fromisoformat(day))


@pytest.mark.parametrize(
    ("day", "limit", "weak"),
    [
        ("2018-07-25", "600元", True),
        ("2022-04-30", "600元", True),
        ("2022-05-01", "900元", False),
        ("2022-12-31", "900元", False),
        ("2023-01-01", "900元", True),
        ("2023-05-22", "900元", True),
        ("2023-05-23", "1400元", False),
        ("2024-11-25", "1400元", False),
        ("2024-11-26", "2000元", False),
        ("2026-11-25", "2000元", False),
    ],
)
def test_the_rent_limit_is_that_of_the_day(shipped: Catalogue, day: str, limit: str, weak: bool) -> None:
    said = answer(shipped, "withdraw-rent/amount", day)
    assert f"最多提{limit}" in said.text
    assert said.weak is weak
    for channel in ("web", "wechat", "sms"):
        assert limit in answer(shipped, "withdraw-rent/amount", day, channel).text


def test_the_rent_limit_says_since_when_and_from_where(shipped: Catalogue) -> None:
    said = answer(shipped, "withdraw-rent/amount", "2022-06-01", "web")
    assert "（2022年5月1日起的标准）" in said.text
    assert said.sources[0].issued_on == date(2022, 6, 20)
    assert said.effective_from == date(2022, 5, 1)


def test_before_the_first_known_limit_nothing_is_said(shipped: Catalogue) -> None:
    with pytest.raises(NotInForce):
        answer(shipped, "withdraw-rent/amount", "2018-07-24")


@pytest.mark.parametrize(
    ("day", "single", "family"),
    [("2017-04-01", "60万元", "100万元"), ("2017-12-31", "60万元", "100万元"), ("2024-11-26", "80万元", "160万元")],
)
def test_the_loan_caps_are_those_of_the_day(shipped: Catalogue, day: str, single: str, family: str) -> None:
    said = answer(shipped, "loan-process/amount", day)
    assert f"一人最高{single}，两人及以上最高{family}" in said.text


@pytest.mark.parametrize("day", ["2017-03-31", "2018-01-01", "2024-11-25"])
def test_where_no_source_gives_the_cap_of_the_day_nothing_is_said(shipped: Catalogue, day: str) -> None:
    with pytest.raises(NotInForce):
        answer(shipped, "loan-process/amount", day)


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        ("2015-10-24", "3.25%"),
        ("2022-09-30", "3.25%"),
        ("2022-10-01", "3.1%"),
        ("2024-05-17", "3.1%"),
        ("2024-05-18", "2.85%"),
        ("2025-05-07", "2.85%"),
        ("2025-05-08", "2.6%"),
    ],
)
def test_the_rate_of_a_first_home_is_that_of_the_day(shipped: Catalogue, day: str, rate: str) -> None:
    assert f"首套5年以上{rate}" in answer(shipped, "loan-rate/q_commercial", day).text


@pytest.mark.parametrize(
    ("day", "short", "long"),
    [
        ("2022-10-01", "3.025%", "3.575%"),
        ("2024-05-17", "3.025%", "3.575%"),
        ("2024-05-18", "2.775%", "3.325%"),
        ("2025-05-08", "2.525%", "3.075%"),
    ],
)
def test_the_rate_of_a_second_home_is_that_of_the_day(shipped: Catalogue, day: str, short: str, long: str) -> None:
    assert answer(shipped, "loan-rate/q_second_rate", day).text == f"第二套5年以内不低于{short}，5年以上不低于{long}。"


@pytest.mark.parametrize(
    ("day", "before"),
    [("2022-10-01", ("2.75%", "3.25%")), ("2024-05-18", ("2.6%", "3.1%")), ("2025-05-08", ("2.35%", "2.85%"))],
)
def test_the_rates_before_the_last_change_are_those_of_the_day(
    shipped: Catalogue, day: str, before: tuple[str, str]
) -> None:
    said = answer(shipped, "loan-rate/q_previous", day).text
    assert f"首套5年以内{before[0]}、5年以上{before[1]}" in said


def test_a_weak_rate_is_said_to_be_so(shipped: Catalogue) -> None:
    assert answer(shipped, "loan-rate/q_previous", "2022-10-01").weak
    assert not answer(shipped, "loan-rate/q_previous", "2025-05-08").weak
