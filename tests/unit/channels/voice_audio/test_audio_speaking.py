"""What is said, and what of it is heard."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from structlog.testing import capture_logs

from channels.voice.session import Keys, Listening, Silence, Spoken
from tests.telephone import sounds
from tests.telephone.audio_call import audio_call
from tests.telephone.fake_speech import FakeVoice

pytestmark = pytest.mark.anyio

TEN = "一二三四五六七八九十"


def loud_s(pcm: bytes) -> float:
    """Seconds of sound in it, by 20 ms."""
    whole = len(pcm) // 320 * 320
    frames = np.frombuffer(pcm[:whole], dtype="<i2").reshape(-1, 160)
    return float((np.abs(frames).max(axis=1) > 100).sum() * 0.02)


async def test_texts_are_said_one_after_the_other_with_a_breath_between() -> None:
    async with audio_call() as call:
        await call.session.say((TEN, "好的"), Listening())
        spoken = await call.next(Spoken)
        assert spoken == Spoken(heard=TEN + "好的", whole=True)
        heard = call.line.heard()
        assert loud_s(heard) == pytest.approx(1.2, abs=0.03)
        assert len(heard) / 16000 == pytest.approx(0.05 + 1.0 + 0.3 + 0.2, abs=0.1)
        assert call.at(Spoken) == pytest.approx(0.05 + 1.5, abs=0.1)


async def test_the_first_text_is_heard_before_the_others_are_ready() -> None:
    class Slow(FakeVoice):
        async def speak(self, text: str) -> bytes:
            self.takes_s = 1.0 if text == "慢" else 0.05
            return await super().speak(text)

    async with audio_call(voice=Slow()) as call:
        await call.session.say((TEN, "慢", "快"), None)
        await call.after(0.2)
        assert loud_s(call.line.heard()) > 0.05
        assert call.voice.asked == [TEN, "慢", "快"]
        assert (await call.next(Spoken)).whole


async def test_little_is_with_the_line_so_that_it_can_fall_silent() -> None:
    async with audio_call() as call:
        await call.session.say((TEN * 5,), None)
        most = 0.0
        for _ in range(100):
            await call.after(0.03)
            most = max(most, call.line.buffered_s())
        assert 0.2 < most <= 0.5


async def test_what_was_heard_is_counted_by_characters_of_what_was_played() -> None:
    async with audio_call() as call:
        await call.session.say(("你好", TEN), Listening())
        await call.after(0.05 + 0.2 + 0.3 + 0.45)  # the voice, the first text, the breath, and into the second
        call.line.caller_presses("1")
        await call.after(0.05)
        spoken = call.all(Spoken)[0]
        assert spoken.whole is False
        assert spoken.heard in ("你好一二三", "你好一二三四")
        assert call.all(Keys) == [Keys(keys="1")]
        assert loud_s(call.line.heard()) <= 0.75


async def test_a_text_the_voice_fails_on_is_left_out_and_the_next_is_said() -> None:
    with capture_logs() as logs:
        async with audio_call(voice=FakeVoice(failing=("坏",))) as call:
            await call.session.say(("坏", TEN), Listening())
            assert await call.next(Spoken) == Spoken(heard=TEN, whole=True)
            assert loud_s(call.line.heard()) == pytest.approx(1.0, abs=0.03)
            await call.session.say(("坏",), Listening())
            assert await call.next(Spoken) == Spoken(heard="", whole=True)
    assert [log["event"] for log in logs].count("voice.speech.away") == 2
    assert "坏" not in repr(logs)


async def test_a_voice_that_hangs_or_breaks_does_not_hold_up_the_call() -> None:
    class Broken(FakeVoice):
        async def speak(self, text: str) -> bytes:
            if text == "挂":
                await asyncio.Event().wait()
            raise ValueError

    with capture_logs() as logs:
        async with audio_call(voice=Broken()) as call:
            await call.session.say(("挂",), Listening())
            assert await call.next(Spoken, limit_s=15) == Spoken(heard="", whole=True)
            await call.session.say(("坏",), Listening())
            assert await call.next(Spoken, limit_s=15) == Spoken(heard="", whole=True)
            assert await call.next(Silence, limit_s=15) == Silence()
    assert "voice.speech.failed" in [log["event"] for log in logs]


async def test_new_words_take_the_place_of_old_ones() -> None:
    async with audio_call() as call:
        await call.session.say((TEN,), Listening())
        await call.after(0.5)
        await call.session.say(("好",), Listening())
        await call.after(1.0)
        first, second = call.all(Spoken)
        assert not first.whole
        assert 0 < len(first.heard) < 10
        assert second == Spoken(heard="好", whole=True)
        await call.session.say(("完",), Listening())
        await call.after(1.0)
        assert [spoken.whole for spoken in call.all(Spoken)] == [False, True, True]


async def test_music_plays_after_the_words_until_the_next_command() -> None:
    async with audio_call() as call:
        await call.session.say(("好",), Listening(silence_s=2.0))
        await call.session.play("waiting")
        await call.next(Spoken)
        await call.after(3.0)
        assert loud_s(call.line.heard()) > 2.8
        assert len(call.all(Silence)) == 1
        assert call.voice.asked == ["好", "waiting", "waiting", "waiting", "waiting"][: len(call.voice.asked)]
        await call.session.say((), Listening())
        stopped = call.line.now
        await call.after(1.0)
        assert call.line.last_heard() <= stopped + 0.02
        assert call.all(Spoken)[-1] == Spoken(heard="", whole=True)


async def test_a_key_is_heard_over_music_which_goes_on() -> None:
    async with audio_call() as call:
        await call.session.say((), Listening(keys=1))
        await call.session.play("waiting")
        await call.after(0.5)
        call.line.caller_presses("0")
        await call.after(1.0)
        assert call.all(Keys) == [Keys(keys="0")]
        assert call.line.flushed_at == []
        assert call.line.last_heard() > 1.4


async def test_a_sound_that_is_not_to_be_had_is_silence() -> None:
    async with audio_call(voice=FakeVoice(failing=("waiting",))) as call:
        await call.session.play("waiting")
        await call.after(1.0)
        assert loud_s(call.line.heard()) == 0
        await call.session.say(("好",), None)
        assert (await call.next(Spoken)).whole


async def test_the_call_is_ended_after_what_is_being_said() -> None:
    async with audio_call() as call:
        await call.session.say((TEN,), Listening())
        await call.session.hang_up()
        await call.session.hang_up()
        call.line.caller_presses("1")
        call.line.caller_says(sounds.tone(200, 2.0))
        await call.after(2.0)
        assert call.all(Spoken) == [Spoken(heard=TEN, whole=True)]
        assert call.all(Keys) == []
        assert type(call.events[-1][1]).__name__ == "HungUp"
        assert loud_s(call.line.heard()) == pytest.approx(1.0, abs=0.03)
