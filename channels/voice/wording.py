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
_TUPLES = ("silence", "waiting", "digits_wanted", "hints", "no_match")
_SETS = ("person_words", "go_on_words", "text_words", "yes_words", "no_words", "patient_words")


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
    go_on_or_text: str
    text_key: str
    text_words: frozenset[str]
    texted: str
    not_texted: str
    greeting_keys: str
    recorded: str
    no_match: tuple[str, ...]
    keys_alone: str
    menu: str
    no_voice_at_all: str
    no_more: str
    confirm: str
    yes_words: frozenset[str]
    no_words: frozenset[str]
    patient_words: frozenset[str]
    patient: str
    busy: str
    failed: str
    waiting_for_person: str
    place_first: str
    place: str
    waiting_keys: Mapping[str, str]
    ringing: str
    agent_line: str
    parted: str
    whisper: str
    whisper_known: str
    whisper_unknown: str
    whisper_no_matter: str
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
    raw |= {key: frozenset(raw[key]) for key in _SETS}
    raw["spoken"] = tuple((re.compile(pattern), instead) for pattern, instead in raw["spoken"])
    return Wording(**raw)
