"""The SMS channel's own words, read once from the file beside this one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Keys as in wording.yml, where each is explained."""

    opening: str
    default_signature: str
    more: str
    cut_mark: str
    choice: str
    vendor_opt_out: frozenset[str]
    opt_out: frozenset[str]
    opted_out: str
    sentence_end: re.Pattern[str]
    clause_end: re.Pattern[str]
    around_words: str


@cache
def wording() -> Wording:
    """The words in wording.yml. Raises TypeError for a missing or unknown key."""
    raw = yaml.safe_load(Path(__file__).with_name("wording.yml").read_text(encoding="utf-8"))
    raw |= {key: re.compile(raw[key]) for key in ("sentence_end", "clause_end")}
    raw |= {key: frozenset(raw[key]) for key in ("vendor_opt_out", "opt_out")}
    return Wording(**raw)
