"""``python -m tests.load.telephone``: how quickly the telephone answers, by real calls through the whole product.

Times are taken where the caller is: from his key, or the end of his speech, to the first sound of the answer; from his
first sound to our last where he breaks in. The last part is many calls at once, with every key counted in the
transcripts.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.load.figures import percentile
from tests.load.own_data import POLICY
from tests.telephone.phone_stack import PhoneStack, phone_stack
from tests.telephone.sip_caller import PhoneCall, SipCaller
from tests.telephone.sounds import silence, speech

SEED = 12329
QUIET_S = 0.9
QUESTION = "租房提取公积金要什么材料"


async def is_quiet(call: PhoneCall, since: float, *, limit_s: float = 40.0) -> None:
    """Something has been said since then, and it is over."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        last = (await call.heard(since)).loud_until()
        if last and time.monotonic() - last > QUIET_S:
            return
        await asyncio.sleep(0.2)


async def first_sound(call: PhoneCall, since: float, *, limit_s: float = 15.0) -> float:
    """When the first sound after ``since`` was heard; infinite where there was none."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        if found := (await call.heard(since)).loud_from():
            return found
        await asyncio.sleep(0.05)
    return float("inf")


async def dialled(stack: PhoneStack, caller: SipCaller, number: str) -> PhoneCall:
    phone = await stack.phone(caller, number)
    began = time.monotonic()
    call = await stack.call(phone)
    await is_quiet(call, began)
    return call


async def by_key(call: PhoneCall, times: int) -> list[float]:
    """Milliseconds from a key to the answer's first sound."""
    found = []
    for _ in range(times):
        pressed = (await call.press("*"))[0]
        found.append((await first_sound(call, pressed) - pressed) * 1000)
        await is_quiet(call, pressed)
    return found


async def by_speech(call: PhoneCall, times: int) -> list[float]:
    """Milliseconds from the end of speech to the answer's first sound."""
    found, question = [], speech(QUESTION)
    for _ in range(times):
        await call.say(question + silence(0.1))
        ended = await call.said() - 0.1
        found.append((await first_sound(call, ended) - ended) * 1000)
        await is_quiet(call, ended)
    return found


async def breaking_in(stack: PhoneStack, caller: SipCaller, times: int) -> list[float]:
    """Milliseconds from the caller's first sound to our last, in answers that are being told."""
    found, question = [], speech(QUESTION)
    call = await dialled(stack, caller, "13800139999")
    for _ in range(times):
        pressed = (await call.press("*"))[0]
        await first_sound(call, pressed)
        await asyncio.sleep(0.7)
        began = await call.say(question)
        await asyncio.sleep(1.2)
        found.append(((await call.heard(began)).loud_until() - began) * 1000)
        await call.said()
        await is_quiet(call, began + 1.5)
    await call.hang_up()
    return found


async def text_turns(stack: PhoneStack, times: int) -> list[float]:
    """Milliseconds from words to words, without any sound."""
    settings = stack.stack.settings
    headers = {"Authorization": f"Bearer {settings.gateway.internal_token.get_secret_value()}"}
    rng, found = random.Random(SEED), []  # noqa: S311 - a plan, no secret
    async with httpx.AsyncClient(base_url=stack.stack.gateway, headers=headers, timeout=30, trust_env=False) as client:
        for number in range(times + 10):
            body = {"text": rng.choice(POLICY), "channel": "voice", "conversation": f"text-{number % 5}"}
            began = time.perf_counter()
            (await client.post("/internal/turn", json=body)).raise_for_status()
            found.append((time.perf_counter() - began) * 1000)
    return found[10:]


async def many_keypads(stack: PhoneStack, caller: SipCaller, calls: int, keys: int) -> tuple[int, int]:
    """How many keys were pressed, and how many of them stand in the transcripts."""

    async def one(number: str) -> None:
        phone = await stack.phone(caller, number)
        call = await stack.call(phone)
        await asyncio.sleep(2)
        for key in "12345"[:keys]:
            await call.press(key)
            await asyncio.sleep(3)
        await asyncio.sleep(5)
        await call.hang_up()

    numbers = [f"1390000{at:04}" for at in range(calls)]
    async with asyncio.TaskGroup() as group:
        for at, number in enumerate(numbers):
            group.create_task(one(number))
            if at % 10 == 9:
                await asyncio.sleep(1)
    await asyncio.sleep(5)
    counted = 0
    for number in numbers:
        counted += sum(line.author == "citizen" for line in await stack.transcript(number))
    return calls * keys, counted


async def many_speaking(stack: PhoneStack, caller: SipCaller, calls: int) -> list[float]:
    """``calls`` callers speak at once: milliseconds to each answer."""
    made = await asyncio.gather(*(dialled(stack, caller, f"1370000{at:04}") for at in range(calls)))
    times = await asyncio.gather(*(by_speech(call, 1) for call in made))
    await asyncio.gather(*(call.hang_up() for call in made))
    return [each for found in times for each in found]


def tell(name: str, found: Sequence[float], aim: str) -> None:
    p50, p95 = percentile(list(found), 50), percentile(list(found), 95)
    print(f"{name:44} n {len(found):4}  p50 {p50:8.0f}  p95 {p95:8.0f} ms   aim {aim}", flush=True)  # noqa: T201


async def measure(stack: PhoneStack, *, times: int, calls: int) -> None:
    tell("words in to words out", await text_turns(stack, times * 5), "p95 150")
    async with stack.telephones() as caller:
        call = await dialled(stack, caller, "13800138000")
        tell("key to the answer's first sound", await by_key(call, times), "p95 300")
        tell("end of speech to the answer's first sound", await by_speech(call, times), "p50 1500")
        await call.hang_up()
        tell("breaking in, to our last sound", await breaking_in(stack, caller, max(5, times // 2)), "300")
        tell("ten callers speak at once", await many_speaking(stack, caller, 10), "all answered")
        pressed, counted = await many_keypads(stack, caller, calls, 5)
        print(f"{calls} calls by keypad at once: {pressed} keys pressed, {counted} counted", flush=True)  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--calls", type=int, default=50)
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, phone_stack(Path(folder)) as stack:
        asyncio.run(measure(stack, times=wishes.times, calls=wishes.calls))


if __name__ == "__main__":
    main()
