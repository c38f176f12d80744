"""Where speech begins and ends, and what becomes of it."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from channels.voice.audio.activity import SileroActivity
from channels.voice.session import Final, Keys, Listening, Partial, Silence, Spoken
from tests.telephone import sounds
from tests.telephone.audio_call import AudioCall, audio_call
from tests.telephone.fake_line import FakeLine
from tests.telephone.fake_speech import FakeRecogniser

pytestmark = pytest.mark.anyio

UNDERSTOOD = Final(text="怎么提取", confidence=0.8)


async def listens(call: AudioCall, listening: Listening | None = None) -> None:
    """The words are over, and a moment has passed."""
    await call.session.say((), listening or Listening())
    await call.next(Spoken)
    await call.after(0.5)


async def test_what_is_said_is_recognised_with_what_came_before_it() -> None:
    async with audio_call(recogniser=FakeRecogniser(partials=("怎么",))) as call:
        await listens(call)
        ends_at = call.line.caller_says(sounds.tone(200, 1.0))
        assert await call.next(Final) == UNDERSTOOD
        assert call.all(Partial) == [Partial(text="怎么")]
        (recognition,) = call.recogniser.recognitions
        assert call.recogniser.hints == ("公积金",)
        said_s = len(recognition.fed) / 16000
        assert said_s == pytest.approx(0.3 + 1.0 + 0.3, abs=0.05)  # pre-roll, speech, until the result was asked for
        assert call.at(Final) == pytest.approx(ends_at + 0.6, abs=0.05)
        assert call.all(Silence) == []


@pytest.mark.parametrize(("takes_s", "after_s"), [(0.0, 0.6), (0.29, 0.6), (1.0, 1.3)])
async def test_the_recogniser_works_while_the_pause_is_waited_for(takes_s: float, after_s: float) -> None:
    async with audio_call(recogniser=FakeRecogniser(takes_s=takes_s)) as call:
        await listens(call)
        ends_at = call.line.caller_says(sounds.tone(200, 0.5))
        await call.next(Final)
        assert call.at(Final) == pytest.approx(ends_at + after_s, abs=0.05)


async def test_who_goes_on_after_a_short_pause_is_recognised_as_a_whole() -> None:
    async with audio_call(recogniser=FakeRecogniser(takes_s=0.05)) as call:
        await listens(call)
        call.line.caller_says(sounds.tone(200, 0.5))
        call.line.caller_says(sounds.tone(200, 0.5), in_s=1.0)
        await call.next(Final)
        await call.after(2.0)
        first, second = call.recogniser.recognitions
        assert first.gave  # the result was there already, and is nobody's
        assert len(second.fed) / 16000 == pytest.approx(0.3 + 1.5 + 0.3, abs=0.08)
        assert call.all(Final) == [UNDERSTOOD]


async def test_who_goes_on_while_the_result_is_awaited_is_recognised_as_a_whole() -> None:
    async with audio_call(recogniser=FakeRecogniser(takes_s=2.0)) as call:
        await listens(call)
        call.line.caller_says(sounds.tone(200, 0.5))
        call.line.caller_says(sounds.tone(200, 0.5), in_s=1.5)
        await call.next(Final)
        first, second = call.recogniser.recognitions
        assert first.cancelled
        assert not first.gave
        assert len(second.fed) / 16000 > 2.2
        assert call.all(Final) == [UNDERSTOOD]


async def test_people_who_speak_slowly_may_pause_longer() -> None:
    async with audio_call() as call:
        await listens(call, Listening(speech_pause_s=1.5))
        call.line.caller_says(sounds.tone(200, 0.5))
        ends_at = call.line.caller_says(sounds.tone(200, 0.5), in_s=1.7)
        await call.next(Final)
        assert call.at(Final) == pytest.approx(ends_at + 1.5, abs=0.05)
        assert len(call.all(Final)) == 1


async def test_somebody_who_never_stops_is_answered_all_the_same() -> None:
    async with audio_call() as call:
        await listens(call, Listening(longest_speech_s=5.0))
        call.line.caller_says(sounds.tone(200, 9.0))
        await call.next(Final)
        assert 5.0 <= call.at(Final) <= 6.0
        assert len(call.recogniser.recognitions[0].fed) / 16000 == pytest.approx(5.0, abs=0.02)


@pytest.mark.parametrize("seconds", [0.04, 0.08])
async def test_a_click_is_no_speech(seconds: float) -> None:
    async with audio_call() as call:
        await listens(call, Listening(silence_s=3.0))
        call.line.caller_says(sounds.noise(seconds))
        assert await call.next(Silence, limit_s=5) == Silence()
        assert call.recogniser.recognitions == []


async def test_nothing_said_is_silence_once_counted_from_the_end_of_the_words() -> None:
    async with audio_call() as call:
        await call.session.say(("一二三四五六七八九十",), Listening(silence_s=3.0))
        await call.next(Silence)
        assert call.at(Silence) == pytest.approx(call.at(Spoken) + 3.0, abs=0.06)
        await call.after(10.0)
        assert call.all(Silence) == [Silence()]
        await call.session.say((), None)
        await call.after(10.0)
        assert call.all(Silence) == [Silence()]


async def test_no_silence_while_somebody_speaks_or_is_being_understood() -> None:
    async with audio_call(recogniser=FakeRecogniser(takes_s=2.0)) as call:
        await call.session.say((), Listening(silence_s=2.0))
        await call.after(1.5)
        call.line.caller_says(sounds.tone(200, 3.0))
        await call.next(Final)
        assert call.all(Silence) == []
        await call.next(Silence, limit_s=3)
        assert call.at(Silence) == pytest.approx(call.at(Final) + 2.0, abs=0.06)


async def test_a_recogniser_that_is_away_is_left_alone_for_a_while() -> None:
    with capture_logs() as logs:
        async with audio_call() as call:
            call.recogniser.away = True
            await listens(call, Listening(silence_s=3.0))
            assert call.session.hears
            call.line.caller_says(sounds.tone(200, 0.5))
            assert await call.next(Final) == Final(text="", confidence=None)
            assert not call.session.hears
            call.line.caller_says(sounds.tone(200, 0.5), in_s=0.5)
            await call.next(Silence)
            call.line.caller_presses("1")
            assert await call.next(Keys) == Keys(keys="1")
            assert len(call.all(Final)) == 1
            await call.after(29.0)
            assert call.session.hears
            call.line.caller_says(sounds.tone(200, 0.5))
            await call.next(Final)  # still away: nobody is told twice
            call.recogniser.away = False
            await call.after(31.0)
            call.line.caller_says(sounds.tone(200, 0.5))
            assert await call.next(Final) == UNDERSTOOD
    told = [log["event"] for log in logs]
    assert told.count("voice.recogniser.away") == 1
    assert told.count("voice.recogniser.back") == 1


async def test_a_recogniser_that_hangs_is_given_up_after_six_seconds() -> None:
    async with audio_call() as call:
        call.recogniser.hangs = True
        await listens(call, Listening(silence_s=2.0))
        ends_at = call.line.caller_says(sounds.tone(200, 0.5))
        assert await call.next(Final, limit_s=10) == Final(text="", confidence=None)
        assert call.at(Final) == pytest.approx(ends_at + 0.3 + 6.0, abs=0.1)
        assert call.recogniser.recognitions[0].cancelled
        assert not call.session.hears


async def test_a_recogniser_that_breaks_while_it_is_fed_is_away() -> None:
    class Breaks(FakeRecogniser):
        async def begin(self, *, hints: object) -> object:  # type: ignore[override]
            recognition = await super().begin(hints=("",))

            async def feed(pcm: bytes) -> None:
                raise ConnectionError

            recognition.feed = feed  # type: ignore[method-assign]
            return recognition

    async with audio_call(recogniser=Breaks()) as call:
        await listens(call)
        call.line.caller_says(sounds.tone(200, 0.5))
        assert await call.next(Final, limit_s=3) == Final(text="", confidence=None)
        assert not call.session.hears


async def test_speech_without_words_is_told_as_such() -> None:
    async with audio_call(recogniser=FakeRecogniser(text=" ")) as call:
        await listens(call)
        call.line.caller_says(sounds.tone(200, 0.5))
        assert await call.next(Final) == Final(text="", confidence=0.8)
        assert call.session.hears


async def test_without_a_recogniser_keys_and_silence_remain() -> None:
    async with audio_call(deaf=True) as call:
        assert not call.session.hears
        await call.session.say((), Listening(silence_s=2.0))
        call.line.caller_says(sounds.tone(200, 3.0))
        await call.next(Silence)
        call.line.caller_presses("2")
        assert await call.next(Keys) == Keys(keys="2")
        assert call.all(Final) == []


async def test_new_words_drop_what_was_being_recognised() -> None:
    async with audio_call(recogniser=FakeRecogniser(takes_s=2.0)) as call:
        await listens(call)
        call.line.caller_says(sounds.tone(200, 0.5))
        await call.after(1.0)
        await call.session.say(("好",), Listening())
        await call.after(3.0)
        assert call.recogniser.recognitions[0].cancelled
        assert call.all(Final) == []


@pytest.mark.parametrize("rules", [None, Listening(speech=False, silence_s=60), Listening(secret=True, silence_s=60)])
async def test_nobody_listens_where_nothing_is_to_be_heard(rules: Listening | None) -> None:
    async with audio_call() as call:
        await call.session.say((), rules)
        call.line.caller_says(sounds.tone(200, 1.0), in_s=0.5)
        await call.after(4.0)
        assert call.recogniser.recognitions == []
        assert call.all(Final) == []


async def test_nothing_of_a_secret_is_in_what_is_recognised_afterwards() -> None:
    async with audio_call() as call:
        await call.session.say((), Listening(secret=True, keys=6))
        await call.after(0.5)
        call.line.caller_says(sounds.tone(1336, 0.6))  # a key's tone, or the secret said aloud
        await call.after(0.55)
        await call.session.say((), Listening())
        call.line.caller_says(sounds.tone(200, 0.5), in_s=0.1)
        await call.next(Final)
        assert len(call.recogniser.recognitions[0].fed) / 16000 == pytest.approx(0.1 + 0.5 + 0.3, abs=0.1)


async def test_a_line_that_sends_nothing_in_silence_ends_what_was_said() -> None:
    async with audio_call() as call:
        await listens(call)
        call.line.caller_says(sounds.tone(200, 0.5))
        await call.after(0.5)
        call.line.sends_frames = False
        assert await call.next(Final, limit_s=3) == UNDERSTOOD


@pytest.mark.parametrize("burst", [1, 5, 10])
async def test_frames_that_come_late_and_in_bursts_change_nothing(burst: int) -> None:
    async with audio_call(FakeLine(burst=burst)) as call:
        await listens(call)
        call.line.caller_says(sounds.tone(200, 0.5))
        call.line.caller_says(sounds.tone(200, 0.5), in_s=1.0)
        await call.next(Final)
        await call.after(1.0)
        assert call.all(Final) == [UNDERSTOOD]
        assert len(call.recogniser.recognitions[-1].fed) / 16000 == pytest.approx(0.3 + 1.5 + 0.3, abs=0.08)


@pytest.mark.parametrize("level", [30.0, 300.0, 1500.0])
async def test_a_noisy_line_is_silence(level: float) -> None:
    async with audio_call(FakeLine(noise=level), activity=SileroActivity) as call:
        await listens(call, Listening(silence_s=4.0))
        await call.next(Silence, limit_s=6)
        assert call.recogniser.recognitions == []


@pytest.mark.parametrize("noise", [3.0, 150.0])
async def test_a_question_is_heard_once_and_whole(noise: float) -> None:
    question = sounds.speech("我想问一下公积金怎么提取")
    async with audio_call(FakeLine(noise=noise), activity=SileroActivity) as call:
        await listens(call)
        await call.after(2.0)
        ends_at = call.line.caller_says(question)
        assert await call.next(Final) == UNDERSTOOD
        await call.after(2.0)
        assert call.all(Final) == [UNDERSTOOD]
        fed = bytes(call.recogniser.recognitions[-1].fed)
        assert len(fed) >= len(question)
        assert call.at(Final) - ends_at < 0.8


async def test_a_slow_reader_costs_no_memory() -> None:
    async with audio_call(recogniser=FakeRecogniser(partials=[f"怎么{number}" for number in range(1000)])) as call:
        queue = call.session._events
        await listens(call)
        call.line.caller_says(sounds.tone(200, 0.5))
        await call.next(Final)
        assert call.all(Partial)[-1] == Partial(text="怎么999")
        for number in range(1000):
            queue.put(Keys(keys=str(number)))
        assert len(queue._events) <= 256
    assert type(call.events[-1][1]).__name__ == "HungUp"
