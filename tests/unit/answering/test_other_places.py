"""Another city's fund, and questions this centre has not answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hotline.domain.messages import ChannelName, Outcome
from hotline.services.answering import Answering
from hotline.services.offers import Context, Decision
from hotline.services.speaking import SMS_CHARS, VOICE_CHARS
from knowledge_base.facts import Facts
from tests.unit.answering.content import CATALOGUE, LEAVE, match, question

ANSWERS = Answering(CATALOGUE)
FUND_THERE = Facts(places=("佛山",), fund_place="佛山")
NAMED = Facts(places=("佛山",))


def ask(facts: Facts, code: str = "leave", answers: Answering = ANSWERS, **changes: object) -> Decision:
    return answers.decide(question("能提吗", match("能提吗", {code: 0.95}, facts=facts), **changes), Context())


def text(decided: Decision) -> str:
    return decided.result.replies[0].text


def leave_says(words: str) -> Answering:
    overview = replace(LEAVE.aspects["overview"], text=words)
    return Answering(
        replace(CATALOGUE, matters={**CATALOGUE.matters, "leave": replace(LEAVE, aspects={"overview": overview})})
    )


def test_whose_fund_is_elsewhere_hears_first_who_answers_for_it() -> None:
    lead, answer = text(ask(FUND_THERE)).split("\n")[:2]
    assert lead.startswith("您说的是佛山的公积金，归佛山的中心管")
    assert lead.endswith("下面是测试的规定：")
    assert answer.startswith("能提，封存满半年。")


def test_who_only_names_another_city_hears_whose_rules_these_are() -> None:
    lead = text(ask(NAMED)).split("\n")[0]
    assert lead.startswith("下面是测试的规定；佛山的情况请问当地公积金中心")


@pytest.mark.parametrize(
    "facts",
    [
        Facts(),
        Facts(places=("佛山",), house_place="佛山", known={"house_place": "elsewhere"}),
        Facts(places=("湖南",), known={"hukou": "outside"}),
    ],
    ids=["no city", "the house is there", "he comes from there"],
)
def test_where_the_fund_is_this_centres_nothing_is_said_first(facts: Facts) -> None:
    assert text(ask(facts)).startswith("能提，封存满半年。")


def test_the_city_of_the_fund_is_said_though_the_house_is_in_a_third() -> None:
    facts = Facts(places=("佛山", "深圳"), house_place="佛山", known={"house_place": "elsewhere"})
    assert "深圳的情况" in text(ask(facts))


@pytest.mark.parametrize("words", ["异地缴存的也能提。", "佛山缴存的请到佛山办。", "以当地规定为准。"])
def test_an_answer_that_speaks_of_other_places_needs_no_lead(words: str) -> None:
    assert text(ask(FUND_THERE, answers=leave_says(words))).startswith(words)


def test_what_is_not_the_funds_gets_no_lead() -> None:
    assert text(ask(FUND_THERE, "tax")).startswith("不归公积金中心")


@pytest.mark.parametrize(("channel", "limit"), [(ChannelName.SMS, SMS_CHARS), (ChannelName.VOICE, VOICE_CHARS)])
def test_short_messages_say_it_shortly_and_only_where_it_fits(channel: ChannelName, limit: int) -> None:
    said = text(ask(FUND_THERE, channel=channel))
    assert said.startswith("按测试的规定：能提，封存满半年。")
    assert len(said) <= limit
    overview = replace(LEAVE.aspects["overview"], short="能" * limit)
    full = replace(CATALOGUE, matters={**CATALOGUE.matters, "leave": replace(LEAVE, aspects={"overview": overview})})
    assert text(ask(FUND_THERE, answers=Answering(full), channel=channel)).startswith("能能")


def test_what_this_centre_has_not_answered_is_said_so_and_is_no_answer() -> None:
    decided = ANSWERS.decide(question("…", match("…", {"buy": 0.95}, aspect="fee")), Context())
    assert decided.result.outcome is Outcome.CLARIFIED
    assert "还没有写入答复" in text(decided)
    assert "12329" in text(decided)
    assert (decided.result.matter, decided.result.aspect, decided.result.sources) == ("buy", "fee", ())
    assert decided.result.replies[0].choices[-1].text == "转人工"
    assert "收不收费" not in [choice.label for choice in decided.result.replies[0].choices]


def test_what_is_not_answered_needs_no_lead_and_asks_nothing_back() -> None:
    found = match("…", {"buy": 0.95}, aspect="fee", facts=FUND_THERE)
    decided = ANSWERS.decide(question("…", found), Context())
    assert text(decided).startswith("您问的这一点")
    assert decided.context.asked == 0


def test_of_two_questions_one_answer_is_an_answer() -> None:
    parts = (match("买房收费吗", {"buy": 0.9}, aspect="fee"), match("离职能提吗", {"leave": 0.9}))
    decided = ANSWERS.decide(question("…", match("…", {"buy": 0.9}), parts=parts), Context())
    assert decided.result.outcome is Outcome.ANSWERED
    assert "还没有写入答复" in text(decided)
    assert "封存满半年" in text(decided)


@pytest.mark.parametrize("channel", list(ChannelName))
def test_it_is_said_on_every_channel(channel: ChannelName) -> None:
    found = match("…", {"buy": 0.95}, aspect="fee")
    said = text(ANSWERS.decide(question("…", found, channel=channel), Context()))
    assert "还没有写入答复" in said
    assert channel is not ChannelName.VOICE or len(said) <= VOICE_CHARS


def test_an_unanswered_aspect_is_never_offered() -> None:
    context = ANSWERS.decide(question("…", match("…", {"buy": 0.95})), Context()).context
    assert "fee" not in {offer.aspect for offer in context.offered}
