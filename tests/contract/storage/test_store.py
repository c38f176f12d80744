"""The store's contract, on every database it runs on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command

from hotline.domain.conversations import DeliveryStatus, Job
from hotline.domain.messages import ChannelName, Choice, Inbound, Reply, SourceNote, TurnResult
from hotline.storage.channel_store import SqlChannelStore
from hotline.storage.database import Database
from hotline.storage.migrate import config, migrate
from hotline.storage.store import SqlStore
from tests.databases import KINDS, database_url

pytestmark = pytest.mark.anyio

ANSWER = TurnResult(
    replies=(Reply(text="能提。", choices=(Choice(label="材料", text="租房提取要什么材料"),)),),
    intent="ask_knowledge",
    confidence=0.9,
    matter="withdraw-rent",
    aspect="overview",
    candidates=("withdraw-rent",),
    sources=(SourceNote(title="通知", issued_on="2024-11-26"),),
    ms={"dialogue": 12.5},
)


@dataclass
class Bench:
    url: str
    store: SqlStore
    channel_store: SqlChannelStore
    now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def clock(self) -> datetime:
        return self.now

    async def said(self, text: str, external_id: str, *, contact: str = "o1") -> Job:
        inbound = Inbound(channel=ChannelName.WECHAT, external_id=external_id, contact_key=contact, text=text)
        accepted = await self.store.accept(inbound, worker="w")
        assert accepted.job is not None
        return accepted.job

    async def finish(self, job: Job, delivery: DeliveryStatus = DeliveryStatus.PENDING) -> Job | None:
        done = await self.store.finish(job, ANSWER, status="done", delivery=delivery, worker="w", due_at=self.now)
        return done.next_job


@pytest.fixture(params=KINDS)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async with database_url(request.param, tmp_path) as url:
        await asyncio.to_thread(migrate, url)
        database = Database(url)
        made = Bench(url, None, None)  # type: ignore[arg-type]
        made.store = SqlStore(database, clock=made.clock, idle_close=timedelta(minutes=30))
        made.channel_store = SqlChannelStore(database, clock=made.clock)
        yield made
        await database.close()


async def test_the_migrations_and_the_tables_say_the_same(bench: Bench) -> None:
    await asyncio.to_thread(command.check, config(bench.url))


async def test_ten_parallel_deliveries_of_one_message_are_stored_once(bench: Bench) -> None:
    inbound = Inbound(channel=ChannelName.WECHAT, external_id="m1", contact_key="o1", text="租房")
    accepted = await asyncio.gather(*(bench.store.accept(inbound, worker=f"w{n}") for n in range(10)))
    assert sum(a.new for a in accepted) == 1
    assert len({a.inbox_id for a in accepted}) == 1
    assert sum(a.job is not None for a in accepted) == 1


async def test_ten_first_messages_of_one_citizen_share_one_open_conversation(bench: Bench) -> None:
    inbounds = [
        Inbound(channel=ChannelName.WECHAT, external_id=f"m{n}", contact_key="o1", text=str(n)) for n in range(10)
    ]
    accepted = await asyncio.gather(*(bench.store.accept(inbound, worker="w") for inbound in inbounds))
    assert sum(a.job is not None for a in accepted) == 1
    assert (await bench.store.counts())["waiting"] == 10


async def test_a_second_message_waits_and_is_handed_out_when_the_first_is_finished(bench: Bench) -> None:
    first = await bench.said("一", "m1")
    second = await bench.store.accept(
        Inbound(channel=ChannelName.WECHAT, external_id="m2", contact_key="o1", text="二"), worker="other"
    )
    assert second.job is None
    following = await bench.finish(first)
    assert following is not None
    assert following.text == "二"
    assert await bench.finish(following) is None


async def test_a_finished_turn_reads_back_as_it_was(bench: Bench) -> None:
    await bench.finish(await bench.said("租房", "m1"), DeliveryStatus.INLINE)
    record = await bench.store.record(ChannelName.WECHAT, "m1")
    assert record is not None
    assert record.result == ANSWER
    assert record.replies == ANSWER.replies
    assert record.delivery_status == DeliveryStatus.INLINE


async def test_a_due_delivery_is_leased_to_one_worker_only(bench: Bench) -> None:
    await bench.finish(await bench.said("租房", "m1"))
    leased = await asyncio.gather(*(bench.store.lease_due(limit=10, lease_s=60) for _ in range(5)))
    assert sum(len(batch) for batch in leased) == 1
    delivery = next(batch[0] for batch in leased if batch)
    assert delivery.replies == ANSWER.replies
    settle = bench.store.settle
    # A vendor's retry must not take inline what a worker is sending.
    assert not await settle(delivery.delivery_id, DeliveryStatus.INLINE, expected=DeliveryStatus.PENDING)
    assert await settle(delivery.delivery_id, DeliveryStatus.SENT, expected=DeliveryStatus.SENDING)
    assert not await settle(delivery.delivery_id, DeliveryStatus.SENT, expected=DeliveryStatus.SENDING)


async def test_a_lease_that_ran_out_is_given_again(bench: Bench) -> None:
    await bench.finish(await bench.said("租房", "m1"))
    assert await bench.store.lease_due(limit=10, lease_s=60)
    assert not await bench.store.lease_due(limit=10, lease_s=60)
    bench.now += timedelta(seconds=61)
    assert (await bench.store.lease_due(limit=10, lease_s=60))[0].attempts == 2


async def test_a_claim_that_ran_out_is_taken_by_another_and_worn_out_messages_are_set_aside(bench: Bench) -> None:
    await bench.said("问", "m1")
    for _ in range(2):
        bench.now += timedelta(seconds=31)
        assert len(await bench.store.claim_waiting(worker="other", limit=10)) == 1
    bench.now += timedelta(seconds=31)
    assert await bench.store.claim_waiting(worker="other", limit=10) == []
    assert (await bench.store.counts())["waiting"] == 0


async def test_calls_from_one_number_are_conversations_of_their_own(bench: Bench) -> None:
    base = Inbound(channel=ChannelName.VOICE, external_id="a:0", contact_key="+86201", session_key="CA1", text="喂")
    first = await bench.store.accept(base, worker="w")
    second = await bench.store.accept(replace(base, external_id="b:0", session_key="CA2"), worker="w")
    assert first.job is not None
    assert second.job is not None
    assert first.job.conversation_id != second.job.conversation_id


async def test_lines_come_in_order_and_after_a_cursor(bench: Bench) -> None:
    await bench.finish(await bench.said("一", "m1"))
    await bench.finish(await bench.said("二", "m2"))
    lines = await bench.store.lines(ChannelName.WECHAT, "o1", after=0, limit=10)
    assert [line.text for line in lines] == ["一", "能提。", "二", "能提。"]
    assert lines[1].choices == ANSWER.replies[0].choices
    later = await bench.store.lines(ChannelName.WECHAT, "o1", after=lines[1].seq, limit=10)
    assert [line.text for line in later] == ["二", "能提。"]


async def test_a_nonce_is_new_exactly_once_until_it_expires(bench: Bench) -> None:
    guard = bench.channel_store
    uses = await asyncio.gather(*(guard.uses("wechat", "n1", "body", ttl_s=60) for _ in range(5)))
    assert sorted(uses, key=str) == [0, 1, 2, 3, 4]
    assert await guard.uses("wechat", "n1", "another body", ttl_s=60) is None
    assert await guard.uses("sms", "n1", "another body", ttl_s=60) == 0
    bench.now += timedelta(seconds=61)
    assert await guard.uses("wechat", "n1", "another body", ttl_s=60) == 0
    bench.now += timedelta(seconds=3600)
    assert await guard.purge() == 2


async def test_a_channels_record_is_replaced_only_by_its_next_version(bench: Bench) -> None:
    states = bench.channel_store
    assert await states.get_state("wechat.quota", "o1") is None
    assert await states.put_state("wechat.quota", "o1", {"left": 5}, version=1)
    assert not await states.put_state("wechat.quota", "o1", {"left": 9}, version=1)
    changed = await asyncio.gather(*(states.put_state("wechat.quota", "o1", {"left": n}, version=2) for n in range(4)))
    assert sum(changed) == 1
    assert (await states.get_state("wechat.quota", "o1"))["left"] < 5
