"""What a message means after what was said before: follow-ups, corrections, several questions."""

from __future__ import annotations

import pytest

from hotline.domain.messages import ChannelName, Outcome
from hotline.services.answering import Answering
from hotline.services.offers import Context, Question
from knowledge_base.facts import Facts
from knowledge_base.match import FOLLOW_UP_CHARS
from tests.unit.answering.content import CATALOGUE, match, question

ANSWERS = Answering(CATALOGUE)
AFTER_RENT = Context(matter="rent", aspect="overview", said=("rent/overview",))
RENT_TIME = match("租房提取,那什么时候收得到", {"rent": 0.95}, aspect="time_limit")


def answered(asked: Question, context: Context = AFTER_RENT) -> tuple[str | None, str | None]:
    result = ANSWERS.decide(asked, context).result
    return result.matter, result.aspect


def test_a_short_message_that_finds_something_in_the_matter_just_discussed_is_about_it() -> None:
    found = match("那什么时候收得到", {"loan": 0.3}, named=False)
    assert answered(question("那什么时候收得到", found, about=RENT_TIME)) == ("rent", "time_limit")
    assert answered(question("那什么时候收得到", found)) != ("rent", "time_limit")


def test_the_aspect_is_the_one_found_in_the_matter_and_not_the_generic_one() -> None:
    found = match("那几时收得到", {"loan": 0.3}, aspect="fee", cue=True, named=False)
    assert answered(question("那几时收得到", found, about=RENT_TIME)) == ("rent", "time_limit")


@pytest.mark.parametrize(
    ("ranked", "named", "outside", "about", "expected"),
    [
        ({"leave": 0.95}, False, 0.0, {"rent": 0.9}, "leave"),
        ({"leave": 0.75}, False, 0.0, {"rent": 0.9}, "leave"),
        ({"leave": 0.6}, False, 0.0, {"rent": 0.9}, "rent"),
        ({"leave": 0.6}, True, 0.0, {"rent": 0.9}, "leave"),
        ({"leave": 0.6}, False, 0.0, {"loan": 0.9}, "leave"),
        ({"leave": 0.05}, False, 0.9, {"rent": 0.9}, None),
    ],
    ids=["surely new", "new without a cue", "perhaps", "names another", "finds another there", "surely not ours"],
)
def test_a_follow_up_needs_to_find_the_same_matter_and_nothing_surer(
    ranked: dict[str, float], named: bool, outside: float, about: dict[str, float], expected: str | None
) -> None:
    found = match("那要是别的情况呢", ranked, named=named, outside=outside)
    asked = question("那要是别的情况呢", found, about=match("租房提取,那要是别的情况呢", about))
    assert answered(asked)[0] == expected


def test_half_a_sentence_is_about_what_it_surely_finds_in_the_matter_just_discussed() -> None:
    found = match("怎么开", {"leave": 0.95}, named=False)
    sure, unsure = (match("租房提取,怎么开", {"rent": p}, aspect="materials") for p in (0.9, 0.7))
    assert answered(question("怎么开", found, about=sure)) == ("rent", "materials")
    assert answered(question("怎么开", found, about=unsure))[0] == "leave"


@pytest.mark.parametrize(("there", "expected"), [(0.05, "rent"), (0.01, "leave")])
def test_the_matter_just_discussed_is_likelier_than_by_itself(there: float, expected: str) -> None:
    found = match("怎么知道那边有多少", {"leave": 0.9, "rent": there}, named=False)
    assert answered(question("怎么知道那边有多少", found, about=RENT_TIME))[0] == expected


@pytest.mark.parametrize(
    ("own", "p", "expected"),
    [("q_limit", 0.95, Outcome.ANSWERED), ("q_limit", 0.5, Outcome.HANDOFF), ("overview", 0.95, Outcome.HANDOFF)],
)
def test_what_sounds_like_a_complaint_may_put_a_question_of_the_matter_just_discussed(
    own: str, p: float, expected: Outcome
) -> None:
    text = "别人都办成了,为啥我不行"
    found = match(text, {"leave": 0.3}, named=False)
    asked = question(text, found, intent="complaint", about=match(text, {"rent": p}, aspect=own))
    assert ANSWERS.decide(asked, AFTER_RENT).result.outcome is expected


def test_without_a_matter_before_nothing_is_followed_up() -> None:
    found = match("那什么时候收得到", {"loan": 0.05}, named=False)
    assert answered(question("那什么时候收得到", found, about=RENT_TIME), Context())[0] is None
    assert answered(question("那什么时候收得到", found), Context(matter="gone", aspect="overview"))[0] is None


def test_a_long_message_is_no_follow_up() -> None:
    text = "问" * (FOLLOW_UP_CHARS + 1)
    found = match(text, {"leave": 0.6}, named=False)
    assert answered(question(text, found, about=RENT_TIME))[0] == "leave"


def test_a_follow_up_offers_nothing_else_that_may_have_been_meant() -> None:
    found = match("那几天到账", {"loan": 0.4, "leave": 0.3}, aspect="time_limit", cue=True, named=False)
    decided = ANSWERS.decide(question("那几天到账", found), AFTER_RENT)
    assert {offer.matter for offer in decided.context.offered} == {"rent"}


def test_another_aspect_is_meant_of_the_same_matter() -> None:
    found = match(
        "金额", {"loan": 0.4}, aspect="amount", cue=True, named=False, facts=Facts(denied="材料", meant="金额")
    )
    context = Context(matter="rent", aspect="materials")
    assert answered(question("不是材料，是金额", found), context) == ("rent", "amount")


def test_another_aspect_is_meant_without_a_cue_where_the_matter_has_it() -> None:
    found = match("到账", {"loan": 0.4}, named=False, facts=Facts(denied="材料", meant="到账"))
    assert answered(question("不是材料，是到账", found, about=RENT_TIME)) == ("rent", "time_limit")


def test_another_matter_is_meant_and_asked_about_in_the_same_way() -> None:
    found = match("离职", {"rent": 0.2, "leave": 0.1}, named=False, facts=Facts(denied="租房", meant="离职"))
    context = Context(matter="rent", aspect="materials")
    assert answered(question("不是租房，是离职", found), context) == ("leave", "materials")


def test_another_matter_that_is_asked_about_in_its_own_way() -> None:
    facts = Facts(denied="租房", meant="离职带什么")
    found = match("离职带什么", {"leave": 0.3}, aspect="materials", cue=True, facts=facts)
    assert answered(question("不是租房，是离职带什么", found)) == ("leave", "materials")


def test_a_matter_of_the_same_family_is_meant_rather() -> None:
    found = match("那个", {"loan": 0.3, "leave": 0.2}, named=False, facts=Facts(denied="租房", meant="那个"))
    assert answered(question("不是租房，是那个", found))[0] == "leave"


def test_what_was_denied_is_never_answered() -> None:
    found = match("提取的", {"rent": 0.6, "leave": 0.06}, named=False, facts=Facts(denied="租房", meant="提取的"))
    assert answered(question("不是租房，是提取的", found))[0] == "leave"


def test_a_slip_taken_back_is_answered_by_what_is_meant() -> None:
    found = match("离职提取", {"leave": 0.9}, facts=Facts(denied="", meant="离职提取"))
    assert answered(question("说错了，我问的是离职提取", found)) == ("leave", "overview")
    assert answered(question("说错了，我问的是离职提取", found), Context()) == ("leave", "overview")


def test_a_correction_is_heard_though_its_words_resemble_a_complaint_about_the_answer() -> None:
    found = match("离职", {"leave": 0.6}, facts=Facts(denied="租房", meant="离职"))
    assert answered(question("不是租房，是离职", found, intent="wrong"))[0] == "leave"


def test_a_correction_to_nothing_known_is_asked_back() -> None:
    found = match("那个", {"leave": 0.04, "loan": 0.03}, named=False, facts=Facts(denied="租房", meant="那个"))
    decided = ANSWERS.decide(question("不是租房，是那个", found), AFTER_RENT)
    assert (decided.result.outcome, decided.result.matter) == (Outcome.CLARIFIED, None)


def test_answers_called_wrong_still_count_after_a_correction_and_no_more_after_a_new_question() -> None:
    before = Context(matter="rent", aspect="overview", wrong=1)
    found = match("离职", {"leave": 0.6}, facts=Facts(denied="租房", meant="离职"))
    assert ANSWERS.decide(question("不是租房，是离职", found), before).context.wrong == 1
    assert ANSWERS.decide(question("离职", match("离职", {"leave": 0.9})), before).context.wrong == 0


def test_a_second_part_is_about_the_first_ones_matter() -> None:
    parts = (
        match("租房能提吗", {"rent": 0.9}),
        match("几天到账", {"loan": 0.2}, aspect="time_limit", cue=True, named=False),
        match("离职呢", {"leave": 0.9}),
    )
    decided = ANSWERS.decide(question("…", match("…", {"rent": 0.9}), parts=parts), Context())
    text = decided.result.replies[0].text
    assert "能提。租房" in text
    assert "3个工作日" in text
    assert "封存" not in text  # two answers are enough for one bubble
    assert decided.context.said == ("rent/overview", "rent/time_limit")


def test_parts_that_ask_the_same_are_answered_once() -> None:
    parts = (match("租房能提吗", {"rent": 0.9}), match("能不能提租房", {"rent": 0.9}))
    whole = match("租房能提吗", {"rent": 0.9})
    text = ANSWERS.decide(question("…", whole, parts=parts), Context()).result.replies[0].text
    assert text.count("能提。租房") == 1


def test_a_part_that_is_not_ours_or_not_understood_is_left_out() -> None:
    whole = match("…", {"rent": 0.9})
    for other in (match("个税找谁", {"tax": 0.9}), match("呃呃呃", {"loan": 0.02}, named=False)):
        parts = (match("租房能提吗", {"rent": 0.9}), other)
        assert answered(question("…", whole, parts=parts), Context()) == ("rent", "overview")


@pytest.mark.parametrize("channel", [ChannelName.SMS, ChannelName.VOICE])
def test_where_there_is_little_room_one_question_is_answered(channel: ChannelName) -> None:
    parts = (match("租房带什么", {"rent": 0.9}, aspect="materials"), match("离职能提吗", {"leave": 0.9}))
    asked = question("…", match("…", {"leave": 0.9}), parts=parts, channel=channel)
    text = ANSWERS.decide(asked, Context()).result.replies[0].text
    assert text.startswith("能提，封存满半年。")
    assert "身份证" not in text
