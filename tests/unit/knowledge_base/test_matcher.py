from __future__ import annotations

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge_base.embed import Embedder
from knowledge_base.index import Index
from knowledge_base.match import Match
from knowledge_base.matcher import Matcher
from knowledge_base.published import Published


@pytest.fixture(scope="session")
def matcher(published: Published) -> Matcher:
    return published.matcher


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("我在外面租房子住，可以把公积金取出来交房租吗", "withdraw-rent"),
        ("公基金租房提曲", "withdraw-rent"),
        ("我妈快退休了，公积金怎么全部提出来", "withdraw-retire"),
        ("房贷的利息现在是几个点", "loan-rate"),
        ("社保断了两个月怎么办", "outside-social-insurance"),
    ],
)
def test_the_matter_asked_about_comes_first(matcher: Matcher, text: str, code: str) -> None:
    assert matcher.match(text).candidates[0].code == code


def test_probabilities_are_shares_best_first(matcher: Matcher) -> None:
    found = matcher.match("租房一个月能取多少钱").candidates
    shares = [candidate.p for candidate in found]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1.001
    assert {candidate.topic for candidate in found} >= {"提取-租房", "提取-退休"}


@pytest.mark.parametrize(
    ("text", "code", "aspect"),
    [
        ("租房提取", "withdraw-rent", "overview"),
        ("请问租房提取", "withdraw-rent", "overview"),
        ("交房租", "withdraw-rent", "overview"),
        ("租房每个月能提多少？", "withdraw-rent", "amount"),
        ("租房提取要什么材料", "withdraw-rent", "materials"),
        ("利率下调后老贷款什么时候变", "loan-rate", "q_change"),
        ("withdraw-rent/materials", "withdraw-rent", "materials"),
        ("withdraw-retire", "withdraw-retire", "overview"),
    ],
)
def test_a_name_or_title_in_full_is_a_choice(matcher: Matcher, text: str, code: str, aspect: str) -> None:
    found = matcher.match(text)
    assert found.exact == code
    assert found.candidates[0].code == code
    assert found.candidates[0].p >= 0.99
    assert found.aspect_for(code) == aspect


def test_one_slip_in_a_long_title_is_still_the_title(matcher: Matcher) -> None:
    assert matcher.match("利率下调后老贷款什么时候会变").exact == "loan-rate"
    assert matcher.match("利率下调后老的贷款会怎么变").exact is None


@pytest.mark.parametrize(
    ("text", "aspect"),
    [
        ("能提多少钱", "amount"),
        ("怎么办理", "steps"),
        ("要带什么材料", "materials"),
        ("几天能到账", "time_limit"),
        ("手续费多少", "fee"),
        ("在哪里办", "channels"),
    ],
)
def test_cue_words_decide_the_aspect(matcher: Matcher, text: str, aspect: str) -> None:
    found = matcher.match(text)
    assert found.aspect == aspect
    assert found.aspect_cue


def test_a_cue_picks_the_aspect_of_each_candidate_that_has_it(matcher: Matcher) -> None:
    found = matcher.match("租房取钱要带什么材料")
    assert found.aspect_for("withdraw-rent") == "materials"
    assert found.aspect_for("withdraw-retire") in {"overview", "time_limit"}
    assert found.aspect_for("a-matter-not-ranked") == "materials"


def test_a_hint_does_not_overrule_the_matters_own_entries(matcher: Matcher) -> None:
    found = matcher.match("房贷利息怎么办理调整,存量房贷利率哪天调整")
    assert found.aspect == "steps"
    assert found.aspect_for("loan-rate") == "q_change"


def test_saying_the_funds_name_speaks_for_the_fund(matcher: Matcher) -> None:
    assert matcher.match("公积金断缴了怎么补").asks_outside < matcher.match("断缴了怎么补").asks_outside


def test_a_question_of_its_own_is_found_within_its_matter(matcher: Matcher) -> None:
    assert matcher.match("存量房贷的利率哪一天调").aspect_for("loan-rate") == "q_change"


def test_names_in_the_text_are_mentions_in_order(matcher: Matcher) -> None:
    assert matcher.match("我办了退休提取，还能办租房提取吗").mentions == ("withdraw-retire", "withdraw-rent")
    assert matcher.match("房貸利息").mentions == ("loan-rate",)


def test_what_is_not_ours_is_seen_as_outside(matcher: Matcher) -> None:
    assert matcher.match("今天天气怎么样").asks_outside > 0.5
    assert matcher.match("养老金每月发多少").asks_outside > 0.5
    assert matcher.match("租房可以提公积金吗").asks_outside < 0.3


@pytest.mark.parametrize("text", ["", " ", "？？！", "😀😀", "\0", "\ud800", "\u200b"])
def test_a_text_that_says_nothing_has_no_candidates(matcher: Matcher, text: str) -> None:
    found = matcher.match(text)
    assert found.candidates == ()
    assert found.exact is None
    assert found.aspect_for("withdraw-rent") == "overview"


def test_the_funds_bare_name_offers_what_people_come_for(matcher: Matcher) -> None:
    found = matcher.match("您好，公积金")
    assert [candidate.code for candidate in found.candidates] == ["withdraw-rent", "loan-rate", "withdraw-retire"]
    assert max(candidate.p for candidate in found.candidates) < 0.4


@pytest.mark.parametrize(
    "text", ["租", "a", "公积金" * 4000, "我" * 10_000, "<script>alert(1)</script>", "租房\ud800提取"]
)
def test_odd_text_is_matched_without_harm(matcher: Matcher, text: str) -> None:
    json.dumps(matcher.match(text).to_dict()).encode("utf-8")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(alphabet=st.one_of(st.characters(), st.sampled_from("租房退休公积金提取不是,我问的?吗佛山")), max_size=50)
)
def test_any_text_is_matched_and_its_match_travels(matcher: Matcher, text: str) -> None:
    found = matcher.match(text)
    data = json.loads(json.dumps(found.to_dict()))
    assert Match.from_dict(data).to_dict() == found.to_dict()
    assert all(0.0 <= candidate.p <= 1.0 for candidate in found.candidates)
    matcher.parts(text)
    matcher.about(text, "withdraw-rent")


def test_a_match_travels_as_json(matcher: Matcher) -> None:
    found = matcher.match("佛山租房提取要什么材料")
    data = json.loads(json.dumps(found.to_dict(), ensure_ascii=False))
    assert "original" not in data["normalised"]
    back = Match.from_dict(data)
    assert back.candidates == found.candidates
    assert back.aspects == found.aspects
    assert back.normalised.places == ("佛山",)
    assert back.aspect_for("withdraw-rent") == found.aspect_for("withdraw-rent")
    assert len(json.dumps(data, ensure_ascii=False).encode()) < 4000


def test_entries_are_the_candidates_matters_in_detail(matcher: Matcher) -> None:
    found = matcher.match("租房一个月能取多少钱")
    assert (found.entries[0].code, found.entries[0].aspect) == ("withdraw-rent", "amount")
    shares = [entry.p for entry in found.entries]
    assert shares == sorted(shares, reverse=True)
    for candidate in found.candidates:
        mine = sum(entry.p for entry in found.entries if entry.code == candidate.code)
        assert candidate.p == pytest.approx(mine, abs=0.001)
    assert sum(shares) + found.asks_outside == pytest.approx(
        1.0 + sum(entry.p for entry in found.entries if entry.code.startswith("outside")), abs=0.01
    )


def test_what_is_said_of_the_citizen_comes_with_the_match(matcher: Matcher) -> None:
    found = matcher.match("深圳交的公积金，二套房，在佛山租房能提吗")
    assert found.facts.known == {"home_count": "second"}
    assert found.facts.fund_place == "深圳"
    assert found.normalised.places == ("深圳", "佛山")
    back = Match.from_dict(json.loads(json.dumps(found.to_dict(), ensure_ascii=False)))
    assert (back.facts, back.entries) == (found.facts, found.entries)


@pytest.mark.parametrize(
    ("text", "code", "denied"),
    [
        ("不是租房，是退休提取", "withdraw-retire", "租房"),
        ("说错了，我问的是退休取公积金", "withdraw-retire", ""),
        ("我没问贷款，我问的是房租能不能提", "withdraw-rent", "贷款"),
    ],
)
def test_of_a_correction_only_what_is_meant_is_matched(matcher: Matcher, text: str, code: str, denied: str) -> None:
    found = matcher.match(text)
    assert found.candidates[0].code == code
    assert found.facts.denied == denied
    assert found.normalised.original == text


def test_a_message_is_matched_as_one_about_the_matter_just_discussed(matcher: Matcher) -> None:
    about = matcher.about("几天到账", "withdraw-retire")
    assert about.candidates[0].code == "withdraw-retire"
    assert about.aspect_for("withdraw-retire") == "time_limit"
    assert matcher.about("要什么材料", "withdraw-rent").aspect_for("withdraw-rent") == "materials"
    corrected = matcher.about("不是能提多少，是要什么材料", "withdraw-rent")
    assert corrected.aspect_for("withdraw-rent") == "materials"


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("几天到账", True),
        ("那要什么材料呢", True),
        ("租房提取要什么材料", False),
        ("租房提取", False),
        ("那我要是不在这里上班了这个钱还能不能提出来", False),
    ],
)
def test_only_a_short_text_without_a_name_may_be_a_follow_up(matcher: Matcher, text: str, may: bool) -> None:
    assert matcher.match(text).may_follow_up is may


def test_questions_of_one_message_are_matched_one_by_one(matcher: Matcher) -> None:
    rent, retire = matcher.parts("租房提取要什么材料，退休提取几天到账")
    assert (rent.candidates[0].code, rent.aspect_for("withdraw-rent")) == ("withdraw-rent", "materials")
    assert (retire.candidates[0].code, retire.aspect_for("withdraw-retire")) == ("withdraw-retire", "time_limit")
    assert matcher.parts("租房能提吗") == []
    assert matcher.parts("？？？！！！") == []


def test_a_part_that_names_nothing_is_about_the_one_before(matcher: Matcher) -> None:
    first, second = matcher.parts("退休怎么取公积金？几天到账？")
    assert first.candidates[0].code == second.candidates[0].code == "withdraw-retire"
    assert second.aspect_for("withdraw-retire") == "time_limit"


def test_a_part_after_what_is_not_ours_stands_alone(matcher: Matcher) -> None:
    social, money = matcher.parts("社保卡丢了去哪里补办？能提多少？")
    assert social.candidates[0].scope == "outside"
    assert money.normalised.text == "能提多少"


def test_a_matter_is_found_by_cantonese_and_from_another_city(matcher: Matcher) -> None:
    assert matcher.match("點樣攞公積金交租").candidates[0].code == "withdraw-rent"
    found = matcher.match("我在佛山租房能提吗")
    assert found.candidates[0].code == "withdraw-rent"
    assert found.facts.places == ("佛山",)


def test_a_text_asked_again_costs_next_to_nothing(matcher: Matcher) -> None:
    first = matcher.match("退休以后钱怎么领")
    begun = time.process_time()
    for _ in range(100):
        assert matcher.match("退休以后钱怎么领") is first
    assert (time.process_time() - begun) / 100 < 0.001


def test_an_index_of_another_embedder_is_refused(published: Published) -> None:
    index: Index = published._index

    class Other(Embedder):
        kind = "another"

    with pytest.raises(ValueError, match="another"):
        Matcher(index, Other(use_only=True))
