"""A switch in a process of its own, to be killed: ``python -m tests.voice_e2e.dying_switch websocket``. It tells
what happens in lines that begin with ``>``."""

from __future__ import annotations

import asyncio
import sys

from channels.voice.asterisk.switch import AsteriskSwitch
from channels.voice.line import AudioLine, Key
from channels.voice.session import Target
from tests.voice_e2e.answering import settings, tone


def tell(line: str) -> None:
    sys.stdout.write(f"> {line}\n")
    sys.stdout.flush()


async def on_call(line: AudioLine) -> None:
    tell("call")
    await line.write(tone(600, 1.0))
    async for event in line.events():
        if isinstance(event, Key):
            tell(await line.transfer(Target(extension="8001", ring_s=5), whisper=b""))


async def main(media: str) -> None:
    switch = AsteriskSwitch(settings(media), on_call=on_call)
    running = asyncio.create_task(switch.run())
    await switch.ready()
    tell("ready")
    await running


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
