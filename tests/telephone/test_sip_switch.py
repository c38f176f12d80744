"""`SipSwitch` where things go wrong. Every test has a switch of its own."""

from __future__ import annotations

import asyncio
import socket
import sys
import time

import pytest

from channels.voice.line import AudioLine, Ended, Frame, Key
from channels.voice.session import HangUp, Target, Transferred
from tests.contract.telephone.line_kit import Lines, eventually
from tests.telephone.bare_caller import BareCaller
from tests.telephone.sip_caller import MISSING, ROOT, SipCaller, free_port

ID_NUMBER = "110105199001011234"

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

if not MISSING:
    from channels.voice.sip.switch import SipAway, SipSwitch
    from tests.telephone.sip_switch import running, settings


async def test_fifty_callers_key_in_their_id_numbers_at_once_and_no_key_is_lost() -> None:
    lines, here = Lines(), settings()

    async def one(number: str) -> str:
        async with BareCaller.called(here.sip.listen, number, keeps_sending=False) as caller:
            line = await lines.of(number)
            await caller.press(ID_NUMBER, hold_s=0.06, gap_s=0.06)
            await line.until(lambda: len(line.keys) >= len(ID_NUMBER))
            return line.pressed

    async with running(SipSwitch(here, lines.on_call)):
        pressed = await asyncio.gather(*(one(f"138000000{at:02d}") for at in range(50)))
    assert pressed == [ID_NUMBER] * 50


async def test_when_all_lines_are_taken_the_next_caller_hears_busy() -> None:
    lines, here = Lines(), settings(most_calls=2)
    async with running(SipSwitch(here, lines.on_call)) as switch:
        async with (
            BareCaller.called(here.sip.listen, "13900000001"),
            BareCaller.called(here.sip.listen, "13900000002"),
        ):
            with pytest.raises(AssertionError, match="486"):
                async with BareCaller.called(here.sip.listen, "13900000003"):
                    pass
            assert switch.calls == 2
        await eventually(lambda: switch.calls == 0)
        async with BareCaller.called(here.sip.listen, "13900000004"):
            assert switch.calls == 1


async def test_a_caller_of_whom_nothing_comes_any_more_is_lost() -> None:
    lines, here = Lines(), settings()
    async with running(SipSwitch(here, lines.on_call, lost_after_s=1)):
        async with BareCaller.called(here.sip.listen, "13900000001") as caller:
            line = await lines.of("13900000001")
            await line.until(lambda: len(line.frames) > 10)
            caller.go_silent()
            await line.until(lambda: line.ended, 5)
            assert line.ended == HangUp.LOST


async def test_telephones_that_die_are_lost_one_by_one() -> None:
    lines, here = Lines(), settings()
    async with running(SipSwitch(here, lines.on_call, lost_after_s=1)), SipCaller.started() as caller:
        phone = await caller.phone("13900000001", domain=here.sip.listen)
        await (await phone.dial(f"sip:12329@{here.sip.listen}")).established()
        line = await lines.of("13900000001")
        async with BareCaller.called(here.sip.listen, "13900000002") as other:
            caller.kill()
            await line.until(lambda: line.ended, 5)
            assert line.ended == HangUp.LOST
            assert not other.ended.is_set()


async def test_a_dialogue_that_fails_ends_its_call_and_no_other() -> None:
    lines, here = Lines(), settings()

    async def on_call(line: AudioLine) -> None:
        if line.call.caller == "13900000001":
            raise ValueError("the dialogue has an error")
        await lines.on_call(line)

    async with running(SipSwitch(here, on_call)):
        async with BareCaller.called(here.sip.listen, "13900000002") as good:
            async with BareCaller.called(here.sip.listen, "13900000001") as bad:
                await asyncio.wait_for(bad.ended.wait(), 3)
            assert not good.ended.is_set()


async def test_a_dialogue_that_hangs_finds_every_key_and_the_latest_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.voice.sip.line._UNREAD_FRAMES", 50)
    here = settings()
    read: list[object] = []

    async def on_call(line: AudioLine) -> None:
        await go_on.wait()
        read.extend([event async for event in line.events()])

    go_on = asyncio.Event()
    async with running(SipSwitch(here, on_call)):
        async with BareCaller.called(here.sip.listen) as caller:
            await caller.press("12")
            await asyncio.sleep(1.5)
            await caller.press("3")
            go_on.set()
            await asyncio.sleep(0.1)
        await eventually(lambda: read)
    assert [event.key for event in read if isinstance(event, Key)] == ["1", "2", "3"]
    assert 40 < sum(isinstance(event, Frame) for event in read) <= 70
    assert read[-1] == Ended(HangUp.CALLER)


async def test_a_switch_that_is_stopped_says_goodbye() -> None:
    lines, here = Lines(), settings()
    async with running(SipSwitch(here, lines.on_call)):
        open_call = BareCaller.called(here.sip.listen, "13900000001")
        caller = await open_call.__aenter__()
        line = await lines.of("13900000001")
    try:
        await asyncio.wait_for(caller.ended.wait(), 2)
        assert line.ended == HangUp.US
    finally:
        await open_call.__aexit__(None, None, None)


DYING = """
import asyncio
from tests.contract.telephone.line_kit import Lines
from tests.telephone.bare_caller import BareCaller
from tests.telephone.sip_switch import SipSwitch, settings

async def main():
    lines, here = Lines(), settings()
    switch = SipSwitch(here, lines.on_call)
    running = asyncio.create_task(switch.run())
    await switch.listening.wait()
    async with BareCaller.called(here.sip.listen, "13900000001"):
        line = await lines.of("13900000001")
        switch._runtime._send_stop()
        await line.until(lambda: line.ended)
    outcome = (await asyncio.wait_for(asyncio.gather(running, return_exceptions=True), 10))[0]
    print(f"outcome: {line.ended} {type(outcome).__name__}")

asyncio.run(main())
"""


async def test_when_the_library_dies_its_calls_are_lost_and_the_switch_says_so() -> None:
    """In a process of its own: the library does not live again in one where it has died."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", DYING, cwd=ROOT, stdout=pipe, stderr=pipe)
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert b"outcome: lost SipAway" in output, errors.decode()


async def test_two_switches_in_one_process_are_one_too_many() -> None:
    lines, here = Lines(), settings()
    async with running(SipSwitch(here, lines.on_call)):
        with pytest.raises(SipAway, match="one may run"):
            await asyncio.wait_for(SipSwitch(settings(), lines.on_call).run(), 10)
        async with BareCaller.called(here.sip.listen, "13900000001"):
            await lines.of("13900000001")


async def test_an_address_that_is_taken_is_said_and_a_free_one_serves() -> None:
    lines = Lines()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(SipAway):
            await asyncio.wait_for(
                SipSwitch(settings(listen=f"127.0.0.1:{taken.getsockname()[1]}"), lines.on_call).run(), 10
            )
    here = settings()
    async with running(SipSwitch(here, lines.on_call)), BareCaller.called(here.sip.listen, "13900000001"):
        await lines.of("13900000001")


async def test_an_agents_telephone_that_is_dead_is_given_up_soon() -> None:
    lines, here = Lines(), settings(agents=f"127.0.0.1:{free_port()}")
    async with running(SipSwitch(here, lines.on_call)):
        async with BareCaller.called(here.sip.listen, "13900000001"):
            line = await lines.of("13900000001")
            began = time.monotonic()
            outcome = await line.line.transfer(Target(extension="8001", ring_s=20.0), whisper=b"")
            assert outcome == Transferred.FAILED
            assert time.monotonic() - began < 5
            assert line.ended is None
