"""Transcripts found by their words, and conversations sampled and scored, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hotline.desk_store import Telling
from hotline.domain.conversations import DeliveryStatus
from hotline.domain.messages import ChannelName, Inbound
from hotline.review_store import Review, Sought
from hotline.storage.database import Database
from hotline.storage.desk_held import SqlHeld
from hotline.storage.reviews import SqlReviews
from hotline.storage.store import SqlStore
from tests.contract.storage.conftest import Migrated
from tests.databases import KINDS

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
SILENT = Telling(replies={}, ways=dict.fromkeys(ChannelName, DeliveryStatus.STORED))


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Bench:
    clock: Clock
    store: SqlStore
    held: SqlHeld
    reviews: SqlReviews

    async def says(self, who: str, text: str, *, channel: ChannelName = ChannelName.WECHAT) -> str:
        number = f"{who}-{text}-{self.clock.now.isoformat()}"
        inbound = Inbound(channel=channel, external_id=number, contact_key=who, text=text)
        accepted = await self.store.accept(inbound, worker="w")
        assert accepted.job is not None
        return accepted.job.conversation_id

    async def served(self, who: str, staff_id: str) -> int:
        conversation_id = await self.says(who, f"我是{who}")
        taken = await self.held.take_over(conversation_id, staff_id=staff_id, telling=SILENT)
        assert taken is not None
        assert taken.handover is not None
        await self.held.end(conversation_id, staff_id=staff_id, telling=SILENT)
        return taken.handover.id


@pytest.fixture(params=KINDS)
async def bench(request: pytest.FixtureRequest, migrated: Migrated, tmp_path: Path) -> AsyncIterator[Bench]:
    async with migrated(request.param, tmp_path) as url:
        database = Database(url)
        clock = Clock()
        store = SqlStore(database, clock=clock, idle_close=timedelta(minutes=30))
        bench = Bench(clock, store, SqlHeld(database, clock=clock), SqlReviews(database, clock=clock))
        yield bench
        await database.close()


def review(handover_id: int, total: int, *, agent_id: str = "a1") -> Review:
    return Review(
        handover_id=handover_id,
        agent_id=agent_id,
        reviewer_id="s1",
        scores={"courtesy": total},
        total=total,
        reason="说得清楚",
        at=NOW,
    )


async def test_lines_are_found_by_their_words_channel_and_time(bench: Bench) -> None:
    await bench.says("o1", "租房提取要什么材料")
    await bench.says("v1", "租房多久到账", channel=ChannelName.WEB)
    bench.clock.now += timedelta(days=1)
    await bench.says("o2", "退休提取")
    found = await bench.reviews.search(Sought(words="租房"), before=None, limit=9)
    assert [each.text for each in found] == ["租房多久到账", "租房提取要什么材料"]
    only_web = await bench.reviews.search(Sought(words="租房", channel=ChannelName.WEB), before=None, limit=9)
    assert [each.channel for each in only_web] == [ChannelName.WEB]
    later = await bench.reviews.search(Sought(since=NOW + timedelta(hours=1)), before=None, limit=9)
    assert [each.text for each in later] == ["退休提取"]
    older = await bench.reviews.search(Sought(words="租房"), before=found[0].seq, limit=9)
    assert [each.text for each in older] == ["租房提取要什么材料"]


@pytest.mark.parametrize("words", ["%", "_", "100%", "a'b", "\\"])
async def test_signs_that_mean_something_to_a_database_mean_themselves(bench: Bench, words: str) -> None:
    await bench.says("o1", f"额度是{words}吗")
    await bench.says("o2", "没有这些")
    found = await bench.reviews.search(Sought(words=words), before=None, limit=9)
    assert [each.text for each in found] == [f"额度是{words}吗"]


async def test_a_sample_is_drawn_from_what_nobody_has_scored_and_is_the_same_all_day(bench: Bench) -> None:
    ids = [await bench.served(f"o{n}", "a1" if n % 2 else "a2") for n in range(12)]
    drawn = [each.id for each in await bench.reviews.unreviewed(since=NOW - timedelta(days=7), agent_id="", limit=6)]
    assert len(drawn) == 6
    assert drawn != sorted(drawn)
    again = [each.id for each in await bench.reviews.unreviewed(since=NOW - timedelta(days=7), agent_id="", limit=6)]
    assert again == drawn
    await bench.reviews.put(review(drawn[0], 90))
    rest = [each.id for each in await bench.reviews.unreviewed(since=NOW - timedelta(days=7), agent_id="", limit=99)]
    assert sorted([drawn[0], *rest]) == sorted(ids)
    of_one = await bench.reviews.unreviewed(since=NOW - timedelta(days=7), agent_id="a2", limit=99)
    assert {each.agent_id for each in of_one} == {"a2"}


async def test_another_day_draws_another_sample(bench: Bench) -> None:
    for n in range(12):
        await bench.served(f"o{n}", "a1")
    orders = set()
    for _ in range(4):
        found = await bench.reviews.unreviewed(since=NOW - timedelta(days=7), agent_id="", limit=99)
        orders.add(tuple(each.id for each in found))
        bench.clock.now += timedelta(days=1)
    assert len(orders) > 1


async def test_scoring_again_replaces_and_the_mean_follows(bench: Bench) -> None:
    first, second = await bench.served("o1", "a1"), await bench.served("o2", "a1")
    await bench.reviews.put(review(first, 60))
    await bench.reviews.put(review(first, 80))
    await bench.reviews.put(review(second, 100))
    (average,) = await bench.reviews.averages(since=NOW - timedelta(days=1))
    assert (average.agent_id, average.reviews, average.mean) == ("a1", 2, 90.0)
    assert [each.total for each in await bench.reviews.reviews(agent_id="a1", limit=9)] == [100, 80]
    assert await bench.reviews.reviews(agent_id="a9", limit=9) == []
