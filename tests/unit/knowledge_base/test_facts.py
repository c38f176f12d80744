"""What a message says of the citizen and the case."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base import wording
from knowledge_base.facts import FactFinder, Facts
from knowledge_base.model import FACTS, Centre
from knowledge_base.normalise import normalise

GUANGZHOU = Centre(
    code="guangzhou", name="广州中心", city="广州", sms_signature="【广州公积金】", here=("广州", "天河")
)
FINDER = FactFinder(GUANGZHOU)


def read(text: str) -> Facts:
    """As the reader does it."""
    seen = normalise(text, here=GUANGZHOU.here)
    return FINDER.find(seen.text, seen.places)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("我是广州户口", {"hukou": "local"}),
        ("我是本市户籍", {"hukou": "local"}),
        ("我是外地户口", {"hukou": "outside"}),
        ("不是广州户口能贷款吗", {"hukou": "outside"}),
        ("我唔系廣州戶口", {"hukou": "outside"}),
        ("户口在湖南能提吗", {"hukou": "outside"}),
        ("我是湖南人", {"hukou": "outside"}),
        ("公积金是单位交的", {"payer": "employer"}),
        ("我是灵活就业自己交的", {"payer": "flexible"}),
        ("首套房能贷多少", {"home_count": "first"}),
        ("名下已经有一套了", {"home_count": "second"}),
        ("二套房的首付", {"home_count": "second"}),
        ("贷款还没还清", {"loan_state": "unpaid"}),
        ("贷款没有结清", {"loan_state": "unpaid"}),
        ("以前的公积金贷款已经还清了", {"loan_state": "settled"}),
        ("房子在广州", {"house_place": "here"}),
        ("房子在外地", {"house_place": "elsewhere"}),
        ("在佛山买房能提吗", {"house_place": "elsewhere"}),
        ("家里二套房，贷款已结清", {"home_count": "second", "loan_state": "settled"}),
        ("租房能提多少", {}),
        ("", {}),
    ],
)
def test_what_the_answer_may_depend_on_is_heard(text: str, known: dict[str, str]) -> None:
    assert read(text).known == known


@pytest.mark.parametrize("text", ["是不是广州户口都能贷款", "有没有广州户口都能贷款吗"])
def test_a_question_about_a_fact_does_not_say_it(text: str) -> None:
    assert read(text).known == {}


@pytest.mark.parametrize("text", ["外地户籍和本地户籍有什么不同", "本地户籍和外地户籍有什么不同"])
def test_both_values_of_a_fact_say_neither(text: str) -> None:
    assert "hukou" not in read(text).known


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("我老婆退休了", ("relation=spouse",)),
        ("我爸买二手房", ("relation=parent", "house=second_hand")),
        ("我们公司怎么汇缴", ("audience=employer",)),
        ("我爸我妈都退休了", ("relation=parent",)),
    ],
)
def test_marks_are_relatives_houses_and_employers_each_once(text: str, marks: tuple[str, ...]) -> None:
    assert read(text).marks == marks


@pytest.mark.parametrize(
    ("text", "places", "fund", "house"),
    [
        ("深圳交的公积金能在广州贷款吗", ("深圳",), "深圳", None),
        ("公积金一直交在深圳", ("深圳",), "深圳", None),
        ("在佛山买房能提吗", ("佛山",), None, "佛山"),
        ("深圳的公积金能在佛山买房吗", ("深圳", "佛山"), "深圳", "佛山"),
        ("我在东莞上班", ("东莞",), None, None),
        ("在广州交，去广州买房", (), None, None),
        ("天河的房子", (), None, None),
    ],
)
def test_another_place_is_where_the_fund_is_or_where_the_house_is(
    text: str, places: tuple[str, ...], fund: str | None, house: str | None
) -> None:
    seen = read(text)
    assert (seen.places, seen.fund_place, seen.house_place) == (places, fund, house)


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("月薪两万三，能贷多少", ("23000",)),
        ("交了1500块", ("1500",)),
        ("贷80万", ("800000",)),
        ("首付三十万元，月供4500.5元", ("300000", "4500.5")),
        ("提了3次", ()),
    ],
)
def test_amounts_are_in_yuan(text: str, amounts: tuple[str, ...]) -> None:
    assert read(text).amounts == amounts


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("2024年3月离职的", ("2024年3月",)),
        ("上个月离职", ("上个月",)),
        ("去年买的", ("去年",)),
        ("3年前办的", ("3年前",)),
        ("要3个月吗", ()),
    ],
)
def test_dates_are_found_as_they_are_said(text: str, dates: tuple[str, ...]) -> None:
    assert read(text).dates == dates


@pytest.mark.parametrize(
    ("text", "denied", "meant"),
    [
        ("不是租房，是买房", "租房", "买房"),
        ("不是租房是买房", "租房", "买房"),
        ("我没问租房，我问的是退休", "租房", "退休"),
        ("说错了，我问的是退休", "", "退休"),
        ("不对，说错了，我要问贷款额度", "", "贷款额度"),
        ("说错了", None, None),
        ("是不是租房也能提", None, None),
        ("我不是来投诉的", None, None),
    ],
)
def test_a_correction_has_what_is_taken_back_and_what_is_meant(
    text: str, denied: str | None, meant: str | None
) -> None:
    seen = read(text)
    assert (seen.denied, seen.meant) == (denied, meant)


def test_the_same_fact_is_the_same_token_whatever_words_said_it() -> None:
    assert set(read("我是灵活就业").tokens()) == set(read("我自己交的").tokens()) == {"f:payer=flexible"}
    tokens = set(read("深圳交的公积金，我老婆去年在佛山买房花了80万").tokens())
    assert tokens >= {"f:other-place", "f:other-fund", "f:other-house", "f:relation=spouse", "f:amount", "f:date"}
    assert not any("佛山" in token or "80" in token for token in tokens)


def test_another_centre_has_another_here() -> None:
    foshan = FactFinder(replace(GUANGZHOU, code="foshan", city="佛山", here=("佛山",)))
    assert foshan.find("我是佛山户口").known == {"hukou": "local"}
    assert foshan.find("我是广州户口", ("广州",)).known == {"hukou": "outside"}


def test_facts_travel_as_json() -> None:
    seen = read("不是租房，是我老婆去年在佛山买房花了80万")
    assert Facts.from_dict(json.loads(json.dumps(asdict(seen)))) == seen
    assert Facts.from_dict(json.loads(json.dumps(asdict(Facts())))) == Facts()


def test_the_words_and_the_model_name_the_same_facts_and_values() -> None:
    worded = {fact: tuple(values) for fact, values in wording.read("facts")["facts"].items()}
    assert {fact: set(values) for fact, values in worded.items()} == {fact: set(FACTS[fact]) for fact in FACTS}


@settings(max_examples=100, deadline=None)
@given(
    st.text(
        alphabet=st.one_of(st.characters(), st.sampled_from("不是,我问的广州佛山户口房子买在万元年月")), max_size=60
    )
)
def test_any_text_is_read_without_harm(text: str) -> None:
    seen = read(text)
    assert set(seen.known) <= set(FACTS)
    assert all(value in FACTS[fact] for fact, value in seen.known.items())
    assert (seen.meant is None) == (seen.denied is None)
    assert Facts.from_dict(json.loads(json.dumps(asdict(seen)))) == seen
