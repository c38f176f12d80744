"""12330: Asterisk plays our prompts as files and tells keys, by FastAGI."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.voice.asterisk.agi import AgiServer, PromptFiles
from channels.voice.session import HangUp, HungUp, Keys, Listening, Spoken, VoiceEvent, VoiceSession
from channels.voice.sounding.espeak import EspeakVoice
from tests.telephone.sip_caller import SipCaller
from tests.voice_e2e.answering import SIP, likeness

pytestmark = pytest.mark.anyio

ROOT = Path(os.environ.get("ASTERISK_ROOT", Path(__file__).resolve().parents[2] / "var" / "asterisk-chroot"))
PORT = int(os.environ.get("ASTERISK_AGI", "18005"))
QUESTION = "请输入身份证后六位，按井号键结束。"


@pytest.fixture
async def events() -> AsyncIterator[list[VoiceEvent]]:
    events: list[VoiceEvent] = []

    async def on_call(session: VoiceSession) -> None:
        await session.say([QUESTION], Listening(keys=10, finish_key="#"))
        async for event in session.events():
            events.append(event)
            if isinstance(event, Keys):
                await session.say(["谢谢，再见。"], None)
                await session.hang_up()

    files = PromptFiles(EspeakVoice(limit_s=20), ROOT / "tmp" / "prompts", seen_as=Path("/tmp/prompts"))  # noqa: S108
    server = AgiServer(on_call, files=files, host="127.0.0.1", port=PORT)
    running = asyncio.create_task(server.run())
    await server.started.wait()
    yield events
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def _until(events: list[VoiceEvent], kind: type, timeout_s: float = 15.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not any(isinstance(event, kind) for event in events):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.05)


async def test_a_question_is_heard_and_keyed_in(events: list[VoiceEvent], phones: SipCaller) -> None:
    phone = await phones.phone("13800138000", domain=SIP)
    call = await phone.dial(f"sip:12330@{SIP}")
    await _until(events, Spoken)
    assert events == [Spoken(heard=QUESTION, whole=True)]
    assert likeness(await EspeakVoice(limit_s=20).speak(QUESTION), (await call.heard()).pcm) > 0.95
    await call.press("01234X#".replace("X", "*"))
    await _until(events, HungUp)
    await call.closed()
    assert events[1:] == [
        Keys(keys="01234*", by_finish_key=True),
        Spoken(heard="谢谢，再见。", whole=True),
        HungUp(by=HangUp.US),
    ]


async def test_a_key_cuts_the_question_short(events: list[VoiceEvent], phones: SipCaller) -> None:
    phone = await phones.phone("13800138000", domain=SIP)
    call = await phone.dial(f"sip:12330@{SIP}")
    await call.established()
    await asyncio.sleep(1.5)
    await call.press("12#")
    await _until(events, HungUp)
    spoken = events[0]
    assert isinstance(spoken, Spoken)
    assert not spoken.whole
    assert 0 < len(spoken.heard) < len(QUESTION)
    assert events[1] == Keys(keys="12", by_finish_key=True)
    await call.closed()
