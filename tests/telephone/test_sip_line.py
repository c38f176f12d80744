"""`SipSwitch` and `SipLine`: real SIP calls on loopback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from statistics import median

import pytest

from channels.voice.session import Target, Transferred
from tests.contract.telephone.line_kit import AGENT, Bench, LineContract, Lines
from tests.telephone.bare_caller import BareCaller
from tests.telephone.sip_caller import MISSING, SipCaller, free_port

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

if not MISSING:
    from channels.voice.sip.leg import caller_number
    from channels.voice.sip.switch import SipSwitch
    from tests.telephone.sip_switch import running, settings

ID_NUMBER = "110105199001011234"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def place() -> AsyncIterator[Bench]:
    """One switch and one process with telephones for all tests."""
    lines = Lines()
    phones = f"127.0.0.1:{free_port()}"
    here = settings(agents=phones)
    async with SipCaller.started(phones) as caller, running(SipSwitch(here, lines.on_call)):
        agent = await caller.phone(AGENT, domain=phones)
        address = f"sip:{here.sip.number}@{here.sip.listen}"
        yield Bench(caller=caller, lines=lines, address=address, domain=here.sip.listen, agent=agent)


@pytest.fixture
async def bench(place: Bench) -> AsyncIterator[Bench]:
    yield place
    await place.hang_up_all()


class TestSipLine(LineContract):
    """The contract of every line."""


async def test_the_call_says_who_calls_whom(bench: Bench) -> None:
    call, line = await bench.call()
    assert line.line.call.caller.startswith("138")
    assert (line.line.call.line, line.line.call.called) == ("sip", "12329")
    assert line.line.can_transfer
    await call.hang_up()


async def test_two_withheld_callers_are_two_calls(bench: Bench) -> None:
    first = await bench.caller.phone("anonymous", domain="anonymous.invalid")
    second = await bench.caller.phone("unavailable", domain="unknown.invalid")
    calls = [await phone.dial(bench.address) for phone in (first, second)]
    bench.calls.extend(calls)
    await calls[0].established()
    one = await bench.lines.of("")
    await calls[1].established()
    other = await bench.lines.of("")
    assert one.line.call.id != other.line.call.id
    pressed = {one: "", other: ""}
    await asyncio.gather(calls[0].press("11"), calls[1].press("22"))
    await asyncio.gather(*(line.until(lambda line=line: len(line.keys) >= 2) for line in pressed))
    assert {one.pressed, other.pressed} == {"11", "22"}


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("sip:13800138000@127.0.0.1:5060", "13800138000"),
        ("sip:+8613800138000@gw;user=phone", "+8613800138000"),
        ("tel:02012345678", "02012345678"),
        ("sip:anonymous@anonymous.invalid", ""),
        ("sip:alice@example.com", ""),
        ("sip:%31%32@x", "12"),
        ("sip:138;00@x", "138"),
        ("", ""),
        (None, ""),
    ],
)
def test_the_callers_number(address: str, number: str) -> None:
    assert caller_number(address) == number


async def test_another_number_is_not_answered(bench: Bench) -> None:
    phone = await bench.phone()
    call = await phone.dial(bench.address.replace("12329", "12345"))
    assert (await call.closed()).text.startswith("404")


@pytest.mark.parametrize("keeps_sending", [True, False], ids=["with sound", "keys alone"])
async def test_an_id_number_keyed_in_fast_comes_whole(bench: Bench, keeps_sending: bool) -> None:
    async with BareCaller.called(bench.domain, "13911111111", keeps_sending=keeps_sending) as caller:
        line = await bench.lines.of("13911111111")
        pressed = await caller.press(ID_NUMBER, hold_s=0.06, gap_s=0.04)
        await line.until(lambda: len(line.keys) >= len(ID_NUMBER))
        assert line.pressed == ID_NUMBER
        assert median(at - began for began, (at, _) in zip(pressed, line.keys, strict=True)) < 0.15


async def test_a_key_whose_end_is_lost_on_the_way_counts_once(bench: Bench) -> None:
    async with BareCaller.called(bench.domain, "13911111112") as caller:
        line = await bench.lines.of("13911111112")
        await caller.press("1122", lost=2)
        await caller.press("345", lost=3)
        await line.until(lambda: len(line.keys) >= 7)
        await asyncio.sleep(0.2)
        assert line.pressed == "1122345"


async def test_a_telephone_that_sends_no_sound_gives_silence(bench: Bench) -> None:
    async with BareCaller.called(bench.domain, "13911111113", keeps_sending=False):
        line = await bench.lines.of("13911111113")
        await line.until(lambda: len(line.frames) >= 25)
        assert not any(line.heard())


async def test_a_target_that_is_not_there(bench: Bench) -> None:
    _, line = await bench.call()
    began = time.monotonic()
    unknown = await line.line.transfer(Target(extension="9999", ring_s=5.0), whisper=b"")
    nonsense = await line.line.transfer(Target(extension="8001@elsewhere", ring_s=5.0), whisper=b"")
    header = await line.line.transfer(Target(extension=AGENT, headers={"X-A": "a\r\nTo: b"}), whisper=b"")
    assert (unknown, nonsense, header) == (Transferred.FAILED,) * 3
    assert time.monotonic() - began < 3
    assert line.ended is None
