"""The keypad-only session against a small FastAGI client of our own; Asterisk's turn is tests/voice_e2e."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from channels.voice.asterisk.agi import AgiServer, PromptFiles
from channels.voice.session import (
    HangUp,
    HungUp,
    Keys,
    Listening,
    Silence,
    Spoken,
    Target,
    Transferred,
    VoiceEvent,
    VoiceSession,
)
from channels.voice.sounding.port import VoiceAway

pytestmark = pytest.mark.anyio

HEAD = "agi_request: agi://127.0.0.1/hotline\nagi_uniqueid: test-1.0\nagi_callerid: {number}\nagi_extension: 12330\n\n"


class OneSecondVoice:
    """Every text takes a second; ``?`` cannot be said."""

    async def speak(self, text: str) -> bytes:
        if text == "?":
            raise VoiceAway
        return text.encode()[:2].ljust(2, b"\x01") * 8000

    async def sound(self, name: str) -> bytes:
        if name != "waiting":
            raise VoiceAway
        return b"\x02\x00" * 20000

    async def close(self) -> None:
        return


class FakeAsterisk:
    """Plays nothing, in 100 ms for each file. ``over``: keys that are pressed while files are played, one for each."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.keys: asyncio.Queue[str] = asyncio.Queue()
        self.over = ""
        self.commands: list[str] = []
        self.answers: dict[str, str] = {}
        self._running = asyncio.create_task(self._run())

    @classmethod
    async def calls(cls, port: int, number: str = "13800138000") -> FakeAsterisk:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD.format(number=number).encode())
        return cls(reader, writer)

    async def _run(self) -> None:
        while command := (await self._reader.readline()).decode().strip():
            self.commands.append(command)
            answer = next((self.answers[start] for start in self.answers if command.startswith(start)), "")
            self._writer.write(f"{answer or await self._answer(command)}\n".encode())

    async def _answer(self, command: str) -> str:
        if command.startswith("STREAM FILE"):
            start = int(command.rsplit(" ", 1)[1])
            await asyncio.sleep(0.1)
            key, self.over = self.over[:1], self.over[1:]
            return f"200 result={ord(key) if key else 0} endpos={start + 2000 if key else 8000}"
        if found := re.fullmatch(r"WAIT FOR DIGIT (\d+)", command):
            key = await self._key(int(found[1]) / 1000)
            return f"200 result={ord(key) if key else 0}"
        return "200 result=0"

    async def _key(self, within_s: float) -> str:
        try:
            return await asyncio.wait_for(self.keys.get(), within_s)
        except TimeoutError:
            return ""

    def press(self, keys: str) -> None:
        for key in keys:
            self.keys.put_nowait(key)

    async def close(self) -> None:
        self._writer.close()
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)


class Bench:
    def __init__(self, folder: Path) -> None:
        files = PromptFiles(OneSecondVoice(), folder, seen_as=Path("/prompts"))
        self.server = AgiServer(self._on_call, files=files, host="127.0.0.1", port=0)
        self.sessions: list[VoiceSession] = []
        self.events: list[VoiceEvent] = []
        self.fails = False
        self.leave = asyncio.Event()

    async def _on_call(self, session: VoiceSession) -> None:
        self.sessions.append(session)
        if self.fails:
            raise RuntimeError
        async for event in session.events():
            self.events.append(event)

    async def call(self, number: str = "13800138000") -> tuple[FakeAsterisk, VoiceSession]:
        asterisk = await FakeAsterisk.calls(self.server.port, number)
        await eventually(lambda: self.sessions)
        return asterisk, self.sessions[-1]


async def eventually(true: Callable[[], object], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    running = asyncio.create_task(bench.server.run())
    await asyncio.wait_for(bench.server.started.wait(), 5)
    yield bench
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_is_said_is_played_and_keys_end_an_entry(bench: Bench) -> None:
    asterisk, session = await bench.call()
    assert (session.call.id, session.call.caller, session.call.called) == ("agi-test-1.0", "13800138000", "12330")
    await session.say(["甲", "乙"], Listening(keys=6, finish_key="#", silence_s=5))
    await eventually(lambda: Spoken(heard="甲乙", whole=True) in bench.events)
    asterisk.press("123#")
    await eventually(lambda: Keys(keys="123", by_finish_key=True) in bench.events)
    played = [command for command in asterisk.commands if command.startswith("STREAM FILE")]
    assert len(played) == 2
    assert all(re.fullmatch(r'STREAM FILE "/prompts/[0-9a-f]{32}" "0123456789\*#" 0', command) for command in played)
    await asterisk.close()
    await eventually(lambda: bench.events[-1] == HungUp(by=HangUp.CALLER))


async def test_a_key_stops_what_is_said(bench: Bench) -> None:
    asterisk, session = await bench.call()
    asterisk.over = "5"
    await session.say(["一二三四", "五六七八"], Listening(keys=1))
    await eventually(lambda: len(bench.events) == 2)
    assert bench.events == [Spoken(heard="一", whole=False), Keys(keys="5")]
    await asterisk.close()


async def test_a_notice_is_heard_to_its_end_and_its_keys_count_then(bench: Bench) -> None:
    asterisk, session = await bench.call()
    asterisk.over = "7"
    await session.say(["须知"], Listening(keys=1, interruptible=False))
    await eventually(lambda: len(bench.events) == 2)
    assert bench.events == [Spoken(heard="须知", whole=True), Keys(keys="7")]
    assert [command.rsplit(" ", 1)[1] for command in asterisk.commands if "STREAM" in command] == ["0", "2000"]
    await asterisk.close()


async def test_where_keys_mean_nothing_they_stop_nothing(bench: Bench) -> None:
    asterisk, session = await bench.call()
    asterisk.over = "7"
    await session.say(["再见"], None)
    await eventually(lambda: bench.events == [Spoken(heard="再见", whole=True)])
    await asterisk.close()


async def test_silence_is_told_once_and_an_entry_that_stops_is_ended(bench: Bench) -> None:
    asterisk, session = await bench.call()
    began = time.monotonic()
    await session.say(["甲"], Listening(keys=6, silence_s=0.4, key_pause_s=0.5))
    await eventually(lambda: Silence() in bench.events)
    assert time.monotonic() - began < 2
    asterisk.press("12")
    await eventually(lambda: Keys(keys="12") in bench.events)
    assert bench.events.count(Silence()) == 1
    await asterisk.close()


async def test_music_plays_until_the_next_thing_is_said_and_keys_count_meanwhile(bench: Bench) -> None:
    asterisk, session = await bench.call()
    await session.say(["请稍候"], Listening(keys=1, silence_s=60))
    await eventually(lambda: bench.events)
    await session.play("waiting")
    await eventually(lambda: len([command for command in asterisk.commands if "STREAM" in command]) > 4)
    asterisk.over = "0"
    await eventually(lambda: Keys(keys="0") in bench.events)
    await session.say(["好"], None)
    await eventually(lambda: Spoken(heard="好", whole=True) in bench.events)
    await asterisk.close()


async def test_we_hang_up_after_the_last_word(bench: Bench) -> None:
    asterisk, session = await bench.call()
    await session.say(["再见"], None)
    await session.hang_up()
    await eventually(lambda: bench.events and bench.events[-1] == HungUp(by=HangUp.US))
    assert bench.events[0] == Spoken(heard="再见", whole=True)
    assert asterisk.commands[-1] == "HANGUP"
    assert await session.transfer(Target(extension="8001")) is Transferred.CALLER_GONE
    await asterisk.close()


async def test_what_cannot_be_said_or_played_does_not_end_the_call(bench: Bench) -> None:
    asterisk, session = await bench.call()
    asterisk.answers = {"STREAM FILE": "200 result=-1 endpos=0", "CHANNEL STATUS": "200 result=6"}
    await session.say(["?", "甲"], Listening(keys=1, silence_s=60))
    await eventually(lambda: bench.events)
    await session.play("no such sound")
    asterisk.press("4")
    await eventually(lambda: Keys(keys="4") in bench.events)
    assert await session.transfer(Target(extension="8001")) is Transferred.FAILED
    await asterisk.close()


@pytest.mark.parametrize("answer", ["200 result=-1", "511 Command Not Permitted on a dead channel", "nonsense"])
async def test_a_caller_who_is_gone_is_known_to_be(bench: Bench, answer: str) -> None:
    asterisk, _ = await bench.call()
    asterisk.answers = {"WAIT FOR DIGIT": answer}
    await eventually(lambda: bench.events == [HungUp(by=HangUp.CALLER)])
    await asterisk.close()


async def test_a_withheld_number_is_none(bench: Bench) -> None:
    asterisk, session = await bench.call("unknown")
    assert session.call.caller == ""
    await asterisk.close()


async def test_a_handler_that_fails_leaves_the_caller_to_the_dialplan(bench: Bench) -> None:
    bench.fails = True
    asterisk, _ = await bench.call()
    await asyncio.wait_for(asterisk._running, 5)
    assert "HANGUP" not in asterisk.commands
    await asterisk.close()


async def test_a_stranger_is_not_waited_for(bench: Bench) -> None:
    for talk in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00" * 70000, b"a: b\n" * 200):
        reader, writer = await asyncio.open_connection("127.0.0.1", bench.server.port)
        writer.write(talk)
        writer.write_eof()
        while await asyncio.wait_for(reader.read(100), 5):
            pass
        writer.close()
    asterisk, _ = await bench.call()
    await asterisk.close()
