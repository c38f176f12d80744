"""Messages that ask more than one thing."""

from __future__ import annotations

import re
from functools import cache

from knowledge_base import wording

MAX_TEXT_CHARS = 100
"""A longer message is a story around one question; its sentences are not questions of their own."""
MIN_CHARS = 3
MAX_PARTS = 3

_ENDS = re.compile(r"[?？。!！;；\n]+")
_CLAUSES = re.compile(r"[?？。!！;；\n,，、]+")


def sentences(text: str) -> list[str]:
    """The first questions of a short message that has two or more of them; else nothing.

    Sentences count whatever they say; clauses between commas only where each of them asks something.
    """
    if len(text) > MAX_TEXT_CHARS:
        return []
    parts = _parts(_ENDS, text)
    if len(parts) > 1:
        return parts[:MAX_PARTS]
    for joint in wording.read("questions")["joints"]:
        text = text.replace(joint, ",")
    clauses = _parts(_CLAUSES, text)
    asking = all(map(asks_something, clauses))
    return clauses[:MAX_PARTS] if len(clauses) > 1 and asking else []


def asks_something(text: str) -> bool:
    """Whether a word that asks stands in the text, or a question mark."""
    return bool(_asks().search(text))


def _parts(ends: re.Pattern[str], text: str) -> list[str]:
    return [part.strip() for part in ends.split(text) if len(part.strip()) >= MIN_CHARS]


@cache
def _asks() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, ["?", "？", *wording.read("questions")["asking"]])))
