"""The sentences fit their channels, and words are heard as what they say and nothing more."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from channels.sms.codec import compose, parts
from channels.voice.speech import PAGE_CHARACTERS, speakable
from hotline.domain.messages import ChannelName, Reply
from hotline.domain.ratings import Score, Subject
from hotline.services.asides import words
from hotline.services.asides.parts import Opened
from hotline.services.asides.rating import question

ROOT = Path(__file__).resolve().parents[3]
SIGNATURE = "广州公积金"
VALUES = {
    "number": "GD20261125-000014",
    "day": "12月31日（遇节假日顺延）",
    "mobile": "138****8000",
    "label": "非常不满意",
}
LISTS = [key for key, found in words.wording().items() if key.endswith(("_words", "_choices")) or key == "reasons"]
SENTENCES = [
    key
    for key, found in words.wording().items()
    if key.startswith(("rate_", "thanks", "sorry", "reason_", "word_", "callback_", "number_"))
    and key not in LISTS
    and isinstance(found, str | dict)
]


def examples() -> list[tuple[str, str]]:
    """Every example the dialogue has learned from, with its intent."""
    found = []
    for path in sorted((ROOT / "data/nlu").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            lines = block["examples"].splitlines()
            found += [(line.removeprefix("- "), block["intent"]) for line in lines if line.startswith("- ")]
    return found


@pytest.mark.parametrize("key", SENTENCES)
def test_an_sms_is_one_part_and_what_is_said_on_the_telephone_one_breath(key: str) -> None:
    sms = compose([Reply(text=words.sentence(key, ChannelName.SMS, **VALUES))], SIGNATURE)
    assert parts(sms) == 1, sms
    spoken = {**VALUES, "number": VALUES["number"].replace("-", "")}
    voice = speakable(words.sentence(key, ChannelName.VOICE, **spoken))
    assert len(voice) <= PAGE_CHARACTERS, voice


def test_a_goodbye_and_its_rating_are_at_most_two_sms_and_nothing_is_cut_off() -> None:
    replies = [Reply(text="好的，以后有公积金的问题随时来问，祝您生活愉快。"), question(Subject.BOT, ChannelName.SMS)]
    sms = compose(replies, SIGNATURE)
    assert parts(sms) <= 2
    assert sms.endswith(replies[-1].text)


@pytest.mark.parametrize("channel", list(ChannelName))
@pytest.mark.parametrize("subject", list(Subject))
def test_every_level_can_be_chosen_on_every_channel(subject: Subject, channel: ChannelName) -> None:
    asked = question(subject, channel)
    for place, score in enumerate(sorted(Score, reverse=True), 1):
        shown = [choice.text for choice in asked.choices]
        assert words.label(score) in (shown or asked.text)
        assert words.level(str(place), freely=True) is score
        assert words.level(words.label(score), freely=False) is score


def test_a_word_says_one_thing_only() -> None:
    heard: dict[str, str] = {}
    for score in Score:
        found = words.wording()["levels"][int(score)]
        for word in [found["label"], *found["words"]]:
            assert heard.setdefault(words.plain(word), found["label"]) == found["label"]
    for one, other in [("yes_words", "no_words"), ("done_words", "cancel_words"), ("word_words", "callback_words")]:
        first, second = ({words.plain(word) for word in words.wording()[key]} for key in (one, other))
        assert first & second == set()


@pytest.mark.parametrize("key", LISTS)
def test_what_a_button_says_is_heard(key: str) -> None:
    assert all(words.is_one_of(text, key) for text in words.wording()[key])


def test_no_example_of_a_question_or_a_wish_is_heard_as_a_rating_or_as_the_reason_of_one() -> None:
    assert len(examples()) > 3000
    heard = {intent for text, intent in examples() if words.level(text, freely=False)}
    assert heard == set()
    assert {intent for text, intent in examples() if words.level(text, freely=True)} <= {"choose"}
    reasons = {intent for text, intent in examples() if words.reason(text, ChannelName.SMS)}
    assert reasons <= {"complaint", "wrong", "simpler", "fallback"}, "what judges is a reason, and nothing else is"


@pytest.mark.parametrize(
    "text",
    [
        "没解决问题",
        "答非所问",
        "等了半小时",
        "态度不好",
        "没有帮助",
        "太啰嗦了",
        "坐席很不耐烦",
        "转来转去",
        "贷款的问题没有说清楚",
    ],
)
def test_what_judges_is_a_reason(text: str) -> None:
    assert words.reason(text, ChannelName.SMS) == text


@pytest.mark.parametrize(
    "text",
    [
        "没解决，怎么办",
        "答错了，帮我重新查",
        "太慢了，转人工",
        "不满意？",
        "1",
        "没用过公积金",
        "排队" + "很久" * 50,
        "",
    ],
)
def test_what_asks_or_wants_something_is_none(text: str) -> None:
    assert words.reason(text, ChannelName.SMS) == ""


@pytest.mark.parametrize("text", ["", "？", "满意？", "满意吗?", "👍", "满意" * 30])
def test_what_says_nothing_is_heard_as_nothing(text: str) -> None:
    assert words.level(text, freely=True) is None
    assert words.number(text) is None
    assert not any(words.is_one_of(text, key) for key in LISTS)


@pytest.mark.parametrize(("provisional", "day"), [(False, "12月1日"), (True, "12月1日（遇节假日顺延）")])
def test_a_promised_day_is_one_of_china_and_says_where_holidays_may_move_it(provisional: bool, day: str) -> None:
    opened = Opened(number="GD", due_at=datetime(2026, 11, 30, 17, 0, tzinfo=UTC), provisional=provisional)
    assert words.promised(opened, ChannelName.WECHAT)["day"] == day


def test_the_telephone_reads_an_orders_number_digit_by_digit() -> None:
    opened = Opened(number=VALUES["number"], due_at=datetime(2026, 11, 30, tzinfo=UTC))
    told = words.said("", "word_opened", ChannelName.VOICE, **words.promised(opened, ChannelName.VOICE))
    assert "2 0 2 6，1 1 2 5，0 0 0 0，1 4" in speakable(told.replies[0].text)
    assert words.promised(opened, ChannelName.SMS) == {"number": VALUES["number"], "day": "11月30日"}
