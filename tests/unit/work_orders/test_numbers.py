"""Numbers of work orders: made, checked, and found in what people write."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.redaction import redact
from hotline.domain.work_order_numbers import check_digit, is_number, is_right, number_of, written
from hotline.services.work_orders.numbers import mentioned
from hotline.wording import mask

NUMBER = "GD20261125-000018"
numbers = st.builds(
    number_of, st.dates(min_value=date(2020, 1, 1), max_value=date(2099, 12, 31)), st.integers(1, 99_999)
)


def test_the_check_digit_is_that_of_damm_s_own_example() -> None:
    assert check_digit("572") == "4"
    assert check_digit("5724") == "0"


def test_a_number_has_the_day_the_count_and_the_check_digit() -> None:
    assert number_of(date(2026, 11, 25), 1) == NUMBER
    assert is_number(NUMBER)


@pytest.mark.parametrize("serial", [0, -1, 100_000])
def test_a_day_has_no_other_numbers(serial: int) -> None:
    with pytest.raises(ValueError, match="99999"):
        number_of(date(2026, 11, 25), serial)


@pytest.mark.parametrize(
    "text", ["GD20261125-000017", "gd20261125-000018", "GD20261325-000016", "GD2026112-5000018", "20261125000018", ""]
)
def test_what_is_not_written_as_ours_is_no_number(text: str) -> None:
    assert not is_number(text)


@given(number=numbers, at=st.integers(0, 13), digit=st.integers(0, 9))
def test_every_single_wrong_digit_is_noticed(number: str, at: int, digit: int) -> None:
    digits = number[2:].replace("-", "")
    wrong = f"{digits[:at]}{digit}{digits[at + 1 :]}"
    assert is_right(wrong) == (wrong == digits)


@given(number=numbers, at=st.integers(0, 12))
def test_every_swap_of_neighbours_is_noticed(number: str, at: int) -> None:
    digits = number[2:].replace("-", "")
    swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
    assert is_right(swapped) == (swapped == digits)


@given(number=numbers)
def test_a_number_is_found_however_it_is_written(number: str) -> None:
    day, count = number[2:10], number[11:]
    wide = number.translate({**{48 + at: 0xFF10 + at for at in range(10)}, ord("-"): "－"})
    for said in (
        number,
        number.lower(),
        wide,
        f"GD {day} {count}",
        f"gd{day}—{count}",
        f"{day}{count}",
        f"G D{number[2:]}",
    ):
        found = mentioned(f"我的工单 {said}，办得怎么样了")
        assert found is not None
        assert found.number == number


@given(number=numbers)
def test_masking_personal_numbers_leaves_a_number_alone(number: str) -> None:
    for text in (number, f"工单{number}到哪了", f"{number}，打了3次电话", number.lower()):
        assert redact(text, mask()).text == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("GD二零二六一一二五零零零零一八", NUMBER),
        ("二零二六一一二五，零零零零幺八", None),
        ("GD20261125-000017", ""),
        ("GD20261125-00018", ""),
        ("gd2026112500001", ""),
        ("20261125000017", None),
        ("20261125-0000182", None),
        ("广东gd公积金", None),
        ("GD12345", None),
        ("身份证440106199001011234", None),
        ("租房能取多少", None),
        ("", None),
        ("GD" + "1" * 5000, ""),
    ],
)
def test_what_is_found_in_other_texts(text: str, number: str | None) -> None:
    found = mentioned(text)
    assert (found.number if found else None) == number


@pytest.mark.parametrize("day", ["20261301", "20260230", "00000101"])
def test_a_day_that_does_not_exist_makes_no_number(day: str) -> None:
    digits = f"{day}00001"
    assert not is_right(digits + check_digit(digits))


def test_the_first_number_counts() -> None:
    other = written("20261125000026")
    assert mentioned(f"{NUMBER} 和 GD20261125-000026") == mentioned(NUMBER)
    assert other == "GD20261125-000026"


@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    found = mentioned(text)
    assert found is None or found.number == "" or is_number(found.number)
