"""What is read out, and in what portions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.voice import speech
from hotline.domain.messages import Choice


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("最高￥2,000元/月", "最高2000元每月"),
        ("￥300", "300元"),
        ("每月2000元", "每月2000元"),
        ("余额360000.00元", "余额360000.00元"),
        ("贷款100000元以内", "贷款100000元以内"),
        ("单号202611230001", "单号2 0 2 6，1 1 2 3，0 0 0 1"),
        ("手机13800138000", "手机1 3 8，0 0 1 3，8 0 0 0"),
        ("请拨12329", "请拨1 2 3 2 9"),
        ("电话020-83829999", "电话0 2 0，8 3 8 2，9 9 9 9"),
        ("您尾号****1234的账户", "您尾号1 2 3 4的账户"),
        ("尾号为8888", "尾号为8 8 8 8"),
        ("比例5%-12%", "比例百分之5至百分之12"),
        ("利率3.1%", "利率百分之3.1"),
        ("9:00-17:00", "9:00至17:00"),
        ("2026-07-01起", "2026年7月1日起"),
        ("1-3个工作日", "1至3个工作日"),
        ("年满≥60岁", "年满不低于60岁"),
        ("占1/2份额", "占2分之1份额"),
        ("身份证/户口本", "身份证或户口本"),
        ("2026年", "2026年"),
        ("详见https://gjj.gz.gov.cn/x?a=1。谢谢", "详见官方网站。谢谢"),
        ("**重点**：#标签😀", "重点：标签"),
        ("能提取。依据：《条例》第24条。", "能提取。"),
        ("能提取。\n依据：某办法第3条\n请带身份证。", "能提取。\n\n请带身份证。"),
        ("能提取（政策依据：某办法）。", "能提取。"),
        ("没有依据的不予办理", "没有依据的不予办理"),
        ("- 身份证\n- 合同", "身份证\n合同"),
    ],
)
def test_writing_becomes_speech(written: str, said: str) -> None:
    assert speech.speakable(written) == said


@given(st.text(max_size=200))
def test_no_symbol_or_control_character_is_ever_read_out(text: str) -> None:
    said = speech.speakable(text)
    assert not set(said) & set("<>&#*_|\\^`@{}[]\x00\x0b￥¥+=~")


def test_short_answer_is_one_page() -> None:
    assert speech.pages(["能提取。", "每月一次"]) == ["能提取。每月一次。"]


def test_long_answer_breaks_between_sentences() -> None:
    sentence = "租房的缴存职工每月可以提取一次。"
    found = speech.pages([sentence * 9])
    assert len(found) > 1
    assert all(len(page) <= 60 and page.endswith("。") for page in found)
    assert "".join(found) == sentence * 9


@given(st.text(alphabet="租房提取，。；！\n", max_size=400))
def test_pages_keep_every_word_and_the_limit(text: str) -> None:
    found = speech.pages([text])
    assert all(1 <= len(page) <= 61 for page in found)
    letters = [char for page in found for char in page if char in "租房提取"]
    assert letters == [char for char in text if char in "租房提取"]


def test_menu_names_a_key_for_each_choice() -> None:
    choices = [Choice(label="租房提取", text="a"), Choice(label="购房提取", text="b")]
    assert speech.menu(choices) == "租房提取请按1，购房提取请按2。"
    assert speech.menu([]) == ""
