"""What a citizen's text may contain before anybody reads it."""

from __future__ import annotations

import unicodedata

MAX_STORED_CHARS = 4000
MAX_DIALOGUE_CHARS = 500

_KEEP = {"\n", "\t"}


def clean(text: str) -> str:
    """Control characters, lone surrogates, NUL and byte-order marks are gone; at most 4,000 characters stay."""
    kept = (c for c in text if c in _KEEP or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))
    return "".join(kept).replace("\ufeff", "").strip()[:MAX_STORED_CHARS]


def has_words(text: str) -> bool:
    """True when there is a letter, digit or Chinese character to understand (an emoji alone is not)."""
    return any(unicodedata.category(c)[0] in "LN" for c in text)
