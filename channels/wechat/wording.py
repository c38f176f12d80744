"""The few words the channel itself adds, read from wording.yml beside this file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Patterns with named braces; see the comments in wording.yml."""

    choice_line: str
    choice_hint: str
    part_mark: str


@cache
def wording() -> Wording:
    """The channel's words, read once."""
    text = Path(__file__).with_name("wording.yml").read_text(encoding="utf-8")
    return Wording(**yaml.safe_load(text))
