"""An agent's telephone: rung, whispered to, joined, gone."""

from __future__ import annotations

import asyncio
import time

import pytest

from channels.voice.line import PeerGone
from channels.voice.session import HangUp, Target, Transferred
from tests.telephone.sip_caller import Phone, PhoneCall, SipCaller
from tests.voice_e2e.answering import FIGURES, Answering, Taken, has_tone, likeness, tone, words

pytestmark = pytest.mark.anyio

HEADERS = {"X-Hotline-Conversation": "conv-42", "X-Hotline-Call": "call-7"}


async def _called(answering: Answering, phones: SipCaller, domain: str) -> tuple[PhoneCall, Taken]:
    phone = await phones.phone("13800138000", domain=domain)
    call = await phone.dial(f"sip:12329@{domain}")
    taken = await answering.call()
    await call.established()
    return call, taken


async def _agent(phones: SipCaller, domain: str, answer: str) -> Phone:
    return await phones.phone("8001", domain=domain, answer=answer, after_s=0.4)


async def test_caller_and_agent_are_joined(answering: Answering, phones: SipCaller, domain: str) -> None:
    call, taken = await _called(answering, phones, domain)
    agent = await _agent(phones, domain, "accept")
    secret = words(5, 1.2)
    ringing = asyncio.create_task(
        taken.line.transfer(Target(extension="8001", headers=HEADERS, ring_s=5), whisper=secret)
    )
    sounding = asyncio.create_task(taken.line.write(tone(450, 8)))  # the caller hears it ring
    rung = await agent.rung()
    assert rung.headers["X-Hotline-Conversation"] == "conv-42"
    assert rung.headers["X-Hotline-Call"] == "call-7"
    assert "13800138000" in rung.peer
    assert await ringing is Transferred.ANSWERED
    joined = time.monotonic()
    await asyncio.wait_for(sounding, 1)
    assert likeness(secret, (await rung.heard()).pcm) > 0.97
    assert likeness(secret, (await call.heard()).pcm) < 0.9
    await asyncio.sleep(0.4)
    said = time.monotonic()
    await asyncio.gather(call.say(tone(1000, 2.0)), rung.say(tone(2000, 2.0)))
    await asyncio.sleep(1.8)
    caller_hears, agent_hears = (await call.heard(since=said)).pcm, (await rung.heard(since=said)).pcm
    assert has_tone(caller_hears, 2000)
    assert not has_tone(caller_hears, 450)
    assert has_tone(agent_hears, 1000)
    both = taken.heard(since=said)
    assert has_tone(both, 1000)
    assert has_tone(both, 2000)
    assert taken.line.buffered_s() == 0.0
    FIGURES.append(
        f"{answering.media}: joined {1000 * (joined - (await rung.established())):.0f} ms after the agent's answer"
    )
    await rung.hang_up()
    await taken.until(lambda one: one.count(PeerGone) == 1)
    again = time.monotonic()
    prompt = words(6, 1.0)
    await taken.line.write(prompt)
    await asyncio.sleep(1.6)
    assert likeness(prompt, (await call.heard(since=again)).pcm) > 0.97
    assert not taken.ended.is_set()


async def test_the_agent_is_taken_off_and_another_one_rung(
    answering: Answering, phones: SipCaller, domain: str
) -> None:
    call, taken = await _called(answering, phones, domain)
    agent = await _agent(phones, domain, "accept")
    target = Target(extension="8001", ring_s=5)
    assert await taken.line.transfer(target, whisper=b"") is Transferred.ANSWERED
    first = await agent.rung()
    await taken.line.join_off()
    await first.closed()
    assert await taken.line.transfer(target, whisper=b"") is Transferred.ANSWERED
    second = await agent.rung()
    await call.press("9")
    await taken.until(lambda one: one.keys == "9")
    assert taken.count(PeerGone) == 0
    await call.hang_up()
    await second.closed()
    await asyncio.wait_for(taken.ended.wait(), 2)
    assert taken.ending.by is HangUp.CALLER


@pytest.mark.parametrize(
    ("extension", "answer", "outcome"),
    [
        ("8001", "busy", Transferred.BUSY),
        ("8001", "ring", Transferred.NO_ANSWER),
        ("8999", "accept", Transferred.FAILED),
        ("8001/../../x", "accept", Transferred.FAILED),
    ],
)
async def test_no_agent_comes_and_the_caller_is_served_on(
    answering: Answering, phones: SipCaller, domain: str, extension: str, answer: str, outcome: Transferred
) -> None:
    call, taken = await _called(answering, phones, domain)
    await _agent(phones, domain, answer)
    began = time.monotonic()
    assert await taken.line.transfer(Target(extension=extension, ring_s=2), whisper=b"") is outcome
    FIGURES.append(f"{answering.media}: {outcome} after {time.monotonic() - began:.1f} s")
    again = time.monotonic()
    prompt = words(7, 1.0)
    await taken.line.write(prompt)
    await asyncio.sleep(1.6)
    assert likeness(prompt, (await call.heard(since=again)).pcm) > 0.97
    await call.press("5")
    await taken.until(lambda one: one.keys == "5")


async def test_an_agents_telephone_that_is_dead_is_given_up_in_time(
    answering: Answering, phones: SipCaller, domain: str
) -> None:
    """Nobody has the number: its network answers nothing, or 404."""
    _, taken = await _called(answering, phones, domain)
    began = time.monotonic()
    outcome = await taken.line.transfer(Target(extension="8002", ring_s=2), whisper=b"")
    assert outcome in (Transferred.FAILED, Transferred.NO_ANSWER)
    assert time.monotonic() - began < 3


async def test_the_caller_hangs_up_while_the_agent_is_rung(
    answering: Answering, phones: SipCaller, domain: str
) -> None:
    call, taken = await _called(answering, phones, domain)
    agent = await _agent(phones, domain, "ring")
    ringing = asyncio.create_task(taken.line.transfer(Target(extension="8001", ring_s=10), whisper=b""))
    rung = await agent.rung()
    await call.hang_up()
    assert await asyncio.wait_for(ringing, 2) is Transferred.CALLER_GONE
    await rung.closed(2)
    await asyncio.wait_for(taken.ended.wait(), 2)
    assert taken.ending.by is HangUp.CALLER


async def test_the_agent_hangs_up_on_the_whisper(answering: Answering, phones: SipCaller, domain: str) -> None:
    call, taken = await _called(answering, phones, domain)
    agent = await _agent(phones, domain, "accept")
    ringing = asyncio.create_task(taken.line.transfer(Target(extension="8001", ring_s=5), whisper=words(8, 4.0)))
    rung = await agent.rung()
    await rung.established()
    await asyncio.sleep(0.5)
    await rung.hang_up()
    assert await asyncio.wait_for(ringing, 2) is Transferred.NO_ANSWER
    assert not taken.ended.is_set()
    await call.hang_up()
