"""A caller and the switch: sound both ways, keys, silence, the end."""

from __future__ import annotations

import asyncio
import time

import pytest

from channels.voice.line import Key
from channels.voice.session import HangUp
from tests.telephone.bare_caller import BareCaller
from tests.telephone.sip_caller import SipCaller
from tests.voice_e2e.answering import FIGURES, Answering, likeness, tone, words

pytestmark = pytest.mark.anyio


async def test_the_caller_hears_the_prompt_and_we_hear_the_caller(
    answering: Answering, phones: SipCaller, domain: str
) -> None:
    phone = await phones.phone("13800138000", domain=domain)
    call = await phone.dial(f"sip:12329@{domain}")
    taken = await answering.call()
    prompt, speech = words(1, 3.0), words(2, 3.0)
    await taken.line.write(prompt)
    await call.say(speech)
    await call.said()
    await asyncio.sleep(0.6)
    heard = (await call.heard()).pcm
    to_caller, from_caller = likeness(prompt, heard), likeness(speech, taken.heard())
    FIGURES.append(f"{answering.media}: prompt {to_caller:.3f}, speech {from_caller:.3f}")
    assert to_caller > 0.97
    assert from_caller > 0.97
    assert taken.line.call.caller == "13800138000"
    assert taken.line.call.called == "12329"
    await call.hang_up()
    await asyncio.wait_for(taken.ended.wait(), 2)
    assert taken.ending.by is HangUp.CALLER


async def test_every_key_comes_once(answering: Answering, phones: SipCaller, domain: str) -> None:
    phone = await phones.phone("13800138000", domain=domain)
    call = await phone.dial(f"sip:12329@{domain}")
    taken = await answering.call()
    await taken.line.write(tone(500, 2))
    keys = "1234567890*#1123358800"
    await call.press(keys)
    await taken.until(lambda one: len(one.keys) >= len(keys))
    await asyncio.sleep(0.5)
    assert taken.keys == keys


@pytest.mark.parametrize("hold_s", [0.06, 0.1, 0.4])
async def test_keys_come_at_once(answering: Answering, domain: str, hold_s: float) -> None:
    keys = "1234567890*#" if hold_s < 0.2 else "12#"
    async with BareCaller.called(domain) as caller:
        taken = await answering.call()
        pressed = await caller.press(keys, hold_s=hold_s, gap_s=0.1)
        await taken.until(lambda one: len(one.keys) >= len(keys))
        await asyncio.sleep(0.3)
    assert taken.keys == keys
    late = sorted(at - began - hold_s for at, began in zip(taken.times(Key), pressed, strict=True))
    FIGURES.append(
        f"{answering.media}: held {1000 * hold_s:.0f} ms: {1000 * late[-1]:.0f} ms at most from its end to the event"
    )
    assert late[-1] < 0.15


async def test_quick_keys_whose_ends_are_lost_are_none_too_many(answering: Answering, domain: str) -> None:
    async with BareCaller.called(domain) as caller:
        taken = await answering.call()
        await caller.press("112233", hold_s=0.08, gap_s=0.08, lost=2)
        await taken.until(lambda one: len(one.keys) >= 6)
        await asyncio.sleep(0.3)
    assert taken.keys == "112233"


async def test_a_key_that_is_held_up_on_its_way_comes_once(answering: Answering, domain: str) -> None:
    """Sound overtakes it by half a second, as where a telephone or network is overloaded."""
    async with BareCaller.called(domain) as caller:
        taken = await answering.call()
        stamp = caller._stamp
        for number in range(1, 6):
            caller._event("7", stamp, number, first=number == 1)
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        for _ in range(3):
            caller._event("7", stamp, 6, end=True)
            await asyncio.sleep(0.02)
        await asyncio.sleep(1.5)
    assert taken.keys == "7"


async def test_a_flush_stops_what_is_said(answering: Answering, phones: SipCaller, domain: str) -> None:
    phone = await phones.phone("13800138000", domain=domain)
    call = await phone.dial(f"sip:12329@{domain}")
    taken = await answering.call()
    writing = asyncio.create_task(taken.line.write(tone(500, 20)))
    await asyncio.sleep(1.5)
    assert taken.line.buffered_s() > 1.5
    flushed = time.monotonic()
    await taken.line.flush()
    await asyncio.wait_for(writing, 1)
    assert taken.line.buffered_s() < 0.1
    await asyncio.sleep(0.6)
    silent = (await call.heard()).loud_until()
    FIGURES.append(f"{answering.media}: silent {1000 * (silent - flushed):.0f} ms after the flush")
    assert silent - flushed < 0.3
    prompt = words(3, 1.0)
    again = time.monotonic()
    await taken.line.write(prompt)
    await asyncio.sleep(1.6)
    heard = await call.heard(since=again)
    assert likeness(prompt, heard.pcm) > 0.97
    first = heard.loud_from() - again
    FIGURES.append(f"{answering.media}: new sound after {1000 * first:.0f} ms")
    assert first < 0.25


async def test_a_telephone_that_sends_nothing_is_heard_as_silence(answering: Answering, domain: str) -> None:
    async with BareCaller.called(domain) as caller:
        taken = await answering.call()
        await asyncio.sleep(0.5)
        caller.go_silent()
        await asyncio.sleep(0.3)
        since = time.monotonic()
        await asyncio.sleep(2.0)
        assert len(taken.heard(since)) / 16000 == pytest.approx(2.0, abs=0.35)
        await caller.press("4", hold_s=0.1)
        await taken.until(lambda one: one.keys == "4")


async def test_we_hang_up(answering: Answering, phones: SipCaller, domain: str) -> None:
    phone = await phones.phone("13800138000", domain=domain)
    call = await phone.dial(f"sip:12329@{domain}")
    taken = await answering.call()
    await call.established()
    await taken.line.hang_up()
    await taken.line.hang_up()
    await taken.line.write(tone(500, 1))
    await taken.line.flush()
    await call.closed()
    await asyncio.wait_for(taken.ended.wait(), 2)
    assert taken.ending.by is HangUp.US


async def test_two_withheld_numbers_are_two_calls(answering: Answering, phones: SipCaller, domain: str) -> None:
    first = await phones.phone("anonymous", domain="anonymous.invalid")
    await first.dial(f"sip:12329@{domain}")
    one = await answering.call()
    await first.dial(f"sip:12329@{domain}")
    two = await answering.call()
    assert one.line.call.caller == two.line.call.caller == ""
    assert one.line.call.id != two.line.call.id


async def test_ten_callers_at_once(answering: Answering, phones: SipCaller, domain: str) -> None:
    callers = [await phones.phone(f"1380013800{n}", domain=domain) for n in range(10)]
    calls = [await phone.dial(f"sip:12329@{domain}") for phone in callers]
    taken = {one.line.call.caller: one for one in [await answering.call() for _ in calls]}
    prompt = words(4, 3.0)
    await asyncio.gather(*(one.line.write(prompt) for one in taken.values()))
    await asyncio.gather(*(call.press(f"{n}7#") for n, call in enumerate(calls)))
    await asyncio.sleep(3.5)
    for number, call in enumerate(calls):
        assert taken[f"1380013800{number}"].keys == f"{number}7#"
        assert likeness(prompt, (await call.heard()).pcm) > 0.95
    assert answering.switch.calls == 10
