"""Recorded messages of ConversationRelay, played to a session."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

import pytest
from relay_kit import FIXTURES, Played, steps
from structlog.testing import capture_logs

from channels.voice.relay.saying import Pace
from channels.voice.session import Listening

pytestmark = pytest.mark.anyio
SLOW = Pace(settle_s=0.05, lead_s=0.3, end_s=1.0)


class Player:
    """Plays the steps of one file."""

    def __init__(self) -> None:
        self.call = Played(pace=SLOW)

    async def play(self, name: str) -> None:
        for step in steps(name):
            ((kind, value), *more) = step.items()
            await getattr(self, f"_{kind}")(value, **dict(more))
        await self.call.ends()

    async def _twilio(self, message: dict[str, Any]) -> None:
        if message["type"] == "setup":
            await self.call.connects()
        else:
            self.call.socket.says(message)

    async def _say(self, says: list[str], listening: dict[str, Any] | None) -> None:
        await self.call.settled()
        await self.call.session.say(says, None if listening is None else Listening(**listening))

    async def _hang_up(self, _: bool) -> None:
        await self.call.session.hang_up()

    async def _sent(self, fields: dict[str, Any]) -> None:
        sent = await self.call.socket.next_sent()
        assert {name: sent.get(name) for name in fields} == fields

    async def _event(self, fields: dict[str, Any]) -> None:
        event = await self.call.event()
        assert not isinstance(event, asyncio.Event)
        found = {"kind": type(event).__name__} | dataclasses.asdict(event)
        assert {name: found.get(name) for name in fields} == fields

    async def _closed(self, code: int) -> None:
        self.call.socket.closes(code)


@pytest.mark.parametrize("name", sorted(path.stem for path in FIXTURES.glob("*.jsonl")))
async def test_recording_is_understood_and_answered(name: str) -> None:
    await asyncio.wait_for(Player().play(name), 10)


@pytest.mark.parametrize("name", ["entry", "twilio_complains", "whole_call"])
async def test_nothing_that_was_said_or_keyed_gets_into_a_log(name: str) -> None:
    with capture_logs() as logs:
        await Player().play(name)
    written = json.dumps(logs, ensure_ascii=False, default=str)
    for secret in ("4301", "余额", "440", "租房", "13800138000"):
        assert secret not in written
    if name == "twilio_complains":
        faults = [entry["reason"] for entry in logs if entry["event"] == "voice.relay.fault"]
        assert faults == ["Invalid message received, code 64107"]
