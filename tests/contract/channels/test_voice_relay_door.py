"""Who is let in to the relay's WebSocket and webhooks, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from relay_line import CALL, PUBLIC, RELAY, TWILIO, Twilio, closed, gateway, heard, sign
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from channels.voice.relay.documents import ticket_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def twilio(tmp_path: Path) -> AsyncIterator[Twilio]:
    async with gateway(tmp_path) as line:
        yield line


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "nonsense",
        sign(f"wss://hotline.example{RELAY}", token="guessed"),
        sign(f"ws://hotline.example{RELAY}"),
        sign(f"https://hotline.example{RELAY}"),
        sign(f"wss://127.0.0.1{RELAY}"),
        sign(f"wss://hotline.example{RELAY}/after"),
    ],
    ids=["none", "nonsense", "guessed", "ws", "https", "inner host", "another path"],
)
async def test_handshake_that_is_not_signed_for_our_public_address_is_refused(twilio: Twilio, signature: str) -> None:
    with capture_logs() as logs, pytest.raises(InvalidStatus) as caught:
        async with twilio.connect(signature=signature):
            pass
    assert caught.value.response.status_code == 403
    assert [entry["event"] for entry in logs] == ["channel.request.refused"]
    assert twilio.dialogue.calls == []


async def test_handshake_with_a_query_is_refused(twilio: Twilio) -> None:
    with pytest.raises(InvalidStatus):
        async with twilio.connect(path=f"{RELAY}?call=1"):
            pass


@pytest.mark.parametrize(
    "first",
    [
        "{",
        '{"type": "dtmf", "digit": "1"}',
        json.dumps({"type": "setup", "callSid": CALL, "accountSid": TWILIO.account_sid}),
        json.dumps({"type": "setup", "callSid": CALL, "accountSid": "AC9", "customParameters": {}}),
        json.dumps(
            {
                "type": "setup",
                "callSid": "CA" + "9" * 32,
                "accountSid": TWILIO.account_sid,
                "customParameters": {"ticket": ticket_of(CALL, TWILIO)},
            }
        ),
    ],
    ids=["no JSON", "no setup", "no ticket", "another account", "another call's ticket"],
)
async def test_socket_that_does_not_say_whose_it_is_is_closed(twilio: Twilio, first: str) -> None:
    async with twilio.connect() as socket:
        await socket.send(first)
        assert await closed(socket) == 1008
    assert twilio.dialogue.calls == []


async def test_socket_that_says_nothing_is_closed(twilio: Twilio) -> None:
    async with twilio.connect() as socket:
        assert await closed(socket) == 1008


async def test_bytes_and_a_message_that_is_too_big(twilio: Twilio) -> None:
    async with twilio.connect() as socket:
        await twilio.talks(socket)
        await socket.send(b"\x00\x01")
        assert (await heard(socket))["token"] == "您好。"
        await socket.send("x" * 20_000)
        assert await closed(socket) == 1009


async def test_socket_that_stays_silent_too_long_is_closed(twilio: Twilio) -> None:
    async with twilio.connect() as socket:
        await twilio.talks(socket)
        async with asyncio.timeout(10):
            assert await _closed_slowly(socket) == 1001


async def _closed_slowly(socket: ClientConnection) -> int:
    try:
        while True:
            await socket.recv()
    except ConnectionClosed as error:
        return error.rcvd.code if error.rcvd else 1006


@pytest.mark.parametrize(
    "path", [f"{RELAY}/after", f"{RELAY}/dialled", f"{RELAY}/whisper", f"{RELAY}/queued", "/channels/voice/recording"]
)
async def test_webhook_that_is_not_signed_for_our_public_address_is_refused(twilio: Twilio, path: str) -> None:
    assert (await twilio.posts(path, token="guessed")).status_code == 403
    assert (await twilio.posts(path, url=PUBLIC.replace("https", "http") + path)).status_code == 403
    assert (await twilio.posts(path, AccountSid="AC9")).status_code == 403
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{twilio.port}", trust_env=False) as client:
        assert (await client.get(path)).status_code == 405
        assert (await client.post(path, data={"CallSid": CALL})).status_code == 403
