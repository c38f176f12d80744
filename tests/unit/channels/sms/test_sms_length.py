"""How long a message is, and how an answer is made to fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms import codec
from hotline.domain.messages import Choice, Reply

SIGN = "广州公积金"
HEAD = "【广州公积金】"
LEASE = Choice(label="租房提取", text="租房提取公积金")


@pytest.mark.parametrize(
    ("length", "expected"), [(0, 0), (1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)]
)
def test_parts_follow_the_published_limits(length: int, expected: int) -> None:
    assert codec.parts("字" * length) == expected


@pytest.mark.parametrize(("text", "expected"), [("字", 1), ("a", 1), ("😀", 2), ("好😀", 3), ("【】", 2)])
def test_units_count_emoji_twice(text: str, expected: int) -> None:
    assert codec.units(text) == expected


def test_emoji_is_never_cut_between_two_parts() -> None:
    at_the_border = "字" * 66 + "😀" + "字" * 66
    assert codec.units(at_the_border) == 134
    assert codec.parts(at_the_border) == 3


@pytest.mark.parametrize(("length", "expected"), [(63, 1), (64, 2), (127, 2)])
def test_signature_counts_towards_the_length(length: int, expected: int) -> None:
    message = codec.fit("字" * length, SIGN)
    assert message == HEAD + "字" * length
    assert codec.parts(message) == expected


def test_a_text_one_character_too_long_is_cut_and_says_where_to_ask() -> None:
    message = codec.fit("字" * 128, SIGN)
    assert message.endswith("…详询12329")
    assert codec.units(message) == 134


def test_signature_is_not_written_twice() -> None:
    assert codec.fit(HEAD + "能提取。", SIGN) == HEAD + "能提取。"


def test_long_text_ends_with_a_whole_sentence() -> None:
    text = "能提取。" + "每人每月最高两千元。" * 20
    message = codec.fit(text, SIGN)
    assert message.endswith("元。详询12329")
    assert message.removesuffix("详询12329") in HEAD + text
    assert codec.parts(message) == 2


def test_sentence_that_just_fits_beside_the_hint_is_kept() -> None:
    first = "字" * 118 + "。"
    assert codec.fit(first + "还有一句话放不下。", SIGN) == HEAD + first + "详询12329"


def test_overlong_sentence_is_cut_at_a_clause() -> None:
    message = codec.fit("字" * 90 + "，" + "词" * 90 + "。", SIGN)
    assert message == HEAD + "字" * 90 + "…详询12329"


def test_number_is_never_cut_in_two() -> None:
    message = codec.fit("字" * 112 + "123456789012元以内可以提取", SIGN)
    assert message == HEAD + "字" * 112 + "…详询12329"


def test_one_part_can_be_asked_for() -> None:
    assert codec.parts(codec.fit("能提取。" * 60, SIGN, max_parts=1)) == 1


@given(st.text(alphabet=st.sampled_from("能不提取。，；\n1年😀A"), max_size=400), st.sampled_from([1, 2]))
def test_no_text_ever_exceeds_its_parts(text: str, most: int) -> None:
    message = codec.fit(text, SIGN, max_parts=most)
    assert message.startswith(HEAD)
    assert codec.parts(message) <= most
    assert message == HEAD + text.strip() or message.endswith("详询12329")


def test_choices_become_numbered_lines() -> None:
    choices = (LEASE, Choice(label="购房提取", text="购房提取公积金"))
    message = codec.compose([Reply(text="您想问哪一项？", choices=choices)], SIGN)
    assert message == HEAD + "您想问哪一项？\n回复1租房提取\n回复2购房提取"


def test_choices_that_do_not_fit_are_left_out_with_a_hint() -> None:
    message = codec.compose([Reply(text="问" * 105, choices=(LEASE, LEASE, LEASE))], SIGN)
    assert message == HEAD + "问" * 105 + "\n回复1租房提取\n详询12329"
    assert codec.parts(message) == 2


def test_a_text_without_room_for_choices_is_sent_alone() -> None:
    message = codec.compose([Reply(text="字" * 126, choices=(LEASE,))], SIGN)
    assert message == HEAD + "字" * 126


def test_several_bubbles_become_one_message() -> None:
    assert codec.compose([Reply(text="能提取。"), Reply(text=" "), Reply(text="每月一次。")], SIGN) == (
        HEAD + "能提取。\n每月一次。"
    )


@pytest.mark.parametrize("replies", [(), (Reply(text=""),), (Reply(text=" \x00"),)])
def test_nothing_to_say_is_no_message(replies: tuple[Reply, ...]) -> None:
    assert codec.compose(replies, SIGN) == ""
