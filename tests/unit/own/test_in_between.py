"""Something else is said in the middle of something: answered, and then back; or it takes its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hotline.domain.identity import Level, Purpose
from hotline.domain.messages import ChannelName, Outcome
from hotline.services.offers import Question
from tests.own_kit import DOWNLOAD, LINK, Counter, labels_of, text_of
from tests.unit.own.forms import CONFIRMED, RENT, at_summary, begun
from tests.unit.own.kit import PERSON, a_match, at_counter, said

pytestmark = pytest.mark.anyio

FIRST = "从哪个月的房租开始提？"
MATERIALS = "租房提取要什么材料？"


async def in_a_form(channel: ChannelName = ChannelName.WECHAT) -> Counter:
    counter = at_counter(channel=channel)
    await begun(counter, RENT)
    return counter


async def test_a_question_about_the_rules_is_answered_and_the_form_goes_on() -> None:
    counter = await in_a_form()
    result = await counter.says(MATERIALS, match=a_match(MATERIALS, "withdraw-rent", aspect="materials"))
    policy, again = text_of(result).split("\n\n接着办刚才的业务申请：")
    assert policy
    assert again.startswith(FIRST)
    assert text_of(await counter.says("9月")) == "提到哪个月为止？比如“这个月”。"


async def test_a_look_at_own_data_is_given_and_the_form_goes_on() -> None:
    counter = await in_a_form()
    result = await counter.says("我的余额是多少？", "ask_balance")
    assert text_of(result).startswith("您的公积金余额是86,520.35元。")
    assert FIRST in text_of(result)
    assert (counter.context.task or {})["asking"] == "first_month"


async def test_the_name_of_another_skill_is_no_answer_even_without_a_question_mark() -> None:
    counter = at_counter()
    await counter.says("帮我把武汉的公积金转过来", "apply")
    result = await counter.says("办理进度", "ask_progress")
    assert text_of(result).startswith("没有查到您的申请。")
    assert text_of(result).endswith("公积金从哪个城市转过来？")


@pytest.mark.parametrize(("words", "intent"), [("再说一遍", "repeat"), ("没听懂", "simpler")])
async def test_who_wants_to_hear_it_again_hears_what_is_waited_for(words: str, intent: str) -> None:
    counter = at_counter()
    await counter.says("帮我把武汉的公积金转过来", "apply")
    assert text_of(await counter.says(words, intent)) == "公积金从哪个城市转过来？"


async def test_small_talk_is_answered_and_counts_for_no_failure() -> None:
    counter = await in_a_form()
    for _ in range(4):
        result = await counter.says("谢谢", "thanks")
        assert FIRST in text_of(result)
    assert (counter.context.task or {})["failures"] == 0


@pytest.mark.parametrize("intent", ["human_request", "complaint", "goodbye"])
async def test_who_wants_a_person_or_leaves_is_not_held(intent: str) -> None:
    counter = await in_a_form()
    result = await counter.says("转人工", intent)
    assert FIRST not in text_of(result)
    assert counter.context.task is None
    assert ("id-P000001", RENT.code) in counter.drafts.kept


async def test_what_is_begun_anew_takes_the_place_of_what_was_begun() -> None:
    counter = await in_a_form()
    result = await counter.says("月供多少？", "calculate")
    assert text_of(result) == "您打算贷多少钱？"
    assert text_of(await said(counter, "50万", "30年")).startswith("贷50万元")
    assert text_of(await counter.says("接着办", "apply")).startswith(FIRST)


async def test_a_vague_likeness_to_another_skill_does_not_end_the_form() -> None:
    counter = await in_a_form()
    vague = Question(
        text="上上个那个", intent="calculate", confidence=0.3, channel=counter.channel, today=counter.today
    )
    decision = await counter.desk().decide(counter.answering, vague, counter.context, conversation_id="c1")
    assert text_of(decision.result).startswith("抱歉，没看懂您的回答。")
    assert (decision.context.task or {})["skill"] == "apply"


async def test_three_answers_that_cannot_be_read_end_with_a_person() -> None:
    counter = await in_a_form()
    for _ in range(2):
        assert text_of(await counter.says("那个啥")).startswith("抱歉，没看懂您的回答。")
    result = await counter.says("那个啥")
    assert text_of(result).startswith("抱歉，还是没看懂您的回答，先停在这里")
    assert labels_of(result) == ["转人工"]
    assert counter.context.task is None


async def test_an_answer_that_is_read_forgives_the_failures() -> None:
    counter = await in_a_form()
    await said(counter, "那个啥", "那个啥", "9月")
    assert (counter.context.task or {})["failures"] == 0


async def test_a_link_given_in_between_is_not_lost() -> None:
    counter = await in_a_form()
    result = await counter.says("能给我开个缴存证明吗？", "get_certificate")
    assert f"{DOWNLOAD}/deposit" in [choice.url for choice in result.replies[-1].choices]
    anonymous = at_counter(channel=ChannelName.WEB, level=None)
    await anonymous.says("算月供", "calculate")
    result = await anonymous.says("我的余额是多少？", "ask_balance")
    assert [choice.url for choice in result.replies[-1].choices] == [LINK]
    assert text_of(result).endswith("接着办刚才的测算：您打算贷多少钱？")


async def test_unbinding_in_between_ends_what_was_begun_and_shows_nothing_more() -> None:
    counter = at_counter()
    await at_summary(counter)
    asked = Question(
        text="帮我把这个号解绑吧", intent="unbind", confidence=0.8, channel=counter.channel, today=counter.today
    )
    decision = await counter.desk().decide(counter.answering, asked, counter.context, conversation_id="c1")
    assert text_of(decision.result).startswith("已解除绑定")
    assert "请核对" not in text_of(decision.result)
    assert decision.context.task is None


async def test_binding_in_between_leaves_what_was_begun() -> None:
    counter = await in_a_form()
    result = await counter.says("验证身份", "bind")
    assert text_of(result).startswith("您已经验证过了")
    assert text_of(await counter.says("9月")).startswith("提到哪个月为止")


# --- the proof runs out in the middle ---------------------------------------------------------------------------------


async def test_an_answer_after_the_proof_has_run_out_waits_for_a_new_one() -> None:
    counter = at_counter()
    await at_summary(counter)
    counter.knows(PERSON, level=Level.BOUND)
    calls = list(counter.fund.calls)
    result = await counter.says(CONFIRMED)
    assert labels_of(result) == ["验证身份"]
    assert (counter.fund.calls, counter.identification.links) == (calls, [Purpose.STEP_UP])
    counter.knows(PERSON)
    again = await counter.says("", "prove")
    assert text_of(again).startswith("已确认是您本人（*）。\n请核对“租房提取”")
    assert text_of(await counter.says(CONFIRMED)).startswith("已提交。")


async def test_rules_and_what_needs_no_proof_are_told_without_one_and_no_summary_with_them() -> None:
    counter = at_counter()
    await at_summary(counter)
    counter.knows(PERSON, level=Level.BOUND)
    rules = await counter.says(MATERIALS, match=a_match(MATERIALS, "withdraw-rent", aspect="materials"))
    balance = await counter.says("我的余额", "ask_balance")
    for result in (rules, balance):
        assert "请核对" not in text_of(result)
        assert text_of(result).endswith("请点“验证身份”，完成后接着为您办理。")
        assert labels_of(result)[-1] == "验证身份"
    assert text_of(balance).startswith("您的公积金余额是")
    assert (counter.context.task or {})["asking"] == "confirm"


async def test_a_caller_whose_proof_ran_out_keys_it_in_and_goes_on() -> None:
    counter = await in_a_form(ChannelName.VOICE)
    counter.knows(PERSON, level=Level.BOUND)
    result = await counter.says("9月")
    assert result.replies[-1].keypad == Purpose.STEP_UP
    counter.knows(PERSON)
    assert FIRST in text_of(await counter.says("", "prove"))


async def test_what_was_asked_last_is_told_first_after_the_proof_and_then_what_was_begun() -> None:
    counter = at_counter(channel=ChannelName.WEB, level=None)
    await counter.says("算月供", "calculate")
    await counter.says("我的余额是多少？", "ask_balance")
    counter.knows(PERSON)
    result = await counter.says("", "prove")
    assert text_of(result).startswith("已确认是您本人（*）。\n您的公积金余额是")
    assert text_of(result).endswith("接着办刚才的测算：您打算贷多少钱？")
    assert (counter.context.pending, (counter.context.task or {})["skill"]) == (None, "calculate")


async def test_a_wish_that_was_given_up_does_not_come_back_with_another_proof() -> None:
    counter = at_counter(channel=ChannelName.WEB, level=Level.BOUND)
    await counter.says("我的余额", "ask_balance")
    counter.knows(PERSON)
    await begun(counter, RENT)
    counter.knows(PERSON, level=Level.BOUND)
    await counter.says("9月")
    counter.knows(PERSON)
    text = text_of(await counter.says("", "prove"))
    assert FIRST in text
    assert "余额是" not in text


async def test_the_outcome_of_a_turn_in_between_is_that_of_what_was_said_in_between() -> None:
    counter = await in_a_form()
    found = replace(a_match("个税怎么退？", "withdraw-rent"), asks_outside=0.95, candidates=(), entries=(), mentions=())
    result = await counter.says("个税怎么退？", "out_of_scope", match=found)
    assert result.outcome in (Outcome.REJECTED, Outcome.CLARIFIED)
    assert FIRST in text_of(result)
