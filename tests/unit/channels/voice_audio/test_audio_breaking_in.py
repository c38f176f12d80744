"""The caller speaks while we do; our own sound comes back."""

from __future__ import annotations

import pytest

from channels.voice.audio.activity import SileroActivity
from channels.voice.session import Final, Keys, Listening, Silence, Spoken
from tests.telephone import sounds
from tests.telephone.audio_call import audio_call
from tests.telephone.fake_line import FakeLine
from tests.telephone.fake_speech import RealVoice

pytestmark = pytest.mark.anyio

PROMPT = "您好，这里是住房公积金热线，我是智能语音助手，通话会录音。请直接说出您的问题，随时可以按零转人工。"
QUESTION = "我要人工服务"


def quieter(pcm: bytes, share: float) -> bytes:
    return sounds.pcm(sounds.samples(pcm) * share)


@pytest.mark.parametrize("share", [1.0, 0.4])
async def test_our_sound_stops_when_the_caller_breaks_in(share: float) -> None:
    question = quieter(sounds.speech(QUESTION), share)
    async with audio_call(voice=RealVoice(), activity=SileroActivity) as call:
        await call.session.say((PROMPT,), Listening())
        await call.after(4.0)
        began = call.line.now
        ends_at = call.line.caller_says(question)
        spoken = await call.next(Spoken)
        assert spoken.whole is False
        assert PROMPT.startswith(spoken.heard)
        assert 10 < len(spoken.heard) < 40
        assert await call.next(Final) == Final(text="怎么提取", confidence=0.8)
        assert call.line.last_heard() - began <= 0.25 + 0.15
        assert len(call.recogniser.recognitions[-1].fed) >= len(question) * 0.9
        assert call.at(Final) - ends_at < 0.8


@pytest.mark.parametrize("delay_s", [0.05, 0.12, 0.2])
@pytest.mark.parametrize("echo", [0.25, 0.1])
async def test_our_own_words_coming_back_stop_nothing(echo: float, delay_s: float) -> None:
    line = FakeLine(echo=echo, echo_s=delay_s)
    async with audio_call(line, voice=RealVoice(), activity=SileroActivity) as call:
        await call.session.say((PROMPT, PROMPT), Listening(silence_s=3.0))
        assert await call.next(Spoken) == Spoken(heard=PROMPT + PROMPT, whole=True)
        await call.next(Silence)
        assert call.recogniser.recognitions == []


async def test_the_caller_is_heard_over_the_echo() -> None:
    line = FakeLine(echo=0.2)
    async with audio_call(line, voice=RealVoice(), activity=SileroActivity) as call:
        await call.session.say((PROMPT,), Listening())
        await call.after(3.0)
        began = call.line.now
        call.line.caller_says(sounds.speech(QUESTION))
        assert (await call.next(Spoken)).whole is False
        assert call.line.last_heard() - began <= 0.6
        await call.next(Final)


async def test_talking_over_the_beginning_of_our_words_is_heard() -> None:
    async with audio_call(voice=RealVoice(), activity=SileroActivity) as call:
        await call.session.say((), Listening())
        question = sounds.speech("我想问一下公积金贷款怎么办理")
        await call.after(0.5)
        call.line.caller_says(question)
        await call.after(0.6)
        await call.session.say((PROMPT,), Listening())
        assert (await call.next(Spoken)).whole is False
        assert call.line.last_heard() - 1.1 < 0.5
        await call.next(Final)
        assert len(call.all(Final)) == 1


async def test_noise_does_not_stop_our_words() -> None:
    async with audio_call(FakeLine(noise=400.0), voice=RealVoice(), activity=SileroActivity) as call:
        await call.session.say((PROMPT,), Listening())
        await call.after(2.0)
        call.line.caller_says(sounds.noise(1.0, peak=6000))
        assert (await call.next(Spoken)).whole


async def test_a_short_yes_does_not_stop_our_words() -> None:
    async with audio_call() as call:
        await call.session.say(("一二三四五六七八九十" * 3,), Listening())
        await call.after(1.0)
        call.line.caller_says(sounds.tone(200, 0.12, peak=9000))
        assert (await call.next(Spoken)).whole
        assert call.all(Final) == []


async def test_notices_are_not_broken_into() -> None:
    async with audio_call() as call:
        await call.session.say(("一二三四五六七八九十" * 3,), Listening(interruptible=False))
        await call.after(0.5)
        call.line.caller_says(sounds.tone(200, 1.0, peak=9000))
        call.line.caller_presses("1")
        await call.after(1.0)
        call.line.caller_presses("2")
        spoken = await call.next(Spoken)
        assert spoken.whole
        await call.after(0.1)
        assert [type(event) for _, event in call.events] == [Spoken, Keys]
        assert call.all(Keys) == [Keys(keys="1")]
        assert call.all(Final) == []
        await call.session.say((), Listening())  # the second was typed ahead
        await call.after(0.1)
        assert call.all(Keys) == [Keys(keys="1"), Keys(keys="2")]


async def test_somebody_still_speaking_when_a_notice_ends_is_heard() -> None:
    async with audio_call() as call:
        await call.session.say(("一二三四五六七八九十",), Listening(interruptible=False))
        await call.after(0.6)
        call.line.caller_says(sounds.tone(200, 2.0, peak=9000))
        assert (await call.next(Spoken)).whole
        await call.next(Final)
        assert len(call.recogniser.recognitions[0].fed) / 16000 > 1.5


async def test_music_is_not_taken_for_the_caller_who_is_heard_over_it() -> None:
    async with audio_call(FakeLine(echo=0.25)) as call:
        await call.session.say((), Listening(silence_s=30.0))
        await call.session.play("waiting")
        await call.after(5.0)
        assert call.recogniser.recognitions == []
        call.line.caller_says(sounds.tone(200, 1.0, peak=9000))
        await call.next(Final)
        assert call.line.last_heard() > 6.5


@pytest.mark.parametrize("tones", [(697, 1209), (770, 1336), (852, 1477), (941, 1336)])
async def test_the_tone_of_a_key_is_no_speech(tones: tuple[int, int]) -> None:
    async with audio_call(activity=SileroActivity) as call:
        await call.session.say((), Listening(silence_s=2.0))
        low, high = (sounds.samples(sounds.tone(hz, 0.2, peak=5000)) for hz in tones)
        call.line.caller_says(sounds.pcm(low + high), in_s=0.5)
        await call.next(Silence)
        assert call.recogniser.recognitions == []
