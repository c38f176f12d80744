"""A conversation in a few sentences: from the record, short, and without anybody's numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.desk_store import Line
from hotline.domain.desk import Reason
from hotline.domain.messages import ChannelName
from hotline.services.desk.summing_up import LONGEST, cut, summary
from tests.unit.desk.records import NOW, a_handover, lines

ID_NUMBER = "440106199003072015"
NAMES = {"rent": "租房提取", "leave": "离职提取", "loan": "贷款额度", "buy": "购房提取"}
TALK = (
    ("citizen", "您好"),
    ("citizen", "租房能提多少"),
    ("bot", "每月最多2000元。"),
    ("citizen", "转人工"),
    ("system", "您好，坐席1024为您服务。"),
    ("citizen", "我没有备案合同\n也能提吗"),
    ("agent", "没有备案合同也能提，按人计算。"),
    ("citizen", "好的，谢谢"),
)
TRIED = [
    {"matter": "rent", "aspect": "amount", "outcome": "answered", "intent": "ask_knowledge"},
    {"matter": "leave", "aspect": "overview", "outcome": "clarified", "intent": "ask_knowledge"},
    {"matter": "rent", "aspect": "materials", "outcome": "answered", "intent": "ask_knowledge"},
]


def names(code: str) -> str:
    return NAMES.get(code, code)


def test_the_whole_of_a_conversation_in_its_order() -> None:
    handover = a_handover(packet={"name": "陈**", "level": 1, "tried": TRIED})
    assert summary(lines(*TALK), handover, names) == (
        "陈**（已绑定）微信咨询。先问：“租房能提多少”；最后问：“我没有备案合同 也能提吗”。智能客服答过：租房提取。"
        "群众要求转人工。坐席最后答复：“没有备案合同也能提，按人计算。”。人工服务6分钟。"
    )


def test_who_has_proven_nothing_is_not_named() -> None:
    said = lines(("citizen", "余额"), channel=ChannelName.VOICE)
    assert summary(said, a_handover(packet={"name": "", "level": 0}), names).startswith("未验证身份的群众来电。")


def test_one_question_is_told_once() -> None:
    assert "。问：“租房能提多少”。" in summary(lines(*TALK[:4]), a_handover(), names)


def test_who_said_nothing_but_that_he_wants_a_person_is_quoted_so() -> None:
    assert "问：“转人工”。" in summary(lines(("citizen", "转人工")), a_handover(), names)


def test_of_many_matters_three_are_named() -> None:
    tried = [{**TRIED[0], "matter": code} for code in (*NAMES, "unknown")]
    told = summary(lines(*TALK), a_handover(packet={"tried": tried}), names)
    assert "智能客服答过：租房提取、离职提取、贷款额度等。" in told


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_words(reason: Reason) -> None:
    told = summary(lines(*TALK), a_handover(reason=reason), names)
    assert reason.value not in told
    assert told != summary(lines(*TALK), None, names)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "人工服务不到1分钟。"), (29, "人工服务不到1分钟。"), (31, "人工服务1分钟。"), (3600, "人工服务60分钟。")],
)
def test_how_long_it_took(seconds: int, told: str) -> None:
    handover = a_handover(ended_at=NOW + timedelta(seconds=seconds))
    assert summary(lines(*TALK), handover, names).endswith(told)


def test_while_it_goes_on_it_has_lasted_to_the_last_line() -> None:
    assert summary(lines(*TALK), a_handover(ended_at=None), names).endswith("人工服务7分钟。")


def test_whom_nobody_has_answered_yet_no_answer_is_made_up_for() -> None:
    waiting = summary(lines(*TALK[:4]), a_handover(accepted_at=None, ended_at=None), names)
    assert waiting.endswith("群众要求转人工。")
    assert "坐席没有答复。" in summary(lines(*TALK[:4]), a_handover(), names)


def test_without_a_request_for_a_person_it_says_what_was_asked() -> None:
    assert summary(lines(*TALK), None, names).endswith("最后问：“我没有备案合同 也能提吗”。")


def test_nothing_said_is_nothing_told() -> None:
    assert summary([], a_handover(), names) == ""


texts = st.one_of(
    st.text(max_size=400),
    st.text("0123456789一二三四五六七八九零 -.xX密码", max_size=120),
    st.builds("{}，{}，{}".format, st.text(max_size=60), st.just(ID_NUMBER), st.text(max_size=60)),
)
talks = st.lists(st.tuples(st.sampled_from(["citizen", "bot", "agent", "system"]), texts), min_size=1, max_size=8)
packets = st.fixed_dictionaries(
    {"name": texts, "level": st.integers(0, 4), "tried": st.lists(st.sampled_from(TRIED), max_size=5)}
)


@given(talks, packets, st.sampled_from(Reason), texts)
def test_it_is_short_and_without_an_id_number_and_always_the_same(
    talk: list[tuple[str, str]], packet: dict[str, object], reason: Reason, name: str
) -> None:
    said: list[Line] = lines(*talk)
    handover = replace(a_handover(reason=reason), packet=packet)
    told = summary(said, handover, lambda code: name)
    assert 0 < len(told) <= LONGEST
    assert ID_NUMBER not in told
    assert told == summary(said, handover, lambda code: name)


@given(st.text("0123456789 xX-一二字", max_size=80), st.integers(2, 60))
def test_what_is_cut_never_ends_in_a_piece_of_a_number(text: str, most: int) -> None:
    short = cut(text, most)
    assert len(short) <= most
    if short != text:
        assert short.endswith("…")
        assert not short[-2:-1].isdigit()
