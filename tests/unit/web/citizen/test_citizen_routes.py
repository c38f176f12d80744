"""The chat page's routes over an in-memory core."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from dev_app import CENTRE
from fake_chats import FakeChats
from fastapi import FastAPI

from hotline.domain.messages import ChannelName, InboundKind
from hotline.settings import GatewaySettings, Settings
from web.citizen.assets import static_files
from web.citizen.limits import ChatLimits, Rate
from web.citizen.routes import router

pytestmark = pytest.mark.anyio
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def client_of(
    chats: FakeChats, *, limits: ChatLimits | None = None, base: str = "http://fund.test"
) -> httpx.AsyncClient:
    app = FastAPI()
    app.mount("/static", static_files())
    settings = Settings(gateway=GatewaySettings(public_url=base))
    app.include_router(router(chats, settings, centre=CENTRE, limits=limits))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base, headers=SAME_ORIGIN)


@pytest.fixture
def chats() -> FakeChats:
    return FakeChats(delay_s=0.0, ends=True)


@pytest.fixture
async def client(chats: FakeChats) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(chats) as client:
        await client.get("/chat")
        yield client


async def say(client: httpx.AsyncClient, text: str, *, id_: str = "", **more: object) -> httpx.Response:
    return await client.post("/chat/messages", json={"id": id_ or str(uuid4()), "text": text}, **more)  # type: ignore[arg-type]


async def lines(client: httpx.AsyncClient, after: int = 0) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await client.get("/chat/history", params={"after": after})).json()["lines"]
    return found


async def test_root_leads_to_the_chat(client: httpx.AsyncClient) -> None:
    response = await client.get("/")
    assert response.is_redirect
    assert response.headers["location"] == "/chat"


async def test_page_says_who_it_is_and_that_it_is_a_machine(client: httpx.AsyncClient) -> None:
    html = (await client.get("/chat")).text
    for words in (
        "广州住房公积金管理中心",
        "12329 智能助手",
        "我是智能助手（机器），",
        "随时可以转人工",
        'lang="zh-CN"',
    ):
        assert words in html
    assert html.count('class="quick"') == 6
    assert "{hotline}" not in html


async def test_page_loads_from_no_other_host_and_runs_no_inline_script(client: httpx.AsyncClient) -> None:
    response = await client.get("/chat")
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", response.text)
    assert not re.search(r"<script(?![^>]*(?:src=|application/json))", response.text)
    assert not re.search(r"\s(?:style|on\w+)=", response.text)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_every_asset_of_the_page_is_there_and_revalidated(client: httpx.AsyncClient) -> None:
    html = (await client.get("/chat")).text
    assets = set(re.findall(r"""(?:src|href)="(/static/[^"]+)""", html))
    assert len(assets) == 4
    for asset in assets:
        response = await client.get(asset)
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-cache"
        again = await client.get(asset, headers={"If-None-Match": response.headers["etag"]})
        assert again.status_code == 304


async def test_wording_for_the_scripts_is_json(client: httpx.AsyncClient) -> None:
    html = (await client.get("/chat")).text
    block = re.search(r'id="wording">(.*?)</script>', html, re.DOTALL)
    assert block
    assert json.loads(block[1])["max"] == 1000


async def test_visitor_cookie_is_hidden_from_scripts_and_other_sites(chats: FakeChats) -> None:
    async with client_of(chats) as client:
        cookie = (await client.get("/chat")).headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "secure" not in cookie
    async with client_of(chats, base="https://fund.test") as client:
        cookie = (await client.get("/chat")).headers["set-cookie"]
        assert cookie.startswith("__Host-visitor=")
        assert "Secure" in cookie


async def test_question_is_stored_and_answered_in_the_background(client: httpx.AsyncClient, chats: FakeChats) -> None:
    response = await say(client, " 租房能提多少 ")
    assert response.status_code == 202
    await chats.settled()
    citizen, bot = await lines(client)
    assert (citizen["author"], citizen["text"]) == ("citizen", "租房能提多少")
    assert bot["author"] == "bot"
    assert str(bot["text"]).startswith("能提。")
    assert chats.received[0].channel is ChannelName.WEB


async def test_repeated_delivery_is_stored_once(client: httpx.AsyncClient, chats: FakeChats) -> None:
    id_ = str(uuid4())
    for _ in range(3):
        assert (await say(client, "租房", id_=id_)).status_code == 202
    await chats.settled()
    assert [line["id"] for line in await lines(client)] == [id_, ""]


async def test_new_visitor_is_greeted_once(client: httpx.AsyncClient, chats: FakeChats) -> None:
    for _ in range(2):
        assert (await client.post("/chat/start", json={})).status_code == 202
    await chats.settled()
    assert [inbound.kind for inbound in chats.received] == [InboundKind.START]
    assert len(await lines(client)) == 1


async def test_visitor_stays_the_same_when_the_page_is_loaded_again(
    client: httpx.AsyncClient, chats: FakeChats
) -> None:
    await say(client, "租房")
    await client.get("/chat")
    await say(client, "贷款")
    assert len({inbound.contact_key for inbound in chats.received}) == 1


async def test_nobody_reads_another_visitors_lines(client: httpx.AsyncClient, chats: FakeChats) -> None:
    await say(client, "租房")
    async with client_of(chats) as other:
        await other.get("/chat")
        # Another app object signs with the same secret, so this is another visitor, not an unknown one.
        assert await lines(other) == []


@pytest.mark.parametrize(
    ("text", "status", "words"), [("", 422, "请先输入"), (" \n ", 422, "请先输入"), ("金" * 1001, 422, "1000 个字")]
)
async def test_message_that_cannot_be_taken_is_explained(
    client: httpx.AsyncClient, chats: FakeChats, *, text: str, status: int, words: str
) -> None:
    response = await say(client, text)
    assert response.status_code == status
    assert words in response.json()["message"]
    assert chats.received == []


async def test_huge_body_is_refused_before_it_is_read(client: httpx.AsyncClient, chats: FakeChats) -> None:
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b"x" * 4096

    response = await client.post("/chat/messages", content=flood(), headers={"Content-Type": "application/json"})
    assert response.status_code == 413
    assert sent < 10
    assert chats.received == []


@pytest.mark.parametrize("path", ["/chat/messages", "/chat/start"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://elsewhere.test"},
        {"Origin": "null"},
        {},
    ],
)
async def test_post_from_another_page_is_refused(
    client: httpx.AsyncClient, chats: FakeChats, *, path: str, headers: dict[str, str]
) -> None:
    del client.headers["Sec-Fetch-Site"]
    response = await client.post(path, json={"id": str(uuid4()), "text": "租房"}, headers=headers)
    assert response.status_code == 403
    assert response.json()["code"] == "cross_origin"
    assert chats.received == []


async def test_older_browser_is_recognised_by_its_origin(client: httpx.AsyncClient) -> None:
    del client.headers["Sec-Fetch-Site"]
    assert (await say(client, "租房", headers={"Origin": "http://fund.test"})).status_code == 202


async def test_form_post_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/chat/messages", data={"text": "租房"})).status_code == 415


@pytest.mark.parametrize("path", ["/chat/history", "/chat/events"])
async def test_reading_without_a_visitor_is_refused_kindly(chats: FakeChats, path: str) -> None:
    async with client_of(chats) as client:
        response = await client.get(path)
    assert response.status_code == 401
    assert "刷新" in response.json()["message"]


async def test_writing_without_a_visitor_is_refused_and_nothing_is_stored(chats: FakeChats) -> None:
    async with client_of(chats) as client:
        assert (await say(client, "租房")).status_code == 401
    assert chats.received == []


async def test_visitor_who_is_too_fast_is_asked_to_wait(chats: FakeChats) -> None:
    limits = ChatLimits(messages_of_visitor=Rate(burst=2, per_s=0.1))
    async with client_of(chats, limits=limits) as client:
        await client.get("/chat")
        assert [(await say(client, "租房")).status_code for _ in range(2)] == [202, 202]
        response = await say(client, "租房")
        assert response.status_code == 429
        assert response.json()["message"].startswith("您发得有点快")
        assert 1 <= int(response.headers["retry-after"]) <= 10
        client.cookies.clear()
        await client.get("/chat")
        assert (await say(client, "租房")).status_code == 202
    assert len(chats.received) == 3


async def test_address_that_is_too_fast_waits_whoever_it_says_it_is(chats: FakeChats) -> None:
    async with client_of(chats, limits=ChatLimits(messages_of_address=Rate(burst=1, per_s=0.1))) as client:
        await client.get("/chat")
        assert (await say(client, "租房")).status_code == 202
        client.cookies.clear()
        await client.get("/chat")
        assert (await say(client, "租房")).status_code == 429


async def test_reader_who_asks_all_the_time_waits(chats: FakeChats) -> None:
    async with client_of(chats, limits=ChatLimits(reads_of_visitor=Rate(burst=1, per_s=0.1))) as client:
        await client.get("/chat")
        assert (await client.get("/chat/history")).status_code == 200
        assert (await client.get("/chat/history")).status_code == 429
        assert (await client.get("/chat/events")).status_code == 429


async def test_storage_that_is_away_is_said_to_be_busy(client: httpx.AsyncClient, chats: FakeChats) -> None:
    chats.is_down = True
    for response in (await say(client, "租房"), await client.get("/chat/history")):
        assert response.status_code == 503
        assert "12329" in response.json()["message"]


async def test_stream_of_a_storage_that_is_away_ends_so_that_the_page_asks_again(
    client: httpx.AsyncClient, chats: FakeChats
) -> None:
    chats.is_down = True
    response = await client.get("/chat/events")
    assert response.status_code == 200
    assert "event: line" not in response.text


async def test_stream_sends_lines_with_their_numbers(client: httpx.AsyncClient, chats: FakeChats) -> None:
    await say(client, "租房\n两行")
    await chats.settled()
    response = await client.get("/chat/events")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    assert re.findall(r"^id: (\d+)", response.text, re.MULTILINE) == ["1", "2"]
    data = [json.loads(line) for line in re.findall(r"^data: (.*?)\r?$", response.text, re.MULTILINE)]
    assert data == await lines(client)
    assert data[0]["text"] == "租房\n两行"


@pytest.mark.parametrize(
    ("last_event_id", "after", "seen"),
    [
        ("1", "", ["2"]),
        ("", "1", ["2"]),
        ("1", "0", ["2"]),
        ("0", "2", []),
        ("x", "-1", ["1", "2"]),
        ("9" * 40, "²", ["1", "2"]),
    ],
)
async def test_stream_goes_on_after_the_last_line_seen(
    client: httpx.AsyncClient, chats: FakeChats, *, last_event_id: str, after: str, seen: list[str]
) -> None:
    await say(client, "租房")
    await chats.settled()
    response = await client.get("/chat/events", params={"after": after}, headers={"Last-Event-ID": last_event_id})
    assert re.findall(r"^id: (\d+)", response.text, re.MULTILINE) == seen


async def test_history_goes_on_after_the_line_named(client: httpx.AsyncClient, chats: FakeChats) -> None:
    await say(client, "租房")
    await chats.settled()
    assert [line["seq"] for line in await lines(client, after=1)] == [2]
