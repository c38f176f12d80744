"""Transcripts are found by their words, and what is looked for is checked first."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import httpx
import pytest

from hotline.domain.messages import ChannelName
from tests.unit.web.desk.desk_kit import Visitor
from tests.unit.web.supervisor.quality_kit import Town
from web.supervisor.search import excerpt

pytestmark = pytest.mark.anyio

NASTY = '<script>alert("x")</script>'


def html(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["html"]
    return found


async def test_words_are_marked_and_lead_to_their_conversation(town: Town, lin: Visitor) -> None:
    line = await town.desk.citizen_says("c-rent", "我想问非常特别的事情")
    answer = await lin.post("/supervisor/search", words="非常特别")
    found = html(answer)
    assert answer.json()["message"] == "找到 1 条"
    assert "我想问<mark>非常特别</mark>的事情" in found
    assert f'data-conversation="c-rent" data-seq-found="{line.seq}"' in found
    assert "就这些了" in found
    assert f'data-seq="{line.seq}"' in (await lin.get("/supervisor/search/c/c-rent")).text


async def test_script_that_was_said_and_looked_for_is_text(town: Town, lin: Visitor) -> None:
    await town.desk.citizen_says("c-rent", f"看{NASTY}吧")
    found = html(await lin.post("/supervisor/search", words=NASTY))
    assert "<script" not in found
    assert "<mark>&lt;script&gt;" in found


async def test_everything_given_is_looked_for_by(town: Town, lin: Visitor) -> None:
    form = {"words": " 提取 ", "channel": "wechat", "author": "agent", "agent": " 1024 ", "before": "700"}
    await lin.post("/supervisor/search", **form, **{"from": "2026-11-01", "to": "2026-11-25"})
    sought, before = town.reviews.sought[-1]
    assert (sought.words, sought.channel, sought.author, sought.staff_id) == (
        "提取",
        ChannelName.WECHAT,
        "agent",
        "wang",
    )
    assert sought.since == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert sought.until == datetime(2026, 11, 25, 16, tzinfo=UTC)
    assert before == 700


async def test_every_search_is_in_the_audit_trail_without_numbers(town: Town, lin: Visitor) -> None:
    answer = await lin.post("/supervisor/search", words="电话13800138000")
    assert "没有找到" in html(answer)
    (entry,) = town.audit.entries
    assert (entry.actor_id, entry.action) == ("lin", "transcripts.searched")
    assert "13800138000" not in str(entry) + answer.text


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, "words"),
        ({"words": "提"}, "words"),
        ({"to": "2026-11-25"}, "words"),
        ({"words": "提" * 101}, "too_long"),
        ({"words": "提取", "from": "2026-02-30"}, "date"),
        ({"words": "提取", "to": "昨天"}, "date"),
        ({"words": "提取", "to": "9999-12-31"}, "date"),
        ({"words": "提取", "from": "0001-01-01"}, "date"),
        ({"words": "提取", "from": "2026-11-25", "to": "2026-11-24"}, "dates"),
        ({"words": "提取", "agent": "9999"}, "agent"),
        ({"words": "提取", "channel": "fax"}, "choice"),
        ({"words": "提取", "author": "anybody"}, "choice"),
    ],
)
async def test_what_cannot_be_looked_for_is_told_and_nothing_is_read(
    town: Town, lin: Visitor, *, form: dict[str, str], code: str
) -> None:
    answer = await lin.post("/supervisor/search", **form)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["message"]
    assert town.reviews.sought == []
    assert town.audit.entries == []


async def test_agent_searches_nothing_and_a_page_of_another_site_neither(
    town: Town, lin: Visitor, wang: Visitor
) -> None:
    assert (await wang.post("/supervisor/search", words="提取")).status_code == 403
    assert (await lin.post("/supervisor/search", token="guessed", words="提取")).status_code == 403
    assert town.reviews.sought == []


async def test_hundred_and_twenty_lines_come_page_by_page_each_once(town: Town, lin: Visitor) -> None:
    for number in range(120):
        await town.desk.citizen_says("c-overdue", f"翻页{number}号")
    seen: list[str] = []
    before = ""
    for _ in range(3):
        found = html(await lin.post("/supervisor/search", words="翻页", before=before))
        seen += re.findall(r"<mark>翻页</mark>(\d+)号", found)
        more = re.search(r'data-before="(\d+)"', found)
        before = more.group(1) if more else ""
    assert seen == [str(number) for number in reversed(range(120))]
    assert before == ""


async def test_page_after_the_last_says_there_is_nothing_earlier(lin: Visitor) -> None:
    assert "没有更早的了" in html(await lin.post("/supervisor/search", words="提取", before="1"))


async def test_zero_bytes_reach_no_database(town: Town, lin: Visitor) -> None:
    await lin.post("/supervisor/search", words="提\0取")
    assert town.reviews.sought[-1][0].words == "提取"


async def test_conversation_that_does_not_exist_is_gone(lin: Visitor) -> None:
    assert (await lin.get("/supervisor/search/c/nowhere")).status_code == 410


@pytest.mark.parametrize(
    ("text", "words", "pieces"),
    [
        ("提取住房公积金", "住房", [("提取", False), ("住房", True), ("公积金", False)]),
        ("App和app", "APP", [("App", True), ("和", False), ("app", True)]),
        ("100%(税后)", "%(", [("100", False), ("%(", True), ("税后)", False)]),
        ("没有要找的", "", [("没有要找的", False)]),
        ("长" * 200, "", [("长" * 120, False), ("…", False)]),
    ],
)
def test_places_are_marked_as_they_stand(text: str, words: str, pieces: list[tuple[str, bool]]) -> None:
    assert excerpt(text, words) == pieces


def test_of_a_long_text_what_is_around_the_words_is_shown() -> None:
    pieces = excerpt("前" * 500 + "找到" + "后" * 500, "找到")
    assert pieces == [("…", False), ("前" * 60, False), ("找到", True), ("后" * 60, False), ("…", False)]
