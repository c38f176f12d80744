"""What is said in one conversation leaves in the order it was said in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from hotline.desk_store import Telling
from hotline.domain.conversations import DeliveryStatus
from hotline.domain.messages import ChannelName
from hotline.ports import Capabilities, Delivery, Receipt, SendError, SendReason
from hotline.services.delivery import PAUSES_S, DeliveryWorker
from tests.contract.storage.desk_kit import Desk

pytestmark = pytest.mark.anyio

WAYS = dict.fromkeys(ChannelName, DeliveryStatus.PENDING)


@dataclass
class Vendor:
    """Takes what it is given, slowly, unless it is to fail first."""

    name: ChannelName = ChannelName.WECHAT
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(reply_wait_s=1, replies_inline=True, can_push=True)
    )
    errors: dict[str, list[SendError]] = field(default_factory=dict)
    got: list[tuple[str, str]] = field(default_factory=list)

    async def send(self, delivery: Delivery) -> Receipt:
        words = delivery.replies[0].text
        await asyncio.sleep(0.001 if words == "一" else 0)
        if self.errors.get(words):
            raise self.errors[words].pop(0)
        self.got.append((delivery.contact_key, words))
        return Receipt(vendor_id="v")

    def of(self, who: str) -> list[str]:
        return [words for contact, words in self.got if contact == who]


def worker(desk: Desk, vendor: Vendor) -> DeliveryWorker:
    return DeliveryWorker(desk.store, {ChannelName.WECHAT: vendor}, clock=desk.clock)  # type: ignore[dict-item]


def throttled() -> SendError:
    return SendError(SendReason.THROTTLED, "", retryable=True)


async def talking(desk: Desk, who: str) -> str:
    """A conversation in which an agent says 一, 二, 三."""
    job = await desk.said("人工", who=who)
    await desk.finish(job)
    await desk.held.take_over(job.conversation_id, staff_id="a1", telling=Telling(replies={}, ways=WAYS))
    for words in "一二三":
        await desk.say(job.conversation_id, "a1", words)
    return job.conversation_id


async def drain(*workers: DeliveryWorker) -> None:
    while sum(await asyncio.gather(*(each.run_due() for each in workers))):
        pass


async def test_two_workers_send_what_was_said_first_first(desk: Desk, other: Desk) -> None:
    vendor = Vendor()
    for number in range(10):
        await talking(desk, f"o{number}")
    await drain(worker(desk, vendor), worker(other, vendor))
    assert len(vendor.got) == 30
    assert all(vendor.of(f"o{number}") == ["一", "二", "三"] for number in range(10))


async def test_what_fails_first_holds_back_what_was_said_after_it_and_nobody_else(desk: Desk, other: Desk) -> None:
    vendor = Vendor(errors={"一": [throttled()]})
    workers = worker(desk, vendor), worker(other, vendor)
    await talking(desk, "o1")
    await drain(*workers)
    assert vendor.got == []
    await talking(desk, "o2")
    await drain(*workers)
    assert vendor.got == [("o2", "一"), ("o2", "二"), ("o2", "三")]
    desk.clock.later(PAUSES_S[0])
    await drain(*workers)
    assert vendor.of("o1") == ["一", "二", "三"]


@pytest.mark.parametrize("unknown", [True, False])
async def test_what_can_never_be_sent_does_not_stop_the_rest(desk: Desk, unknown: bool) -> None:
    vendor = Vendor(errors={"一": [SendError(SendReason.REJECTED, "", retryable=False, unknown=unknown)]})
    conversation_id = await talking(desk, "o1")
    seq = await desk.events.last_seq()
    await drain(worker(desk, vendor))
    assert vendor.of("o1") == ["二", "三"]
    states = [line.delivery for line in await desk.lines(conversation_id) if line.author == "agent"]
    assert states == ["unknown" if unknown else "failed", "sent", "sent"]
    told = [(each.staff_id, each.data["status"]) for each in await desk.told(seq) if each.kind == "delivery"]
    assert told == [("a1", state) for state in states]


async def test_what_a_dead_worker_was_sending_goes_before_what_was_said_after_it(desk: Desk, other: Desk) -> None:
    vendor = Vendor()
    await talking(desk, "o1")
    assert len(await other.store.lease_due(limit=10, lease_s=60)) == 1
    await drain(worker(desk, vendor))
    assert vendor.got == []
    desk.clock.later(61)
    await drain(worker(desk, vendor))
    assert vendor.of("o1") == ["一", "二", "三"]


async def test_the_bots_answer_stands_before_what_the_agent_says_after_it(desk: Desk) -> None:
    vendor = Vendor()
    conversation_id, _ = await desk.queued()
    job = await desk.said("还有多久")
    await desk.finish(job, "您是第一位。")
    await desk.queue.leave(conversation_id, expected_version=1)
    job = await desk.said("租房")
    await desk.finish(job, "能提。")
    assert [each.replies[0].text for each in await desk.store.lease_due(limit=10, lease_s=1)] == ["您是第一位。"]
    desk.clock.later(2)
    await desk.take_over(conversation_id, "s1")
    await desk.say(conversation_id, "s1", "我来")
    await drain(worker(desk, vendor))
    assert vendor.of("o1") == ["您是第一位。", "坐席为您服务。", "我来"]


async def test_a_batch_has_one_delivery_of_a_conversation_and_the_oldest_ones(desk: Desk) -> None:
    for number in range(4):
        await talking(desk, f"o{number}")
    first = await desk.store.lease_due(limit=3, lease_s=60)
    assert [(each.contact_key, each.replies[0].text) for each in first] == [("o0", "一"), ("o1", "一"), ("o2", "一")]
    second = await desk.store.lease_due(limit=3, lease_s=60)
    assert [(each.contact_key, each.replies[0].text) for each in second] == [("o3", "一")]
    late = desk.clock.now + timedelta(seconds=5)
    await desk.store.retry_later(first[0].delivery_id, due_at=late, error="throttled")
    assert await desk.store.lease_due(limit=3, lease_s=60) == []
