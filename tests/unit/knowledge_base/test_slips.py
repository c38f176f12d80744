"""Slips put right by what usually stands beside what."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.pinyin import syllables
from knowledge_base.slips import LONGEST_TEXT, MOST_CHANGES, Slips, counted, usage

TEXTS = [
    *["怎么看我封存了没有", "封存以后怎么提取", "账户封存了怎么办", "公积金封存满半年"] * 6,
    *["离职多久可以提取公积金", "提取公积金要什么材料", "在哪里提取公积金", "公积金可以提取几次"] * 6,
    *["老公的房贷可以用我的公积金还吗", "老公和我一起贷款", "我和老公都有公积金"] * 6,
]
USAGE = usage(counted(TEXTS))
SLIPS = Slips(USAGE, sounds=syllables, names=["离石", "宫积"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("怎么看我风村了没有", "怎么看我封存了没有"),
        ("老供的房贷可以用吗", "老公的房贷可以用吗"),
        ("厘职多久可以提取", "离职多久可以提取"),
        ("提取公积经要什么才料", "提取公积金要什么材料"),
        ("提取公金要什么材料", "提取公积金要什么材料"),
        ("在哪里提公积金", "在哪里提取公积金"),
    ],
    ids=["a pair", "one character", "the first", "two slips", "a character left out", "another left out"],
)
def test_the_likelier_text_that_sounds_alike_or_has_one_character_more_is_meant(typed: str, meant: str) -> None:
    assert SLIPS.put_right(typed) == meant


@pytest.mark.parametrize("text", [*TEXTS[:4], "", "?", "abc 123", "天气真好", "\ufeff", "😀😀"])
def test_what_is_usual_and_what_nothing_is_known_of_stays(text: str) -> None:
    assert SLIPS.put_right(text) == text


def test_names_are_never_taken_for_slips() -> None:
    assert SLIPS.put_right("提取宫积金要什么材料") == "提取宫积金要什么材料"
    assert Slips(USAGE, sounds=syllables, names=[]).put_right("提取宫积金要什么材料") == "提取公积金要什么材料"


def test_a_long_text_is_left_alone() -> None:
    typed = "怎么看我风村了没有"
    assert SLIPS.put_right(typed.ljust(LONGEST_TEXT, "。")) != typed.ljust(LONGEST_TEXT, "。")
    assert SLIPS.put_right(typed.ljust(LONGEST_TEXT + 1, "。")) == typed.ljust(LONGEST_TEXT + 1, "。")


def test_usage_travels_as_json_and_is_the_same_afterwards() -> None:
    assert usage(json.loads(json.dumps(counted(TEXTS)))) == USAGE
    assert usage(counted([])).total == 1


def test_a_usual_text_is_likelier_than_one_with_a_slip() -> None:
    right, wrong = "封存以后", "风存以后"
    assert USAGE.likelihood(right, 1, 4) > USAGE.likelihood(wrong, 1, 4)


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("公积金提取封存风村离职老供的?，1")), max_size=40))
def test_any_text_keeps_its_length_but_for_a_few_characters(text: str) -> None:
    found = SLIPS.put_right(text)
    assert 0 <= len(found) - len(text) <= MOST_CHANGES
