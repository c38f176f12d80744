"""The sandbox's Twilio and the gateway's relay on real sockets: each was written from Twilio's description alone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from relay_line import LISTENING, TWILIO, Dialogue, made, served

from channels.voice.relay.wording import relay_wording
from channels.voice.session import HungUp, Keys, Partial, Spoken, Transferred
from sandbox.twilio import router
from sandbox.twilio_parties import Account

pytestmark = pytest.mark.anyio
PACE = 60.0
LONG = "租房的缴存职工每月可以提取一次，" * 20


@dataclass
class Phone:
    """The caller at the sandbox's page."""

    http: httpx.AsyncClient
    dialogue: Dialogue
    sid: str = ""

    async def dials(self) -> dict[str, Any]:
        told = (await self.http.post("/twilio/sandbox/call/start", json={"from": "+8613800138000"})).json()
        self.sid = told["call_sid"]
        return dict(told)

    async def does(self, what: str, **given: str) -> dict[str, Any]:
        answer = await self.http.post(f"/twilio/sandbox/call/{what}", json={"call_sid": self.sid} | given)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def looks(self) -> dict[str, Any]:
        return dict((await self.http.get(f"/twilio/sandbox/call/{self.sid}")).json())

    async def until(self, state: str = "", *, hears: str = "") -> dict[str, Any]:
        """Looks until the call stands so, and something has been heard whole."""
        for _ in range(300):
            told = await self.looks()
            said = [item["text"] for item in told["heard"]]
            if state in ("", told["state"]) and (not hears or hears in said):
                return told
            await asyncio.sleep(0.02)
        raise AssertionError(f"{told['state']}: {told['heard']}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    at_gateway, at_sandbox = _free_port(), _free_port()
    public = f"http://127.0.0.1:{at_gateway}"
    settings = TWILIO.model_copy(update={"api_base": f"http://127.0.0.1:{at_sandbox}/twilio"})
    token = settings.auth_token.get_secret_value()
    sandbox = FastAPI()
    sandbox.include_router(
        router(Account(sid=settings.account_sid, token=token, number=settings.number, gateway=public), pace=PACE)
    )
    async with made(tmp_path, settings, public) as (app, dialogue, _), served(app, at_gateway):
        async with served(sandbox, at_sandbox):
            base = f"http://127.0.0.1:{at_sandbox}"
            async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=10) as http:
                yield Phone(http, dialogue)


async def test_caller_talks_and_hangs_up(phone: Phone) -> None:
    assert (await phone.dials())["state"] == "relay"
    await phone.until(hears="您好。")
    await phone.does("types", text="租房")
    await phone.does("say", text="租房能提取吗")
    await phone.until(hears="您说：租房能提取吗。")
    assert isinstance(await phone.dialogue.until(Partial), Partial)
    await phone.does("hangup")
    await phone.until("ended")
    await phone.dialogue.until(HungUp)


async def test_both_sides_agree_on_what_was_heard_when_the_caller_broke_in(phone: Phone) -> None:
    await phone.dials()
    await phone.until(hears="您好。")
    (session,) = phone.dialogue.calls
    await session.say([LONG], LISTENING)
    await asyncio.sleep(1.0)
    phone.dialogue.seen.clear()
    await phone.does("types", text="等")
    spoken = await phone.dialogue.until(Spoken)
    assert isinstance(spoken, Spoken)
    cut = next(item for item in (await phone.looks())["heard"] if item.get("rest"))
    assert not spoken.whole
    assert spoken.heard == cut["text"]
    assert spoken.heard + cut["rest"] == LONG
    assert 20 < len(spoken.heard) < 120


async def test_key_stops_the_voice_and_reaches_an_agent_who_is_whispered_to(phone: Phone) -> None:
    await phone.dials()
    await phone.until(hears="您好。")
    await phone.does("press", digits="0")
    assert await phone.dialogue.until(Keys) == Keys(keys="0")
    told = await phone.until("ringing")
    assert told["heard"][-1]["text"].startswith("sip:8001@pbx.example.cn")
    await phone.does("agent", does="answer")
    told = await phone.until("agent")
    assert [item["text"] for item in told["heard"] if item["kind"] == "whisper"] == ["租房。"]
    await phone.does("agent", does="hang_up")
    await phone.until("relay", hears="还有问题吗？")
    assert phone.dialogue.became == [Transferred.ANSWERED]
    assert len(phone.dialogue.calls) == 1


@pytest.mark.parametrize(("does", "became"), [("busy", Transferred.BUSY), ("no-answer", Transferred.NO_ANSWER)])
async def test_agent_who_is_not_there(phone: Phone, does: str, became: Transferred) -> None:
    await phone.dials()
    await phone.until(hears="您好。")
    await phone.does("press", digits="0")
    await phone.until("ringing")
    await phone.does("agent", does=does)
    await phone.until("relay", hears="没有接通。")
    assert phone.dialogue.became == [became]


async def test_caller_who_hangs_up_while_it_rings(phone: Phone) -> None:
    await phone.dials()
    await phone.until(hears="您好。")
    await phone.does("press", digits="0")
    await phone.until("ringing")
    await phone.does("hangup")
    await phone.until("ended")
    await phone.dialogue.until(HungUp)
    assert phone.dialogue.became == [Transferred.CALLER_GONE]


async def test_parting_the_two_brings_the_caller_back(phone: Phone) -> None:
    await phone.dials()
    await phone.until(hears="您好。")
    await phone.does("press", digits="0")
    await phone.until("ringing")
    await phone.does("agent", does="answer")
    await phone.until("agent")
    (session,) = phone.dialogue.calls
    await session.join_off()
    await session.say(["请评价。"], LISTENING)
    await phone.until("relay", hears="请评价。")


async def test_broken_line_is_followed_by_a_sentence(phone: Phone) -> None:
    await phone.dials()
    await phone.until(hears="您好。")
    await phone.does("drop")
    await phone.until("relay", hears=relay_wording().again)
    await phone.does("say", text="喂")
    await phone.until(hears="您说：喂。")
    assert len(phone.dialogue.calls) == 1


async def test_goodbye_is_heard_whole(phone: Phone) -> None:
    await phone.dials()
    await phone.until(hears="您好。")
    await phone.does("press", digits="9")
    await phone.until("ended", hears="再见。")


async def test_recording_pauses_and_goes_on(phone: Phone) -> None:
    await phone.dials()
    await phone.until(hears="您好。")
    (session,) = phone.dialogue.calls
    await session.record(on=True)
    await session.record(on=False)
    assert (await phone.looks())["recording"] == "paused"
    await session.record(on=True)
    for _ in range(100):
        if (await phone.looks())["recording"] == "in-progress":
            break
        await asyncio.sleep(0.02)
    assert (await phone.looks())["recording"] == "in-progress"
    await phone.does("hangup")
    assert (await phone.until("ended"))["recording"] == "stopped"


async def test_music_goes_on_until_something_is_said(phone: Phone) -> None:
    await phone.dials()
    await phone.until(hears="您好。")
    (session,) = phone.dialogue.calls
    await session.play("waiting")
    for _ in range(100):
        if any(item["kind"] == "play" and item["on"] for item in (await phone.looks())["heard"]):
            break
        await asyncio.sleep(0.02)
    await session.say(["轮到您了。"], LISTENING)
    told = await phone.until(hears="轮到您了。")
    assert not any(item["on"] for item in told["heard"] if item["kind"] == "play")
