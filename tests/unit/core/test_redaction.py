from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.redaction import Mask, redact
from hotline.domain.text import clean, has_words

WORDS = ("密码", "验证码", "code")
MASK = Mask(id_number="<ID>", card="<CARD>", phone="<PHONE>", email="<MAIL>", pin="<PIN>", pin_words=WORDS)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我的身份证是440106199001011234，帮我查", "我的身份证是<ID>，帮我查"),
        ("身份证44010619900101123X", "身份证<ID>"),
        ("身份证 440106 19900101 123x 谢谢", "身份证 <ID> 谢谢"),
        ("４４０１０６１９９００１０１１２３４", "<ID>"),
        ("旧证440106900101123", "旧证<ID>"),
        ("卡号6222021234567890123", "卡号<CARD>"),
        ("卡号6222 0212 3456 7890 123", "卡号<CARD>"),
        ("打我电话13800138000吧", "打我电话<PHONE>吧"),
        ("电话138-0013-8000", "电话<PHONE>"),
        ("+86 13800138000", "<PHONE>"),
        ("幺三八零零幺三八零零零", "<PHONE>"),
        ("〇一七三二五八八四幺零13000000000", "〇一七三二五八八四幺零<PHONE>"),
        ("幺三八零零幺三八零零零和13000000000", "<PHONE>和<PHONE>"),
        ("GD20261125-000018 3天了", "GD20261125-000018 3天了"),
        ("gd20261125-000018 6222021234567890123", "gd20261125-000018 <CARD>"),
        ("座机020-12345678", "座机<PHONE>"),
        ("邮箱zhang.san@example.com.cn。", "邮箱<MAIL>。"),
        ("密码246801，帮我查", "密码<PIN>，帮我查"),
        ("我的查询密码是: 246 801", "我的查询密码是: <PIN>"),
        ("验证码１２３４５６", "验证码<PIN>"),
        ("密码是二四六八零一", "密码是<PIN>"),
        ("123456是短信验证码", "<PIN>是短信验证码"),
        ("身份证440106199001011234密码246801", "身份证<ID>密码<PIN>"),
        ("密码和证件 440106 19900101 1234", "密码和证件 <ID>"),
    ],
)
def test_personal_numbers_are_masked(text: str, masked: str) -> None:
    assert redact(text, MASK).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "租房每月提2000元",
        "2024年11月26日起",
        "贷款160万元30年",
        "12329",
        "利率2.6%",
        "一二三四五",
        "余额 12,345.67 元",
        "我1990年出生",
        "贷款500000元",
        "密码忘了怎么办",
        "余额有200000，怎么提，要不要密码",
    ],
)
def test_figures_that_are_nobodys_stay(text: str) -> None:
    assert redact(text, MASK).text == text


@given(
    st.text(max_size=60),
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.text(alphabet="取公积金吗，。", max_size=20),
)
def test_a_mobile_number_never_survives_wherever_it_stands(before: str, number: str, after: str) -> None:
    if before and before[-1].isdigit():
        before += "，"
    assert number not in redact(before + number + after, MASK).text


@given(st.text())
def test_cleaned_text_can_be_encoded_and_holds_no_control_characters(text: str) -> None:
    cleaned = clean(text + "\x00\ud800\u200b\ufeff")
    cleaned.encode("utf-8")
    assert "\x00" not in cleaned
    assert len(cleaned) <= 4000


def test_emoji_alone_is_nothing_to_understand() -> None:
    assert not has_words("😀😀")
    assert not has_words(clean("\x00 \ud800"))
    assert has_words("在?")
