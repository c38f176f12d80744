"""Taking an application back: which one, surely meant, once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from hotline.domain.fund import Application, ApplicationState
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Outcome
from hotline.services.own import desk
from tests.fake_fund import FakeFundSystem, an_application
from tests.own_kit import Counter, labels_of, text_of
from tests.unit.own.kit import PAGES, a_fund, a_match, at_counter, said, spoken_badly

pytestmark = pytest.mark.anyio

RENT = an_application()
PREPAY = an_application(application_no="B000002", business="loan-prepay")
PAYING = an_application(state=ApplicationState.PAYING, cancellable=False)


@dataclass
class Slow(FakeFundSystem):
    """Takes back at once and answers late."""

    write_s: float = 0.0

    async def cancel(self, person_no: str, application_no: str, *, key: str) -> Application:
        done = await super().cancel(person_no, application_no, key=key)
        await asyncio.sleep(self.write_s)
        return done


async def asked(counter: Counter, words: str = "撤销申请") -> str:
    return text_of(await counter.says(words, "cancel_application"))


@pytest.mark.parametrize("words", ["确定撤销", "确定", "是的"])
@pytest.mark.parametrize("channel", [*PAGES, ChannelName.VOICE])
async def test_one_that_is_surely_meant_is_taken_back(channel: ChannelName, words: str) -> None:
    counter = at_counter(a_fund(applications=[RENT]), channel)
    assert (await asked(counter)).startswith("确定要撤销租房提取")
    result = await counter.says(words)
    assert text_of(result).startswith("已撤销：租房提取")
    assert (await counter.fund.application("P000001", "B000001")).state is ApplicationState.CANCELLED
    assert counter.audit.actions[-2:] == ["application.cancel_confirmed", "application.cancelled"]
    assert counter.context.task is None
    assert channel is not ChannelName.VOICE or not spoken_badly(result)


@pytest.mark.parametrize("words", ["不撤了", "不要", "取消", "算了"])
async def test_one_that_is_not_meant_goes_on(words: str) -> None:
    counter = at_counter(a_fund(applications=[RENT]))
    await asked(counter)
    assert text_of(await counter.says(words)) == "好的，没有撤销，申请照常办理。"
    assert "cancel" not in counter.fund.calls
    assert counter.context.task is None


@pytest.mark.parametrize("words", ["2", "公积金贷款提前还款（B000002）", "B000002", "公积金贷款提前还款"])
async def test_of_several_one_is_chosen(words: str) -> None:
    counter = at_counter(a_fund(applications=[RENT, PREPAY]))
    assert await asked(counter) == "要撤销哪一笔？"
    assert text_of(await counter.says(words)) == "确定要撤销公积金贷款提前还款（B000002）吗？撤销后可以重新申请。"


async def test_a_caller_presses_the_key_of_one() -> None:
    counter = at_counter(a_fund(applications=[RENT, PREPAY]), ChannelName.VOICE)
    assert await asked(counter) == "要撤销哪一笔？租房提取请按1。公积金贷款提前还款请按2。"
    assert text_of(await counter.says("2")).startswith("确定要撤销公积金贷款提前还款吗？")


async def test_the_one_that_is_named_needs_no_choice() -> None:
    counter = at_counter(a_fund(applications=[RENT, PREPAY]))
    assert "租房提取" in await asked(counter, "把租房的那笔撤销")
    found = a_match("撤了它", "loan-prepay")
    assert "提前还款" in text_of(await counter.says("撤了它", "cancel_application", match=found))


async def test_a_question_in_between_leads_back_to_the_one_that_was_chosen() -> None:
    counter = at_counter(a_fund(applications=[RENT, PREPAY]))
    await asked(counter)
    await counter.says("2")
    words = "租房提取要什么材料？"
    result = await counter.says(words, match=a_match(words, "withdraw-rent", aspect="materials"))
    assert text_of(result).endswith(
        "接着办刚才的撤销申请：确定要撤销公积金贷款提前还款（B000002）吗？撤销后可以重新申请。"
    )
    assert text_of(await counter.says("确定撤销")).startswith("已撤销：公积金贷款提前还款")


@pytest.mark.parametrize(
    ("applications", "words"), [([], "没有可以撤销的申请。"), ([PAYING], "不能撤销：您的申请已经审核通过或正在付款。")]
)
async def test_what_cannot_be_taken_back_is_said_at_once(applications: list[Application], words: str) -> None:
    counter = at_counter(a_fund(applications=applications))
    assert await asked(counter) == words
    assert counter.context.task is None


async def test_one_that_moved_on_meanwhile_is_refused_and_not_asked_for_again() -> None:
    counter = at_counter(a_fund(applications=[RENT]))
    await asked(counter)
    counter.fund.move("B000001", ApplicationState.PAYING)
    result = await counter.says("确定撤销")
    assert text_of(result) == "不能办理：这笔申请已经到了下一步，改不了也撤不了。"
    assert (labels_of(result), counter.context.task) == (["转人工"], None)


@pytest.mark.parametrize("how", ["lost", "late"])
async def test_a_lost_answer_is_said_so_and_saying_it_again_is_safe(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "LIMIT_S", 0.1)
    held = a_fund(applications=[RENT])
    fund = Slow(now=held.now, _held=held._held)
    counter = at_counter(fund)
    await asked(counter)
    fund.lose_answers, fund.write_s = how == "lost", 5.0 if how == "late" else 0.0
    result = await counter.says("确定撤销")
    assert text_of(result).startswith("还不能确定有没有撤销成功")
    assert result.outcome is Outcome.CLARIFIED
    fund.lose_answers, fund.write_s = False, 0.0
    assert text_of(await counter.says("确定撤销")).startswith("已撤销：租房提取")


async def test_another_persons_application_is_not_found() -> None:
    counter = at_counter(a_fund(applications=[RENT]))
    await asked(counter)
    counter.context = type(counter.context)(task={**(counter.context.task or {}), "about": "B999999"})
    assert text_of(await counter.says("确定撤销")).startswith("没有查到对应的记录")
    assert counter.context.task is None


@pytest.mark.parametrize("level", [Level.BOUND, None])
@pytest.mark.parametrize("channel", [*PAGES, ChannelName.SMS])
async def test_only_a_proven_person_takes_back(channel: ChannelName, level: Level | None) -> None:
    counter = at_counter(a_fund(applications=[RENT]), channel, level=level)
    await asked(counter)
    assert await said(counter, "确定撤销") is not None
    assert counter.fund.calls == []
