"""Limits, same-origin rule, events, wording and looks of the chat page."""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import aclosing
from pathlib import Path

import pytest
from fake_chats import FakeChats
from starlette.datastructures import Headers
from starlette.types import Message

from channels.webchat.codec import Problem
from hotline.domain.messages import ChannelName, Inbound
from hotline.errors import ConfigError
from web.citizen.assets import STATIC_DIR
from web.citizen.events import chat_events, event_response
from web.citizen.guard import is_same_origin
from web.citizen.limits import Buckets, ChatGate, ChatLimits, Rate
from web.citizen.wording import load_wording

TEXT_PAIRS = (
    ("text", "surface"),
    ("text", "bubble"),
    ("text", "agent-bubble"),
    ("text", "bar"),
    ("text", "line"),
    ("soft", "surface"),
    ("soft", "bubble"),
    ("soft", "agent-bubble"),
    ("soft", "bar"),
    ("own-text", "own"),
    ("accent-strong", "accent-wash"),
    ("accent-strong", "bar"),
    ("on-accent", "accent"),
    ("warn", "warn-wash"),
    ("warn", "bar"),
)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_bucket_gives_its_burst_then_one_each_period() -> None:
    clock = Clock()
    buckets = Buckets(Rate(burst=2, per_s=0.5), clock=clock)
    assert [buckets.wait_s("a") for _ in range(3)] == [0.0, 0.0, 2.0]
    clock.now += 2
    assert [buckets.wait_s("a") for _ in range(2)] == [0.0, 2.0]


def test_bucket_never_holds_more_than_its_burst() -> None:
    clock = Clock()
    buckets = Buckets(Rate(burst=2, per_s=1), clock=clock)
    buckets.wait_s("a")
    clock.now += 3600
    assert [buckets.wait_s("a") > 0 for _ in range(3)] == [False, False, True]


def test_buckets_of_two_keys_do_not_mix_and_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.citizen.limits._REMEMBERED", 2)
    buckets = Buckets(Rate(burst=1, per_s=0.1), clock=Clock())
    assert [buckets.wait_s(key) for key in "abc"] == [0.0, 0.0, 0.0]
    assert buckets.wait_s("c") > 0
    assert buckets.wait_s("a") == 0.0


def test_gate_answers_in_whole_seconds_and_keeps_messages_and_reads_apart() -> None:
    gate = ChatGate(ChatLimits(messages_of_visitor=Rate(burst=1, per_s=0.4)), clock=Clock())
    assert gate.message_wait_s("v", "192.0.2.1") == 0
    assert gate.message_wait_s("v", "192.0.2.1") == 3
    assert gate.read_wait_s("v", "192.0.2.1") == 0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "https://fund.test"}, False),
        ({"origin": "https://fund.test"}, True),
        ({"origin": "http://fund.test"}, False),
        ({"origin": "http://10.1.2.3:8000", "host": "10.1.2.3:8000"}, True),
        ({"origin": "https://fund.test.elsewhere.test", "host": "fund.test"}, False),
        ({"origin": "null", "host": ""}, False),
        ({}, False),
    ],
)
def test_same_origin_is_what_the_browser_says(headers: dict[str, str], *, expected: bool) -> None:
    assert is_same_origin(Headers(headers), public_url="https://fund.test") is expected


@pytest.mark.anyio
async def test_stream_tells_typing_then_the_answer_and_lets_go_when_closed() -> None:
    chats = FakeChats(delay_s=0.01)
    async with aclosing(chat_events(chats, "v", after=0)) as events:  # type: ignore[type-var]
        opening = await anext(events)
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        await chats.submit(Inbound(channel=ChannelName.WEB, external_id="v:1", contact_key="v", text="租房"))
        seen = [await first, await anext(events), await anext(events), await anext(events)]
    assert opening.comment == "open"
    assert [(event.event, event.id) for event in seen] == [
        ("line", "1"),
        ("typing", None),
        ("line", "2"),
        ("typing", None),
    ]


@pytest.mark.anyio
async def test_stream_whose_reader_is_gone_ends_without_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.citizen.events.SEND_TIMEOUT_S", 0.05)
    never = asyncio.Event()
    sent: list[str] = []

    async def send(message: Message) -> None:
        sent.append(message["type"])
        if message["type"] == "http.response.body":
            await never.wait()

    async def receive() -> Message:
        await never.wait()
        return {"type": "http.disconnect"}

    response = event_response(FakeChats(), "v", after=0)
    async with asyncio.timeout(5):
        await response({"type": "http", "method": "GET"}, receive, send)
    assert sent == ["http.response.start", "http.response.body"]


@pytest.mark.anyio
async def test_stream_lets_go_of_the_core_when_the_page_is_closed() -> None:
    chats = FakeChats()
    closed = asyncio.Event()

    async def send(message: Message) -> None:
        pass

    async def receive() -> Message:
        await closed.wait()
        return {"type": "http.disconnect"}

    response = event_response(chats, "v", after=0)
    running = asyncio.ensure_future(response({"type": "http", "method": "GET"}, receive, send))
    await chats.read.wait()
    assert chats.readers("v") == 1
    closed.set()
    async with asyncio.timeout(5):
        await running
    assert chats.readers("v") == 0


def test_every_problem_of_a_message_has_a_sentence() -> None:
    wording = load_wording(hotline="12329")
    for code in [*Problem, "too_fast", "no_visitor", "cross_origin", "not_json", "busy"]:
        assert code in wording.problems
    assert "12329" in wording.problem("never heard of")


def test_broken_wording_is_one_sentence_for_the_operator(tmp_path: Path) -> None:
    for text in ("page: [", "page: {}", "just words"):
        path = tmp_path / "wording.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"wording\.yaml"):
            load_wording(path, hotline="12329")


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _palettes() -> dict[str, dict[str, str]]:
    css = (STATIC_DIR / "citizen" / "chat.css").read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part)) for part in css.split("color-scheme: dark", 1)
    )
    return {"light": light, "dark": light | dark}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_stands_out_from_its_ground_as_wcag_aa_asks(scheme: str, *, text: str, ground: str) -> None:
    palette = _palettes()[scheme]
    brighter, darker = sorted((_luminance(palette[text]), _luminance(palette[ground])), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 4.5


def test_every_vendored_file_is_listed_with_its_checksum() -> None:
    vendor = STATIC_DIR / "vendor"
    listed = dict(
        re.findall(r"^\| `?([^|`]+?)`? \|.*\| `?([0-9a-f]{64})`? \|$", (vendor / "README.md").read_text(), re.M)
    )
    files = {path.relative_to(vendor).as_posix(): path for path in vendor.rglob("*") if path.is_file()}
    del files["README.md"]
    assert listed == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def test_scripts_never_put_text_in_as_html() -> None:
    for path in (STATIC_DIR / "citizen").glob("*.js"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", source), path.name
