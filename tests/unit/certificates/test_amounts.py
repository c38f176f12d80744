"""Amounts in figures and in capital characters."""

from __future__ import annotations

import re

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.certificates.amounts import capital_amount, figures

EXAMPLES_OF_THE_RULES = [
    ("1409.50", "壹仟肆佰零玖元伍角整"),
    ("6007.14", "陆仟零柒元壹角肆分"),
    ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
    ("107000.53", "壹拾万柒仟元伍角叁分"),
    ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
    ("325.04", "叁佰贰拾伍元零肆分"),
]
"""《支付结算办法》 annex 1, article 4; of the two forms it allows, the one without 零 for the place of 万 or 元."""
OTHERS = [
    ("0.00", "零元整"),
    ("0.05", "伍分"),
    ("0.50", "伍角整"),
    ("0.15", "壹角伍分"),
    ("1.00", "壹元整"),
    ("10.05", "壹拾元零伍分"),
    ("12345.67", "壹万贰仟叁佰肆拾伍元陆角柒分"),
    ("86520.35", "捌万陆仟伍佰贰拾元叁角伍分"),
    ("10000.00", "壹万元整"),
    ("10001.00", "壹万零壹元整"),
    ("100050.00", "壹拾万零伍拾元整"),
    ("1000000.10", "壹佰万元壹角整"),
    ("10203040.00", "壹仟零贰拾万叁仟零肆拾元整"),
    ("100005000.00", "壹亿零伍仟元整"),
    ("100000000.01", "壹亿元零壹分"),
    ("999999999999.99", "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
]
DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = {"拾": 10, "佰": 100, "仟": 1000}
SECTIONS = {"亿": 10**10, "万": 10**6, "元": 100}


def fen_of(capital: str) -> int:
    """What a reader makes of it: he adds up what stands before each unit, and 零 is worth nothing."""
    total = section = digit = 0
    for character in capital.removesuffix("整"):
        if character in DIGITS:
            digit = DIGITS.index(character)
        elif character in PLACES:
            section, digit = section + digit * PLACES[character], 0
        elif character in SECTIONS:
            total, section, digit = total + (section + digit) * SECTIONS[character], 0, 0
        else:
            total, digit = total + digit * {"角": 10, "分": 1}[character], 0
    return total


@pytest.mark.parametrize(("amount", "capital"), [*EXAMPLES_OF_THE_RULES, *OTHERS])
def test_amount_in_capitals_follows_the_rules(amount: str, capital: str) -> None:
    assert capital_amount(int(amount.replace(".", ""))) == capital


@given(st.integers(0, 10**14 - 1))
def test_capitals_are_read_as_the_same_amount(fen: int) -> None:
    assert fen_of(capital_amount(fen)) == fen


@given(st.integers(0, 10**14 - 1))
def test_capitals_are_well_formed(fen: int) -> None:
    capital = capital_amount(fen)
    assert "零零" not in capital
    assert re.search("零[拾佰仟万亿角分]", capital) is None
    assert capital.endswith("整") == (fen % 10 == 0)


@given(st.integers(0, 10**10 - 1))
def test_capitals_agree_with_another_library(fen: int) -> None:
    # Beyond 亿 that library leaves out a 零 the rules ask for; after 角 it writes no 整, which they allow.
    assert capital_amount(fen).replace("角整", "角") == cn2an.an2cn(f"{fen // 100}.{fen % 100:02d}", "rmb")


@pytest.mark.parametrize("fen", [-1, 10**14])
def test_amount_that_cannot_be_written_is_refused(fen: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        capital_amount(fen)


@pytest.mark.parametrize(
    ("fen", "text"), [(0, "0.00"), (5, "0.05"), (1_234_567, "12,345.67"), (100_000_000, "1,000,000.00")]
)
def test_figures_have_two_decimals_and_commas(fen: int, text: str) -> None:
    assert figures(fen) == text
