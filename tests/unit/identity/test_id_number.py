"""Personal numbers as people type them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.fund import Sex
from hotline.domain.id_number import card_number, check_character, parse, six_digits
from hotline.domain.masking import mask_mobile, mask_name, mask_number, tail

ON = date(2026, 11, 24)
PUBLISHED = "11010519491231002X"
"""The example of GB 11643-1999."""

births = st.dates(date(1900, 1, 1), ON)
bodies = st.builds(
    lambda region, birth, order: f"{region:06}{birth:%Y%m%d}{order:03}",
    st.integers(110000, 659999),
    births,
    st.integers(0, 999),
)


def test_the_example_of_the_standard_is_read() -> None:
    number = parse(PUBLISHED, on=ON)
    assert number
    assert (number.value, number.birth_on, number.sex) == (PUBLISHED, date(1949, 12, 31), Sex.FEMALE)


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        " 110105 19491231 002X ",
        "110105-19491231-002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "１１０１０５　１９４９１２３１　００２ｘ",
        "110105491231002",
    ],
)
def test_one_number_typed_in_several_ways_is_one_number(typed: str) -> None:
    number = parse(typed, on=ON)
    assert number
    assert number.value == PUBLISHED


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "11010519491231002",
        "11010519491231002XX",
        "110105194912310021",
        "01010519491231002X",
        "11010519491231X02X",
        "110105194912310O2X",
        "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X",
        "我的身份证号",
        "11010549123100",
        "110105491331002",
    ],
)
def test_what_is_no_id_number_is_none(typed: str) -> None:
    assert parse(typed, on=ON) is None


@given(bodies)
def test_every_number_with_its_check_character_is_read_and_with_no_other(body: str) -> None:
    right = check_character(body)
    readable = [last for last in "0123456789X" if parse(body + last, on=ON)]
    assert readable == [right]


@given(bodies, st.integers(0, 16), st.integers(1, 9))
def test_one_digit_mistyped_is_noticed(body: str, place: int, shift: int) -> None:
    number = body + check_character(body)
    digit = str((int(number[place]) + shift) % 10)
    assert parse(number[:place] + digit + number[place + 1 :], on=ON) is None


@given(bodies, st.integers(0, 16))
def test_two_neighbours_exchanged_are_noticed(body: str, place: int) -> None:
    number = body + check_character(body)
    exchanged = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert exchanged == number or parse(exchanged, on=ON) is None


@pytest.mark.parametrize("birth", ["20260230", "20261301", "18991231", "20250229"])
def test_a_day_of_birth_that_cannot_be_is_refused(birth: str) -> None:
    body = f"440106{birth}201"
    assert parse(body + check_character(body), on=ON) is None


def test_nobody_is_born_tomorrow() -> None:
    body = f"440106{ON + timedelta(days=1):%Y%m%d}201"
    number = body + check_character(body)
    assert parse(number, on=ON) is None
    assert parse(number, on=ON + timedelta(days=1)) is not None


def test_a_number_shows_neither_itself_nor_the_birthday() -> None:
    number = parse(PUBLISHED, on=ON)
    assert "1949" not in repr(number)


@pytest.mark.parametrize(
    "typed", ["6217003320001234569", "6217 0033 2000 1234 569", "６２１７００３３２０００１２３４５６９"]
)
def test_a_card_number_is_read_with_its_blanks(typed: str) -> None:
    assert card_number(typed) == "6217003320001234569"


@pytest.mark.parametrize("typed", ["6217003320001234568", "621700332000", "62170033200012345691", "", "卡号"])
def test_a_card_number_with_a_slip_is_none(typed: str) -> None:
    assert card_number(typed) is None


@given(st.text(alphabet="0123456789", min_size=15, max_size=18))
def test_a_card_has_exactly_one_right_last_digit(body: str) -> None:
    assert sum(card_number(f"{body}{last}") is not None for last in range(10)) == 1


def test_six_digits_are_six_digits() -> None:
    assert [six_digits(typed) for typed in ("246813", " 24 68 13", "２４６８１３", "24681", "2468133", "24681a")] == [
        "246813",
        "246813",
        "246813",
        None,
        None,
        None,
    ]


@given(st.text())
def test_whatever_is_typed_nothing_breaks(typed: str) -> None:
    for read in (parse, card_number, six_digits):
        read(typed)


def test_names_and_numbers_are_shown_in_part() -> None:
    assert [mask_name(name) for name in ("陈家明", "李雷", "欧阳小红", "王", "")] == ["陈**", "李*", "欧***", "*", ""]
    assert mask_mobile("13800135678") == "138****5678"
    assert mask_number("6217003320001234569") == "****4569"
    assert tail("1234") == ""


@given(st.text(alphabet="0123456789X", min_size=1, max_size=24))
def test_a_masked_number_shows_less_than_half_of_it(number: str) -> None:
    assert len(tail(number)) * 2 < len(number)
    assert len(mask_mobile(number).replace("*", "")) <= (7 if len(number) == 11 else 2)
