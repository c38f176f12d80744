"""Recording, agents, and every way a call ends."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest
from structlog.testing import capture_logs

from channels.voice.audio.activity import SileroActivity
from channels.voice.session import AgentGone, Final, HangUp, HungUp, Keys, Listening, Spoken, Target, Transferred
from tests.telephone import sounds
from tests.telephone.audio_call import AudioCall, FakeSink, audio_call
from tests.telephone.fake_line import FakeLine
from tests.telephone.fake_speech import RealVoice

pytestmark = pytest.mark.anyio

TEN = "一二三四五六七八九十"
AGENT = Target(extension="6001", whisper="张先生")


def ours(sink: FakeSink) -> bytes:
    return b"".join(frame for _, frame in sink.frames)


def callers(sink: FakeSink) -> bytes:
    return b"".join(frame for frame, _ in sink.frames)


def onset_s(pcm: bytes) -> float:
    return float(np.flatnonzero(np.abs(sounds.samples(pcm)) > 1000)[0]) / 8000


async def test_both_sides_are_recorded_at_the_time_they_were_heard() -> None:
    async with audio_call(FakeLine(burst=4)) as call:
        await call.session.record(on=True)
        await call.session.say((TEN,), Listening(interruptible=False))
        call.line.caller_says(sounds.tone(200, 0.5, peak=9000), in_s=0.5)
        await call.next(Spoken)
        await call.after(0.5)
        assert {(len(one), len(other)) for one, other in call.sink.frames} == {(320, 320)}
        assert onset_s(callers(call.sink)) == pytest.approx(0.5, abs=0.02)
        assert onset_s(ours(call.sink)) == pytest.approx(onset_s(call.line.heard()), abs=0.1)
        heard = sounds.samples(ours(call.sink))
        assert (np.abs(heard) > 100).sum() / 8000 == pytest.approx(1.0, abs=0.05)


async def test_nothing_is_recorded_until_it_is_told_to_and_while_it_pauses() -> None:
    async with audio_call() as call:
        await call.after(1.0)
        assert call.sink.frames == []
        await call.session.record(on=True)
        await call.after(1.0)
        await call.session.record(on=True)
        await call.session.record(on=False)
        kept = len(call.sink.frames)
        assert kept == pytest.approx(50, abs=2)
        await call.after(1.0)
        assert len(call.sink.frames) == kept
        await call.session.record(on=True)
        await call.after(1.0)
        assert len(call.sink.frames) == pytest.approx(100, abs=3)
        assert call.sink.marks == ["pause", "resume"]


async def test_words_cut_short_are_recorded_as_far_as_they_were_heard() -> None:
    async with audio_call() as call:
        await call.session.record(on=True)
        await call.session.say((TEN,), Listening())
        await call.after(0.45)
        call.line.caller_presses("1")
        await call.after(1.0)
        assert (np.abs(sounds.samples(ours(call.sink))) > 100).sum() / 8000 == pytest.approx(0.4, abs=0.06)


async def test_no_secret_is_recorded() -> None:
    async with audio_call() as call:
        await call.session.record(on=True)
        await call.session.say((TEN,), Listening(keys=6, secret=True))
        await call.after(0.5)
        before = len(call.sink.frames)
        for key in "123456":
            call.line.caller_presses(key)
            call.line.caller_says(sounds.tone(1336, 0.1))
            await call.after(0.1)
        await call.session.record(on=True)
        await call.session.say((TEN,), Listening())
        call.line.caller_says(sounds.tone(1336, 0.1))  # the last key's tone, late
        await call.after(0.4)
        assert len(call.sink.frames) == before <= 1
        await call.after(1.0)
        assert call.sink.marks == ["pause", "resume"]
        assert len(call.sink.frames) > 30
        assert np.abs(sounds.samples(callers(call.sink))).max() < 1000


async def test_a_full_disk_ends_the_recording_and_not_the_call() -> None:
    class Full(FakeSink):
        def write(self, caller: bytes, ours: bytes) -> None:
            raise OSError(28, "full")

    with capture_logs() as logs:
        async with audio_call(sink=Full()) as call:
            await call.session.record(on=True)
            await call.session.say((TEN,), Listening())
            assert (await call.next(Spoken)).whole
    assert [log["event"] for log in logs].count("voice.recording.failed") == 1


async def test_an_agent_is_rung_and_joined_until_he_hangs_up() -> None:
    async with audio_call() as call:
        await call.session.record(on=True)
        await call.session.say(("好",), Listening())
        await call.next(Spoken)
        transfer = asyncio.create_task(call.session.transfer(AGENT))
        await call.after(2.0)
        assert call.line.last_heard() > 1.9  # it rings
        (target, whisper) = call.line.transfers[0]
        assert (target, len(whisper)) == (AGENT, 4800)
        call.line.outcome.set_result(Transferred.ANSWERED)
        assert await transfer is Transferred.ANSWERED
        joined_at, kept = call.line.now, len(call.sink.frames)
        call.line.caller_says(sounds.tone(200, 1.0))
        call.line.caller_presses("1")
        await call.session.say((TEN,), Listening())
        await call.session.play("waiting")
        await call.after(8.0)
        assert call.line.last_heard() <= joined_at + 0.02
        assert call.recogniser.recognitions == []
        assert [type(event) for _, event in call.events] == [Spoken]
        assert len(call.sink.frames) - kept == pytest.approx(400, abs=3)
        call.line.agent_hangs_up()
        await call.next(AgentGone)
        await call.session.say(("好",), Listening())
        assert (await call.next(Spoken)).whole
        call.line.caller_presses("1")
        assert await call.next(Keys) == Keys(keys="1")


@pytest.mark.parametrize("became", [Transferred.BUSY, Transferred.NO_ANSWER, Transferred.FAILED])
async def test_an_agent_who_does_not_answer_leaves_the_session_as_it_was(became: Transferred) -> None:
    async with audio_call() as call:
        await call.session.say((), Listening(keys=1))
        call.line.outcome.set_result(became)
        assert await call.session.transfer(AGENT) is became
        await call.after(0.5)
        stopped_at = call.line.last_heard()
        assert stopped_at < 0.2
        call.line.caller_presses("1")
        assert await call.next(Keys) == Keys(keys="1")


async def test_ringing_is_given_up_when_the_agent_is_not_wanted_any_more() -> None:
    async with audio_call() as call:
        transfer = asyncio.create_task(call.session.transfer(AGENT))
        await call.after(1.0)
        assert await call.session.transfer(AGENT) is Transferred.FAILED  # one at a time
        await call.session.join_off()
        assert await transfer is Transferred.FAILED
        await call.session.say(("好",), None)
        assert (await call.next(Spoken)).whole


async def test_a_transfer_that_never_answers_fails() -> None:
    async with audio_call() as call:
        assert await call.session.transfer(AGENT) is Transferred.FAILED
        assert call.line.now == pytest.approx(20 + 15, abs=1)


async def test_an_agent_who_is_gone_before_we_know_he_answered_is_gone() -> None:
    async with audio_call() as call:
        transfer = asyncio.create_task(call.session.transfer(AGENT))
        await call.after(0.5)
        call.line.agent_hangs_up()
        await call.after(0.1)
        call.line.outcome.set_result(Transferred.ANSWERED)
        assert await transfer is Transferred.ANSWERED
        await call.after(0.1)
        assert call.all(AgentGone) == [AgentGone()]


async def test_the_caller_may_hang_up_while_it_rings() -> None:
    async with audio_call() as call:
        transfer = asyncio.create_task(call.session.transfer(AGENT))
        await call.after(0.5)
        call.line.ends()
        assert await transfer is Transferred.CALLER_GONE
        await call.after(0.1)
        assert call.all(HungUp) == [HungUp(by=HangUp.CALLER)]
        assert await call.session.transfer(AGENT) is Transferred.CALLER_GONE


@pytest.mark.parametrize("by", list(HangUp))
async def test_a_line_that_ends_while_we_speak_ends_everything(by: HangUp) -> None:
    async with audio_call() as call:
        await call.session.say((TEN,), Listening())
        await call.after(0.6)
        call.line.ends(by)
        await call.after(0.1)
        spoken, hung_up = (event for _, event in call.events)
        assert isinstance(spoken, Spoken)
        assert not spoken.whole
        assert hung_up == HungUp(by=by)
        await after_the_end(call)


async def after_the_end(call: AudioCall) -> None:
    """Nothing raises, nothing happens."""
    known = len(call.events)
    await call.session.say((TEN,), Listening())
    await call.session.play("waiting")
    await call.session.record(on=True)
    await call.session.join_off()
    await call.session.hang_up()
    await call.session.close()
    await call.after(5.0)
    assert len(call.events) == known
    assert call.sink.closed == 1


async def test_a_line_that_ends_while_somebody_is_understood_ends_that() -> None:
    async with audio_call() as call:
        call.recogniser.hangs = True
        await call.session.say((), Listening())
        call.line.caller_says(sounds.tone(200, 0.5), in_s=0.3)
        await call.after(1.5)
        call.line.ends(HangUp.LOST)
        await call.after(0.1)
        assert call.recogniser.recognitions[0].cancelled
        assert call.all(Final) == []
        assert call.all(HungUp) == [HungUp(by=HangUp.LOST)]


async def test_a_line_that_takes_no_sound_is_lost() -> None:
    async with audio_call() as call:
        await call.session.say((TEN * 3,), Listening())
        await call.after(1.0)
        call.line.stuck = True
        await call.next(HungUp, limit_s=8)
        assert call.all(HungUp) == [HungUp(by=HangUp.LOST)]


async def test_a_line_that_breaks_with_an_error_is_lost() -> None:
    class Breaks(FakeLine):
        async def flush(self) -> None:
            raise ConnectionResetError

    with capture_logs() as logs:
        async with audio_call(Breaks()) as call:
            await call.session.say((TEN,), Listening())
            await call.after(0.5)
            call.line.caller_presses("1")
            await call.next(HungUp, limit_s=8)
            assert call.all(HungUp) == [HungUp(by=HangUp.LOST)]
    assert "voice.session.fault" in [log["event"] for log in logs]


async def test_a_line_that_never_says_it_has_ended_is_ended() -> None:
    class Deaf(FakeLine):
        async def hang_up(self) -> None:
            return

    async with audio_call(Deaf()) as call:
        await call.session.hang_up()
        assert await call.next(HungUp, limit_s=8) == HungUp(by=HangUp.US)


async def test_ten_people_speak_at_once() -> None:
    """Over our own words, with their echo; nobody hears another's answer, no digit is lost."""
    question, greeting = sounds.speech("我想问一下公积金怎么提取"), "您好，请说出您要办理的业务，或者按零转人工。" * 2
    sounds.speech(greeting)

    async def one(number: int) -> float:
        line = FakeLine(f"c{number}", echo=0.15)
        async with audio_call(line, voice=RealVoice(), activity=SileroActivity, alone=False) as call:
            call.recogniser.text = f"问题{number}"
            await call.session.say((greeting,), Listening())
            await call.after(2.0 + number * 0.13)
            call.line.caller_says(question)
            assert (await call.next(Spoken)).whole is False
            assert (await call.next(Final)).text == f"问题{number}"
            await call.session.say((TEN,), Listening(keys=18, finish_key="#"))
            for digit in range(18):
                call.line.caller_presses(str((digit + number) % 10))
                await call.after(0.05)
            assert (call.all(Keys) or [await call.next(Keys)])[0].keys == "".join(
                str((digit + number) % 10) for digit in range(18)
            )
            return call.line.now

    began = time.process_time()
    lengths = await asyncio.gather(*(one(number) for number in range(10)))
    assert time.process_time() - began < max(lengths)  # less than one core for ten calls


def test_it_works_in_real_time_as_well() -> None:
    async def one() -> list[object]:
        async with audio_call() as call:
            await call.session.say((TEN,), Listening(keys=2))
            await call.after(0.3)
            call.line.caller_presses("1")
            call.line.caller_presses("2")
            await call.next(Keys, limit_s=1)
            return [event for _, event in call.events]

    spoken, keys = asyncio.run(one())
    assert keys == Keys(keys="12")
    assert isinstance(spoken, Spoken)
    assert len(spoken.heard) in (1, 2)
