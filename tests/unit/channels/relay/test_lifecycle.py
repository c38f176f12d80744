"""A call over several sockets: transfer, broken sockets, ends."""

from __future__ import annotations

import asyncio
import json

import pytest
from relay_kit import CALL, PACE, FakeSocket, Played

from channels.voice.relay.calls import RelayCalls
from channels.voice.relay.codec import Setup
from channels.voice.relay.session import RelaySession
from channels.voice.session import (
    AgentGone,
    Final,
    HangUp,
    HungUp,
    Listening,
    Silence,
    Spoken,
    Target,
    Transferred,
    VoiceSession,
)

pytestmark = pytest.mark.anyio
TARGET = Target(extension="8001", headers={"X-Hotline-Conversation": "c1"}, whisper="租房提取", ring_s=0.3)
LISTENING = Listening(silence_s=5)


async def _ringing(call: Played) -> asyncio.Task[Transferred]:
    """A transfer has begun and Twilio has closed the socket."""
    transfer = asyncio.create_task(call.session.transfer(TARGET))
    sent = await call.socket.next_sent()
    assert sent["type"] == "end"
    handoff = json.loads(sent["handoffData"])
    assert (handoff["next"], handoff["extension"]) == ("dial", "8001")
    assert "租房" not in sent["handoffData"]
    call.socket.closes(1000)
    await call.settled()
    return transfer


@pytest.mark.parametrize(
    ("dialled", "became"),
    [
        ("busy", Transferred.BUSY),
        ("no-answer", Transferred.NO_ANSWER),
        ("canceled", Transferred.NO_ANSWER),
        ("failed", Transferred.FAILED),
        ("nonsense", Transferred.FAILED),
        ("", Transferred.FAILED),
    ],
)
async def test_agent_who_does_not_answer_gives_the_caller_back(call: Played, dialled: str, became: Transferred) -> None:
    transfer = await _ringing(call)
    await call.connects(dialled=dialled)
    assert await transfer is became
    await call.session.say(["没有接通。"], LISTENING)
    assert (await call.socket.next_sent())["token"] == "没有接通。"
    assert await call.event() == Spoken(heard="没有接通。", whole=True)
    call.socket.says({"type": "prompt", "voicePrompt": "那算了", "last": True})
    assert await call.event() == Final(text="那算了")


async def test_agent_who_answers_hears_the_whisper_and_leaves_later(call: Played) -> None:
    transfer = await _ringing(call)
    assert call.session.answered() == "租房提取"
    assert await transfer is Transferred.ANSWERED
    assert call.session.answered() == ""
    await call.session.say(["谁也听不到。"], LISTENING)
    await call.connects(dialled="completed")
    assert await call.event() == AgentGone()
    assert call.socket.sent.empty()


async def test_answer_that_another_process_was_told_of_is_known_when_the_caller_comes_back(call: Played) -> None:
    transfer = await _ringing(call)
    await call.connects(dialled="completed")
    assert await transfer is Transferred.ANSWERED
    assert await call.event() == AgentGone()


async def test_caller_hangs_up_while_it_rings_or_while_he_talks_with_the_agent(call: Played) -> None:
    transfer = await _ringing(call)
    call.session.caller_left()
    assert await transfer is Transferred.CALLER_GONE
    assert await call.event() == HungUp(by=HangUp.CALLER)
    assert await call.session.transfer(TARGET) is Transferred.CALLER_GONE


async def test_ringing_of_which_nothing_is_heard_is_ended_by_fetching_the_caller_back(call: Played) -> None:
    transfer = await _ringing(call)
    await asyncio.sleep(TARGET.ring_s + PACE.connect_s + 0.05)
    assert call.control.done == ["bring_back"]
    await call.connects()
    assert await transfer is Transferred.FAILED


async def test_caller_who_cannot_be_fetched_back_is_lost(call: Played) -> None:
    call.control.works = False
    transfer = await _ringing(call)
    assert await transfer is Transferred.CALLER_GONE
    assert await call.event() == HungUp(by=HangUp.LOST)


async def test_parting_from_the_agent_fetches_the_caller_back(call: Played) -> None:
    transfer = await _ringing(call)
    call.session.answered()
    await transfer
    parting = asyncio.create_task(call.session.join_off())
    await call.settled()
    assert call.control.done == ["bring_back"]
    await call.connects()
    await parting
    await call.nothing_happens(0.05)
    await call.session.say(["还有问题吗？"], LISTENING)
    assert (await call.socket.next_sent())["token"] == "还有问题吗？"


async def test_parting_that_fails_leaves_the_two_together(call: Played) -> None:
    transfer = await _ringing(call)
    call.session.answered()
    await transfer
    call.control.works = False
    await call.session.join_off()
    await call.nothing_happens(0.05)
    await call.connects(dialled="completed")
    assert await call.event() == AgentGone()


async def test_line_without_agents_transfers_nobody() -> None:
    played = Played(can_transfer=False)
    socket = await played.connects()
    assert not played.session.can_transfer
    assert await played.session.transfer(TARGET) is Transferred.FAILED
    assert socket.sent.empty()
    await played.ends()


async def test_broken_socket_that_comes_back_goes_on(call: Played) -> None:
    await call.session.say(["很长的一段话，" * 90], LISTENING)
    call.socket.closes(1006)
    event = await call.event()
    assert isinstance(event, Spoken)
    assert not event.whole
    await call.session.say(["请再说一遍。"], LISTENING)
    await call.connects()
    assert (await call.socket.next_sent())["token"] == "请再说一遍。"
    assert await call.event() == Spoken(heard="请再说一遍。", whole=True)


async def test_broken_socket_that_does_not_come_back_is_a_lost_call(call: Played) -> None:
    call.socket.closes(1006)
    assert await call.event() == HungUp(by=HangUp.LOST)
    late = await call.connects()
    assert json.loads((await late.next_sent())["handoffData"]) == {"next": "hang_up"}


async def test_second_socket_takes_the_call_over(call: Played) -> None:
    first = call.socket
    await call.session.say([], Listening(silence_s=0.1))
    await call.event()
    second = await call.connects()
    await call.settled()
    assert first.closed_with == 1000
    await call.session.say(["您好。"], LISTENING)
    assert (await second.next_sent())["token"] == "您好。"
    assert await call.event() == Spoken(heard="您好。", whole=True)
    await call.nothing_happens(0.05)


async def test_caller_is_awaited_again_after_the_socket_broke_in_silence(call: Played) -> None:
    await call.session.say([], Listening(silence_s=0.15))
    await call.event()
    call.socket.closes(1006)
    await call.settled()
    await call.connects()
    assert await call.event() == Silence()


async def test_socket_that_takes_nothing_is_a_broken_one(call: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.voice.relay.link._SEND_S", 0.05)
    call.socket.stuck = True
    await call.session.say(["您好。"], LISTENING)
    assert isinstance(await call.event(), Spoken)
    assert await call.event() == HungUp(by=HangUp.LOST)


async def test_hanging_up_waits_for_the_goodbye(call: Played) -> None:
    await call.session.say(["再见。"], None)
    await call.session.hang_up()
    assert (await call.socket.next_sent())["type"] == "text"
    assert call.socket.sent.empty()
    assert await call.event() == Spoken(heard="再见。", whole=True)
    assert json.loads((await call.socket.next_sent())["handoffData"]) == {"next": "hang_up"}
    assert await call.event() == HungUp(by=HangUp.US)
    await call.session.say(["没人听。"], LISTENING)
    await call.session.hang_up()


async def test_hanging_up_on_a_broken_socket_ends_the_call_when_it_comes_back(call: Played) -> None:
    call.socket.closes(1006)
    await call.settled()
    await call.session.hang_up()
    await call.connects()
    assert (await call.socket.next_sent())["type"] == "end"
    assert await call.event() == HungUp(by=HangUp.US)


async def test_hanging_up_on_both_the_caller_and_the_agent(call: Played) -> None:
    transfer = await _ringing(call)
    call.session.answered()
    await transfer
    await call.session.hang_up()
    assert call.control.done == ["complete"]
    assert await call.event() == HungUp(by=HangUp.US)


async def test_recording_is_paused_before_anything_else_happens(call: Played) -> None:
    await call.session.record(on=True)
    await call.session.record(on=False)
    assert call.control.done == ["record", "pause"]


# --- the calls of a process ----------------------------------------------------------------------------------------


def _calls(run: object, *, most: int = 5) -> RelayCalls:
    def begin(setup: Setup) -> RelaySession:
        return Played().session

    return RelayCalls(run, begin, most_calls=most)  # type: ignore[arg-type]


async def _until_over(session: VoiceSession) -> None:
    async for _ in session.events():
        pass


async def _served(calls: RelayCalls, socket: FakeSocket, **parameters: str) -> asyncio.Task[None]:
    task = asyncio.create_task(calls.serve(Setup(call=CALL, account="AC1", parameters=parameters), socket))
    for _ in range(10):
        await asyncio.sleep(0)
    return task


async def test_two_sockets_of_one_call_have_one_dialogue() -> None:
    begun: list[VoiceSession] = []

    async def run(session: VoiceSession) -> None:
        begun.append(session)
        await _until_over(session)

    calls = _calls(run)
    first, second = FakeSocket(), FakeSocket()
    serving = [await _served(calls, first), await _served(calls, second)]
    assert (len(begun), calls.count) == (1, 1)
    second.closes(1000)
    await asyncio.gather(*serving)
    for _ in range(10):
        await asyncio.sleep(0)
    assert calls.count == 0


async def test_call_of_another_process_goes_on_one_webhook_a_turn() -> None:
    calls, socket = _calls(_until_over), FakeSocket()
    serving = await _served(calls, socket, resumed="1")
    assert json.loads((await socket.next_sent())["handoffData"]) == {"next": "gather"}
    socket.closes(1000)
    await serving
    assert calls.count == 0


async def test_one_call_too_many_goes_on_one_webhook_a_turn() -> None:
    calls, socket = _calls(_until_over, most=0), FakeSocket()
    serving = await _served(calls, socket)
    assert json.loads((await socket.next_sent())["handoffData"]) == {"next": "gather"}
    socket.closes(1000)
    await serving


async def test_dialogue_that_fails_leaves_the_caller_to_the_other_way() -> None:
    async def run(session: VoiceSession) -> None:
        raise RuntimeError("您的余额")

    calls, socket = _calls(run), FakeSocket()
    serving = await _served(calls, socket)
    assert json.loads((await socket.next_sent())["handoffData"]) == {"next": "gather"}
    await serving
    assert calls.count == 0


async def test_dialogue_that_returns_hangs_up() -> None:
    async def run(session: VoiceSession) -> None:
        await session.say(["再见。"], None)

    calls, socket = _calls(run), FakeSocket()
    serving = await _served(calls, socket)
    assert (await socket.next_sent())["token"] == "再见。"
    assert (await socket.next_sent())["type"] == "end"
    socket.closes(1000)
    await serving


async def test_process_that_ends_lets_go_of_its_calls() -> None:
    calls, socket = _calls(_until_over), FakeSocket()
    serving = await _served(calls, socket)
    await calls.close()
    await serving
    assert (socket.closed_with, calls.count) == (1001, 0)
