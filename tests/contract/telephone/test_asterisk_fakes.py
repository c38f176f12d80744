"""The switch against an Asterisk that fails in every way; the real one's turn is tests/voice_e2e."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from channels.voice.asterisk.switch import AsteriskSwitch
from channels.voice.audio import alaw
from channels.voice.line import AudioLine, Ended, Frame, Key, LineEvent, PeerGone
from channels.voice.session import HangUp, Target, Transferred
from hotline.settings import AsteriskSettings, TelephoneSettings
from tests.contract.telephone.fake_ari import FakeAri

pytestmark = pytest.mark.anyio

NUMBER = "13800138000"
CALLER = "test-1.0"
SOUND = b"\x10\x20" * 160


class Bench:
    def __init__(self, ari: FakeAri) -> None:
        self.ari = ari
        settings = TelephoneSettings(
            line="asterisk",
            asterisk=AsteriskSettings(ari_url=f"http://127.0.0.1:{ari.port}/ari", ari_password=SecretStr("x")),
        )
        self.switch = AsteriskSwitch(settings, on_call=self._on_call, media_port=0)
        self.lines: list[AudioLine] = []
        self.events: list[LineEvent] = []
        self.fails = False

    async def _on_call(self, line: AudioLine) -> None:
        self.lines.append(line)
        if self.fails:
            raise RuntimeError
        async for event in line.events():
            self.events.append(event)

    async def call(self) -> AudioLine:
        await self.ari.come()
        await eventually(lambda: self.lines)
        return self.lines[-1]

    @property
    def endings(self) -> list[HangUp]:
        return [event.by for event in self.events if isinstance(event, Ended)]

    @property
    def keys(self) -> str:
        return "".join(event.key for event in self.events if isinstance(event, Key))


async def eventually(true: Callable[[], object], timeout_s: float = 8.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


@pytest.fixture
async def ari() -> AsyncIterator[FakeAri]:
    async with FakeAri().running() as ari:
        yield ari


@pytest.fixture
async def bench(ari: FakeAri) -> AsyncIterator[Bench]:
    bench = Bench(ari)
    running = asyncio.create_task(bench.switch.run())
    await asyncio.wait_for(bench.switch.ready(), 10)
    ari.media_port = bench.switch.media_port
    yield bench
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_call_is_answered_and_carries_sound_and_keys(bench: Bench) -> None:
    with capture_logs() as logs:
        line = await bench.call()
        assert line.call.id == "ast-020000000001-test-1.0"
        assert (line.call.caller, line.call.called, line.call.line) == (NUMBER, "12329", "asterisk")
        leg = bench.ari.the_leg()
        await leg.send(alaw.encode(SOUND))
        await bench.ari.press("7")
        await line.write(SOUND * 3)
        await eventually(lambda: bench.keys == "7")
        await eventually(lambda: len(next(iter(bench.ari.heard.values()))) == 480)
    assert Frame(alaw.decode(alaw.encode(SOUND))) in bench.events
    assert next(iter(bench.ari.heard.values())) == alaw.encode(SOUND * 3)
    assert NUMBER not in json.dumps(logs, default=str)
    assert "'7'" not in str(logs)


async def test_events_told_twice_are_one_call(bench: Bench) -> None:
    await bench.ari.come(times=3)
    await eventually(lambda: bench.lines)
    await bench.ari.tell("StasisStart", CALLER, args=["12329"])
    await bench.ari.leave()
    await bench.ari.tell("ChannelDestroyed", CALLER, cause=16)
    await eventually(lambda: bench.endings)
    await bench.ari.press("5")
    await asyncio.sleep(0.1)
    assert len(bench.lines) == 1
    assert bench.endings == [HangUp.CALLER]
    assert bench.keys == ""


async def test_when_the_caller_has_gone_nothing_of_the_call_is_left(bench: Bench) -> None:
    await bench.call()
    assert len(bench.ari.bridges) == 1
    await bench.ari.leave()
    await eventually(lambda: not bench.ari.bridges and not bench.ari.channels)
    await eventually(lambda: bench.switch.calls == 0)
    assert bench.ari.sent_to_people == []


async def test_a_flush_takes_back_what_asterisk_has(bench: Bench) -> None:
    line = await bench.call()
    writing = asyncio.create_task(line.write(SOUND * 300))
    await asyncio.sleep(0.1)
    await line.flush()
    await asyncio.wait_for(writing, 1)
    assert line.buffered_s() == 0.0
    commands = next(iter(bench.ari.commands.values()))
    await eventually(lambda: commands)
    assert json.loads(commands[0]) == {"command": "FLUSH_MEDIA"}


async def test_no_sound_is_sent_while_asterisk_has_enough(bench: Bench) -> None:
    line = await bench.call()
    await bench.ari.the_leg().send(json.dumps({"event": "MEDIA_XOFF"}))
    await asyncio.sleep(0.05)
    await line.write(SOUND * 3)
    await asyncio.sleep(0.1)
    assert next(iter(bench.ari.heard.values())) == b""
    await bench.ari.the_leg().send(json.dumps({"event": "MEDIA_XON"}))
    await eventually(lambda: len(next(iter(bench.ari.heard.values()))) == 480)


async def test_asterisk_22_6_speaks_plain_text(bench: Bench) -> None:
    bench.ari.media = "plain"
    line = await bench.call()
    await line.flush()
    await eventually(lambda: list(bench.ari.commands.values()) == [["FLUSH_MEDIA"]])


async def test_the_sound_breaks_off_and_the_caller_gets_people(bench: Bench) -> None:
    await bench.call()
    bench.ari.the_leg().transport.abort()
    await eventually(lambda: bench.endings == [HangUp.LOST])
    await eventually(lambda: bench.ari.sent_to_people == [CALLER])
    (where, _) = bench.ari.of("POST", "/continue")[0]
    assert where["context"] == "hotline-fallback"


async def test_sound_that_never_comes_is_not_waited_for_for_ever(bench: Bench) -> None:
    bench.ari.media = "never"
    await bench.ari.come()
    await eventually(lambda: bench.ari.sent_to_people == [CALLER])
    await eventually(lambda: not bench.ari.bridges)
    assert bench.lines == []


async def test_a_caller_who_hangs_up_before_the_sound_has_come_leaves_nothing(bench: Bench) -> None:
    bench.ari.media_after_s = 0.3
    await bench.ari.come()
    await eventually(lambda: bench.ari.of("POST", "/externalMedia"))
    await bench.ari.leave()
    await eventually(lambda: bench.ari.legs)
    await eventually(lambda: not bench.ari.bridges and not bench.ari.channels)
    await eventually(lambda: bench.switch.calls == 0)
    assert bench.ari.sent_to_people == []


async def test_an_asterisk_that_is_not_there_yet_is_waited_for(ari: FakeAri) -> None:
    ari.away = True
    bench = Bench(ari)
    running = asyncio.create_task(bench.switch.run())
    await asyncio.sleep(0.5)
    assert not bench.switch.connected
    ari.come_back()
    await asyncio.wait_for(bench.switch.ready(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_handler_that_fails_sends_its_caller_to_people(bench: Bench) -> None:
    bench.fails = True
    await bench.ari.come()
    await eventually(lambda: bench.ari.sent_to_people == [CALLER])


async def test_a_stranger_who_brings_sound_is_sent_away(bench: Bench) -> None:
    for first in (json.dumps({"event": "MEDIA_START", "channel_id": "x" * 40}), "GET_STATUS", b"\xd5" * 160, "{"):
        uri = f"ws://127.0.0.1:{bench.switch.media_port}/media?leg={'0' * 32}"
        async with connect(uri, subprotocols=[Subprotocol("media")], proxy=None) as socket:
            await socket.send(first)
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 3)
            assert closed.value.rcvd
            assert closed.value.rcvd.code == 1008
    await bench.call()


async def test_asterisk_is_away_and_back_and_the_call_goes_on(bench: Bench) -> None:
    line = await bench.call()
    await bench.ari.go_away()
    await eventually(lambda: not bench.switch.connected)
    await line.write(SOUND)
    await eventually(lambda: len(next(iter(bench.ari.heard.values()))) == 160)
    assert await line.transfer(Target(extension="8001", ring_s=1), whisper=b"") is Transferred.FAILED
    bench.ari.come_back()
    await asyncio.wait_for(bench.switch.ready(), 10)
    await bench.ari.press("3")
    await eventually(lambda: bench.keys == "3")
    assert bench.endings == []
    assert {query["eventSource"] for query, _ in bench.ari.of("POST", "/subscription")} >= {f"channel:{CALLER}"}
    assert bench.ari.sent_to_people == []


async def test_a_caller_who_hung_up_while_asterisk_was_away_is_known_to_have(bench: Bench) -> None:
    await bench.call()
    await bench.ari.go_away()
    await bench.ari.leave(told=False)
    await asyncio.sleep(0.5)
    bench.ari.come_back()
    await eventually(lambda: bench.endings == [HangUp.CALLER])
    await eventually(lambda: not bench.ari.bridges)


async def test_broken_events_break_nothing(bench: Bench) -> None:
    for text in ("", "{", "[]", '{"type": "StasisStart"}', '{"type": "ChannelDtmfReceived", "channel": {"id": "x"}}'):
        await bench.ari.send(text)
    await bench.call()


async def test_an_agent_is_joined_after_the_whisper(bench: Bench) -> None:
    line = await bench.call()
    headers = {"X-Hotline-Conversation": "c-42", "X-Bad": "a\r\nInjected: 1", "Via": "x"}
    target = Target(extension="8001", headers=headers, ring_s=5)
    assert await line.transfer(target, whisper=SOUND * 10) is Transferred.ANSWERED
    (query, body) = bench.ari.of("POST", "channels")[0]
    assert (query["endpoint"], query["callerId"]) == ("PJSIP/8001", NUMBER)
    assert body == {"variables": {"PJSIP_HEADER(add,X-Hotline-Conversation)": "c-42"}}
    agent = query["channelId"]
    whispered = list(bench.ari.heard.values())[1]
    assert whispered[:1600] == alaw.encode(SOUND * 10)
    bridge = next(inside for inside in bench.ari.bridges.values() if CALLER in inside)
    assert agent in bridge
    assert len(bridge) == 3
    await bench.ari.leave(agent)
    await eventually(lambda: bench.events.count(PeerGone()) == 1)
    await eventually(lambda: len(bench.ari.bridges) == 1)
    assert bench.endings == []


@pytest.mark.parametrize(
    ("agent", "outcome"),
    [("busy", Transferred.BUSY), ("rings", Transferred.NO_ANSWER), ("unknown", Transferred.FAILED)],
)
async def test_no_agent_comes(bench: Bench, agent: str, outcome: Transferred) -> None:
    line = await bench.call()
    bench.ari.agent = agent
    assert await line.transfer(Target(extension="8001", ring_s=0.5), whisper=b"") is outcome
    await eventually(lambda: not [channel for channel in bench.ari.channels if "agent" in channel])
    await bench.ari.press("1")
    await eventually(lambda: bench.keys == "1")


@pytest.mark.parametrize("extension", ["", "8001@evil.example", "8001/n", "8001,x", "8" * 40, "8001\n"])
async def test_what_is_no_extension_is_not_rung(bench: Bench, extension: str) -> None:
    line = await bench.call()
    assert await line.transfer(Target(extension=extension), whisper=b"") is Transferred.FAILED
    assert bench.ari.of("POST", "channels") == []


async def test_the_caller_hangs_up_while_an_agent_is_rung(bench: Bench) -> None:
    line = await bench.call()
    bench.ari.agent = "rings"
    ringing = asyncio.create_task(line.transfer(Target(extension="8001", ring_s=20), whisper=b""))
    await eventually(lambda: bench.ari.of("POST", "channels"))
    await bench.ari.leave()
    assert await asyncio.wait_for(ringing, 2) is Transferred.CALLER_GONE
    await eventually(lambda: not bench.ari.channels)


async def test_a_transfer_that_is_given_up_rings_nobody_any_more(bench: Bench) -> None:
    line = await bench.call()
    bench.ari.agent = "rings"
    ringing = asyncio.create_task(line.transfer(Target(extension="8001", ring_s=20), whisper=b""))
    await eventually(lambda: bench.ari.of("POST", "channels"))
    ringing.cancel()
    await eventually(lambda: not [channel for channel in bench.ari.channels if "agent" in channel])
    assert bench.endings == []


async def test_stopped_with_calls_they_go_to_people_and_their_handlers_know(ari: FakeAri) -> None:
    bench = Bench(ari)
    running = asyncio.create_task(bench.switch.run())
    await asyncio.wait_for(bench.switch.ready(), 10)
    ari.media_port = bench.switch.media_port
    await bench.call()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert bench.endings == [HangUp.LOST]
    assert ari.sent_to_people == [CALLER]
    assert ari.bridges == {}


async def test_what_a_dead_process_has_left_is_put_in_order(ari: FakeAri) -> None:
    await ari.come("test-5.0")
    await ari.come("test-6.0")
    ari.channels["other-1"] = FakeAri._row("other-1", "", "another,1")
    for kind in ("media", "agent"):
        channel = f"hotline-{kind}-{'a' * 32}"
        ari.channels[channel] = FakeAri._row(channel, "", "hotline")
    ari.bridges["hotline-bridge-1"] = ["test-5.0", f"hotline-media-{'a' * 32}"]
    ari.bridges["hotline-bridge-2"] = ["test-6.0", f"hotline-agent-{'a' * 32}"]
    ari.bridges["somebody's"] = ["other-1"]
    bench = Bench(ari)
    running = asyncio.create_task(bench.switch.run())
    await asyncio.wait_for(bench.switch.ready(), 10)
    await eventually(lambda: ari.sent_to_people == ["test-5.0"])
    await eventually(lambda: set(ari.channels) == {"test-6.0", "other-1", f"hotline-agent-{'a' * 32}"})
    assert set(ari.bridges) == {"hotline-bridge-2", "somebody's"}
    await ari.leave(f"hotline-agent-{'a' * 32}")
    await eventually(lambda: set(ari.channels) == {"other-1"})
    await eventually(lambda: set(ari.bridges) == {"somebody's"})
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert bench.lines == []


async def test_a_port_that_is_taken_is_said_so(bench: Bench) -> None:
    settings = TelephoneSettings(line="asterisk", asterisk=AsteriskSettings(media_port=bench.switch.media_port))
    with pytest.raises(OSError, match="in use"):
        await asyncio.wait_for(AsteriskSwitch(settings, on_call=bench._on_call).run(), 3)
