"""The stream of events of an open page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
from sse_starlette import ServerSentEvent

from hotline.errors import TemporaryError
from tests.fake_desk import FakeDesk
from tests.unit.web.desk.desk_app import build
from web.desk.feed import DeskFeed

pytestmark = pytest.mark.anyio


@pytest.fixture
def feed(desk: FakeDesk) -> DeskFeed:
    return DeskFeed(desk, desk.clock, beat_s=0.01)


async def heard(stream: AsyncIterator[ServerSentEvent], count: int) -> list[tuple[str, str | None, dict[str, Any]]]:
    """The next ``count`` events: name, id and data."""
    found: list[tuple[str, str | None, dict[str, Any]]] = []
    with anyio.fail_after(2):
        async for event in stream:
            if event.event:
                found.append((event.event, event.id, json.loads(event.data or "{}")))
            if len(found) == count:
                return found
    return found


def kinds(events: list[tuple[str, str | None, dict[str, Any]]]) -> list[str]:
    return [data.get("kind", name) for name, _, data in events]


async def test_stream_says_where_it_begins_and_then_what_happens(desk: FakeDesk, feed: DeskFeed) -> None:
    await desk.tell("queue", "c-wait-1")
    stream = feed.events(desk.agent("wang"), after=None, at_desk=True)
    hello = await heard(stream, 1)
    assert hello[0][:2] == ("hello", "1")
    await desk.citizen_says("c-rent", "还在吗")
    await desk.citizen_says("c-chen-1", "不是给他的")
    told = await heard(stream, 1)
    assert (told[0][1], told[0][2]["kind"], told[0][2]["conversation"]) == ("2", "line", "c-rent")
    assert "还在吗" not in json.dumps(told[0][2], ensure_ascii=False), "what was said is read from storage"


async def test_stream_goes_on_where_it_broke_and_misses_nothing(desk: FakeDesk, feed: DeskFeed) -> None:
    agent = desk.agent("wang")
    first = feed.events(agent, after=None, at_desk=True)
    await heard(first, 1)
    await desk.tell("state", who="chen")
    seen = await heard(first, 1)
    await first.aclose()
    for conversation in ("c-rent", "c-base", "c-rent"):
        await desk.citizen_says(conversation, "断线时说的")
    again = await heard(feed.events(agent, after=int(seen[0][1] or 0), at_desk=True), 4)
    assert [data.get("conversation") for _, _, data in again[1:]] == ["c-rent", "c-base", "c-rent"]
    assert [id_ for _, id_, _ in again] == ["1", "2", "3", "4"]


async def test_page_that_fell_behind_is_told_to_read_everything_again(desk: FakeDesk, feed: DeskFeed) -> None:
    desk.behind = True
    stream = feed.events(desk.agent("wang"), after=None, at_desk=True)
    assert kinds(await heard(stream, 2)) == ["hello", "behind"]
    await desk.tell("queue")
    assert kinds(await heard(stream, 1)) == ["queue"]


async def test_event_without_a_place_does_not_move_the_pages_cursor(desk: FakeDesk, feed: DeskFeed) -> None:
    stream = feed.events(desk.agent("wang"), after=None, at_desk=True)
    hello = await heard(stream, 1)
    assert hello[0][1] is None


async def test_agent_is_there_while_his_page_is_open_and_in_one_tab_of_two(desk: FakeDesk, feed: DeskFeed) -> None:
    agent = desk.agent("wang")
    streams = [feed.events(agent, after=None, at_desk=True) for _ in range(2)]
    for stream in streams:
        await heard(stream, 1)
    await anyio.sleep(0.05)
    assert ("connect", "wang") in desk.asked
    assert ("seen", "wang") in desk.asked
    await streams[0].aclose()
    assert ("disconnect", "wang") not in desk.asked
    await streams[1].aclose()
    assert desk.asked[-1] == ("disconnect", "wang")


async def test_supervisor_who_looks_on_is_not_at_the_desk(desk: FakeDesk, feed: DeskFeed) -> None:
    stream = feed.events(desk.agent("lin"), after=None, at_desk=False, watching="c-rent")
    await heard(stream, 1)
    assert desk.watched == {("lin", "c-rent")}
    await desk.citizen_says("c-rent", "旁听的人也听到")
    assert kinds(await heard(stream, 1)) == ["line"]
    await stream.aclose()
    assert desk.watched == set()
    assert not [name for name, _ in desk.asked if name in ("connect", "seen", "disconnect")]


@pytest.mark.parametrize("what", ["connect", "follow"])
async def test_stream_ends_quietly_when_the_database_is_away(desk: FakeDesk, feed: DeskFeed, what: str) -> None:
    desk.refuse[what] = TemporaryError("away")
    events = await heard(feed.events(desk.agent("wang"), after=None, at_desk=True), 2)
    assert len(events) == (0 if what == "connect" else 1)


@pytest.mark.parametrize(
    ("headers", "query", "after"),
    [
        ({}, "", None),
        ({}, "?after=7", 7),
        ({"Last-Event-ID": "9"}, "?after=7", 9),
        ({"Last-Event-ID": "nonsense"}, "", None),
    ],
)
async def test_page_says_where_it_was(desk: FakeDesk, headers: dict[str, str], query: str, after: int | None) -> None:
    desk.refuse["follow"] = TemporaryError("away")  # ends the stream
    desk.asked.clear()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(build(desk)), base_url="http://desk", cookies={"staff": "wang"}
    ) as client:
        answer = await client.get(f"/desk/events{query}", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert ("follow", desk._seq if after is None else after) in desk.asked
