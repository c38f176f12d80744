"""Approved answers for the agent: the bot's own, in the citizen's form, or nothing."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest

from hotline.domain.lengths import parts
from hotline.domain.messages import ChannelName
from hotline.services.desk.suggesting import Suggesting
from knowledge_base.errors import KnowledgeError, Problem
from knowledge_base.facts import Facts
from knowledge_base.match import Match
from knowledge_base.model import Catalogue
from tests.unit.answering.content import CATALOGUE, TODAY, match

pytestmark = pytest.mark.anyio

KNOWN = {
    "租房带什么": match("租房带什么", {"rent": 0.9, "leave": 0.3}, aspect="materials", also={"rent/amount": 0.2}),
    "提取": match("提取", {"rent": 0.3, "leave": 0.2, "loan": 0.05, "tax": 0.01}, named=False),
    "租房提取": match("租房提取", {"rent": 0.4}, exact="rent"),
    "好的谢谢": match("好的谢谢", {"rent": 0.04, "leave": 0.01}, named=False),
    "个税": match("个税", {"tax": 0.9}),
    "买外地的房": match("买外地的房", {"buy": 0.9}, facts=Facts(known={"house_place": "elsewhere"})),
    "买房收费吗": match("买房收费吗", {"buy": 0.9}, aspect="fee"),
    "租房带什么？离职能提吗？": match("租房带什么?离职能提吗?", {"rent": 0.5, "leave": 0.4}),
    "那几天到账": match("那几天到账", {"loan": 0.2}, aspect="time_limit", cue=True, named=False),
}
ABOUT = match("租房提取,那几天到账", {"rent": 0.8}, aspect="time_limit")
PARTS = {
    "租房带什么？离职能提吗？": [
        match("租房带什么", {"rent": 0.9}, aspect="materials"),
        match("离职能提吗", {"leave": 0.9}),
    ]
}


class FakeKnowledge:
    """Matches from the table; ``trouble`` is raised instead, ``held`` keeps everybody waiting."""

    catalogue: Catalogue = CATALOGUE

    def __init__(self, trouble: Exception | None = None) -> None:
        self.trouble = trouble
        self.held: threading.Event | None = None
        self.asked: list[str] = []
        self.threads: set[str] = set()

    def now(self) -> FakeKnowledge:
        if self.trouble:
            raise self.trouble
        return self

    @property
    def matcher(self) -> FakeKnowledge:
        return self

    def match(self, text: str) -> Match:
        self.asked.append(text)
        self.threads.add(threading.current_thread().name)
        if self.held:
            self.held.wait(5)
        return KNOWN.get(text, match("", {"rent": 0.01}, named=False))

    def about(self, text: str, code: str) -> Match:
        return ABOUT

    def parts(self, text: str) -> list[Match]:
        return PARTS.get(text, [])


def suggesting(knowledge: FakeKnowledge | None = None, **more: Any) -> Suggesting:
    return Suggesting(knowledge or FakeKnowledge(), day=lambda: TODAY, **more)  # type: ignore[arg-type]  # what is used


def entries(found: Any) -> list[str]:
    return [each.entry for each in found]


async def test_the_answer_the_bot_would_give_comes_first_then_what_else_may_be_meant() -> None:
    found = await suggesting().suggest("租房带什么", ChannelName.WEB)
    assert entries(found) == ["rent.materials", "leave.materials", "rent.amount"]
    assert (found[0].title, found[0].score) == ("租房提取带什么", 0.9)
    assert found[0].text == "带身份证和银行卡。\n依据：测试办法第三条（2024年1月1日）"


async def test_an_answer_has_the_figures_of_the_day() -> None:
    before = Suggesting(FakeKnowledge(), day=lambda: date(2024, 6, 1))  # type: ignore[arg-type]
    assert "每月最多提1400元" in (await before.suggest("租房提取", ChannelName.WEB))[0].text
    assert "每月最多提2000元" in (await suggesting().suggest("租房提取", ChannelName.WEB))[0].text


@pytest.mark.parametrize("channel", [ChannelName.SMS, ChannelName.VOICE])
async def test_where_there_is_little_room_the_answer_is_short(channel: ChannelName) -> None:
    (found, *_) = await suggesting().suggest("租房提取", channel)
    assert found.text == "能提，每月最多2000元。"
    assert parts(CATALOGUE.centre.sms_signature + found.text) <= 2


async def test_a_name_said_in_full_is_no_guess() -> None:
    assert (await suggesting().suggest("租房提取", ChannelName.WEB))[0].score == 1.0


async def test_what_is_unlikely_is_suggested_to_nobody_but_found_by_who_looks_for_it() -> None:
    assert entries(await suggesting().suggest("提取", ChannelName.WEB)) == ["rent.overview", "leave.overview"]
    found = await suggesting().search("提取", ChannelName.WEB)
    assert entries(found) == ["rent.overview", "leave.overview", "loan.overview"]


async def test_small_talk_suggests_nothing() -> None:
    assert await suggesting().suggest("好的谢谢", ChannelName.WEB) == []


@pytest.mark.parametrize("text", ["", "  ", "？！", "🙂"])
async def test_without_words_nothing_is_looked_for(text: str) -> None:
    knowledge = FakeKnowledge()
    assert await suggesting(knowledge).suggest(text, ChannelName.WEB) == []
    assert knowledge.asked == []


async def test_no_more_than_wanted() -> None:
    assert entries(await suggesting().suggest("租房带什么", ChannelName.WEB, limit=1)) == ["rent.materials"]
    assert len(await suggesting().search("租房带什么", ChannelName.WEB, limit=2)) == 2


async def test_what_is_not_the_funds_is_answered_with_who_is_responsible() -> None:
    (found,) = await suggesting().suggest("个税", ChannelName.WEB)
    assert (found.entry, found.text) == ("tax.overview", "不归公积金中心，请拨打12366。")


async def test_what_the_citizen_said_of_his_case_chooses_the_answer() -> None:
    assert entries(await suggesting().suggest("买外地的房", ChannelName.WEB))[0] == "buy.q_elsewhere"


async def test_what_nobody_has_written_is_not_suggested() -> None:
    assert "buy.fee" not in entries(await suggesting().suggest("买房收费吗", ChannelName.WEB))


async def test_both_questions_of_one_message_are_answered() -> None:
    found = await suggesting().suggest("租房带什么？离职能提吗？", ChannelName.WEB)
    assert entries(found)[:2] == ["rent.materials", "leave.overview"]


async def test_a_follow_up_is_read_as_one_about_what_was_spoken_of() -> None:
    found = await suggesting().suggest("那几天到账", ChannelName.WEB, matter="rent")
    assert (found[0].entry, found[0].score) == ("rent.time_limit", 0.8)
    alone = await suggesting().suggest("那几天到账", ChannelName.WEB)
    assert entries(alone) == ["loan.overview"]


@pytest.mark.parametrize("trouble", [OSError("no such folder"), KnowledgeError((Problem("CURRENT", 1, "-", "gone"),))])
async def test_without_knowledge_there_is_nothing_and_no_fault(trouble: Exception) -> None:
    assert await suggesting(FakeKnowledge(trouble)).suggest("租房带什么", ChannelName.WEB) == []


async def test_who_waits_too_long_gets_nothing_and_is_not_worked_for_any_more() -> None:
    knowledge = FakeKnowledge()
    knowledge.held = threading.Event()
    slow = suggesting(knowledge, limit_s=0.05)
    assert await slow.suggest("租房带什么", ChannelName.WEB) == []
    assert await slow.suggest("提取", ChannelName.WEB) == []
    knowledge.held.set()
    knowledge.held = None
    assert entries(await slow.suggest("个税", ChannelName.WEB)) == ["tax.overview"]
    assert knowledge.asked == ["租房带什么", "个税"]
    assert len(knowledge.threads) == 1
    assert threading.current_thread().name not in knowledge.threads


async def test_a_letter_is_read_as_far_as_the_bot_reads_one() -> None:
    knowledge = FakeKnowledge()
    await suggesting(knowledge).search("字" * 3000, ChannelName.WEB)
    assert [len(text) for text in knowledge.asked] == [500]
