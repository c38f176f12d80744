"""The player of conversations notices what went otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conversations.runner import Case, cases, play

pytestmark = pytest.mark.anyio

STEPS = [
    {"user": "租房", "matter": "rent", "outcome": "answered", "one_of": "leave"},
    {"bot_uttered": {"text_matches": "能提|可以"}},
]
GOOD = {"answer": "能提。", "matter": "rent", "outcome": "answered", "candidates": ["rent", "leave"]}


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({}, 0),
        ({"matter": "loan"}, 1),
        ({"matter": "loan", "outcome": "clarified"}, 2),
        ({"candidates": ["rent"]}, 1),
        ({"answer": "不能。"}, 1),
        ({"answer": ""}, 2),
    ],
)
async def test_every_difference_is_told(changes: dict[str, Any], problems: int) -> None:
    heard: list[tuple[str, str]] = []

    async def turn(conversation: str, text: str, channel: str) -> Mapping[str, Any]:
        heard.append((text, channel))
        return {**GOOD, **changes}

    assert len(await play(Case("c", "happy_path", ("sms",), STEPS), turn, channel="sms")) == problems
    assert heard == [("租房", "sms")]


def test_there_are_conversations_of_every_kind_and_each_has_a_name_of_its_own() -> None:
    found = list(cases())
    assert {case.kind for case in found} >= {"happy_path", "corrections", "digressions", "handoff", "outage"}
    assert len(found) >= 30
    assert len({case.name for case in found}) == len(found)


def test_a_key_that_means_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("test_cases: [{test_case: x, steps: [{user: a, mater: rent}]}]", encoding="utf-8")
    with pytest.raises(ValueError, match="mater"):
        list(cases(tmp_path))
