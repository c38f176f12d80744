"""Messages of ConversationRelay, good and bad."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from relay_kit import CALL

from channels.voice.relay import codec
from channels.voice.relay.codec import Dtmf, Fault, Interrupt, Malformed, Played, Prompt, Setup, Speaking, Unknown

SETUP = {"type": "setup", "callSid": CALL, "accountSid": "AC1", "from": "+8613800138000", "to": "+8612329"}


def _read(message: object) -> codec.Incoming:
    return codec.decode(json.dumps(message))


def test_setup_names_the_call_and_what_our_document_gave_it() -> None:
    setup = _read(SETUP | {"customParameters": {"ticket": "t"}, "callStatus": "RINGING", "new": [1]})
    assert isinstance(setup, Setup)
    assert (setup.call, setup.account, setup.called, dict(setup.parameters)) == (
        CALL,
        "AC1",
        "+8612329",
        {"ticket": "t"},
    )
    assert "13800138000" not in repr(setup)


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ({"type": "prompt", "voicePrompt": " 租房\u0000\ud800 ", "last": False}, Prompt(words="租房", last=False)),
        ({"type": "prompt", "voicePrompt": "好"}, Prompt(words="好", last=True)),
        ({"type": "prompt", "voicePrompt": "字" * 2500, "last": True}, Prompt(words="字" * 2000, last=True)),
        ({"type": "dtmf", "digit": "#"}, Dtmf(key="#")),
        ({"type": "interrupt", "utteranceUntilInterrupt": "您好", "durationUntilInterruptMs": "460"},
         Interrupt(heard="您好", after_ms=460)),
        ({"type": "interrupt", "durationUntilInterruptMs": 460}, Interrupt(heard="", after_ms=460)),
        ({"type": "interrupt", "durationUntilInterruptMs": -1}, Interrupt(heard="")),
        ({"type": "interrupt", "durationUntilInterruptMs": "１２"}, Interrupt(heard="")),
        ({"type": "interrupt", "durationUntilInterruptMs": True}, Interrupt(heard="")),
        ({"type": "info", "name": "agentSpeaking", "value": "on"}, Speaking(ours=True, on=True)),
        ({"type": "info", "name": "clientSpeaking", "value": "off"}, Speaking(ours=False, on=False)),
        ({"type": "info", "name": "tokensPlayed", "value": "您好，"}, Played(words="您好，")),
        ({"type": "info", "name": "agentSpeaking", "value": 1}, Unknown(kind="info")),
        ({"type": "somethingNew"}, Unknown(kind="somethingNew")),
        ({"type": "error", "description": "您的余额是6000元"}, Fault(summary="unsaid")),
        ({"type": "error"}, Fault(summary="unsaid")),
    ],
)  # fmt: skip
def test_message_is_read(message: dict[str, Any], read: codec.Incoming) -> None:
    assert _read(message) == read


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "null",
        "[]",
        '"setup"',
        "NaN",
        "{}",
        '{"type": 1}',
        '{"type": "' + "x" * 40 + '"}',
        '{"type": "prompt"}',
        '{"type": "prompt", "voicePrompt": 1}',
        '{"type": "prompt", "voicePrompt": "a", "last": "yes"}',
        '{"type": "dtmf", "digit": "12"}',
        '{"type": "dtmf", "digit": "A"}',
        '{"type": "dtmf", "digit": "１"}',
        '{"type": "dtmf"}',
        '{"type": "setup", "accountSid": "AC1"}',
        '{"type": "setup", "accountSid": "AC1", "callSid": "CA1"}',
        json.dumps(SETUP | {"customParameters": [1]}),
        json.dumps(SETUP | {"customParameters": {str(number): "" for number in range(21)}}),
        "[" * 10_000,
        '{"type":' * 2000,
        '{"type": "prompt", "voicePrompt": "' + "字" * 20_000 + '"}',
    ],
)
def test_malformed_message_says_what_is_wrong_and_nothing_of_what_it_holds(message: str) -> None:
    with pytest.raises(Malformed) as caught:
        codec.decode(message)
    assert len(str(caught.value)) < 30


@given(st.text(max_size=200) | st.dictionaries(st.text(max_size=9), st.none() | st.text(max_size=9)).map(json.dumps))
def test_no_text_raises_anything_else(message: str) -> None:
    try:
        codec.decode(message)
    except Malformed:
        pass


def test_keys_and_words_are_not_shown_by_accident() -> None:
    assert "7" not in repr(Dtmf(key="7"))
    assert "余额" not in repr(Prompt(words="余额"))


def test_what_is_sent_has_the_documented_fields() -> None:
    assert json.loads(codec.text("好。", last=True, interruptible=False)) == {
        "type": "text",
        "token": "好。",
        "last": True,
        "interruptible": False,
        "preemptible": True,
    }
    assert json.loads(codec.play("https://x.example/a.wav", loop=0, interruptible=False))["loop"] == 0
    assert json.loads(codec.send_digits("12#")) == {"type": "sendDigits", "digits": "12#"}
    assert json.loads(codec.language(speaks="cmn-CN", hears="cmn-Hans-CN")) == {
        "type": "language",
        "ttsLanguage": "cmn-CN",
        "transcriptionLanguage": "cmn-Hans-CN",
    }


def test_handoff_data_come_back_as_they_were_given() -> None:
    given = {"next": "dial", "extension": "8001"}
    sent = json.loads(codec.end(given))
    assert sent["type"] == "end"
    assert codec.handoff_of(sent["handoffData"]) == given


@pytest.mark.parametrize("data", ["", "{", "[1]", "7", "[" * 10_000])
def test_handoff_data_that_are_not_ours_are_empty(data: str) -> None:
    assert codec.handoff_of(data) == {}
