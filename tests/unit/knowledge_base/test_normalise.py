from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base import pinyin
from knowledge_base.normalise import MAX_TEXT_CHARS, TELLING_CHARS, cleaned, normalise, stripped, telling_part
from knowledge_base.numerals import spoken_to_digits

TEXTS = ["不交公积金可以投诉吗", "缴存比例怎么定", "租房可以提取多少", "工资条", "带上材料", "小户型"]
CORRECTOR = pinyin.corrector(pinyin.lexicon(TEXTS, ["租房提取", "灵活就业缴存"]))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("公基金怎么提取", "公积金怎么提取"),
        ("工积金", "公积金"),
        ("脚存比例", "缴存比例"),
        ("租房提曲", "租房提取"),
        ("提起公积金", "提取公积金"),
        ("灵活旧业", "灵活就业"),
        ("住房公積金提取", "住房公积金提取"),
        ("帐户", "账户"),
        ("代款额度", "贷款额度"),
    ],
)
def test_slips_of_sound_are_put_right(typed: str, meant: str) -> None:
    assert normalise(typed, corrector=CORRECTOR).text == meant


@pytest.mark.parametrize(
    "text", ["不交公积金", "提起诉讼", "小户型房子", "可以提多少", "公积金贷款可以提前还", "首富", "内蒙古自治区"]
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert normalise(text, corrector=CORRECTOR).text == text


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("两万三", "2.3万"),
        ("月薪两万三千", "月薪2.3万"),
        ("八万六千五百元", "8.65万元"),
        ("两千块", "2000块"),
        ("百分之五", "5%"),
        ("百分之十二", "12%"),
        ("三个月", "3个月"),
        ("二十万的房子", "20万的房子"),
        ("幺二三二九", "12329"),
        ("一百二十平米", "120平米"),
    ],
)
def test_spoken_numbers_become_digits(spoken: str, written: str) -> None:
    assert spoken_to_digits(spoken) == written


@pytest.mark.parametrize(
    "text",
    [
        "一下",
        "一起",
        "万一",
        "千万不要",
        "十几万",
        "一万多元",
        "第一年",
        "三方协议",
        "7500一平米",
        "一两个月",
        "三五天",
        "两三年",
    ],
)
def test_words_with_number_signs_stay_words(text: str) -> None:
    assert spoken_to_digits(text) == text


@pytest.mark.parametrize(
    ("text", "core"),
    [
        ("您好，请问租房可以提取公积金吗？谢谢", "租房可以提取吗"),
        ("我想咨询一下公积金贷款利率", "贷款利率"),
        ("尊敬的领导：您好！退休提取怎么办呢", "退休提取怎么办"),
        ("公积金", "公积金"),
        ("你好", "你好"),
        ("？？", "??"),
    ],
)
def test_the_core_is_what_is_asked_and_never_empty(text: str, core: str) -> None:
    assert normalise(text).core == core


@pytest.mark.parametrize(
    ("text", "core", "places"),
    [
        ("我在佛山买房能提吗", "我在外地买房能提吗", ("佛山",)),
        ("我在佛山市买房能提吗", "我在外地买房能提吗", ("佛山",)),
        ("深圳交的公积金能在佛山贷款吗", "外地交的能在外地贷款吗", ("深圳", "佛山")),
        ("深圳交的公积金能在广州贷款吗", "外地交的能在本地贷款吗", ("深圳",)),
        ("在广州交，去佛山买房", "在本地交,去外地买房", ("佛山",)),
        ("佛山公积金怎么提取", "怎么提取", ("佛山",)),
        ("广州公积金怎么提取", "怎么提取", ()),
        ("广州市公积金怎么提取", "怎么提取", ()),
        ("我市公积金怎么提取", "怎么提取", ()),
        ("租房能提吗", "租房能提吗", ()),
    ],
)
def test_another_place_is_elsewhere_and_the_own_place_here_or_nothing(
    text: str, core: str, places: tuple[str, ...]
) -> None:
    seen = normalise(text, here=("广州", "天河"))
    assert (seen.core, seen.places) == (core, places)


def test_a_district_of_the_centres_goes_with_its_suffix() -> None:
    assert normalise("天河区办事大厅在哪", here=("广州", "天河")).core == "办事大厅在哪"


def test_what_is_here_for_one_centre_is_elsewhere_for_another() -> None:
    assert normalise("在广州买房", here=("佛山",)).core == normalise("在深圳买房", here=("佛山",)).core == "在外地买房"
    assert normalise("在佛山买房", here=("佛山",)).places == ()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("唔該，點樣攞公積金交租", "请问,怎么拿公积金交租"),
        ("几耐先到账", "多久先到账"),
        ("我系咪要交手续费", "我是不是要交手续费"),
        ("冇工作得唔得", "没有工作行不行"),
        ("我哋公司喺边度开户", "我们公司在哪里开户"),
        ("呢个点解要咁多钱", "这个为什么要这么多钱"),
        ("有冇年龄限制", "有没有年龄限制"),
        ("佢退休咗", "他退休了"),
    ],
)
def test_cantonese_is_read_as_written_chinese(typed: str, meant: str) -> None:
    assert normalise(typed, corrector=CORRECTOR).text == meant


@pytest.mark.parametrize("text", ["关系证明", "系统繁忙", "点击登录", "重点", "边上的银行", "房屋租赁"])
def test_written_chinese_is_not_read_as_cantonese(text: str) -> None:
    assert normalise(text).text == text


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "\ud800", "\u200b\ufeff", "😀😀", "a", "\x07\x08", "ﷺ" * 50, "公积金" * 4000]
)
def test_odd_text_does_no_harm(text: str) -> None:
    seen = normalise(text, corrector=CORRECTOR)
    seen.text.encode("utf-8")
    assert seen.original == text
    assert "\0" not in seen.text
    assert len(seen.core) <= TELLING_CHARS
    assert len(seen.text) <= MAX_TEXT_CHARS * 20


ANYTHING = st.one_of(st.characters(), st.sampled_from("广州佛山市省公积金租房两万三千一百分之唔系点样請問?,。你好"))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=ANYTHING, max_size=200))
def test_any_text_comes_out_clean(text: str) -> None:
    seen = normalise(text, corrector=CORRECTOR, here=("广州",))
    seen.core.encode("utf-8")
    assert len(seen.core) <= TELLING_CHARS
    assert cleaned(seen.text) == seen.text
    assert bool(seen.core) == bool(seen.text)
    assert all(place in seen.text for place in seen.places)
    assert "广州" not in seen.places


def test_a_letter_is_cut_to_the_sentences_that_ask() -> None:
    letter = (
        "我是一名老师，今年三十岁，在学校上班已经八年。" * 8
        + "请问租房提取公积金需要什么材料？"
        + "天气很好，风也不大。" * 10
    )
    core = normalise(letter, corrector=CORRECTOR).core
    assert "租房提取" in core
    assert "什么材料" in core
    assert len(core) <= TELLING_CHARS


def test_the_telling_part_keeps_the_order_of_the_letter() -> None:
    text = "退休怎么提取?" + "今天出门散步。" * 20 + "多久到账?"
    part = telling_part(text, CORRECTOR.words, limit=40)
    assert part.index("退休") < part.index("多久到账")


def test_stripping_leaves_nothing_of_a_greeting() -> None:
    assert stripped("您好,请问,公积金") == ""
