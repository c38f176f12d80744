"""`AsteriskLine` does what every line does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from channels.voice.asterisk.switch import AsteriskSwitch
from tests.contract.telephone.line_kit import AGENT, Bench, LineContract, Lines
from tests.telephone.sip_caller import SipCaller
from tests.voice_e2e.answering import SIP, settings

pytestmark = pytest.mark.anyio


class TestAsteriskLine(LineContract):
    @pytest.fixture(params=["websocket", "audiosocket"])
    async def bench(self, request: pytest.FixtureRequest, phones: SipCaller) -> AsyncIterator[Bench]:
        lines = Lines()
        switch = AsteriskSwitch(settings(request.param), on_call=lines.on_call)
        running = asyncio.create_task(switch.run())
        await asyncio.wait_for(switch.ready(), 10)
        agent = await phones.phone(AGENT, domain=SIP)
        bench = Bench(caller=phones, lines=lines, address=f"sip:12329@{SIP}", domain=SIP, agent=agent)
        yield bench
        await bench.hang_up_all()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
