"""chan_websocket's control messages in both forms; the examples are those of its documentation."""

from __future__ import annotations

import json

import pytest

from channels.voice.asterisk.media_control import Command, Told, read, write

PLAIN = (
    "MEDIA_START connection_id:e226e283-c90a-4ea9-9e37-389000b9ef47 channel:WebSocket/connectionid "
    "channel_id:pbx1-123456789.999 format:alaw optimal_frame_size:160 ptime:20"
)
JSON = json.dumps(
    {
        "event": "MEDIA_START",
        "connection_id": "e226e283-c90a-4ea9-9e37-389000b9ef47",
        "channel": "WebSocket/connectionid",
        "channel_id": "pbx1-123456789.999",
        "format": "alaw",
        "optimal_frame_size": 160,
        "ptime": 20,
        "channel_variables": {"A": "b c"},
    },
    indent=2,
)


@pytest.mark.parametrize(("text", "is_json"), [(PLAIN, False), (JSON, True)])
def test_a_start_is_the_same_in_both_forms(text: str, is_json: bool) -> None:
    control = read(text)
    assert control
    assert control.event == Told.MEDIA_START
    assert control.fields["channel_id"] == "pbx1-123456789.999"
    assert control.fields["format"] == "alaw"
    assert control.fields["optimal_frame_size"] == "160"
    assert control.is_json is is_json


def test_events_without_fields() -> None:
    for told in Told:
        for text in (told.value, json.dumps({"event": told.value, "channel_id": "x"})):
            control = read(text)
            assert control
            assert control.event == told


@pytest.mark.parametrize("text", ["", "   ", "{", '{"command": "X"}', '{"event": 7}', "{not json}"])
def test_what_is_neither_form_is_nothing(text: str) -> None:
    assert read(text) is None


def test_commands_are_written_in_the_form_asterisk_speaks() -> None:
    assert write(Command.FLUSH_MEDIA, as_json=False) == "FLUSH_MEDIA"
    assert json.loads(write(Command.FLUSH_MEDIA, as_json=True)) == {"command": "FLUSH_MEDIA"}
    assert all(len(write(command, as_json=True)) <= 128 for command in Command)
