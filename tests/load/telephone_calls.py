"""``python -m tests.load.telephone_calls``: keypad calls side by side on the line without a switch.

The callers are in a process of their own and send sound all the while; every one keys in an ID number three times.
Found: how long a call takes to be answered and a key to arrive, which keys are lost, and what a call costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import defaultdict

from channels.voice.line import AudioLine, Key
from tests.load.figures import percentile
from tests.telephone.bare_caller import BareCaller

KEYS = "110105199001011234"
TIMES = 3


async def dial(switch: str, calls: int) -> None:
    """The callers: prints when each pressed what."""
    pressed: dict[str, list[float]] = {}
    answered: list[float] = []

    async def one(number: str) -> None:
        await asyncio.sleep(int(number[-4:]) * 0.04)
        began = time.monotonic()
        async with BareCaller.called(switch, number) as caller:
            answered.append(time.monotonic() - began)
            await asyncio.sleep(0.5)
            pressed[number] = [at for _ in range(TIMES) for at in await caller.press(KEYS, hold_s=0.1, gap_s=0.1)]
            await asyncio.sleep(1)

    await asyncio.gather(*(one(f"1380000{at:04d}") for at in range(calls)))
    await asyncio.sleep(0.5)
    sys.stdout.write(json.dumps({"answered": answered, "pressed": pressed}))


async def measure(calls: int) -> dict[str, float]:
    from channels.voice.sip.switch import SipSwitch
    from tests.telephone.sip_switch import running, settings

    arrived: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)

    async def on_call(line: AudioLine) -> None:
        async for event in line.events():
            if isinstance(event, Key):
                arrived[line.call.caller].append((time.monotonic(), event.key))

    here = settings(most_calls=calls)
    async with running(SipSwitch(here, on_call)):
        before, began = time.process_time(), time.monotonic()
        command = (sys.executable, "-m", "tests.load.telephone_calls", "--dial", here.sip.listen, "--calls", str(calls))
        callers = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        output, _ = await asyncio.wait_for(callers.communicate(), 120)
        cores = (time.process_time() - before) / (time.monotonic() - began)
    told = json.loads(output)
    wrong = [number for number in told["pressed"] if "".join(key for _, key in arrived[number]) != KEYS * TIMES]
    late = [
        1000 * (at - press)
        for number, presses in told["pressed"].items()
        if number not in wrong
        for press, (at, _) in zip(presses, arrived[number], strict=True)
    ]
    answered = [1000 * seconds for seconds in told["answered"]]
    return {
        "calls": len(told["pressed"]),
        "keys": len(late),
        "calls with a wrong key": len(wrong),
        "answered ms p50": percentile(answered, 50),
        "answered ms p95": percentile(answered, 95),
        "key ms p50": percentile(late, 50),
        "key ms p95": percentile(late, 95),
        "key ms max": max(late, default=0.0),
        "cores": cores,
        "percent of a core per call": 100 * cores / calls,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--dial", default="", help="the callers alone: the address of the switch")
    given = parser.parse_args()
    if given.dial:
        asyncio.run(dial(given.dial, given.calls))
        return
    for name, figure in asyncio.run(measure(given.calls)).items():
        sys.stdout.write(f"{name:28} {figure:10.2f}\n")


if __name__ == "__main__":
    main()
