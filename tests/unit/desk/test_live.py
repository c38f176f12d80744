"""What live pages are told: each event once, to whom it concerns, over processes, whatever comes late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from hotline.agent_desk import FellBehind
from hotline.desk_store import DeskEvent
from hotline.errors import TemporaryError
from hotline.services.desk import live as module
from hotline.services.desk.live import LiveDesk

pytestmark = pytest.mark.anyio


def event(seq: int, staff_id: str = "", conversation_id: str = "c1") -> DeskEvent:
    return DeskEvent(
        seq=seq,
        kind="line",
        conversation_id=conversation_id,
        handover_id=None,
        staff_id=staff_id,
        data={},
        at=datetime(2026, 11, 25, tzinfo=UTC),
    )


@dataclass
class FakeFeed:
    rows: dict[int, DeskEvent] = field(default_factory=dict)
    away: bool = False

    def write(self, *events: DeskEvent) -> None:
        self.rows.update({each.seq: each for each in events})

    async def last_seq(self) -> int:
        self._answer()
        return max(self.rows, default=0)

    async def after(self, seq: int, *, limit: int) -> list[DeskEvent]:
        self._answer()
        return [self.rows[each] for each in sorted(self.rows) if each > seq][:limit]

    async def among(self, seqs: list[int]) -> list[DeskEvent]:
        return [self.rows[each] for each in seqs if each in self.rows]

    def _answer(self) -> None:
        if self.away:
            raise TemporaryError("database")


@dataclass
class Page:
    live: LiveDesk
    got: list[int] = field(default_factory=list)

    async def read(self, staff_id: str, after: int | None) -> None:
        async for each in self.live.follow(staff_id, after=after):
            self.got.append(each.seq)


@asynccontextmanager
async def following(
    feed: FakeFeed, *staff: str, after: int | None = None
) -> AsyncIterator[tuple[LiveDesk, list[Page]]]:
    live = LiveDesk(feed)
    pages = [Page(live) for _ in staff]
    reading = [asyncio.create_task(page.read(who, after)) for page, who in zip(pages, staff, strict=True)]
    running = asyncio.create_task(live.run())
    await asyncio.sleep(0.02)
    try:
        yield live, pages
    finally:
        for task in (*reading, running):
            task.cancel()
        await asyncio.gather(*reading, running, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen within two seconds")


async def tell(feed: FakeFeed, live: LiveDesk, events: Iterable[DeskEvent]) -> None:
    feed.write(*events)
    live.wake()
    await asyncio.sleep(0.02)


async def test_an_event_reaches_whom_it_concerns_and_nobody_else() -> None:
    feed = FakeFeed()
    async with following(feed, "a1", "a2") as (live, (first, second)):
        await tell(feed, live, [event(1, "a1"), event(2), event(3, "a2")])
        assert (first.got, second.got) == ([1, 2], [2, 3])


async def test_what_another_process_wrote_is_told_at_the_next_look() -> None:
    feed = FakeFeed()
    async with following(feed, "a1") as (_, (page,)):
        feed.write(event(1))
        await until(lambda: page.got == [1])


async def test_a_page_that_comes_back_gets_what_it_missed_and_nothing_twice() -> None:
    feed = FakeFeed()
    feed.write(*map(event, range(1, 6)))
    async with following(feed, "a1", after=2) as (live, (page,)):
        await tell(feed, live, [event(6)])
        assert page.got == [3, 4, 5, 6]


async def test_a_new_page_begins_now() -> None:
    feed = FakeFeed()
    feed.write(*map(event, range(1, 6)))
    async with following(feed, "a1") as (live, (page,)):
        await tell(feed, live, [event(6)])
        assert page.got == [6]


async def test_a_slow_transactions_lower_number_is_told_too() -> None:
    feed = FakeFeed()
    async with following(feed, "a1") as (live, (page,)):
        await tell(feed, live, [event(1), event(4)])
        await tell(feed, live, [event(3)])
        await tell(feed, live, [event(2), event(5)])
        assert page.got == [1, 4, 3, 5, 2]


async def test_a_number_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_S", 0.0)
    feed = FakeFeed()
    async with following(feed, "a1") as (live, _):
        await tell(feed, live, [event(1), event(5)])
        await tell(feed, live, [event(6)])
        assert live._missing == {}


async def test_who_looks_on_hears_the_lines_of_that_conversation_until_he_stops() -> None:
    feed = FakeFeed()
    async with following(feed, "s1") as (live, (page,)):
        live.watch("s1", "c7", on=True)
        await tell(feed, live, [event(1, "a1", "c7"), event(2, "a1", "c8")])
        live.watch("s1", "c7", on=False)
        await tell(feed, live, [event(3, "a1", "c7")])
        assert page.got == [1]


async def test_a_page_too_slow_to_take_its_events_has_to_start_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_SIZE", 3)
    feed = FakeFeed()
    live = LiveDesk(feed)
    feed.write(event(1))
    live._seq = 1
    reading = live.follow("a1", after=0)
    assert (await anext(reading)).seq == 1
    feed.write(*map(event, range(2, 9)))
    await live._read_on()
    with pytest.raises(FellBehind):
        _ = [each async for each in reading]


async def test_a_page_that_missed_very_much_has_to_start_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CAUGHT_UP", 3)
    feed = FakeFeed()
    feed.write(*map(event, range(1, 9)))
    with pytest.raises(FellBehind):
        await anext(LiveDesk(feed).follow("a1", after=0))


async def test_a_database_that_is_away_delays_the_feed_and_loses_nothing() -> None:
    feed = FakeFeed()
    async with following(feed, "a1") as (live, (page,)):
        feed.away = True
        await tell(feed, live, [event(1)])
        assert page.got == []
        feed.away = False
        await until(lambda: page.got == [1])
