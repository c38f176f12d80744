"""Lines of Chinese text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hotline.certificates.lines import broken


def test_text_is_broken_where_the_width_ends() -> None:
    assert broken("一二三四五六七", 3, len) == ["一二三", "四五六", "七"]


def test_no_line_begins_with_a_closing_mark() -> None:
    assert broken("一二三，四五六。", 3, len) == ["一二", "三，四", "五六。"]


def test_closing_marks_go_down_together_with_what_they_close() -> None:
    assert broken("一二三四”，五", 5, len) == ["一二三", "四”，五"]


def test_address_stays_together() -> None:
    assert broken("打开 abc.d ，输入", 6, len) == ["打开 ", "abc.d ", "，输入"]


def test_address_longer_than_a_line_is_broken_anyhow() -> None:
    assert broken("见abcdefgh", 4, len) == ["见abc", "defg", "h"]


@given(st.text("一二，。（）ab1 ", max_size=60), st.integers(2, 12))
def test_nothing_is_lost_and_no_line_is_too_wide(text: str, width: int) -> None:
    lines = broken(text, width, len)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(len(line) <= width for line in lines)
