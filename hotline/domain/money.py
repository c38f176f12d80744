"""Money for people: fen as written and as spoken Chinese. Nothing is read here, see `spoken_amounts`."""

from __future__ import annotations

from typing import Any

from hotline.domain.wording import words

FEN_A_YUAN = 100
FEN_A_TEN_THOUSAND = 10_000 * FEN_A_YUAN
_FINEST = 100 * FEN_A_YUAN
"""Two decimals of ten thousand yuan: what is finer is not written in ten thousands."""


def yuan(fen: int) -> str:
    """``12,345.67`` and the unit; whole yuan without decimals."""
    whole, rest = divmod(abs(fen), FEN_A_YUAN)
    return f"{'-' if fen < 0 else ''}{whole:,}{f'.{rest:02d}' if rest else ''}{_say()['yuan']}"


def ten_thousands(fen: int) -> str:
    """In ten thousand yuan (万元) where two decimals say it exactly and there is at least one; else as `yuan`."""
    if abs(fen) < FEN_A_TEN_THOUSAND or fen % _FINEST:
        return yuan(fen)
    whole, rest = divmod(abs(fen) // _FINEST, 100)
    decimals = f".{rest:02d}".rstrip("0") if rest else ""
    return f"{'-' if fen < 0 else ''}{whole:,}{decimals}{_say()['ten_thousand']}{_say()['yuan']}"


def spoken(fen: int) -> str:
    """In words, as it is read out: yuan, jiao, fen; 两 for a 2 at the head before a place or a unit, 零 for a gap."""
    say = _say()
    whole, rest = divmod(abs(fen), FEN_A_YUAN)
    jiao, last = divmod(rest, 10)
    text = _number(whole) + say["yuan"] if whole or not rest else ""
    if jiao:
        text += _number(jiao) + say["jiao"]
    if last:
        text += (say["zero"] if whole and not jiao else "") + _number(last) + say["fen"]
    two, plain_two = say["two"]
    if text[0] == plain_two and text[1] in say["before"]:
        text = two + text[1:]
    return str(say["minus"] + text if fen < 0 else text)


def _number(value: int) -> str:
    import cn2an

    return str(cn2an.an2cn(value, "low"))


def _say() -> dict[str, Any]:
    say: dict[str, Any] = words("amounts")["say"]
    return say
