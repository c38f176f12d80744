"""Amounts of money for people: in figures, and in the capital characters that cannot be altered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hotline.certificates.wording import wording

_TOO_LARGE_FEN = 10**14


def figures(fen: int) -> str:
    """``1234567`` fen as ``12,345.67``."""
    yuan, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{yuan:,}.{rest:02d}"


def capital_amount(fen: int) -> str:
    """The amount in capital characters, without the currency before it.

    Rules: 《支付结算办法》 annex 1 (银发〔1997〕393号), articles 2 and 4. Zeros within the figure are one 零. Where
    the rules leave a choice, no 零 is written for the place of 万 or 元 itself, and 整 is written after 角.

    Raises:
        ValueError: negative, or a million million yuan and more.
    """
    if not 0 <= fen < _TOO_LARGE_FEN:
        raise ValueError("amount out of range")
    words = wording()["capital"]
    yuan, cents = divmod(fen, 100)
    whole = _integer(yuan, words) + words["yuan"] if yuan else ""
    if not cents:
        return (whole or words["digits"][0] + words["yuan"]) + str(words["whole"])
    return whole + _fraction(cents, words, after_yuan=bool(yuan))


def _fraction(cents: int, words: Mapping[str, Any], *, after_yuan: bool) -> str:
    jiao, fen = divmod(cents, 10)
    digits = words["digits"]
    if jiao:
        return f"{digits[jiao]}{words['jiao']}" + (f"{digits[fen]}{words['fen']}" if fen else str(words["whole"]))
    return f"{digits[0] if after_yuan else ''}{digits[fen]}{words['fen']}"


def _integer(yuan: int, words: Mapping[str, Any]) -> str:
    """Four digits at a time, from 亿 down; a section that is short or follows an empty one begins with 零."""
    text, gap = "", False
    for place in (2, 1, 0):
        section = yuan // 10_000**place % 10_000
        if section == 0:
            gap = bool(text)
            continue
        zero = words["digits"][0] if text and (gap or section < 1000) else ""
        text += zero + _section(section, words) + words["sections"][place]
        gap = False
    return text


def _section(section: int, words: Mapping[str, Any]) -> str:
    text, gap = "", False
    for place in (3, 2, 1, 0):
        digit = section // 10**place % 10
        if digit == 0:
            gap = bool(text)
            continue
        text += (words["digits"][0] if gap else "") + words["digits"][digit] + words["places"][place]
        gap = False
    return text
