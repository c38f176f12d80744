"""A conversation in a few sentences, made from its record alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from hotline.desk_store import Handover, Line
from hotline.domain.redaction import redact
from hotline.services.offers import bare
from hotline.wording import mask

LONGEST: Final = 300
QUOTED: Final = 50
"""Characters of what somebody said."""
NAMED: Final = 14
"""Characters of a name."""
MATTERS: Final = 3

_FILE: Final = Path(__file__).with_name("summing_up.yml")


def summary(lines: Sequence[Line], handover: Handover | None, names: Callable[[str], str]) -> str:
    """Who asked what, what the bot and the agent answered, and how long it took: at most `LONGEST` characters, without
    personal numbers, the same for the same record. ``names``: what people call a matter, by its code. Empty where
    nothing was said."""
    if not lines:
        return ""
    said = "".join(_sentences(lines, handover, names))
    return cut(redact(said, mask()).text, LONGEST)


def _sentences(lines: Sequence[Line], handover: Handover | None, names: Callable[[str], str]) -> Iterator[str]:
    yield _who(lines[0], handover)
    yield _asked(lines)
    if handover is None:
        return
    yield _answered(handover, names)
    yield str(_words()["reasons"][handover.reason.value])
    if handover.accepted_at is not None:
        yield _replied(lines)
        yield _lasted(handover, lines)


def _who(line: Line, handover: Handover | None) -> str:
    packet: Mapping[str, Any] = handover.packet if handover else {}
    channel = _words()["channels"][line.channel.value]
    name, level = cut(str(packet.get("name", "")), NAMED), _words()["levels"].get(packet.get("level"))
    if name and level:
        return str(_words()["who"]["known"]).format(name=name, level=level, channel=channel)
    return str(_words()["who"]["unknown"]).format(channel=channel)


def _asked(lines: Sequence[Line]) -> str:
    """The citizen's first and last questions, each cut."""
    said = [line.text for line in lines if line.author == "citizen"]
    asked = [text for text in said if bare(text) not in _no_questions()] or said
    if not asked:
        return ""
    first, last = _quoted(asked[0]), _quoted(asked[-1])
    return str(_words()["asked_once" if first == last else "asked"]).format(first=first, last=last)


def _answered(handover: Handover, names: Callable[[str], str]) -> str:
    """The matters the bot answered, in the order it did, each once."""
    tried = handover.packet.get("tried", ())
    codes = dict.fromkeys(each["matter"] for each in tried if each["outcome"] == "answered" and each["matter"])
    if not codes:
        return ""
    shown = _words()["joiner"].join(cut(names(code), NAMED) for code in list(codes)[:MATTERS])
    more = _words()["more"] if len(codes) > MATTERS else ""
    return str(_words()["answered"]).format(matters=shown + more)


def _replied(lines: Sequence[Line]) -> str:
    said = next((line.text for line in reversed(lines) if line.author == "agent"), "")
    return str(_words()["replied"]).format(text=_quoted(said)) if said else str(_words()["no_reply"])


def _lasted(handover: Handover, lines: Sequence[Line]) -> str:
    """From the agent's first moment to the end, or to the last line while it goes on."""
    if handover.accepted_at is None:
        return ""
    until = handover.ended_at or lines[-1].at
    minutes = round(max(0.0, (until - handover.accepted_at).total_seconds()) / 60)
    return str(_words()["lasted" if minutes else "lasted_short"]).format(minutes=minutes)


def _quoted(text: str) -> str:
    """One line without personal numbers."""
    return cut(redact(" ".join(text.split()), mask()).text, QUOTED)


def cut(text: str, most: int) -> str:
    """At most ``most`` characters. A number is left out rather than cut: what is left of it might look like another."""
    if len(text) <= most:
        return text
    return _unfinished().sub("", text[: most - 1]) + "\u2026"


@cache
def _unfinished() -> re.Pattern[str]:
    """Digits, written or spoken, at the end of a text that was cut."""
    return re.compile(rf"[\d{_words()['spoken_digits']}xX@\s\-–—.]+$")


@cache
def _no_questions() -> frozenset[str]:
    return frozenset(bare(each) for each in _words()["no_questions"])


@cache
def _words() -> Mapping[str, Any]:
    """The parsed summing_up.yml; callers must not change it."""
    loaded: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded
