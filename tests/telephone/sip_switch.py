"""A `SipSwitch` on loopback for tests. Wants the library: import it where `sip_caller.MISSING` is empty."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from channels.voice.sip.switch import SipSwitch
from hotline.settings import SipSettings, TelephoneSettings
from tests.telephone.sip_caller import free_port


def settings(*, listen: str = "", agents: str = "127.0.0.1:5062", most_calls: int = 60) -> TelephoneSettings:
    """``agents``: where their telephones are."""
    sip = SipSettings(listen=listen or f"127.0.0.1:{free_port()}", agents=f"sip:{{extension}}@{agents}")
    return TelephoneSettings(line="sip", most_calls=most_calls, sip=sip)


@asynccontextmanager
async def running(switch: SipSwitch) -> AsyncIterator[SipSwitch]:
    """Takes calls until the end of the block. Raises what `SipSwitch.run` raises."""
    task = asyncio.create_task(switch.run())
    listening = asyncio.create_task(switch.listening.wait())
    try:
        await asyncio.wait({task, listening}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield switch
    finally:
        listening.cancel()
        task.cancel()
        await asyncio.gather(task, listening, return_exceptions=True)
