"""What is answered, asked back or handed over."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.domain.messages import ChannelName, Outcome
from hotline.services.answering import Answering
from hotline.services.offers import Context, Offer
from hotline.services.speaking import SMS_CHARS, VOICE_CHARS
from hotline.services.understanding import BY_NUMBER
from hotline.settings import ROOT
from knowledge_base.facts import Facts
from knowledge_base.match import FOLLOW_UP_CHARS
from knowledge_base.model import FACTS
from tests.unit.answering.content import CATALOGUE, LEAVE, RENT, match, question

ANSWERS = Answering(CATALOGUE)
RENT_SURE = {"rent": 0.9, "leave": 0.05}
UNSURE = {"rent": 0.3, "leave": 0.25, "loan": 0.1}
HOPELESS = {"rent": 0.01, "leave": 0.01}
CHANNELS = list(ChannelName)
AFTER_RENT = Context(matter="rent", aspect="overview")


def test_a_sure_match_is_answered_with_its_matter_aspect_and_source() -> None:
    decided = ANSWERS.decide(question("租房带什么", match("租房带什么", RENT_SURE, aspect="materials")), Context())
    result = decided.result
    assert (result.outcome, result.matter, result.aspect) == (Outcome.ANSWERED, "rent", "materials")
    assert result.replies[0].text.startswith("带身份证和银行卡。")
    assert [(note.title, note.issued_on) for note in result.sources] == [("测试办法第三条", "2024-01-01")]
    assert (decided.context.matter, decided.context.aspect) == ("rent", "materials")


def test_candidates_are_filled_up_to_three_best_first() -> None:
    found = match("租房", {"rent": 0.8, "loan": 0.1, "leave": 0.05, "tax": 0.01})
    assert ANSWERS.decide(question("租房", found), Context()).result.candidates == ("rent", "loan", "leave")


def test_the_figure_is_the_one_in_force_on_the_day_asked_for() -> None:
    found = match("租房提多少", RENT_SURE, aspect="amount")
    then = ANSWERS.decide(question("租房提多少", found, today=date(2024, 6, 1)), Context())
    now = ANSWERS.decide(question("租房提多少", found), Context())
    assert "1400元" in then.result.replies[0].text
    assert "2000元，自2025年1月1日起" in now.result.replies[0].text


def test_an_answer_without_a_figure_in_force_says_so_and_names_the_hotline() -> None:
    found = match("租房提多少", RENT_SURE, aspect="amount")
    decided = ANSWERS.decide(question("租房提多少", found, today=date(2019, 1, 1)), Context())
    assert "12329" in decided.result.replies[0].text
    assert decided.result.sources == ()


def test_an_aspect_the_matter_has_not_is_answered_by_its_overview() -> None:
    decided = ANSWERS.decide(
        question("离职提取收费吗", match("离职提取收费吗", {"leave": 0.9}, aspect="fee")), Context()
    )
    assert (decided.result.matter, decided.result.aspect) == ("leave", "overview")


def test_after_an_answer_other_aspects_of_the_matter_and_a_person_are_offered() -> None:
    decided = ANSWERS.decide(question("租房", match("租房", RENT_SURE, aspect="materials")), Context())
    choices = decided.result.replies[0].choices
    assert [choice.label for choice in choices] == ["金额多少", "多久办好", "是怎么回事", "转人工"]
    assert choices[0].text == "租房提取金额多少"


def test_a_short_question_without_a_matter_is_about_the_one_just_discussed() -> None:
    found = match("那多久能到账", {"loan": 0.6}, aspect="time_limit", cue=True, named=False)
    decided = ANSWERS.decide(question("那多久能到账", found), AFTER_RENT)
    assert (decided.result.matter, decided.result.aspect) == ("rent", "time_limit")


@pytest.mark.parametrize(
    ("ranked", "text", "cue", "named"),
    [
        ({"leave": 0.6}, "我爸离开了他的钱怎么办", True, False),
        ({"leave": 0.6}, "那离职多久到账", True, True),
        ({"leave": 0.6}, "那多久到账", False, False),
        ({"leave": 0.6}, "问" * (FOLLOW_UP_CHARS + 1), True, False),
    ],
    ids=["surely another matter", "names another matter", "no cue", "too long"],
)
def test_what_is_no_follow_up_is_a_question_of_its_own(
    ranked: dict[str, float], text: str, cue: bool, named: bool
) -> None:
    found = match(text, ranked, aspect="materials", cue=cue, named=named)
    assert ANSWERS.decide(question(text, found), AFTER_RENT).result.matter == "leave"


def test_half_a_sentence_is_a_follow_up_however_sure_the_matcher_is() -> None:
    found = match("多久到账", {"leave": 0.95}, aspect="time_limit", cue=True, named=False)
    assert ANSWERS.decide(question("多久到账", found), AFTER_RENT).result.matter == "rent"
    assert ANSWERS.decide(question("多久到账", found), Context()).result.matter == "leave"


@pytest.mark.parametrize(
    ("fund", "outside", "expected"),
    [(0.3, 0.46, Outcome.REJECTED), (0.3, 0.4, Outcome.CLARIFIED), (0.52, 0.47, Outcome.ANSWERED)],
)
def test_what_is_likely_not_ours_is_turned_away_unless_one_of_our_matters_is_likelier_than_not(
    fund: float, outside: float, expected: Outcome
) -> None:
    text = "卡里的钱多久能转出来"
    found = match(text, {"rent": fund}, named=False, outside=outside)
    assert ANSWERS.decide(question(text, found), Context()).result.outcome is expected


def test_a_follow_up_is_not_turned_away_as_not_ours() -> None:
    found = match("那几天到账", {"rent": 0.02}, aspect="time_limit", cue=True, named=False, outside=0.9)
    decided = ANSWERS.decide(question("那几天到账", found, intent="out_of_scope"), AFTER_RENT)
    assert (decided.result.matter, decided.result.outcome) == ("rent", Outcome.ANSWERED)


def test_an_unsure_match_asks_back_with_at_most_three_choices() -> None:
    decided = ANSWERS.decide(question("提取", match("提取", {**UNSURE, "tax": 0.08}, named=False)), Context())
    assert decided.result.outcome is Outcome.CLARIFIED
    assert [choice.text for choice in decided.result.replies[0].choices] == [
        "租房能不能提取",
        "离职能不能提取",
        "贷款能贷多少",
        "转人工",
    ]
    assert decided.result.candidates == ("rent", "leave", "loan")
    assert decided.result.matter is None


@pytest.mark.parametrize("said", ["2", "第二个", "选2。", "２", "离职能不能提取", "离职能不能提取？"])
def test_an_offered_choice_is_taken_by_number_or_by_its_text(said: str) -> None:
    asked = ANSWERS.decide(question("提取", match("提取", UNSURE, named=False)), Context())
    chosen = ANSWERS.decide(question(said, match(said, HOPELESS, named=False), intent="choose"), asked.context)
    assert (chosen.result.outcome, chosen.result.matter) == (Outcome.ANSWERED, "leave")
    assert chosen.result.candidates == ("leave",)


def test_the_last_one_is_the_last_one_offered() -> None:
    asked = ANSWERS.decide(question("提取", match("提取", UNSURE, named=False)), Context())
    assert ANSWERS.decide(question("最后一个", intent="choose"), asked.context).result.matter == "loan"


@pytest.mark.parametrize(("said", "offered"), [("3", 2), ("1", 0), ("最后一个", 0)])
def test_a_number_that_was_not_offered_chooses_nothing(said: str, offered: int) -> None:
    offers = tuple(Offer(label=str(n), text=f"问{n}", matter="rent", aspect="overview") for n in range(offered))
    decided = ANSWERS.decide(question(said, intent="choose"), Context(offered=offers))
    assert (decided.result.outcome, decided.result.matter) == (Outcome.CLARIFIED, None)


def test_not_understood_once_is_asked_again_and_twice_offers_a_person_without_handing_over() -> None:
    asked = question("呃", match("呃", HOPELESS, named=False))
    once = ANSWERS.decide(asked, Context())
    twice = ANSWERS.decide(asked, once.context)
    assert [d.result.outcome for d in (once, twice)] == [Outcome.CLARIFIED, Outcome.CLARIFIED]
    assert [d.result.hand_over for d in (once, twice)] == [None, None]
    assert [choice.text for choice in once.result.replies[0].choices][-1] == "转人工"
    assert [choice.text for choice in twice.result.replies[0].choices] == ["转人工", "先不用"]
    assert twice.context.failures == 2


@pytest.mark.parametrize("said", ["好的", "要", "嗯", "可以"])
@pytest.mark.parametrize("intent", ["thanks", "fallback", "greet"])
def test_a_yes_to_the_offer_of_a_person_hands_over(said: str, intent: str) -> None:
    asked = question("呃", match("呃", HOPELESS, named=False))
    offered = ANSWERS.decide(asked, ANSWERS.decide(asked, Context()).context).context
    decided = ANSWERS.decide(question(said, intent=intent), offered)
    assert (decided.result.outcome, decided.result.hand_over) == (Outcome.HANDOFF, "requested")


def test_a_no_to_the_offer_of_a_person_goes_on_with_the_bot() -> None:
    asked = question("呃", match("呃", HOPELESS, named=False))
    offered = ANSWERS.decide(asked, ANSWERS.decide(asked, Context()).context).context
    decided = ANSWERS.decide(question("不用了", intent="goodbye"), offered)
    assert (decided.result.outcome, decided.context.failures) == (Outcome.ANSWERED, 0)
    assert not decided.result.replies[0].ends_call


def test_an_answer_forgets_earlier_failures() -> None:
    decided = ANSWERS.decide(question("租房", match("租房", RENT_SURE)), Context(failures=1))
    assert decided.context.failures == 0


def test_what_is_not_ours_gets_its_own_answer_and_keeps_the_matter_discussed() -> None:
    decided = ANSWERS.decide(question("个税", match("个税", {"tax": 0.9}), intent="out_of_scope"), AFTER_RENT)
    assert decided.result.outcome is Outcome.REJECTED
    assert "12366" in decided.result.replies[0].text
    assert decided.context.matter == "rent"


def test_what_is_not_ours_and_has_no_entry_is_turned_away_kindly() -> None:
    decided = ANSWERS.decide(question("股票", match("股票", HOPELESS, named=False), intent="out_of_scope"), Context())
    assert (decided.result.outcome, decided.result.matter) == (Outcome.REJECTED, None)


def test_gibberish_is_never_answered_by_an_entry_that_is_not_ours() -> None:
    decided = ANSWERS.decide(
        question("你懂的", match("你懂的", {"tax": 0.9}, named=False), intent="fallback"), Context()
    )
    assert decided.result.outcome is Outcome.CLARIFIED


@pytest.mark.parametrize(("intent", "reason"), [("human_request", "requested"), ("complaint", "complaint")])
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_person_is_wanted(intent: str, reason: str, channel: ChannelName) -> None:
    result = ANSWERS.decide(question("人", intent=intent, channel=channel), AFTER_RENT).result
    assert (result.outcome, result.hand_over) == (Outcome.HANDOFF, reason)
    assert result.replies[0].text


def test_saying_it_again_says_the_last_answer_with_its_choices() -> None:
    answered = ANSWERS.decide(question("租房", match("租房", RENT_SURE)), Context())
    thanked = ANSWERS.decide(question("谢谢", intent="thanks"), answered.context)
    again = ANSWERS.decide(question("再说一遍", intent="repeat"), thanked.context)
    assert again.result.replies[0].text == answered.result.replies[0].text
    assert again.result.replies[0].choices == answered.result.replies[0].choices[:-1]


def test_nothing_can_be_repeated_at_the_start() -> None:
    assert ANSWERS.decide(question("再说一遍", intent="repeat"), Context()).result.outcome is Outcome.CLARIFIED


def test_two_questions_in_one_message_are_both_answered() -> None:
    parts = (match("租房带什么", RENT_SURE, aspect="materials"), match("离职能提吗", {"leave": 0.8}))
    asked = question(
        "租房带什么？离职能提吗？", match("租房带什么离职能提吗", {"rent": 0.5, "leave": 0.4}), parts=parts
    )
    result = ANSWERS.decide(asked, Context()).result
    assert "带身份证和银行卡" in result.replies[0].text
    assert "封存满半年" in result.replies[0].text
    assert result.candidates == ("rent", "leave")


def test_a_second_sentence_without_a_matter_is_about_the_first_ones() -> None:
    parts = (
        match("租房能提吗", RENT_SURE),
        match("几天到账", {"loan": 0.2}, aspect="time_limit", cue=True, named=False),
    )
    asked = question("租房能提吗？几天到账？", match("租房能提吗几天到账", RENT_SURE), parts=parts)
    text = ANSWERS.decide(asked, Context()).result.replies[0].text
    assert "能提" in text
    assert "3个工作日" in text


def test_a_greeting_on_the_web_offers_what_most_people_ask_about() -> None:
    reply = ANSWERS.decide(question("", intent="greet"), Context()).result.replies[0]
    assert "测试中心" in reply.text
    assert [choice.label for choice in reply.choices] == [RENT.name, LEAVE.name, "贷款额度", "转人工"]


def test_goodbye_ends_a_call() -> None:
    assert ANSWERS.decide(question("再见", intent="goodbye"), Context()).result.replies[0].ends_call


@pytest.mark.parametrize("channel", [ChannelName.SMS, ChannelName.VOICE])
def test_channels_without_buttons_get_numbers_in_the_text(channel: ChannelName) -> None:
    reply = ANSWERS.decide(
        question("提取", match("提取", UNSURE, named=False), channel=channel), Context()
    ).result.replies[0]
    assert "1租房能不能提取，2离职能不能提取" in reply.text
    assert reply.choices == ()
    assert len(reply.text) <= (SMS_CHARS if channel is ChannelName.SMS else VOICE_CHARS)


def test_only_choices_that_were_said_on_the_telephone_can_be_chosen() -> None:
    long = replace(LEAVE.aspects["overview"], title="在外地离职以后人还没有回来能不能提取公积金呢请问")
    leave = replace(LEAVE, aspects={"overview": long})
    answers = Answering(replace(CATALOGUE, matters={**CATALOGUE.matters, "leave": leave}))
    asked = question("提取", match("提取", UNSURE, named=False), channel=ChannelName.VOICE)
    decided = answers.decide(asked, Context())
    text = decided.result.replies[0].text
    assert len(text) <= VOICE_CHARS
    assert [offer.label for offer in decided.context.offered] == [
        "租房能不能提取",
        long.title,
    ]
    assert "3" not in text


def test_an_sms_answer_offers_more_by_number_and_the_number_works() -> None:
    answered = ANSWERS.decide(question("租房", match("租房", RENT_SURE), channel=ChannelName.SMS), Context())
    assert "回复1要什么材料" in answered.result.replies[0].text
    assert ANSWERS.decide(question("1", intent="choose"), answered.context).result.aspect == "materials"


def test_a_spoken_answer_is_the_short_one_alone() -> None:
    reply = ANSWERS.decide(
        question("租房", match("租房", RENT_SURE), channel=ChannelName.VOICE), Context()
    ).result.replies[0]
    assert reply.text == "能提，每月最多2000元。"


SHARES = st.dictionaries(st.sampled_from(list(CATALOGUE.matters)), st.floats(0, 1), max_size=4)
SAID = st.one_of(st.none(), st.dictionaries(st.sampled_from(list(FACTS)), st.sampled_from(["here", "first", "?"])))
TOPICS = st.sampled_from(["rent/overview", "buy/q_here", "buy/fee", "gone/overview"])
OFFERS = st.builds(
    Offer,
    label=st.text(min_size=1, max_size=6),
    text=st.text(max_size=6),
    matter=st.sampled_from(["rent", "buy", ""]),
    aspect=st.sampled_from(["overview", "q_here", "gone"]),
    fact=st.sampled_from(["", "house_place=here"]),
)
CONTEXTS = st.builds(
    Context,
    matter=st.sampled_from([None, "rent", "buy", "gone"]),
    aspect=st.sampled_from([None, "overview", "q_here", "fee", "gone"]),
    offered=st.lists(OFFERS, max_size=3).map(tuple),
    failures=st.integers(0, 3),
    last_reply=st.sampled_from(["", "刚才说的"]),
    said=st.lists(TOPICS, max_size=3).map(tuple),
    others=st.lists(TOPICS, max_size=3).map(tuple),
    wrong=st.integers(0, 3),
    asked=st.integers(0, 3),
)


@settings(max_examples=300, deadline=None)
@given(
    text=st.one_of(st.text(max_size=40), st.sampled_from(["1", "好的", "不用", "第二个", "房子在外地"])),
    shares=SHARES,
    known=SAID,
    denied=st.sampled_from([None, "", "租房"]),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    intent=st.sampled_from([path.stem for path in (ROOT / "bot" / "domain").glob("*.yml")]),
    channel=st.sampled_from(CHANNELS),
    context=CONTEXTS,
)
def test_every_message_gets_exactly_one_reply_with_words(
    text: str,
    shares: dict[str, float],
    known: dict[str, str] | None,
    denied: str | None,
    flags: tuple[bool, bool, bool],
    intent: str,
    channel: ChannelName,
    context: Context,
) -> None:
    cue, named, with_parts = flags
    ranked = dict(sorted(shares.items(), key=lambda item: -item[1]))
    facts = Facts(known=known or {}, denied=denied, meant=None if denied is None else text)
    found = match(text, ranked, cue=cue, named=named, facts=facts)
    parts = (found, match(text, {"buy": 0.9}, aspect="fee")) if with_parts else ()
    about = match(text, {"buy": 0.9}, aspect="q_here") if cue else None
    asked = question(text, found if known is not None else None, intent=intent, channel=channel, parts=parts)
    decided = ANSWERS.decide(replace(asked, about=about), context)
    (reply,) = decided.result.replies
    assert reply.text.strip()
    assert not (channel in BY_NUMBER and reply.choices)
    assert "{" not in reply.text
    assert Context.from_slots(json.loads(json.dumps(decided.context.to_slots()))) == decided.context


def test_the_context_survives_the_way_through_slots() -> None:
    context = ANSWERS.decide(question("租房", match("租房", RENT_SURE)), Context(failures=1)).context
    assert Context.from_slots(context.to_slots()) == context
    assert Context.from_slots({"matter": None, "offered": None, "failures": None}) == Context()


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_apology_offers_a_person(channel: ChannelName) -> None:
    reply = ANSWERS.sorry(channel).replies[0]
    assert "人工" in reply.text
