"""What Asterisk reports, as it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from channels.voice.asterisk.events import Entered, Gone, Pressed, Replaced, read


def _event(type: str, **fields: Any) -> str:
    channel = {
        "id": "sys-1795611689.0",
        "name": "PJSIP/trunk-00000000",
        "caller": {"name": "", "number": fields.pop("number", "13800138000")},
        "dialplan": {"context": "hotline", "exten": "12329", "priority": 2, "app_name": "Stasis"},
    }
    return json.dumps({"type": type, "asterisk_id": "02:00:00:00:00:01", "channel": channel, **fields})


def test_a_call_comes_in() -> None:
    event = read(_event("StasisStart", args=["12329"]))
    assert event == Entered(
        channel="sys-1795611689.0",
        asterisk_id="02:00:00:00:00:01",
        name="PJSIP/trunk-00000000",
        caller="13800138000",
        called="12329",
        args=["12329"],
    )
    assert "13800138000" not in repr(event)


@pytest.mark.parametrize("number", ["", "anonymous", "Restricted", "unknown", None, "sip:x", "１３８"])
def test_what_is_no_number_is_a_withheld_one(number: str | None) -> None:
    event = read(_event("StasisStart", args=[], number=number))
    assert isinstance(event, Entered)
    assert event.caller == ""


def test_a_number_may_have_a_plus() -> None:
    event = read(_event("StasisStart", args=[], number="+8613800138000"))
    assert isinstance(event, Entered)
    assert event.caller == "+8613800138000"


def test_a_key_is_not_shown_where_it_is_printed() -> None:
    event = read(_event("ChannelDtmfReceived", digit="7", duration_ms=100))
    assert event == Pressed(channel="sys-1795611689.0", key="7")
    assert "7'" not in repr(event)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_event("StasisEnd"), Gone(channel="sys-1795611689.0")),
        (_event("ChannelDestroyed", cause=17, cause_txt="User busy"), Gone(channel="sys-1795611689.0", cause=17)),
        (_event("ChannelDestroyed", cause="x"), Gone(channel="sys-1795611689.0")),
        (json.dumps({"type": "ApplicationReplaced", "application": "hotline"}), Replaced()),
    ],
)
def test_ends(text: str, expected: object) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "null",
        "{}",
        '{"type": "StasisStart"}',
        '{"type": "StasisStart", "channel": []}',
        '{"type": "StasisStart", "channel": {"id": 7}}',
        _event("ChannelVarset", variable="X", value="1"),
        _event("ChannelDtmfReceived"),
        _event("ChannelDtmfReceived", digit="12"),
        _event("ChannelDtmfReceived", digit=3),
    ],
)
def test_what_concerns_no_call_or_is_broken_is_nothing(text: str) -> None:
    assert read(text) is None
