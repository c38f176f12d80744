"""Keys on a line with sound."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from channels.voice.session import Final, Keys, Listening, Silence, Spoken
from tests.telephone import sounds
from tests.telephone.audio_call import AudioCall, audio_call

pytestmark = pytest.mark.anyio

TEN = "一二三四五六七八九十"
ID_NUMBER = "110101199003070134"


async def types(call: AudioCall, keys: str, *, apart_s: float = 0.05) -> None:
    for key in keys:
        call.line.caller_presses(key)
        await call.after(apart_s)


async def test_a_key_stops_our_words_at_once() -> None:
    async with audio_call() as call:
        await call.session.say((TEN * 3,), Listening())
        await call.after(1.0)
        pressed_at = call.line.now
        call.line.caller_presses("0")
        await call.next(Keys)
        assert call.at(Keys) - pressed_at < 0.03
        assert [type(event) for _, event in call.events] == [Spoken, Keys]
        await call.after(1.0)
        assert call.line.last_heard() - pressed_at < 0.03


async def test_eighteen_digits_typed_fast_into_our_words_are_all_there() -> None:
    async with audio_call() as call:
        await call.session.say((TEN,), Listening(keys=18, finish_key="#", secret=True))
        await call.after(0.2)
        await types(call, ID_NUMBER + "#")
        await call.after(0.2)
        assert call.all(Keys) == [Keys(keys=ID_NUMBER)]
        assert [spoken.whole for spoken in call.all(Spoken)] == [False]


async def test_digits_typed_at_once_are_all_there() -> None:
    async with audio_call() as call:
        await call.session.say((TEN,), Listening(keys=20, finish_key="#"))
        await types(call, ID_NUMBER + "#", apart_s=0.0)
        await call.after(0.2)
        assert call.all(Keys) == [Keys(keys=ID_NUMBER, by_finish_key=True)]


async def test_keys_typed_while_the_next_question_comes_belong_to_it() -> None:
    async with audio_call() as call:
        await call.session.say((TEN,), Listening(keys=1))
        await types(call, "2")
        await types(call, "123")
        await call.session.say((TEN,), Listening(keys=6, finish_key="#"))
        await types(call, "456")
        await call.after(0.1)
        assert call.all(Keys) == [Keys(keys="2"), Keys(keys="123456")]
        assert call.line.last_heard() < 0.1


async def test_a_key_wins_over_speech() -> None:
    async with audio_call() as call:
        await call.session.say((), Listening(keys=4))
        call.line.caller_says(sounds.tone(200, 2.0), in_s=0.3)
        await call.after(1.0)
        assert len(call.recogniser.recognitions) == 1
        await types(call, "1234", apart_s=0.4)
        await call.after(3.0)
        assert call.recogniser.recognitions[0].cancelled
        assert call.all(Keys) == [Keys(keys="1234")]
        assert call.all(Final) == []


async def test_a_key_wins_over_what_is_still_being_recognised() -> None:
    async with audio_call() as call:
        call.recogniser.takes_s = 2.0
        await call.session.say((), Listening())
        call.line.caller_says(sounds.tone(200, 0.5), in_s=0.3)
        await call.after(1.8)
        call.line.caller_presses("0")
        await call.after(3.0)
        assert call.all(Keys) == [Keys(keys="0")]
        assert call.all(Final) == []


async def test_an_entry_ends_when_no_key_follows_and_silence_waits_for_it() -> None:
    async with audio_call() as call:
        await call.session.say((), Listening(keys=18, key_pause_s=4.0, silence_s=3.0))
        await call.after(2.0)
        await types(call, "12")
        await call.next(Keys)
        assert call.at(Keys) == pytest.approx(2.05 + 4.0, abs=0.1)
        assert call.all(Silence) == []


@pytest.mark.parametrize("rules", [None, Listening(keys=0)])
async def test_keys_that_mean_nothing_stop_nothing(rules: Listening | None) -> None:
    async with audio_call() as call:
        await call.session.say((TEN,), rules)
        await call.after(0.3)
        await types(call, "0#")
        assert (await call.next(Spoken)).whole
        assert call.all(Keys) == []


async def test_keys_are_in_no_log() -> None:
    with capture_logs() as logs:
        async with audio_call() as call:
            await call.session.say((TEN,), Listening(keys=18, finish_key="#", secret=True))
            await types(call, ID_NUMBER)
            assert await call.next(Keys) == Keys(keys=ID_NUMBER) if not call.all(Keys) else call.all(Keys)
    assert ID_NUMBER not in repr(logs)
    assert "7013" not in repr(call.events)
