from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.money import spoken, ten_thousands, yuan
from hotline.domain.spoken_amounts import MAX_FEN, parse_amount

AMOUNTS = st.integers(min_value=1, max_value=MAX_FEN)


@pytest.mark.parametrize(
    ("fen", "written", "in_ten_thousands", "said"),
    [
        (0, "0元", "0元", "零元"),
        (2, "0.02元", "0.02元", "两分"),
        (20, "0.20元", "0.20元", "两角"),
        (222, "2.22元", "2.22元", "两元二角二分"),
        (506, "5.06元", "5.06元", "五元零六分"),
        (12_00, "12元", "12元", "十二元"),
        (200_00, "200元", "200元", "两百元"),
        (2_020_00, "2,020元", "2,020元", "两千零二十元"),
        (10_050_00, "10,050元", "10,050元", "一万零五十元"),
        (12_345_67, "12,345.67元", "12,345.67元", "一万二千三百四十五元六角七分"),
        (20_000_00, "20,000元", "2万元", "两万元"),
        (222_222_00, "222,222元", "222,222元", "二十二万二千二百二十二元"),
        (15_500_00, "15,500元", "1.55万元", "一万五千五百元"),
        (1_448_000_00, "1,448,000元", "144.8万元", "一百四十四万八千元"),
        (100_000_000_00, "100,000,000元", "10,000万元", "一亿元"),
        (-5_06, "-5.06元", "-5.06元", "负五元零六分"),
        (-20_000_00, "-20,000元", "-2万元", "负两万元"),
    ],
)
def test_an_amount_is_written_and_spoken_as_people_do(fen: int, written: str, in_ten_thousands: str, said: str) -> None:
    assert (yuan(fen), ten_thousands(fen), spoken(fen)) == (written, in_ten_thousands, said)


@given(AMOUNTS)
def test_what_is_written_or_spoken_is_read_back_to_the_fen(fen: int) -> None:
    assert parse_amount(yuan(fen)) == fen
    assert parse_amount(ten_thousands(fen)) == fen
    assert parse_amount(spoken(fen)) == fen


@given(AMOUNTS)
def test_ten_thousands_never_round(fen: int) -> None:
    assert ten_thousands(fen) == yuan(fen) or fen % 100_00 == 0
