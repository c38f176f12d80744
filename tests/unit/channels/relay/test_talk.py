"""What the caller does while something is said and after it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from relay_kit import PACE, FakeSocket, Played
from structlog.testing import capture_logs

from channels.voice.session import Final, HangUp, HungUp, Keys, Listening, Partial, Silence, Spoken

pytestmark = pytest.mark.anyio
SHORT = Listening(silence_s=0.1, key_pause_s=0.15)
LONG = ("这是一段很长的话，" * 40,)


def prompt(words: str, *, last: bool = True) -> dict[str, Any]:
    return {"type": "prompt", "voicePrompt": words, "last": last}


def press(socket: FakeSocket, keys: str) -> None:
    for key in keys:
        socket.says({"type": "dtmf", "digit": key})


def voice(value: str) -> dict[str, Any]:
    return {"type": "info", "name": "agentSpeaking", "value": value}


async def test_silence_counts_from_the_end_of_the_words(call: Played) -> None:
    await call.session.say(["您好。"], SHORT)
    assert await call.event() == Spoken(heard="您好。", whole=True)
    assert await call.event() == Silence()
    await call.nothing_happens(0.2)


async def test_voice_that_is_slower_than_believed_is_waited_for(call: Played) -> None:
    await call.session.say(["您好。"], SHORT)
    call.socket.says(voice("on"))
    await call.nothing_happens(0.2)
    call.socket.says(voice("off"))
    assert await call.event() == Spoken(heard="您好。", whole=True)


async def test_end_of_what_was_said_before_does_not_end_what_is_said_now(call: Played) -> None:
    await call.session.say(LONG, SHORT)
    call.socket.says(voice("on"))
    await call.settled()
    await call.session.say(LONG, SHORT)
    assert not (await _spoken(call)).whole
    call.socket.says(voice("off"))
    await call.nothing_happens(0.3)


async def test_pause_between_two_clauses_is_no_end(call: Played) -> None:
    await call.session.say(LONG, SHORT)
    call.socket.says(voice("on"))
    call.socket.says(voice("off"))
    call.socket.says(voice("on"))
    await call.nothing_happens(0.2)


async def test_new_words_cut_off_old_ones(call: Played) -> None:
    await call.session.say(LONG, SHORT)
    await asyncio.sleep(0.06)
    await call.session.say(["好的。"], SHORT)
    spoken = await call.event()
    assert isinstance(spoken, Spoken)
    assert not spoken.whole
    assert 0 < len(spoken.heard) < len(LONG[0])
    assert LONG[0].startswith(spoken.heard)
    first, second = await call.socket.next_sent(), await call.socket.next_sent()
    assert (first["preemptible"], second["token"]) == (True, "好的。")


async def test_key_stops_the_words_and_its_late_interrupt_does_not_stop_the_next_ones(call: Played) -> None:
    await call.session.say(LONG, SHORT)
    press(call.socket, "0")
    assert not (await _spoken(call)).whole
    assert await call.event() == Keys(keys="0")
    await call.session.say(LONG, SHORT)
    call.socket.says({"type": "interrupt", "utteranceUntilInterrupt": "这是", "durationUntilInterruptMs": 90})
    await call.nothing_happens(0.1)


async def test_interrupt_that_comes_before_its_key_stops_the_words_once(call: Played) -> None:
    await call.session.say(LONG, SHORT)
    call.socket.says({"type": "interrupt", "utteranceUntilInterrupt": "这是", "durationUntilInterruptMs": 90})
    press(call.socket, "1")
    assert await call.event() == Spoken(heard="这是", whole=False)
    assert await call.event() == Keys(keys="1")


async def test_interrupt_by_words_that_are_not_ours_ends_at_the_time_that_passed(call: Played) -> None:
    await call.session.say(LONG, SHORT)
    await asyncio.sleep(0.06)
    call.socket.says({"type": "interrupt", "utteranceUntilInterrupt": "zhe shi", "durationUntilInterruptMs": 90})
    spoken = await _spoken(call)
    assert LONG[0].startswith(spoken.heard)
    assert not spoken.whole


async def test_words_without_an_interrupt_break_in_all_the_same(call: Played) -> None:
    await call.session.say(LONG, SHORT)
    call.socket.says(prompt("人工"))
    assert not (await _spoken(call)).whole
    assert await call.event() == Final(text="人工")


async def test_notice_is_heard_out_and_what_came_meanwhile_counts_after_it(call: Played) -> None:
    await call.session.say(["本通话可能被录音。"], Listening(interruptible=False, silence_s=5))
    press(call.socket, "0")
    call.socket.says({"type": "interrupt", "utteranceUntilInterrupt": "本", "durationUntilInterruptMs": 1})
    call.socket.says(prompt("转人工"))
    assert await call.event() == Spoken(heard="本通话可能被录音。", whole=True)
    assert await call.event() == Keys(keys="0")
    assert await call.event() == Final(text="转人工")
    assert not (await call.socket.next_sent())["interruptible"]


async def test_nothing_counts_where_nothing_is_listened_to(call: Played) -> None:
    await call.session.say(["再见。"], None)
    press(call.socket, "0")
    call.socket.says(prompt("等等"))
    assert await call.event() == Spoken(heard="再见。", whole=True)
    press(call.socket, "0")
    call.socket.says(prompt("等等"))
    await call.nothing_happens()


async def test_entry_ends_by_its_finishing_key_its_length_or_a_pause(call: Played) -> None:
    rules = Listening(keys=6, finish_key="#", key_pause_s=0.15, silence_s=5)
    await call.session.say([], rules)
    assert await call.event() == Spoken(heard="", whole=True)
    press(call.socket, "24#")
    assert await call.event() == Keys(keys="24", by_finish_key=True)
    await call.session.say([], rules)
    await call.event()
    press(call.socket, "246810")
    assert await call.event() == Keys(keys="246810")
    await call.session.say([], rules)
    await call.event()
    press(call.socket, "12")
    assert await call.event() == Keys(keys="12")


async def test_finishing_key_pressed_too_late_is_no_entry(call: Played) -> None:
    await call.session.say([], Listening(keys=6, finish_key="#", silence_s=5))
    await call.event()
    press(call.socket, "246810#")
    assert await call.event() == Keys(keys="246810")
    await call.session.say([], Listening(keys=1, silence_s=5))
    assert await call.event() == Spoken(heard="", whole=True)
    await call.nothing_happens()


async def test_keys_typed_ahead_answer_the_next_question_unheard(call: Played) -> None:
    await call.session.say(LONG, Listening(silence_s=5))
    press(call.socket, "12")
    await _spoken(call)
    assert await call.event() == Keys(keys="1")
    await call.session.say(LONG, Listening(silence_s=5))
    assert await call.event() == Spoken(heard="", whole=False)
    assert await call.event() == Keys(keys="2")


async def test_tones_heard_as_words_in_the_middle_of_an_entry_are_no_words(call: Played) -> None:
    await call.session.say([], Listening(keys=6, finish_key="#", silence_s=5))
    await call.event()
    press(call.socket, "12")
    call.socket.says(prompt("嘟嘟"))
    press(call.socket, "3#")
    assert await call.event() == Keys(keys="123", by_finish_key=True)


async def test_secret_entry_is_keys_alone(call: Played) -> None:
    with capture_logs() as logs:
        await call.session.say(["请输入密码。"], Listening(keys=6, secret=True, silence_s=5))
        await _spoken(call)
        call.socket.says(prompt("一二三", last=False))
        call.socket.says(prompt("一二三四五六"))
        press(call.socket, "975310")
        event = await call.event()
    assert event == Keys(keys="975310")
    assert "975310" not in repr(event)
    assert "97" not in json.dumps(logs, default=str)


async def test_speech_that_is_not_wanted_is_no_event(call: Played) -> None:
    await call.session.say([], Listening(speech=False, silence_s=5))
    await call.event()
    call.socket.says(prompt("喂"))
    await call.nothing_happens()


async def test_speech_of_which_nothing_can_be_made_is_told(call: Played) -> None:
    await call.session.say([], SHORT)
    await call.event()
    call.socket.says(prompt("  "))
    assert await call.event() == Final(text="")


async def test_caller_who_speaks_is_not_silent(call: Played) -> None:
    await call.session.say([], Listening(silence_s=0.1))
    await call.event()
    call.socket.says({"type": "info", "name": "clientSpeaking", "value": "on"})
    await call.nothing_happens(0.25)
    call.socket.says({"type": "info", "name": "clientSpeaking", "value": "off"})
    assert await call.event() == Silence()


async def test_newest_partial_is_all_there_is_to_read(call: Played) -> None:
    await call.session.say([], Listening(silence_s=5))
    await call.event()
    for words in ("租", "租房", "租房提取"):
        call.socket.says(prompt(words, last=False))
    await call.settled()
    assert await call.event() == Partial(text="租房提取")


async def test_slow_speaker_may_pause(call: Played) -> None:
    await call.session.say([], Listening(silence_s=5, speech_pause_s=PACE.relay_pause_s + 0.2))
    await call.event()
    call.socket.says(prompt("我想"))
    await call.nothing_happens(0.1)
    call.socket.says(prompt("提取公积金"))
    assert await call.event() == Final(text="我想提取公积金")


async def test_music_follows_the_words_and_ends_with_the_next(call: Played) -> None:
    await call.session.say(["请稍等。"], Listening(silence_s=5))
    await call.session.play("waiting")
    assert (await call.socket.next_sent())["type"] == "text"
    await call.event()
    played = await call.socket.next_sent()
    assert (played["type"], played["source"], played["loop"]) == ("play", "https://x.example/waiting.wav", 0)
    assert played["preemptible"]
    press(call.socket, "0")
    assert await call.event() == Keys(keys="0")
    await call.session.say(["好的。"], SHORT)
    assert (await call.socket.next_sent())["token"] == "好的。"
    await call.settled()
    assert call.socket.sent.empty()


async def test_malformed_messages_are_counted_and_ten_in_a_row_close_the_socket(call: Played) -> None:
    with capture_logs() as logs:
        for _ in range(9):
            call.socket.says("{")
        call.socket.says(voice("on"))
        for _ in range(9):
            call.socket.says('{"type": "dtmf", "digit": "密码123456"}')
        await call.settled()
        assert call.socket.closed_with is None
        call.socket.says("x" * 20_000)
        await call.settled()
    assert call.socket.closed_with == 1007
    assert "123456" not in json.dumps(logs, ensure_ascii=False)
    assert await call.event() == HungUp(by=HangUp.LOST)


async def _spoken(call: Played) -> Spoken:
    event = await call.event()
    assert isinstance(event, Spoken)
    return event
