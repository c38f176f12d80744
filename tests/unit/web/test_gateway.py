"""The gateway's own routes, with a steered channel and dialogue behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hotline.domain.messages import ChannelName, Outcome, Reply, SourceNote, TurnRequest, TurnResult
from hotline.errors import TemporaryError
from tests.core_kit import Kit, core_kit
from web.app import create_app

pytestmark = pytest.mark.anyio

TOKEN = {"Authorization": "Bearer embedded-internal-token-change-me"}


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    async with core_kit(tmp_path) as made:
        yield made


@pytest.fixture
async def client(kit: Kit) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(kit.core.settings, kit.core)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as made:
        yield made


async def test_a_webhook_is_answered_with_the_turns_reply(client: httpx.AsyncClient) -> None:
    response = await client.post("/channels/wechat?id=m1", content="租房".encode())
    assert response.status_code == 200
    assert response.text == "答：租房"


async def test_an_unknown_channel_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.post("/channels/fax?id=1", content=b"x")).status_code == 404


async def test_more_than_a_mebibyte_is_refused_and_not_stored(client: httpx.AsyncClient, kit: Kit) -> None:
    response = await client.post("/channels/wechat?id=m1", content=b"x" * (1024 * 1024 + 1))
    assert response.status_code == 413
    assert kit.dialogue.asked == []


async def test_the_channel_sees_the_public_address_not_the_one_behind_the_proxy(
    client: httpx.AsyncClient, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    channel = kit.channels[ChannelName.SMS]
    receive = channel.receive

    async def watch(request: object) -> object:
        seen.append(request.url)  # type: ignore[attr-defined]
        return await receive(request)  # type: ignore[arg-type]

    monkeypatch.setattr(channel, "receive", watch)
    await client.post("/channels/sms?id=1&a=%E4%BD%A0", content=b"x", headers={"host": "evil.example"})
    assert seen == ["http://127.0.0.1:8000/channels/sms?id=1&a=%E4%BD%A0"]


async def test_a_database_that_does_not_answer_gives_a_sentence(
    client: httpx.AsyncClient, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object, **__: object) -> None:
        raise TemporaryError("database")

    monkeypatch.setattr(kit.storage.store, "accept", down)
    response = await client.post("/channels/wechat?id=m1", content="租房".encode())
    assert "12329" in response.text
    assert list((kit.core.settings.state_dir / "spool").glob("*.jsonl"))


async def test_internal_routes_want_the_token(client: httpx.AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert (await client.post("/internal/turn", json={"text": "x"}, headers=headers)).status_code == 401
        assert (await client.get("/internal/counts", headers=headers)).status_code == 401


async def test_an_internal_turn_tells_everything_and_is_never_pushed(client: httpx.AsyncClient, kit: Kit) -> None:
    def script(request: TurnRequest) -> TurnResult:
        return TurnResult(
            replies=(Reply(text="能提。"),),
            outcome=Outcome.ANSWERED,
            intent="ask_knowledge",
            confidence=0.9,
            matter="withdraw-rent",
            aspect="amount",
            sources=(SourceNote(title="通知", issued_on="2024-11-26"),),
        )

    kit.dialogue.script = script
    body = {"text": "租房提多少", "channel": "sms", "as_of": "2025-01-01"}
    answer = (await client.post("/internal/turn", json=body, headers=TOKEN)).json()
    assert answer["answer"] == "能提。"
    assert answer["matter"] == "withdraw-rent"
    assert answer["outcome"] == "answered"
    assert answer["sources"][0]["issued_on"] == "2024-11-26"
    assert str(kit.dialogue.asked[0].as_of) == "2025-01-01"
    await kit.housekeep()
    assert kit.channels[ChannelName.SMS].sent == []


async def test_an_internal_conversation_goes_on_by_its_name(client: httpx.AsyncClient, kit: Kit) -> None:
    for text in ("租房", "要什么材料"):
        await client.post("/internal/turn", json={"text": text, "conversation": "a"}, headers=TOKEN)
    await client.post("/internal/turn", json={"text": "租房"}, headers=TOKEN)
    first, second, third = (request.conversation_id for request in kit.dialogue.asked)
    assert first == second != third


async def test_who_asked_for_a_person_is_listed_until_it_is_closed(client: httpx.AsyncClient, kit: Kit) -> None:
    kit.dialogue.script = lambda _: TurnResult(replies=(), outcome=Outcome.HANDOFF, hand_over="complaint")
    await client.post("/internal/turn", json={"text": "我要投诉，电话13800138000"}, headers=TOKEN)
    (found,) = (await client.get("/internal/handovers", headers=TOKEN)).json()
    assert found["reason"] == "complaint"
    assert found["said"] == ["我要投诉，电话[电话已隐去]"]
    close = f"/internal/handovers/{found['number']}/close"
    assert (await client.post(close, headers=TOKEN)).status_code == 200
    assert (await client.post(close, headers=TOKEN)).status_code == 404
    assert (await client.get("/internal/handovers", headers=TOKEN)).json() == []
    assert (await client.get("/internal/handovers")).status_code == 401


async def test_health_names_what_is_down(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(url: str) -> bool:
        return False

    monkeypatch.setattr("web.health._answers", nobody)
    health = (await client.get("/health")).json()
    assert health["database"] is True
    assert health["rasa"] is False
    assert health["status"] == "degraded"


async def test_nobody_reads_an_api_description(client: httpx.AsyncClient) -> None:
    for path in ("/docs", "/openapi.json", "/redoc"):
        assert (await client.get(path)).status_code == 404
