"""What a browser calls itself, in the words people use for it."""

from __future__ import annotations

import re

from web.staff.wording import staff_words


def browser_words(user_agent: str) -> str:
    """Browser and system, such as "Edge · Windows"; a general word where neither is known."""
    words = staff_words()["browsers"]
    known = [_first(user_agent, words[kind]) for kind in ("programs", "systems")]
    return " · ".join(each for each in known if each) or str(words["unknown"])


def _first(user_agent: str, patterns: list[list[str]]) -> str:
    """The first that fits: every browser also names those it wants to be taken for."""
    return next((name for name, pattern in patterns if re.search(pattern, user_agent)), "")
