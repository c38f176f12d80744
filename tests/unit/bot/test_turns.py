"""The request the gateway sends to Rasa."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.turns import EVENTS, MAX_TEXT_CHARS, BadTurn, Turn, authorised
from hotline.domain.messages import InboundKind
from hotline.settings import ROOT

GOOD = {"conversation_id": "c", "message_id": "m", "kind": "text", "text": "你好", "channel": "web"}


def test_a_good_turn_is_read_with_its_metadata() -> None:
    turn = Turn.read({**GOOD, "as_of": "2026-11-23", "locale": "zh-CN"})
    assert (turn.text, turn.channel, turn.metadata) == ("你好", "web", {"locale": "zh-CN", "as_of": "2026-11-23"})


@pytest.mark.parametrize(
    "changes",
    [
        {"conversation_id": ""},
        {"conversation_id": None},
        {"conversation_id": "c" * 201},
        {"message_id": 5},
        {"kind": "silence"},
        {"kind": "unsupported"},
        {"channel": "fax"},
        {"channel": ["web"]},
        {"text": ""},
        {"text": "   "},
        {"text": None},
        {"text": {"a": 1}},
        {"as_of": "yesterday"},
        {"as_of": 20261123},
    ],
)
def test_a_bad_turn_is_refused_with_a_sentence(changes: dict[str, Any]) -> None:
    with pytest.raises(BadTurn, match=r"\.$"):
        Turn.read({**GOOD, **changes})


@pytest.mark.parametrize("data", [None, [], "text", 5])
def test_a_body_that_is_no_object_is_refused(data: Any) -> None:
    with pytest.raises(BadTurn):
        Turn.read(data)


@pytest.mark.parametrize("kind", list(EVENTS))
def test_what_happens_without_words_needs_no_text(kind: str) -> None:
    assert Turn.read({**GOOD, "kind": kind, "text": ""}).kind == kind


def test_every_event_stands_for_an_intent_of_the_domain() -> None:
    assert EVENTS == {"start": "greet", "proved": "prove", "verified": "verify"}
    assert all((ROOT / "bot" / "domain" / f"{intent}.yml").exists() for intent in EVENTS.values())


def test_every_event_of_the_gateway_is_read() -> None:
    said_by_nobody = {InboundKind.START, InboundKind.PROVED, InboundKind.VERIFIED}
    assert {kind.value for kind in said_by_nobody} == set(EVENTS)


def test_long_text_is_cut() -> None:
    assert len(Turn.read({**GOOD, "text": "问" * 900}).text) == MAX_TEXT_CHARS


@given(text=st.text(max_size=30), spaces=st.text(" \t\n\u3000\xa0", max_size=3))
def test_no_citizen_text_is_ever_a_command_to_rasa(text: str, spaces: str) -> None:
    turn = Turn.read({**GOOD, "text": f'{spaces}/human_request{{"a":1}}{text}'})
    assert not turn.text.strip().startswith("/")
    assert "human_request" in turn.text


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "right", "bearer right", "Bearer right "])
def test_any_other_token_is_refused(header: str | None) -> None:
    assert not authorised(header, "right")


def test_only_the_right_token_is_let_in() -> None:
    assert authorised("Bearer right", "right")
    assert not authorised("Bearer ", "")
