"""Personal numbers are masked before anything is stored, logged or shown to Rasa.

Detection works on copies of the text in which full-width digits, and then Chinese digits too, are written as ASCII
digits of the same length, so that what is found can be cut out of the original by position. What is written in digits
is looked for first: spoken digits beside it would make it part of a longer run that is nobody's number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

_DIGITS = str.maketrans("０１２３４５６７８９Ｘｘ＠．", "0123456789Xx@.")
_SPOKEN = str.maketrans("零〇幺一二三四五六七八九", "001123456789")
_SEP = r"[ \t\-–—.]?"

_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+")
_START = r"(?<!\d)(?<!\d[ \t\-–—.])"
_ID = re.compile(rf"{_START}(?:(?:\d{_SEP}){{17}}[\dXx](?![\dA-Za-z])(?!{_SEP}\d)|(?:\d{_SEP}){{14}}\d(?!{_SEP}\d))")
_CARD = re.compile(rf"{_START}(?:\d{_SEP}){{15,18}}\d(?!\d)")
_MOBILE = re.compile(rf"(?<!\d)(?:\+?(?:0{{0,2}}86){_SEP})?1[3-9]\d{_SEP}\d{{4}}{_SEP}\d{{4}}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)0\d{2,3}[ \-]?\d{7,8}(?!\d)")
_SPOKEN_RUN = re.compile(r"[零〇幺一二三四五六七八九]{11,19}")
_ORDER = re.compile(r"[Gg][Dd]\d{8}-\d{6}(?!\d)")
"""A work order's number: nobody's, and no part of a longer one beside it."""
_KINDS = (("email", _EMAIL), ("id_number", _ID), ("card", _CARD), ("phone", _MOBILE), ("phone", _LANDLINE))


@dataclass(frozen=True, slots=True)
class Mask:
    """What stands in a text for each kind of personal number."""

    id_number: str
    card: str
    phone: str
    email: str
    pin: str = "***"
    pin_words: tuple[str, ...] = ()
    """What people call six digits that are a password or a code."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """The text without personal numbers, and which kinds were in it."""

    text: str
    found: tuple[str, ...]


def redact(text: str, mask: Mask) -> Redacted:
    """Every ID number, bank card, phone number and e-mail address in ``text`` is replaced by its mask, and so are six
    digits that are called a password or a code.

    Lengths: ID number 18 (or 15, the old form); card 16 to 19; mobile 11 with an optional +86; landline
    with area code. An 18-digit run that could be either is called an ID number.
    """
    spans: list[tuple[int, int, str]] = []
    written = _ORDER.sub(lambda found: "G" * len(found.group()), text.translate(_DIGITS))
    for plain in (written, _spell_out(written)):
        for kind, pattern in _KINDS:
            spans += [(*match.span(), kind) for match in pattern.finditer(plain) if _is_free(match.span(), spans)]
    for span in _pins(written.translate(_SPOKEN), mask.pin_words):
        if _is_free(span, spans):
            spans.append((*span, "pin"))
    if not spans:
        return Redacted(text, ())
    spans.sort()
    out, last = [], 0
    for start, end, kind in spans:
        out += [text[last:start], getattr(mask, kind)]
        last = end
    out.append(text[last:])
    return Redacted("".join(out), tuple(sorted({kind for _, _, kind in spans})))


def _is_free(span: tuple[int, int], spans: list[tuple[int, int, str]]) -> bool:
    return not any(span[0] < end and start < span[1] for start, end, _ in spans)


def _pins(plain: str, words: tuple[str, ...]) -> Iterable[tuple[int, int]]:
    """Where six digits stand next to one of the words."""
    for match in _named(words).finditer(plain) if words else ():
        yield match.span(match.lastindex or 0)


@cache
def _named(words: tuple[str, ...]) -> re.Pattern[str]:
    named, digits = "|".join(map(re.escape, words)), rf"(?<!\d)((?:\d{_SEP}){{5}}\d)(?!\d)"
    return re.compile(rf"(?:{named})\D{{0,6}}?{digits}|{digits}\D{{0,4}}?(?:{named})", re.IGNORECASE)


def _spell_out(text: str) -> str:
    """Spoken digits in runs as long as a phone or card number become ASCII digits, position by position."""
    return _SPOKEN_RUN.sub(lambda match: match.group().translate(_SPOKEN), text)
