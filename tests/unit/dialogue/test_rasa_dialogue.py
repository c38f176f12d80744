"""The dialogue Rasa leads, with Rasa's HTTP side played."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from hotline.dialogue.rasa import PATH, RasaDialogue
from hotline.dialogue.wire import to_messages
from hotline.domain.messages import ChannelName, InboundKind, Outcome, Reply, TurnRequest, TurnResult
from hotline.errors import TemporaryError
from hotline.settings import RasaSettings

pytestmark = pytest.mark.anyio

REQUEST = TurnRequest(
    conversation_id="c1",
    message_id="m1",
    text="租房能提吗",
    kind=InboundKind.TEXT,
    channel=ChannelName.SMS,
    as_of=date(2026, 11, 23),
)
ANSWER = TurnResult(replies=(Reply(text="能提。"),), matter="rent", intent="ask_knowledge", confidence=0.9)


def _dialogue(play: Callable[[httpx.Request], httpx.Response]) -> RasaDialogue:
    settings = RasaSettings(url="http://rasa.invalid", token=SecretStr("right"), timeout_s=1.0)
    return RasaDialogue(settings, transport=httpx.MockTransport(play))


async def test_the_turn_reaches_rasa_with_the_token_and_its_answer_comes_back() -> None:
    seen: list[httpx.Request] = []

    def play(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        turn = {"intent": "ask_knowledge", "confidence": 0.9}
        return httpx.Response(200, json={"messages": to_messages(ANSWER), "turn": turn, "ms": {"embed": 12.0}})

    async with _dialogue(play) as dialogue:
        result = await dialogue.respond(REQUEST)
    assert (result.replies, result.matter, result.outcome) == (ANSWER.replies, "rent", Outcome.ANSWERED)
    assert result.ms["embed"] == 12.0
    assert result.ms["rasa"] >= 0.0
    assert not result.degraded
    assert (seen[0].url.path, seen[0].headers["authorization"]) == (PATH, "Bearer right")
    assert json.loads(seen[0].content) == {
        "conversation_id": "c1",
        "message_id": "m1",
        "kind": "text",
        "text": "租房能提吗",
        "channel": "sms",
        "locale": "zh-CN",
        "as_of": "2026-11-23",
    }


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(401, json={"error": "x"}),
        httpx.Response(503, json={"error": "x"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=["a list"]),
        httpx.Response(200, json={"messages": [], "turn": {}}),
        httpx.Response(200, json={"messages": [{"text": "a"}], "turn": "no object"}),
        httpx.Response(200, json={"messages": [{"text": "a"}], "turn": {}, "ms": {"embed": "long"}}),
    ],
    ids=["401", "503", "no JSON", "list", "nothing to say", "wrong turn", "wrong times"],
)
async def test_an_unusable_answer_is_a_temporary_error(response: httpx.Response) -> None:
    async with _dialogue(lambda request: response) as dialogue:
        with pytest.raises(TemporaryError):
            await dialogue.respond(REQUEST)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
async def test_no_answer_is_a_temporary_error(error: type[httpx.TransportError]) -> None:
    def play(request: httpx.Request) -> Any:
        raise error("away", request=request)

    async with _dialogue(play) as dialogue:
        with pytest.raises(TemporaryError):
            await dialogue.respond(REQUEST)
