"""What every `AudioLine` does, whatever switch it hangs on: tests over real SIP telephones.

A test module makes a class of `LineContract` and a fixture ``bench``.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from channels.voice.line import FRAME_BYTES, AudioLine, Ended, Frame, Key, PeerGone
from channels.voice.session import HangUp, Target, Transferred
from tests.telephone.sip_caller import Phone, PhoneCall, SipCaller
from tests.telephone.sounds import RATE, loudness, silence, sounds_like, speech, tone, tone_share

PROMPT = "请按一查询余额。"
QUESTION = "租房怎么提取？"
WHISPER = "租房提取。"
AGENT = "8001"

LIKE = 0.8
"""What is heard is what was said, and a packet may be missing. Other speech is at most 0.3."""
_SPOKEN = 2 * RATE * 5 // 4
"""Bytes: so much of a sentence (1.25 s) is enough to know it by."""

_numbers = itertools.count(13800000001)


class HeardLine:
    """A line, and everything that happens on it, read as it comes."""

    def __init__(self, line: AudioLine) -> None:
        self.line = line
        self.frames: list[tuple[float, bytes]] = []
        self.keys: list[tuple[float, str]] = []
        self.agent_gone: list[float] = []
        self.ended: HangUp | None = None
        self._happened = asyncio.Condition()

    async def read(self) -> None:
        async for event in self.line.events():
            assert self.ended is None, "something happened after the end"
            async with self._happened:
                match event:
                    case Frame(pcm):
                        self.frames.append((time.monotonic(), pcm))
                    case Key(key):
                        self.keys.append((time.monotonic(), key))
                    case PeerGone():
                        self.agent_gone.append(time.monotonic())
                    case Ended(by):
                        self.ended = by
                self._happened.notify_all()

    async def until(self, true: Callable[[], object], timeout_s: float = 5.0) -> None:
        async with asyncio.timeout(timeout_s), self._happened:
            await self._happened.wait_for(lambda: bool(true()))

    def heard(self, since: float = 0.0) -> bytes:
        return b"".join(pcm for at, pcm in self.frames if at >= since)

    @property
    def pressed(self) -> str:
        return "".join(key for _, key in self.keys)


class Lines:
    """Where a switch brings its calls (``on_call``)."""

    def __init__(self) -> None:
        self._come: dict[str, HeardLine] = {}
        self._changed = asyncio.Condition()

    async def on_call(self, line: AudioLine) -> None:
        heard = HeardLine(line)
        async with self._changed:
            self._come[line.call.caller] = heard
            self._changed.notify_all()
        await heard.read()

    async def of(self, number: str, timeout_s: float = 5.0) -> HeardLine:
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(lambda: number in self._come)
            return self._come.pop(number)


@dataclass(slots=True, kw_only=True)
class Bench:
    """``address``: what is dialled; ``domain``: what telephones call from; ``agent``: the telephone `AGENT`."""

    caller: SipCaller
    lines: Lines
    address: str
    domain: str
    agent: Phone
    conversation_header: str = "X-Hotline-Conversation"
    calls: list[PhoneCall] = field(default_factory=list)

    async def phone(self, number: str = "") -> Phone:
        return await self.caller.phone(number or str(next(_numbers)), domain=self.domain)

    async def call(self) -> tuple[PhoneCall, HeardLine]:
        """A call that was answered, as its caller and as the line has it."""
        phone = await self.phone()
        call = await phone.dial(self.address)
        self.calls.append(call)
        line = await self.lines.of(phone.number)
        await call.established()
        return call, line

    def target(self, ring_s: float = 5.0, extension: str = AGENT) -> Target:
        return Target(extension=extension, headers={self.conversation_header: "c-42"}, ring_s=ring_s)

    async def joined(self, whisper: bytes = b"") -> tuple[PhoneCall, HeardLine, PhoneCall]:
        call, line = await self.call()
        await self.agent.answers("accept")
        assert await line.line.transfer(self.target(), whisper=whisper) == Transferred.ANSWERED
        return call, line, await self.agent.rung()

    async def hang_up_all(self) -> None:
        for call in self.calls:
            await call.hang_up()
        self.calls.clear()


async def eventually(true: Callable[[], object], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.02)


class LineContract:
    """``bench`` is the module's own."""

    async def test_the_caller_hears_what_is_written(self, bench: Bench) -> None:
        call, line = await bench.call()
        prompt = speech(PROMPT)[:_SPOKEN]
        await line.line.write(prompt)
        await asyncio.sleep(line.line.buffered_s() + 0.3)
        assert sounds_like((await call.heard()).pcm, prompt) > LIKE

    async def test_the_line_hears_the_caller_in_frames_of_20_ms(self, bench: Bench) -> None:
        call, line = await bench.call()
        question = speech(QUESTION)[:_SPOKEN]
        began = await call.say(question)
        await call.said()
        await asyncio.sleep(0.3)
        assert sounds_like(line.heard(began), question) > LIKE
        assert {len(pcm) for _, pcm in line.frames} == {FRAME_BYTES}

    async def test_frames_come_at_the_pace_of_the_clock(self, bench: Bench) -> None:
        _, line = await bench.call()
        await line.until(lambda: len(line.frames) > 10)
        began, frames = time.monotonic(), len(line.frames)
        await asyncio.sleep(1.0)
        took = time.monotonic() - began
        assert (len(line.frames) - frames) * 0.02 == pytest.approx(took, abs=0.25)

    async def test_writing_waits_while_too_much_is_waiting(self, bench: Bench) -> None:
        _, line = await bench.call()
        began = time.monotonic()
        await line.line.write(tone(440, 3.0))
        took, buffered = time.monotonic() - began, line.line.buffered_s()
        assert took > 0.5
        assert took + buffered == pytest.approx(3.0, abs=0.5)

    async def test_flush_stops_the_sound_within_300_ms(self, bench: Bench) -> None:
        call, line = await bench.call()
        writing = asyncio.create_task(line.line.write(tone(440, 10.0)))
        await asyncio.sleep(0.6)
        flushed = time.monotonic()
        await line.line.flush()
        await asyncio.wait_for(writing, 1)
        await asyncio.sleep(0.6)
        heard = await call.heard()
        assert -0.2 < heard.loud_until() - flushed < 0.3
        assert line.line.buffered_s() == 0.0

    async def test_what_is_written_after_a_flush_is_heard_whole(self, bench: Bench) -> None:
        call, line = await bench.call()
        await line.line.write(tone(440, 1.0))
        await line.line.flush()
        began = time.monotonic()
        prompt = speech(PROMPT)[:_SPOKEN]
        await line.line.write(prompt)
        await asyncio.sleep(line.line.buffered_s() + 0.3)
        assert sounds_like((await call.heard(began)).pcm, prompt) > LIKE

    async def test_keys_come_once_and_in_order(self, bench: Bench) -> None:
        call, line = await bench.call()
        await call.press("1*#", hold_s=0.1, gap_s=0.1)
        await call.press("0", hold_s=0.8)
        await line.until(lambda: len(line.keys) >= 4)
        await asyncio.sleep(0.2)
        assert line.pressed == "1*#0"

    async def test_the_caller_hangs_up(self, bench: Bench) -> None:
        call, line = await bench.call()
        await call.hang_up()
        await line.until(lambda: line.ended)
        assert line.ended == HangUp.CALLER
        await line.line.write(tone(440, 3.0))
        await line.line.flush()
        await line.line.hang_up()
        await line.line.join_off()
        assert await line.line.transfer(bench.target(), whisper=b"") == Transferred.CALLER_GONE
        assert line.line.buffered_s() == 0.0

    async def test_we_hang_up(self, bench: Bench) -> None:
        call, line = await bench.call()
        await line.line.hang_up()
        await call.closed()
        await line.until(lambda: line.ended)
        assert line.ended == HangUp.US

    async def test_the_agent_gets_the_headers_and_the_whisper_and_both_hear_each_other(self, bench: Bench) -> None:
        call, line = await bench.call()
        await bench.agent.answers("accept", 0.3)
        whisper = speech(WHISPER)[:_SPOKEN]
        ringing = asyncio.create_task(line.line.write(tone(450, 20.0)))
        assert await line.line.transfer(bench.target(), whisper=whisper) == Transferred.ANSWERED
        await asyncio.wait_for(ringing, 1)
        agent = await bench.agent.rung()
        assert agent.headers[bench.conversation_header] == "c-42"
        began = time.monotonic()
        await asyncio.gather(call.say(silence(0.3) + tone(700, 1.2)), agent.say(silence(0.3) + tone(1200, 1.2)))
        await asyncio.sleep(2.0)
        to_agent, to_caller = await agent.heard(), await call.heard()
        assert sounds_like(to_agent.pcm, whisper) > LIKE
        assert sounds_like(to_caller.pcm, whisper) < 0.5
        assert tone_share(to_agent.between(began + 0.7, began + 1.2), 700) > LIKE
        assert tone_share(to_caller.between(began + 0.7, began + 1.2), 1200) > LIKE
        both = line.heard(began + 0.7)[: 25 * FRAME_BYTES]
        assert tone_share(both, 700) > 0.25
        assert tone_share(both, 1200) > 0.25

    async def test_the_agent_hangs_up_and_the_caller_is_ours_again(self, bench: Bench) -> None:
        call, line, agent = await bench.joined()
        await agent.hang_up()
        await line.until(lambda: line.agent_gone)
        began = time.monotonic()
        await line.line.write(tone(440, 0.5))
        await asyncio.sleep(0.8)
        assert loudness((await call.heard(began)).pcm) > 500
        assert line.ended is None

    async def test_parted_the_agent_is_gone_and_the_caller_is_ours_again(self, bench: Bench) -> None:
        call, line, agent = await bench.joined()
        await line.line.join_off()
        await agent.closed()
        await call.press("5")
        await line.until(lambda: line.keys)
        assert (line.agent_gone, line.ended) == ([], None)

    async def test_joined_the_caller_hangs_up_and_the_agent_with_him(self, bench: Bench) -> None:
        call, line, agent = await bench.joined()
        await call.hang_up()
        await agent.closed()
        await line.until(lambda: line.ended)
        assert line.agent_gone == []

    @pytest.mark.parametrize(
        ("does", "outcome"),
        [
            ("busy", Transferred.BUSY),
            ("ring", Transferred.NO_ANSWER),
        ],
    )
    async def test_the_agent_does_not_answer(self, bench: Bench, does: str, outcome: Transferred) -> None:
        call, line = await bench.call()
        await bench.agent.answers(does)
        assert await line.line.transfer(bench.target(ring_s=1.0), whisper=b"") == outcome
        agent = await bench.agent.rung()
        await agent.closed()
        await call.press("5")
        await line.until(lambda: line.keys)
        assert line.ended is None

    async def test_the_caller_hangs_up_while_the_agent_is_rung(self, bench: Bench) -> None:
        call, line = await bench.call()
        await bench.agent.answers("ring")
        transfer = asyncio.create_task(line.line.transfer(bench.target(ring_s=10.0), whisper=b""))
        agent = await bench.agent.rung()
        await call.hang_up()
        assert await asyncio.wait_for(transfer, 2) == Transferred.CALLER_GONE
        await agent.closed(2)
        await line.until(lambda: line.ended)
        assert line.ended == HangUp.CALLER
