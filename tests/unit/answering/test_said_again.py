"""What is said about an answer: more of it, in plainer words, that it was wrong; a question left for later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hotline.domain.messages import ChannelName, Outcome
from hotline.services.answering import Answering
from hotline.services.offers import PERSON, Context, Decision
from hotline.services.understanding import MAX_OPTIONS
from knowledge_base.facts import Facts
from tests.unit.answering.content import CATALOGUE, RENT, TODAY, match, question

ANSWERS = Answering(CATALOGUE)


def say(intent: str, context: Context, **changes: object) -> Decision:
    """A message of that intent; its words find nothing."""
    return ANSWERS.decide(question("…", match("…", {"rent": 0.01}, named=False), intent=intent, **changes), context)


def text(decided: Decision) -> str:
    return decided.result.replies[0].text


def labels(decided: Decision) -> list[str]:
    return [choice.label for choice in decided.result.replies[0].choices]


AFTER_RENT = ANSWERS.decide(
    question("租房", match("租房", {"rent": 0.95}, also={"leave/overview": 0.04, "loan/overview": 0.03})), Context()
).context


# --- more


def test_more_goes_through_the_matter_each_thing_once_and_then_says_so() -> None:
    context, told = AFTER_RENT, []
    for _ in range(3):
        decided = say("more", context)
        assert decided.result.outcome is Outcome.ANSWERED
        told.append(decided.result.aspect)
        context = decided.context
    assert told == ["materials", "amount", "time_limit"]
    last = say("more", context)
    assert text(last) == "这件事能告诉您的都说了。还有不清楚的地方，请直接问，或者转人工。"
    assert labels(last) == ["转人工"]
    assert say("more", context, channel=ChannelName.VOICE).result.replies[0].choices == ()


def test_more_is_over_where_the_answer_was_for_the_citizens_own_case() -> None:
    """Bought elsewhere, said at once: what was told is the variant, and it is not told again."""
    facts = Facts(known={"house_place": "elsewhere"})
    context = ANSWERS.decide(question("买房能提吗", match("买房能提吗", {"buy": 0.95}, facts=facts)), Context()).context
    assert context.aspect == "q_elsewhere"
    told = [context.aspect]
    for _ in range(8):
        decided = say("more", context)
        if decided.result.matter is None:
            break
        told.append(decided.result.aspect)
        context = decided.context
    assert decided.result.matter is None
    assert len(told) == len(set(told))


def test_more_passes_over_what_nobody_has_answered() -> None:
    context = Context(
        matter="buy",
        aspect="q_second",
        said=tuple(f"buy/{key}" for key in CATALOGUE.matters["buy"].aspects if key != "fee"),
    )
    assert text(say("more", context)).startswith("这件事能告诉您的都说了")


def test_more_of_nothing_says_the_last_thing_again_or_that_nothing_was_said() -> None:
    assert text(say("more", Context(last_reply="刚才说的"))) == "刚才说的"
    assert say("more", Context()).result.outcome is Outcome.CLARIFIED
    assert text(say("more", Context(matter="gone", last_reply="刚才说的"))) == "刚才说的"


# --- simpler


def test_simpler_says_the_same_in_everyday_words_with_the_figure_of_the_day() -> None:
    decided = say("simpler", AFTER_RENT)
    assert text(decided) == "租房子的钱可以从公积金里拿，每月2000元。"
    assert (decided.result.matter, decided.result.aspect) == ("rent", "overview")
    assert decided.context == AFTER_RENT


def test_simpler_is_the_short_answer_where_nobody_wrote_a_plain_one() -> None:
    assert text(say("simpler", replace(AFTER_RENT, aspect="amount"))) == "每月最多2000元。"


def test_simpler_without_an_answer_before_it_is_the_last_reply() -> None:
    assert text(say("simpler", Context(last_reply="您想问哪一个？"))) == "您想问哪一个？"
    assert say("simpler", Context()).result.outcome is Outcome.CLARIFIED


def test_simpler_of_what_was_never_answered_does_not_say_its_title_as_if_it_were_an_answer() -> None:
    said = text(say("simpler", Context(matter="buy", aspect="fee", last_reply="还没有写入答复")))
    assert said != CATALOGUE.matters["buy"].aspects["fee"].title


def test_simpler_without_a_figure_in_force_names_the_hotline() -> None:
    decided = say("simpler", AFTER_RENT, today=TODAY.replace(year=2019))
    assert "12329" in text(decided)


# --- wrong


def test_a_wrong_answer_is_followed_by_the_next_best_as_choices() -> None:
    decided = say("wrong", AFTER_RENT)
    assert decided.result.outcome is Outcome.CLARIFIED
    assert labels(decided) == ["离职能不能提取", "贷款能贷多少", "转人工"]
    assert text(decided).startswith("抱歉，刚才答得不对")
    assert decided.context.wrong == 1
    chosen = ANSWERS.decide(question("1", intent="choose"), decided.context)
    assert chosen.result.matter == "leave"


def test_a_second_wrong_answer_offers_a_person_and_a_yes_hands_over() -> None:
    once = say("wrong", AFTER_RENT)
    chosen = ANSWERS.decide(question("1", intent="choose"), once.context)
    twice = say("wrong", chosen.context)
    assert "两次都没答对" in text(twice)
    assert labels(twice) == ["转人工", "先不用"]
    assert [offer.matter for offer in twice.context.offered] == [PERSON]
    assert twice.result.hand_over is None
    yes = ANSWERS.decide(question("好的", intent="thanks"), twice.context)
    assert (yes.result.outcome, yes.result.hand_over) == (Outcome.HANDOFF, "requested")
    assert yes.context.wrong == 0


def test_a_no_begins_anew() -> None:
    twice = say("wrong", say("wrong", AFTER_RENT).context)
    no = ANSWERS.decide(question("先不用", intent="fallback"), twice.context)
    assert no.context.wrong == 0
    assert say("wrong", no.context).result.outcome is Outcome.CLARIFIED


def test_a_new_question_between_them_is_a_new_start() -> None:
    once = say("wrong", AFTER_RENT)
    asked = ANSWERS.decide(question("离职", match("离职", {"leave": 0.95})), once.context)
    assert "两次" not in text(say("wrong", asked.context))


def test_without_a_next_best_other_aspects_are_offered_and_without_a_matter_what_people_ask() -> None:
    alone = ANSWERS.decide(question("租房", match("租房", {"rent": 0.99})), Context()).context
    assert labels(say("wrong", alone)) == ["要什么材料", "金额多少", "多久办好", "转人工"]
    assert labels(say("wrong", Context())) == ["租房提取", "离职提取", "贷款额度", "转人工"]


def test_nobody_is_offered_what_is_hardly_possible_or_not_ours_as_next_best() -> None:
    found = match("租房", {"rent": 0.95}, also={"tax/overview": 0.04, "loan/overview": 0.0001})
    context = ANSWERS.decide(question("租房", found), Context()).context
    assert not {offer.matter for offer in say("wrong", context).context.offered} & {"tax", "loan"}


def test_no_more_than_three_are_offered() -> None:
    also = {"leave/overview": 0.03, "leave/materials": 0.03, "loan/overview": 0.03, "buy/overview": 0.03}
    context = ANSWERS.decide(question("租房", match("租房", {"rent": 0.88}, also=also)), Context()).context
    assert len(say("wrong", context).context.offered) == MAX_OPTIONS


def test_an_entry_no_longer_published_is_not_offered() -> None:
    context = replace(AFTER_RENT, others=("gone/overview", "leave/overview"))
    assert labels(say("wrong", context)) == ["离职能不能提取", "转人工"]


# --- left for later


@pytest.mark.parametrize("channel", list(ChannelName))
def test_a_question_left_for_the_editors_is_confirmed(channel: ChannelName) -> None:
    decided = say("leave_question", replace(AFTER_RENT, failures=1), channel=channel)
    assert decided.result.outcome is Outcome.CLARIFIED
    assert "记下" in text(decided)
    assert decided.result.hand_over is None
    assert decided.context.failures == 0
    assert decided.context.last_reply == AFTER_RENT.last_reply


def test_who_is_not_understood_may_leave_the_question() -> None:
    found = match("呃", {"rent": 0.01}, named=False)
    decided = ANSWERS.decide(question("呃", found, intent="fallback"), Context())
    assert labels(decided)[-2:] == ["记下我的问题", "转人工"]
    assert ANSWERS.decide(question("记下我的问题", intent="leave_question"), decided.context).result.outcome is (
        Outcome.CLARIFIED
    )


@pytest.mark.parametrize("intent", ["more", "simpler", "wrong", "repeat", "leave_question"])
@pytest.mark.parametrize("channel", list(ChannelName))
@pytest.mark.parametrize("context", [Context(), AFTER_RENT, Context(matter="gone", aspect="gone")])
def test_every_way_of_coming_back_to_an_answer_works_at_any_time(
    intent: str, channel: ChannelName, context: Context
) -> None:
    decided = say(intent, context, channel=channel)
    assert len(decided.result.replies) == 1
    assert text(decided)
    assert not (channel in (ChannelName.SMS, ChannelName.VOICE) and decided.result.replies[0].choices)


def test_saying_it_more_plainly_has_its_figure_in_every_aspect() -> None:
    for key in RENT.aspects:
        assert "{" not in text(say("simpler", Context(matter="rent", aspect=key, last_reply="x")))
