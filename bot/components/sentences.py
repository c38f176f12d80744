"""Messages that ask more than one thing."""

from __future__ import annotations

import re

MAX_TEXT_CHARS = 100
"""A longer message is a story around one question; its sentences are not questions of their own."""
MIN_CHARS = 4
MAX_PARTS = 3

_ENDS = re.compile(r"[?？。!！;；\n]+")


def sentences(text: str) -> list[str]:
    """The first sentences of a short message that has two or more of them; else nothing."""
    if len(text) > MAX_TEXT_CHARS or not _ENDS.search(text):
        return []
    parts = [part.strip() for part in _ENDS.split(text) if len(part.strip()) >= MIN_CHARS]
    return parts[:MAX_PARTS] if len(parts) > 1 else []
