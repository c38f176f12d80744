"""Answers that depend on the citizen's case: asked back for, and answered for the case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hotline.domain.messages import ChannelName, Outcome
from hotline.services.answering import MAX_ASKED, Answering
from hotline.services.offers import Context, Decision
from hotline.services.speaking import VOICE_CHARS
from hotline.services.understanding import MAX_HOPS
from knowledge_base.facts import Facts
from knowledge_base.model import FACTS, Aspect, Branch, Matter
from tests.unit.answering.content import BUY, CATALOGUE, match, question

ANSWERS = Answering(CATALOGUE)


def ask(text: str = "买房能提吗", context: Context | None = None, **known: str) -> Decision:
    found = match(text, {"buy": 0.95}, facts=Facts(known=known))
    return ANSWERS.decide(question(text, found), context or Context())


def choose(said: str, before: Decision) -> Decision:
    return ANSWERS.decide(question(said, match(said, {"loan": 0.01}, named=False), intent="choose"), before.context)


def text(decided: Decision) -> str:
    return decided.result.replies[0].text


def labels(decided: Decision) -> list[str]:
    return [choice.label for choice in decided.result.replies[0].choices]


def test_an_answer_that_depends_on_a_fact_comes_with_the_question_and_both_answers_as_choices() -> None:
    decided = ask()
    assert decided.result.outcome is Outcome.ANSWERED
    assert text(decided).startswith("买房能提，看房子在哪。")
    assert text(decided).endswith("房子在测试，还是在外地？")
    assert labels(decided) == ["房子在本地", "房子在外地", "转人工"]
    assert (decided.result.matter, decided.result.aspect) == ("buy", "overview")
    assert decided.context.asked == 1


@pytest.mark.parametrize("said", ["2", "第二个", "房子在外地", "房子在外地。", "最后一个"])
def test_the_variant_that_is_chosen_is_answered_and_the_fact_remembered(said: str) -> None:
    decided = choose(said, ask())
    assert text(decided).startswith("外地的房凭不动产权证提。")
    assert (decided.result.outcome, decided.result.aspect) == (Outcome.ANSWERED, "q_elsewhere")
    assert decided.context.facts == {"house_place": "elsewhere"}


def test_a_fact_already_known_is_not_asked_for() -> None:
    for decided in (ask(house_place="elsewhere"), ask(context=Context(facts={"house_place": "elsewhere"}))):
        assert text(decided).startswith("外地的房凭不动产权证提。")
        assert "还是在外地" not in text(decided)
        assert decided.context.asked == 0
        assert decided.context.facts == {"house_place": "elsewhere"}


def test_what_is_said_now_is_believed_before_what_was_said_earlier() -> None:
    decided = ask(context=Context(facts={"house_place": "here"}), house_place="elsewhere")
    assert decided.result.aspect == "q_elsewhere"


def test_one_fact_may_lead_to_the_next() -> None:
    decided = ask(house_place="here")
    assert text(decided).startswith("本地的房凭网签合同提。")
    assert labels(decided)[:2] == ["首套", "二套"]
    second = choose("二套", decided)
    assert text(second).startswith("二套不能提首付。")
    assert second.context.facts == {"house_place": "here", "home_count": "second"}
    assert ask(house_place="here", home_count="second").result.aspect == "q_second"


def test_at_most_two_questions_are_put_back_about_one_matter() -> None:
    second = choose("房子在本地", ask())
    assert second.context.asked == MAX_ASKED == 2
    third = choose("首套", second)
    assert third.result.aspect == "q_first"
    assert "灵活就业人员" not in text(third)
    assert third.context.asked == 2
    assert "单位缴存" not in labels(third)


def test_another_matter_may_ask_again() -> None:
    worn_out = replace(choose("房子在本地", ask()).context, facts={})
    elsewhere = ANSWERS.decide(question("租房", match("租房", {"rent": 0.95})), worn_out)
    assert elsewhere.context.asked == 0
    assert ask(context=elsewhere.context).context.asked == 1


def test_the_value_for_which_the_answer_itself_is_right_needs_no_further_question() -> None:
    context = Context(matter="buy", facts={"house_place": "here", "home_count": "first", "payer": "employer"})
    decided = ANSWERS.decide(question("首套", match("首套", {"buy": 0.95}, aspect="q_first")), context)
    assert decided.result.aspect == "q_first"
    assert "灵活就业人员" not in text(decided)


def test_a_fact_typed_in_ones_own_words_answers_the_question() -> None:
    told = match("在老家那边买的", {"loan": 0.1}, named=False, facts=Facts(known={"house_place": "elsewhere"}))
    decided = ANSWERS.decide(question("在老家那边买的", told), ask().context)
    assert (decided.result.matter, decided.result.aspect) == ("buy", "q_elsewhere")


def test_a_changed_mind_is_answered_for_the_new_case() -> None:
    chosen = choose("房子在外地", ask())
    told = match("房子是本地的", {"loan": 0.1}, named=False, facts=Facts(known={"house_place": "here"}))
    decided = ANSWERS.decide(question("房子是本地的", told), chosen.context)
    assert (decided.result.matter, decided.result.aspect) == ("buy", "q_here")


def test_who_only_tells_something_of_himself_is_offered_what_it_may_be_about() -> None:
    told = match(
        "我是外地户口", {"leave": 0.3, "rent": 0.2, "tax": 0.1}, named=False, facts=Facts(known={"hukou": "outside"})
    )
    decided = ANSWERS.decide(question("我是外地户口", told), Context(failures=1))
    assert decided.result.outcome is Outcome.CLARIFIED
    assert text(decided).startswith("好的，知道了。")
    assert labels(decided) == ["离职能不能提取", "租房能不能提取", "转人工"]
    assert decided.context.facts == {"hukou": "outside"}
    assert decided.context.failures == 0


def test_who_tells_something_that_is_about_nothing_is_offered_what_people_ask() -> None:
    told = match("我是外地户口", {"rent": 0.01}, named=False, facts=Facts(known={"hukou": "outside"}))
    assert len(labels(ANSWERS.decide(question("我是外地户口", told), Context()))) == 4


@pytest.mark.parametrize(
    ("said", "cue"), [("我是外地户口租房能提吗", False), ("外地户口要啥", True), ("外" * 17, False)]
)
def test_who_also_asks_is_answered(said: str, cue: bool) -> None:
    found = match(said, {"rent": 0.9}, cue=cue, facts=Facts(known={"hukou": "outside"}))
    assert ANSWERS.decide(question(said, found), Context()).result.matter == "rent"


def test_who_names_a_matter_asks_for_it_though_no_word_asks() -> None:
    found = match("外地户口租房提取", {"rent": 0.95}, facts=Facts(known={"hukou": "outside"}))
    decided = ANSWERS.decide(question("外地户口租房提取", found), Context())
    assert (decided.result.outcome, decided.result.matter) == (Outcome.ANSWERED, "rent")


def test_an_sms_is_not_spent_on_asking_back() -> None:
    found = match("买房能提吗", {"buy": 0.95})
    decided = ANSWERS.decide(question("买房能提吗", found, channel=ChannelName.SMS), Context())
    assert "还是在外地" not in text(decided)
    assert decided.context.asked == 0


def test_on_the_telephone_it_is_asked_where_it_fits() -> None:
    found = match("买房能提吗", {"buy": 0.95})
    spoken = ANSWERS.decide(question("买房能提吗", found, channel=ChannelName.VOICE), Context())
    assert "还是在外地" in text(spoken)
    assert len(text(spoken)) <= VOICE_CHARS
    assert spoken.result.replies[0].choices == ()
    assert choose("房子在外地", spoken).result.aspect == "q_elsewhere"


def test_a_spoken_answer_that_leaves_no_room_asks_nothing() -> None:
    overview = replace(BUY.aspects["overview"], short="能" * 55)
    long = replace(
        CATALOGUE, matters={**CATALOGUE.matters, "buy": replace(BUY, aspects={**BUY.aspects, "overview": overview})}
    )
    found = match("买房能提吗", {"buy": 0.95})
    decided = Answering(long).decide(question("买房能提吗", found, channel=ChannelName.VOICE), Context())
    assert text(decided) == "能" * 55


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_can_be_asked_for_and_every_value_chosen(fact: str) -> None:
    to = {value: f"q_{value}" for value in FACTS[fact]}
    aspects = {key: Aspect(key=key, title=key, text=f"答{key}。", short=key) for key in ("overview", *to.values())}
    aspects["overview"] = replace(aspects["overview"], branch=Branch(fact=fact, to=to))
    matter = Matter(code="x", name="某事", topic="其他", aspects=aspects)
    answers = Answering(replace(CATALOGUE, matters={**CATALOGUE.matters, "x": matter}))
    asked = answers.decide(question("x", replace(match("x", {"rent": 0.9}), exact="x", aspects=())), Context())
    for number, value in enumerate(FACTS[fact], start=1):
        chosen = answers.decide(question(str(number), intent="choose"), asked.context)
        assert chosen.result.aspect == f"q_{value}"
        assert chosen.context.facts == {fact: value}


def test_a_chain_of_branches_is_followed_only_so_far() -> None:
    """Even content that was never checked cannot hang a turn."""
    ring = {
        "overview": replace(BUY.aspects["overview"], branch=Branch(fact="payer", to={"employer": "fee"})),
        "fee": replace(BUY.aspects["overview"], key="fee", branch=Branch(fact="payer", to={"employer": "overview"})),
    }
    answers = Answering(replace(CATALOGUE, matters={**CATALOGUE.matters, "buy": replace(BUY, aspects=ring)}))
    found = match("买房能提吗", {"buy": 0.95}, facts=Facts(known={"payer": "employer"}))
    assert answers.decide(question("买房能提吗", found), Context()).result.matter == "buy"
    assert MAX_HOPS == 2
