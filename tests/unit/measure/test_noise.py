from __future__ import annotations

import random

import pytest

from knowledge_base.model import Catalogue
from knowledge_base.normalise import simplified
from tests.measure import noise
from tests.measure.noise import COMMON, Slips, dropped, sounds, spoken, traditional

TEXTS = ["提替题体离利力里", "租房提取要体力", "佢去区"]


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable, nothing secret


@pytest.fixture(scope="module")
def slips() -> Slips:
    return Slips.of(text for text in TEXTS for _ in range(COMMON))


def test_a_slip_changes_one_or_two_characters_into_others_that_sound_alike(slips: Slips) -> None:
    typed = "租房提取要离开题"
    changes = set()
    for seed in range(50):
        found = slips.slip(typed, chance(seed))
        changes.add(sum(before != after for before, after in zip(typed, found, strict=True)))
        assert sounds(found) == sounds(typed)
    assert changes == {1, 2}


def test_only_common_everyday_characters_of_the_catalogue_are_typed_by_mistake(slips: Slips) -> None:
    known = set("".join(slips.others.values()))
    assert known <= set("".join(TEXTS))
    assert "佢" not in known
    assert Slips.of(iter(["提替题"] * (COMMON - 1))).others == {}


def test_a_text_that_nothing_sounds_like_stays_as_it_is(slips: Slips) -> None:
    assert slips.slip("abc 123", chance(1)) == "abc 123"
    assert slips.slip("", chance(1)) == ""


def test_one_letter_is_dropped_but_never_a_sign_and_not_from_a_tiny_text() -> None:
    for seed in range(20):
        found = dropped("租房？提取！", chance(seed))
        assert len(found) == 5
        assert "？" in found
        assert "！" in found
    assert dropped("租房？！", chance(1)) == "租房？！"


def test_traditional_script_comes_back_as_it_was() -> None:
    assert traditional("贷款额度") == "貸款額度"
    assert simplified(traditional("我的公积金账户余额")) == "我的公积金账户余额"


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("提2000元", "提两千元"),
        ("利率3.5%", "利率百分之三点五"),
        ("从12%降到5%", "从百分之十二降到百分之五"),
        ("打12329没人接", "打幺二三二九没人接"),
        ("我电话13812345678", "我电话幺三八幺二三四五六七八"),
        ("存了15000块", "存了一万五千块"),
        ("贷22000元", "贷两万二千元"),
        ("12345元", "一万二千三百四十五元"),
        ("2015年买的", "二零一五年买的"),
        ("92年的楼", "九二年的楼"),
        ("贷20年", "贷二十年"),
        ("2年了", "两年了"),
        ("2月交的", "二月交的"),
        ("第2套", "第二套"),
        ("2.5万", "二点五万"),
        ("0.5", "零点五"),
        ("007", "零零七"),
        ("A1楼", "A一楼"),
        ("没有数字", "没有数字"),
    ],
)
def test_numbers_are_written_as_a_recogniser_hears_them(typed: str, heard: str) -> None:
    assert spoken(typed) == heard


def test_every_kind_of_noise_is_the_same_in_every_run_and_another_with_another_seed(catalogue: Catalogue) -> None:
    text = "租房提取一个月最多能取2000元吗，要什么材料"
    first, again, other = (noise.kinds(catalogue, seed=seed) for seed in (1, 1, 3))
    assert list(first) == ["homophones", "dropped", "traditional", "spoken_numbers"]
    assert [spoil(text) for spoil in first.values()] == [spoil(text) for spoil in again.values()]
    assert first["dropped"](text) != other["dropped"](text)
