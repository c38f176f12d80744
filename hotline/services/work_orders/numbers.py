"""A work order's number in what people type or say."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from hotline.domain.work_order_numbers import is_right, written
from hotline.services.work_orders.words import order_words

_LONGEST = 500
_DASHES = re.compile(r"[\u2010-\u2015\u2212_]")
_DIGITS = r"\d(?:[\s-]{0,3}\d){13}(?!\d)"
_NAMED = re.compile(rf"G\s?D[\s:#-]{{0,3}}({_DIGITS})", re.ASCII)
_LIKE = re.compile(r"G\s?D[\s:#-]{0,3}\d(?:[\s-]{0,3}\d){5,}", re.ASCII)
_BARE = re.compile(rf"(?<!\d)(?<!\d[\s-])({_DIGITS})(?![\s-]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mention:
    """A message names a work order. ``number`` is empty where what it names cannot be one."""

    number: str


def mentioned(text: str) -> Mention | None:
    """The first number in ``text``; None where there is none.

    Full-width and spoken digits, blanks and small letters are read. Without GD in front it counts only where the check
    digit is right: 14 digits may be anything else.
    """
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text[:_LONGEST])).upper()
    for read in (plain, plain.translate(_heard())):
        if found := _NAMED.search(read) or _BARE.search(read):
            digits = re.sub(r"\D", "", found[1])
            if is_right(digits):
                return Mention(written(digits))
    return Mention("") if _LIKE.search(plain) else None


@cache
def _heard() -> dict[int, str]:
    return str.maketrans(order_words()["heard_digits"])
