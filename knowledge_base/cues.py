"""Words that tell which aspect is asked about, whatever the matter."""

from __future__ import annotations

import re
from functools import cache

from knowledge_base import wording


@cache
def _cues(strength: str) -> dict[str, re.Pattern[str]]:
    return {aspect: re.compile(pattern) for aspect, pattern in wording.read("cues")[strength].items()}


def cue(strength: str, text: str) -> str | None:
    """The one aspect whose cue words of that strength stand in the text; None where there are none or several."""
    fired = [aspect for aspect, pattern in _cues(strength).items() if pattern.search(text)]
    return fired[0] if len(fired) == 1 else None


def cues(text: str) -> tuple[str | None, str | None]:
    """The aspect that cue words decide, and the one they only hint at."""
    return cue("decide", text), cue("hint", text)
