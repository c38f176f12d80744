from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.spoken_amounts import MAX_FEN, AmountProblem, parse_amount


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("2000", 2000),
        ("2,000元", 2000),
        ("２，０００元", 2000),
        ("取 5 000 元", 5000),
        ("￥1,234.5", 1234.5),
        ("rmb2000", 2000),
        ("3000.50", 3000.5),
        ("两万三", 23_000),
        ("2万3", 23_000),
        ("3千5", 3500),
        ("1.5万", 15_000),
        ("1.15万", 11_500),
        ("2w", 20_000),
        ("1万2千块", 12_000),
        ("五百块", 500),
        ("五百", 500),
        ("十", 10),
        ("十二万三千", 123_000),
        ("十万八", 108_000),
        ("一万零五", 10_005),
        ("一百二", 120),
        ("一百八十万元整", 1_800_000),
        ("大概2000左右", 2000),
        ("我要提一万块钱", 10_000),
        ("五块三", 5.3),
        ("三块五毛", 3.5),
        ("12元3角4分", 12.34),
        ("一千零五十块五毛", 1050.5),
        ("六分", 0.06),
        ("租了6个月每月2000", 2000),
        ("3到5个月每月2000", 2000),
        ("2000元3个月", 2000),
        ("提2000元给2个人", 2000),
        ("2015年买的，贷50万", 500_000),
        ("2026-12-01取2000", 2000),
        ("2000元，就2000", 2000),
        ("1亿", 100_000_000),
    ],
)
def test_an_amount_is_read_however_it_is_said(text: str, yuan: float) -> None:
    assert parse_amount(text) == round(yuan * 100)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", AmountProblem.NONE),
        ("全部", AmountProblem.NONE),
        ("万一不够呢", AmountProblem.NONE),
        ("十分感谢", AmountProblem.NONE),
        ("贷20年", AmountProblem.NONE),
        ("1.2万5", AmountProblem.NONE),
        ("我有5万，想提2万", AmountProblem.SEVERAL),
        ("200，300", AmountProblem.SEVERAL),
        ("2000到3000元", AmountProblem.SEVERAL),
        ("2000-3000", AmountProblem.SEVERAL),
        ("几千", AmountProblem.VAGUE),
        ("两三千", AmountProblem.VAGUE),
        ("两千多", AmountProblem.VAGUE),
        ("五百来块", AmountProblem.VAGUE),
        ("-5", AmountProblem.NEGATIVE),
        ("负两千", AmountProblem.NEGATIVE),
        ("0元", AmountProblem.ZERO),
        ("零", AmountProblem.ZERO),
        ("100000000.01", AmountProblem.TOO_LARGE),
        ("2亿", AmountProblem.TOO_LARGE),
        ("3.005", AmountProblem.TOO_FINE),
    ],
)
def test_what_cannot_be_relied_on_is_refused_with_its_reason(text: str, problem: AmountProblem) -> None:
    assert parse_amount(text) is problem


@given(st.text(max_size=60))
def test_any_text_gives_an_amount_in_range_or_a_reason(text: str) -> None:
    read = parse_amount(text)
    assert isinstance(read, AmountProblem) or 0 < read <= MAX_FEN


@pytest.mark.parametrize("text", ["1" * 500 + "月", "1," * 250, "一" * 500, "千" * 500 + "1", "1万" * 200 + "个"])
def test_no_text_is_slow_to_read(text: str) -> None:
    started = time.perf_counter()
    parse_amount(text)
    assert time.perf_counter() - started < 0.5
