"""Plays conversations in Rasa's end-to-end form through anything that can answer one turn.

A file holds ``test_cases``; a case has ``test_case`` (its name), optionally ``channels`` (web and sms otherwise) and
``steps``. A step is ``user`` with what must be true of the answer beside it (``outcome``, ``matter``, ``aspect``,
``one_of``: the matter is one of the answer's candidates, ``hand_over``, ``degraded``), or ``bot_uttered`` with
``text_matches``, a regular expression found in what was said last.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

FOLDER = Path(__file__).resolve().parent
OWN_FORM = "own_data"
"""The folder of conversations that tests/conversations/scenes.py plays."""
DEFAULT_CHANNELS = ("web", "sms")
CHECKED = ("outcome", "matter", "aspect", "hand_over", "degraded")
KNOWN = {"user", "bot_uttered", "one_of", *CHECKED}

Turn = Callable[[str, str, str], Awaitable[Mapping[str, Any]]]
"""(conversation id, text, channel) → an answer as `hotline ask --json` prints it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation on one or more channels."""

    name: str
    kind: str
    channels: tuple[str, ...]
    steps: Sequence[Mapping[str, Any]]


def cases(folder: Path = FOLDER) -> Iterator[Case]:
    """Every case below ``folder``; its kind is the name of the folder its file is in."""
    for path in sorted(each for each in folder.rglob("*.yml") if each.parent.name != OWN_FORM):
        for data in yaml.safe_load(path.read_text(encoding="utf-8"))["test_cases"]:
            unknown = {key for step in data["steps"] for key in step} - KNOWN
            if unknown:
                raise ValueError(f"{path.name}: {data['test_case']}: unknown keys {sorted(unknown)}")
            channels = tuple(data.get("channels", DEFAULT_CHANNELS))
            yield Case(data["test_case"], path.parent.name, channels, data["steps"])


async def play(case: Case, turn: Turn, *, channel: str) -> list[str]:
    """What went otherwise than the case says; empty when all is well."""
    conversation = f"case-{uuid4().hex}"
    problems: list[str] = []
    answer: Mapping[str, Any] = {}
    for step in case.steps:
        if "user" in step:
            answer = await turn(conversation, str(step["user"]), channel)
            found = _differences(step, answer)
        else:
            found = _unsaid(step["bot_uttered"], answer)
        problems += [f"{case.name} [{channel}] {step.get('user', 'bot')}: {problem}" for problem in found]
    return problems


def _differences(step: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    wrong = [
        f"{key} is {answer.get(key)!r}, not {step[key]!r}"
        for key in CHECKED
        if key in step and answer.get(key) != step[key]
    ]
    if "one_of" in step and step["one_of"] not in answer.get("candidates", ()):
        wrong.append(f"{step['one_of']} is not among {answer.get('candidates')}")
    if not str(answer.get("answer") or "").strip():
        wrong.append("nothing was said")
    return wrong


def _unsaid(wanted: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    said = str(answer.get("answer") or "")
    pattern = str(wanted["text_matches"])
    return [] if re.search(pattern, said) else [f"{pattern!r} is not in {said!r}"]
