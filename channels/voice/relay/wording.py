"""What documents say by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayWording:
    """Keys as in wording.yml, where each is explained."""

    again: str
    slower: str
    person: str
    goodbye: str


@cache
def relay_wording() -> RelayWording:
    """The words in wording.yml. Raises TypeError for a missing or unknown key."""
    raw = yaml.safe_load(Path(__file__).with_name("wording.yml").read_text(encoding="utf-8"))
    return RelayWording(**raw)
