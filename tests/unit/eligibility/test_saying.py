from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.domain.messages import ChannelName
from hotline.services.eligibility import Situation, ask, check, say
from hotline.services.eligibility.saying import answer_label
from knowledge_base.eligibility import QUESTIONS
from knowledge_base.model import Catalogue
from tests.fund_records import ID_NUMBER
from tests.unit.eligibility.test_matters import BASE, MET, SEALED, TODAY, UNKNOWN, UNMET

WEB, SMS, VOICE = ChannelName.WEB, ChannelName.SMS, ChannelName.VOICE


def told(catalogue: Catalogue, matter: str, situation: Situation, channel: ChannelName) -> str:
    verdict = check(catalogue, matter, situation, TODAY)
    assert verdict is not None
    return say(verdict, channel, catalogue, TODAY)


def situations() -> Iterator[tuple[str, Situation]]:
    for matter, change in [(row[0], row[2]) for row in (*UNMET, *UNKNOWN)]:
        yield matter, replace(MET[matter], **change)  # type: ignore[arg-type]
    yield from MET.items()
    yield from ((matter, Situation(city="广州")) for matter in MET)


def test_every_verdict_fits_its_channel_and_says_nothing_personal(guangzhou: Catalogue, wuhu: Catalogue) -> None:
    for catalogue, (matter, situation) in itertools.product((guangzhou, wuhu), situations()):
        texts = {channel: told(catalogue, matter, situation, channel) for channel in ChannelName}
        assert len(texts[VOICE]) <= 60, texts[VOICE]
        assert len(texts[SMS]) <= 120, texts[SMS]
        assert texts[WEB].endswith("以审核为准。")
        assert not any("{" in text or ID_NUMBER in text or "陈家明" in text for text in texts.values())


def test_the_answer_stands_first(guangzhou: Catalogue) -> None:
    assert told(guangzhou, "withdraw-rent", MET["withdraw-rent"], WEB).startswith("能办租房提取：")
    assert told(guangzhou, "withdraw-leave", BASE, WEB).startswith("现在还不能办离职提取：")
    open_questions = replace(BASE, said={})
    assert told(guangzhou, "withdraw-rent", open_questions, WEB).startswith(
        "多半能办租房提取，还需确认：现在租房居住。"
    )
    nothing = Situation(city="广州")
    assert told(guangzhou, "withdraw-rent", nothing, WEB).startswith("现在还说不准能不能办租房提取")


def test_what_time_alone_mends_is_told_with_its_day(guangzhou: Catalogue) -> None:
    waiting = replace(BASE, accounts=(replace(SEALED, sealed_on=date(2026, 7, 15)),))
    text = told(guangzhou, "withdraw-leave", waiting, WEB)
    assert text.startswith("现在还不能办离职提取，2027年1月15日起可以办。")
    assert "不满足：账户封存满6个月（2026年7月15日封存，还差约2个月，2027年1月15日起满）" in text
    assert told(guangzhou, "withdraw-leave", waiting, VOICE).startswith("现在还不能办离职提取，2027年1月15日起可以办。")


@pytest.mark.parametrize(
    ("sealed_on", "left"),
    [
        (date(2026, 5, 26), "还差1天"),
        (date(2026, 6, 20), "还差25天"),
        (date(2026, 6, 27), "还差约2个月"),
        (date(2026, 11, 25), "还差约6个月"),
    ],
)
def test_how_long_it_still_takes_is_rounded_up(guangzhou: Catalogue, sealed_on: date, left: str) -> None:
    waiting = replace(BASE, accounts=(replace(SEALED, sealed_on=sealed_on),))
    assert left in told(guangzhou, "withdraw-leave", waiting, WEB)


def test_each_condition_is_explained_unmet_ones_first(guangzhou: Catalogue) -> None:
    lines = told(guangzhou, "loan-conditions", replace(BASE, accounts=(SEALED,)), WEB).split("\n")
    marks = [line.split("：")[0] for line in lines[1:] if line.startswith(("满足", "不满足", "还需确认"))]
    assert marks == sorted(marks, key=["不满足", "还需确认", "满足"].index)
    assert set(marks) == {"不满足", "还需确认", "满足"}
    assert any(line.startswith("依据：") for line in lines)


def test_a_rule_from_an_unofficial_page_is_marked_and_one_of_the_system_is_not(guangzhou: Catalogue) -> None:
    text = told(guangzhou, "loan-prepay", MET["loan-prepay"], WEB)
    assert "正常还款满1年（待核实）" in text
    assert "没有正在办的同一笔申请。" in text
    assert "请打12329核实" in text
    assert "待核实" not in told(guangzhou, "withdraw-rent", MET["withdraw-rent"], WEB)


def test_where_only_national_conditions_are_known_the_hotline_is_named(wuhu: Catalogue) -> None:
    text = told(wuhu, "withdraw-rent", replace(MET["withdraw-rent"], city="芜湖"), WEB)
    assert text.startswith("全国通行的条件都满足，芜湖还有没有别的要求，请打12329问清")


def test_amounts_are_spoken_on_the_telephone(guangzhou: Catalogue) -> None:
    situation = replace(BASE, accounts=(replace(BASE.accounts[0], balance_fen=0),), said={"renting": "yes"})  # type: ignore[index]
    assert "现在能用的余额零元" in told(guangzhou, "withdraw-rent", situation, VOICE)
    assert "现在能用的余额0元" in told(guangzhou, "withdraw-rent", situation, SMS)


def test_every_question_and_answer_can_be_put(guangzhou: Catalogue) -> None:
    for question, values in QUESTIONS.items():
        assert "？" in ask(question, guangzhou)
        assert all(answer_label(value) for value in values)


ANSWERS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values or ("广州", "佛山市", "成都", "")) for name, values in QUESTIONS.items()}
)


@settings(max_examples=60)
@given(st.sampled_from(sorted(MET)), ANSWERS, st.dates(min_value=date(2025, 1, 1), max_value=date(2035, 1, 1)))
def test_whatever_was_said_there_is_a_verdict_and_its_questions_lead_to_an_end(
    guangzhou: Catalogue, matter: str, said: dict[str, str], today: date
) -> None:
    """No question is asked that was answered, so that asking them one by one comes to an end."""
    verdict = check(guangzhou, matter, replace(MET[matter], said=said), today)
    if verdict is not None:
        assert all(not said.get(question) for question in verdict.questions)
        assert all(say(verdict, channel, guangzhou, today) for channel in ChannelName)
