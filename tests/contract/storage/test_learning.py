"""The learning store's contract, on every database it runs on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from hotline.domain.messages import InboundKind, Outcome
from hotline.learning_store import CaseState, Decision, EntryCount
from hotline.storage.database import Database
from hotline.storage.migrate import config, migrate
from tests.databases import KINDS, database_url
from tests.learning_kit import START, Asked

pytestmark = pytest.mark.anyio

LONG_AGO = START - timedelta(days=365)
DISMISSED = Decision(state=CaseState.DISMISSED, by="wang", note="闲聊")


@pytest.fixture(params=KINDS)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Asked]:
    async with database_url(request.param, tmp_path) as url:
        await asyncio.to_thread(migrate, url)
        database = Database(url)
        yield Asked(url, database)
        await database.close()


async def test_the_migrations_and_the_tables_say_the_same(bench: Asked) -> None:
    await asyncio.to_thread(command.check, config(bench.url))


async def test_the_migration_can_be_taken_back_and_made_again(bench: Asked) -> None:
    await bench.turn("租房", outcome=Outcome.CLARIFIED)
    await asyncio.to_thread(command.downgrade, config(bench.url), "0001")
    await asyncio.to_thread(migrate, bench.url)
    assert len(await bench.learning.suspect_turns(since=LONG_AGO, limit=10)) == 1


async def test_only_conversations_in_which_something_may_have_gone_wrong_are_read_and_those_whole(
    bench: Asked,
) -> None:
    await bench.turn("租房提取", who="content", entry="withdraw-rent/overview")
    first = await bench.turn("你好", "greet", who="unhappy")
    second = await bench.turn("贷款利率", who="unhappy", entry="loan-rate/overview")
    third = await bench.turn("不对", "wrong", who="unhappy")
    unclear = await bench.turn("那个咋弄", outcome=Outcome.CLARIFIED, who="unclear")
    unsure = await bench.turn("押金", confidence=0.4, who="unsure")
    turns = await bench.learning.suspect_turns(since=LONG_AGO, limit=10)
    assert [turn.inbox_id for turn in turns] == [first, second, third, unclear, unsure]
    assert turns[1].matter == "loan-rate"
    assert turns[1].aspect == "overview"
    assert turns[1].text == "贷款利率"
    assert turns[1].asked_at == START + timedelta(seconds=3)
    assert turns[1].state == CaseState.NEW
    assert turns[1].channel == "wechat"


async def test_our_own_tools_and_what_is_no_text_are_left_out(bench: Asked) -> None:
    await bench.turn("评测的问题", outcome=Outcome.CLARIFIED, origin="internal", who="a")
    await bench.turn("", outcome=Outcome.CLARIFIED, kind=InboundKind.START, who="b")
    kept = await bench.turn("市民的问题", outcome=Outcome.CLARIFIED, origin="menu", who="c")
    assert [turn.inbox_id for turn in await bench.learning.suspect_turns(since=LONG_AGO, limit=10)] == [kept]


async def test_the_newest_conversations_are_read_first_and_none_from_before_the_period(bench: Asked) -> None:
    await bench.turn("很久以前", outcome=Outcome.CLARIFIED, who="old")
    bench.now += timedelta(days=40)
    since = bench.now
    await bench.turn("前天", outcome=Outcome.CLARIFIED, who="a")
    await bench.turn("昨天", outcome=Outcome.CLARIFIED, who="b")
    assert [turn.text for turn in await bench.learning.suspect_turns(since=since, limit=1)] == ["昨天"]
    assert [turn.text for turn in await bench.learning.suspect_turns(since=since, limit=9)] == ["前天", "昨天"]


async def test_a_decision_leaves_who_and_when_and_shows_with_the_turn(bench: Asked) -> None:
    case = await bench.turn("押金能提吗", outcome=Outcome.CLARIFIED)
    added = Decision(state=CaseState.ADDED, by="li", entry="withdraw-rent/q_deposit")
    assert await bench.learning.decide([case], added) == 1
    (decided,) = await bench.learning.decisions([case])
    assert decided.decision == added
    assert decided.at == bench.now
    assert [turn.state for turn in await bench.learning.suspect_turns(since=LONG_AGO, limit=9)] == [CaseState.ADDED]


async def test_a_decided_case_keeps_its_decision_until_it_is_taken_back(bench: Asked) -> None:
    case = await bench.turn("哈哈", outcome=Outcome.CLARIFIED)
    assert await bench.learning.decide([case], DISMISSED) == 1
    assert await bench.learning.decide([case], Decision(state=CaseState.ADDED, by="li", entry="a/b")) == 0
    assert (await bench.learning.decisions([case]))[0].decision == DISMISSED
    assert await bench.learning.decide([case], Decision(state=CaseState.NEW, by="zhao", note="看错了")) == 1
    assert (await bench.learning.decisions([case]))[0].decision.by == "zhao"
    assert await bench.learning.decide([case], DISMISSED) == 1


async def test_numbers_that_are_no_messages_are_passed_over(bench: Asked) -> None:
    case = await bench.turn("哈哈", outcome=Outcome.CLARIFIED)
    assert await bench.learning.decide([case, case, 999_999], DISMISSED) == 1
    assert await bench.learning.decide([], DISMISSED) == 0
    assert await bench.learning.texts([case, 999_999]) == {case: "哈哈"}


async def test_more_cases_than_a_statement_may_name_are_decided_together(bench: Asked) -> None:
    case = await bench.turn("哈哈", outcome=Outcome.CLARIFIED)
    copy = (
        "INSERT INTO inbox (channel, external_id, conversation_id, kind, text, meta, received_at, status)"
        " SELECT channel, external_id || '-' || :at, conversation_id, kind, text, meta, received_at, status"
        " FROM inbox WHERE id = :case"
    )
    async with bench.database.write() as tx:
        await tx.execute(text(copy), [{"at": str(at), "case": case} for at in range(1200)])
    assert await bench.learning.decide(range(1, 5000), DISMISSED) == 1201


async def test_entries_are_counted_with_their_faults_whoever_else_spoke_between(bench: Asked) -> None:
    rent, rate = "withdraw-rent/overview", "loan-rate/overview"
    await bench.turn("租房", who="a", entry=rent)
    await bench.turn("利率", who="b", entry=rate)
    await bench.turn("说简单点", "simpler", who="a", entry=rent)
    await bench.turn("不对", "wrong", who="a")
    await bench.turn("租房能提吗", who="c", entry=rent)
    await bench.turn("谢谢", "thanks", who="c")
    await bench.turn("哪个", outcome=Outcome.CLARIFIED, who="d")
    await bench.turn("1", "choose", who="d", entry=rent)
    await bench.turn("人工", "human_request", Outcome.HANDOFF, who="d")
    await bench.turn("评测", who="e", entry=rent, origin="internal")
    counts = await bench.learning.entry_counts(since=LONG_AGO, until=bench.now + timedelta(seconds=1))
    assert counts == [
        EntryCount(code="withdraw-rent", aspect="overview", asked=3, badly_rated=2),
        EntryCount(code="loan-rate", aspect="overview", asked=1, badly_rated=0),
    ]


async def test_a_period_ends_before_its_last_moment(bench: Asked) -> None:
    await bench.turn("租房", entry="withdraw-rent/overview")
    assert await bench.learning.entry_counts(since=LONG_AGO, until=bench.now) == []
    assert len(await bench.learning.entry_counts(since=bench.now, until=bench.now + timedelta(seconds=1))) == 1
