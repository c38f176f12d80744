"""How much of what was said the caller has heard."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.voice.relay.saying import Pace, Saying

PACE = Pace(characters_per_s=4.0, lead_s=0.5)
PIECES = ("租房可以提取公积金。", "每人每月最高2000元。")
WHOLE = "".join(PIECES)


def _saying(*pieces: str) -> Saying:
    return Saying(pieces or PIECES, began_s=100.0, pace=PACE)


def test_time_it_takes_counts_letters_and_breaths() -> None:
    assert _saying("一二三四").lasts_s == 0.5 + 4 / 4.0
    assert _saying("一二，", "三四。").lasts_s == 0.5 + (4 + 2) / 4.0


@pytest.mark.parametrize(
    ("after_s", "heard"), [(0.2, ""), (0.5, ""), (1.0, "租房"), (3.0, "租房可以提取公积金。每"), (60.0, WHOLE)]
)
def test_without_word_from_twilio_time_tells(after_s: float, heard: str) -> None:
    assert _saying().heard_at(100.0 + after_s) == heard


def test_what_twilio_has_played_counts_more_than_time() -> None:
    saying = _saying()
    saying.played("租房可以 提取公积金")
    assert saying.heard_at(160.0) == "租房可以提取公积金"


def test_interrupt_names_the_end_of_the_clause_that_was_being_said() -> None:
    saying = _saying()
    saying.played("租房可以提取公积金。")
    assert saying.heard_until("每人每月", now_s=101.0) == "租房可以提取公积金。每人每月"


def test_clause_reported_as_played_before_the_interrupt_is_not_counted_twice() -> None:
    saying = _saying("好的。好的。好的。")
    saying.played("好的。")
    saying.played("好的。")
    assert saying.heard_until("好的", now_s=101.0) == "好的。好的"


def test_interrupt_of_something_else_is_nobodys() -> None:
    assert _saying().heard_until("感谢来电", now_s=101.0) is None


def test_interrupt_before_the_first_word() -> None:
    assert _saying().heard_until("", now_s=100.1) == ""


@given(st.lists(st.text(max_size=20), max_size=4), st.text(max_size=10), st.floats(0, 50))
def test_heard_is_always_a_beginning_of_what_was_said(pieces: list[str], words: str, after_s: Any) -> None:
    saying = _saying(*pieces) if pieces else _saying()
    saying.played(words)
    for heard in (saying.heard_at(100.0 + after_s), saying.heard_until(words, now_s=100.0 + after_s)):
        assert heard is None or saying.text.startswith(heard)
