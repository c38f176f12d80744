"""Whatever breaks, the caller hears a sentence and gets a person. Extension 8003 is the queue for people."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from channels.voice.line import Key
from channels.voice.session import HangUp, Target, Transferred
from tests.telephone.sip_caller import Phone, PhoneCall, SipCaller
from tests.voice_e2e.answering import SIP, Answering, has_tone, likeness, loudness, tone, words

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
ANNOUNCEMENT_S = 15.0


async def _queue(phones: SipCaller) -> Phone:
    return await phones.phone("8003", domain=SIP, answer="accept", after_s=0.2)


async def _dial(phones: SipCaller) -> PhoneCall:
    phone = await phones.phone("13800138000", domain=SIP)
    return await phone.dial(f"sip:12329@{SIP}")


async def _gets_a_sentence_and_a_person(call: PhoneCall, queue: Phone, since: float) -> None:
    person = await queue.rung(ANNOUNCEMENT_S)
    await person.established()
    sentence = loudness((await call.heard(since=since)).pcm)
    assert (sentence > 300).sum() * 0.02 > 1.0, "no sentence was heard"
    await person.say(tone(1500, 1.5))
    await asyncio.sleep(1.2)
    assert has_tone((await call.heard(since=time.monotonic() - 0.6)).pcm, 1500)
    await call.hang_up()
    await person.closed()


async def test_with_nobody_at_the_application_callers_get_people(phones: SipCaller) -> None:
    queue, since = await _queue(phones), time.monotonic()
    call = await _dial(phones)
    await call.established()
    await _gets_a_sentence_and_a_person(call, queue, since)


async def test_the_switch_is_stopped_in_the_middle_of_a_call(answering: Answering, phones: SipCaller) -> None:
    queue, call = await _queue(phones), await _dial(phones)
    taken = await answering.call()
    await call.established()
    since = time.monotonic()
    await answering.stop()
    assert taken.ending.by is HangUp.LOST
    await _gets_a_sentence_and_a_person(call, queue, since)


async def test_the_sound_breaks_off_in_the_middle_of_a_call(answering: Answering, phones: SipCaller) -> None:
    queue, call = await _queue(phones), await _dial(phones)
    taken = await answering.call()
    await call.established()
    since = time.monotonic()
    await _cut(answering)
    await asyncio.wait_for(taken.ended.wait(), 3)
    assert taken.ending.by is HangUp.LOST
    await _gets_a_sentence_and_a_person(call, queue, since)


async def test_the_sound_breaks_off_while_an_agent_talks(answering: Answering, phones: SipCaller) -> None:
    queue, call = await _queue(phones), await _dial(phones)
    taken = await answering.call()
    agent = await phones.phone("8001", domain=SIP, answer="accept")
    assert await taken.line.transfer(Target(extension="8001", ring_s=5), whisper=b"") is Transferred.ANSWERED
    rung = await agent.rung()
    await _cut(answering)
    await asyncio.sleep(0.5)
    assert not taken.ended.is_set()
    await rung.say(tone(1200, 1.0))
    await asyncio.sleep(0.8)
    assert has_tone((await call.heard(since=time.monotonic() - 0.5)).pcm, 1200)
    since = time.monotonic()
    await rung.hang_up()
    await asyncio.wait_for(taken.ended.wait(), 3)
    assert taken.ending.by is HangUp.LOST
    await _gets_a_sentence_and_a_person(call, queue, since)


async def test_the_handler_fails(answering: Answering, phones: SipCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(line: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(answering.switch, "_on_call", fails)
    queue, since = await _queue(phones), time.monotonic()
    call = await _dial(phones)
    await _gets_a_sentence_and_a_person(call, queue, since)


async def test_the_switch_is_killed_and_the_next_one_sends_its_callers_to_people(phones: SipCaller) -> None:
    queue = await _queue(phones)
    async with _dying("websocket") as switch:
        call = await _dial(phones)
        assert await _line(switch) == "call"
        await call.established()
        switch.kill()
    since = time.monotonic()
    async with Answering.started("websocket") as answering:
        await _gets_a_sentence_and_a_person(call, queue, since)
        again = await _dial(phones)
        taken = await answering.call()
        prompt = words(9, 1.0)
        await taken.line.write(prompt)
        await asyncio.sleep(1.5)
        assert likeness(prompt, (await again.heard()).pcm) > 0.97
        await again.hang_up()
        await asyncio.wait_for(taken.ended.wait(), 2)
    await _nothing_is_left()


async def test_who_talks_with_an_agent_goes_on_when_the_switch_is_killed(phones: SipCaller) -> None:
    agent = await phones.phone("8001", domain=SIP, answer="accept")
    async with _dying("websocket") as switch:
        call = await _dial(phones)
        assert await _line(switch) == "call"
        await call.press("0")
        assert await _line(switch) == "answered"
        rung = await agent.rung()
        switch.kill()
    await rung.say(tone(1300, 6.0))
    async with Answering.started("websocket") as answering:
        await asyncio.sleep(1.5)
        assert has_tone((await call.heard(since=time.monotonic() - 0.5)).pcm, 1300)
        assert answering.switch.calls == 0
        await rung.hang_up()
        await call.closed()
    await _nothing_is_left()


async def test_who_talks_with_an_agent_goes_on_when_the_switch_is_stopped(
    answering: Answering, phones: SipCaller
) -> None:
    call = await _dial(phones)
    taken = await answering.call()
    agent = await phones.phone("8001", domain=SIP, answer="accept")
    assert await taken.line.transfer(Target(extension="8001", ring_s=5), whisper=b"") is Transferred.ANSWERED
    rung = await agent.rung()
    await answering.stop()
    assert taken.ending.by is HangUp.LOST
    await rung.say(tone(1300, 2.0))
    await asyncio.sleep(1.5)
    assert has_tone((await call.heard(since=time.monotonic() - 0.5)).pcm, 1300)
    async with Answering.started(answering.media):
        await call.hang_up()
        await rung.closed()
        await _nothing_is_left()


async def test_asterisk_forgets_the_application_for_a_while(answering: Answering, phones: SipCaller) -> None:
    """The connection for control breaks: the call's sound goes on, and its keys and end are known when it is back."""
    call = await _dial(phones)
    taken = await answering.call()
    other = await _dial(phones)
    gone = await answering.call()
    assert answering.switch.connected
    _break_control(answering)
    await _until(lambda: not answering.switch.connected)
    await other.hang_up()
    prompt = words(10, 1.5)
    await taken.line.write(prompt)
    await asyncio.wait_for(answering.switch.ready(), 10)
    await asyncio.wait_for(gone.ended.wait(), 5)
    assert gone.ending.by is HangUp.CALLER
    await asyncio.sleep(1.8)
    assert likeness(prompt, (await call.heard()).pcm) > 0.97
    await call.press("7")
    await taken.until(lambda one: one.keys == "7")
    assert taken.count(Key) == 1
    third = await _dial(phones)
    await answering.call()
    await third.hang_up()
    await call.hang_up()
    await asyncio.wait_for(taken.ended.wait(), 2)


async def test_everything_of_a_call_is_gone_when_it_is_over(answering: Answering, phones: SipCaller) -> None:
    await phones.phone("8001", domain=SIP, answer="accept")
    call = await _dial(phones)
    taken = await answering.call()
    target = Target(extension="8001", ring_s=5)
    assert await taken.line.transfer(target, whisper=tone(800, 0.5)) is Transferred.ANSWERED
    await call.hang_up()
    await asyncio.wait_for(taken.ended.wait(), 2)
    await _nothing_is_left()


async def _nothing_is_left() -> None:
    await _until(lambda: "0 active channels" in _cli("core show channels"), 10)
    await _until(lambda: "hotline" not in _cli("bridge show all"), 5)


def _cli(command: str) -> str:
    return subprocess.run(
        ["scripts/asterisk", "cli", command], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True
    ).stdout


async def _until(true: object, timeout_s: float = 5.0) -> None:
    assert callable(true)
    async with asyncio.timeout(timeout_s):
        while not await asyncio.to_thread(true):  # noqa: ASYNC110 - Asterisk tells nobody
            await asyncio.sleep(0.1)


async def _cut(answering: Answering) -> None:
    """The connection that carries the sound breaks without a word."""
    server = answering.switch._media
    if answering.media == "websocket":
        for socket in server._server.connections:  # type: ignore[union-attr]
            socket.transport.abort()
    else:
        for task in list(server._tasks):  # type: ignore[union-attr]
            task.cancel()
    await asyncio.sleep(0)


def _break_control(answering: Answering) -> None:
    socket = answering.switch._socket
    assert socket
    socket.transport.abort()


@asynccontextmanager
async def _dying(media: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.voice_e2e.dying_switch",
        media,
        cwd=ROOT,
        env=os.environ,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert await _line(process) == "ready"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    async with asyncio.timeout(60):
        async for line in process.stdout:
            if line.startswith(b"> "):
                return line[2:].decode().strip()
    raise AssertionError("the switch has ended")
