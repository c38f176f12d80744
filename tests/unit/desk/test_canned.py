"""Ready sentences: each found by its own few letters, sendable on every channel, without figures."""

from __future__ import annotations

import re

import pytest
from pypinyin import Style, lazy_pinyin

from hotline.agent_desk import Canned
from hotline.domain.messages import ChannelName
from hotline.services.desk.canned import canned, laid_over
from hotline.services.desk.drafts import DraftCheck
from tests.unit.answering.content import CATALOGUE

ALL = canned("guangzhou")


def test_there_are_about_thirty_and_they_are_loaded_once() -> None:
    assert 25 <= len(ALL) <= 40
    assert canned("guangzhou") is ALL


def test_shortcuts_are_unique_and_typed_in_a_moment() -> None:
    listed = [each.shortcut for each in ALL]
    assert len(set(listed)) == len(listed)
    assert [shortcut for shortcut in listed if not re.fullmatch("[a-z]{2,4}", shortcut)] == []


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.shortcut)
def test_a_shortcut_is_made_of_first_letters_of_its_words(each: Canned) -> None:
    initials = iter(lazy_pinyin(each.title + each.text, style=Style.FIRST_LETTER))
    assert all(letter in initials for letter in each.shortcut)


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.shortcut)
@pytest.mark.parametrize("channel", ChannelName)
def test_every_sentence_may_be_sent_as_it_is(each: Canned, channel: ChannelName) -> None:
    seen = DraftCheck(lambda: CATALOGUE).check(each.text, channel)
    assert (seen.refusal, seen.found) == (None, ())
    assert seen.parts <= 2


def test_figures_come_from_the_knowledge_base_and_not_from_here() -> None:
    assert [
        each.shortcut for each in ALL if re.search(r"[0-9％%]|[一二三四五六七八九十]+(个|天|月|元|年|倍)", each.text)
    ] == []


def test_a_centre_says_a_sentence_in_its_own_way_and_adds_others() -> None:
    common = [{"shortcut": "nh", "title": "您好", "text": "您好"}, {"shortcut": "jsy", "title": "结束", "text": "再见"}]
    own = [
        {"shortcut": "nh", "title": "您好", "text": "芜湖您好"},
        {"shortcut": "wh", "title": "芜湖", "text": "在芜湖"},
    ]
    listed = {"groups": {"all": {"name": "全部", "sentences": common}}, "centres": {"wuhu": own}}
    assert [each.text for each in laid_over(listed, "wuhu")] == ["芜湖您好", "再见", "在芜湖"]
    assert [each.text for each in laid_over(listed, "guangzhou")] == ["您好", "再见"]
