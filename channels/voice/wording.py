"""The telephone's own words, read once from the file beside this one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_PATTERNS = ("unread", "counted", "short_digits", "sentence_end", "clause_end")
_TUPLES = ("silence", "waiting", "digits_wanted", "hints")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Keys as in wording.yml, where each is explained."""

    default_centre: str
    greeting: str
    silence: tuple[str, ...]
    keypad_menu: Mapping[str, str]
    waiting: tuple[str, ...]
    late: str
    go_on: str
    listening: str
    keypad: Mapping[str, Any]
    choice: str
    choice_separator: str
    sentence_stop: str
    person: str
    repeat: str
    person_words: frozenset[str]
    go_on_words: frozenset[str]
    digits_wanted: tuple[str, ...]
    hints: tuple[str, ...]
    unread: re.Pattern[str]
    spoken: tuple[tuple[re.Pattern[str], str], ...]
    counted: re.Pattern[str]
    short_digits: re.Pattern[str]
    group_separator: str
    sentence_end: re.Pattern[str]
    clause_end: re.Pattern[str]
    around_words: str


@cache
def wording() -> Wording:
    """The words in wording.yml. Raises TypeError for a missing or unknown key."""
    raw = yaml.safe_load(Path(__file__).with_name("wording.yml").read_text(encoding="utf-8"))
    raw |= {key: re.compile(raw[key]) for key in _PATTERNS}
    raw |= {key: tuple(raw[key]) for key in _TUPLES}
    raw |= {key: frozenset(raw[key]) for key in ("person_words", "go_on_words")}
    raw["spoken"] = tuple((re.compile(pattern), instead) for pattern, instead in raw["spoken"])
    return Wording(**raw)
