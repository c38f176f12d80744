"""A turn's result on its way through Rasa."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.dialogue.wire import WrongShape, from_messages, to_messages
from hotline.domain.messages import Choice, Outcome, Reply, SourceNote, TurnResult

WORDS = st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip()))
CHOICES = st.builds(Choice, label=WORDS, text=WORDS)
REPLIES = st.builds(
    Reply,
    text=WORDS,
    choices=st.lists(CHOICES, max_size=4).map(tuple),
    ends_call=st.booleans(),
    keypad=st.sampled_from(["", "bind", "step_up"]),
)
SOURCES = st.builds(
    SourceNote, title=WORDS, issued_on=st.none() | st.just("2024-01-01"), url=st.none() | st.just("http://a.invalid/")
)
RESULTS = st.builds(
    TurnResult,
    replies=st.lists(REPLIES, min_size=1, max_size=3).map(tuple),
    outcome=st.sampled_from(Outcome),
    intent=WORDS,
    confidence=st.floats(0, 1),
    matter=st.none() | WORDS,
    aspect=st.none() | WORDS,
    candidates=st.lists(WORDS, max_size=3).map(tuple),
    sources=st.lists(SOURCES, max_size=3).map(tuple),
    hand_over=st.none() | st.sampled_from(["requested", "complaint"]),
)


@given(result=RESULTS)
def test_what_the_actions_write_is_what_the_gateway_reads(result: TurnResult) -> None:
    travelled = json.loads(json.dumps(to_messages(result)))
    assert from_messages(travelled, {"intent": "other", "confidence": 0.1}) == result


def test_a_response_of_rasas_own_is_read_with_its_buttons() -> None:
    message = {"text": "我不是真人。", "buttons": [{"title": "转人工", "payload": "转人工"}]}
    result = from_messages([message], {"intent": "bot_challenge", "confidence": 1.0}, {"embed": 1.5})
    assert result.replies == (Reply(text="我不是真人。", choices=(Choice(label="转人工", text="转人工"),)),)
    assert (result.outcome, result.intent, result.ms) == (Outcome.ANSWERED, "bot_challenge", {"embed": 1.5})


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        "text",
        [{}],
        [{"text": ""}],
        [{"text": "  "}],
        [{"text": 5}],
        ["text"],
        [{"text": "a", "custom": "no object"}],
        [{"text": "a", "custom": {"turn": {"outcome": "eaten"}}}],
        [{"text": "a", "custom": {"turn": {"confidence": "much"}}}],
        [{"text": "a", "custom": {"turn": {"sources": [{"url": "no title"}]}}}],
        [{"text": "a", "buttons": "no list"}],
    ],
)
def test_rubbish_is_refused(messages: Any) -> None:
    with pytest.raises(WrongShape):
        from_messages(messages, {"intent": "greet", "confidence": 1.0})
