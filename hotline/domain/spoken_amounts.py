"""An amount of money in what people type or say, or why there is none to rely on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from hotline.domain.wording import words

MAX_FEN = 100_000_000 * 100
"""A hundred million yuan: more is a slip or a number of something else."""


class AmountProblem(StrEnum):
    """Why a text gives no amount: a closed list, each worded by the form that asks."""

    NONE = "none"
    """No amount in it."""
    SEVERAL = "several"
    """Two amounts, or a range."""
    VAGUE = "vague"
    """Some thousands, two or three hundred, 2000 and odd."""
    NEGATIVE = "negative"
    ZERO = "zero"
    TOO_LARGE = "too_large"
    TOO_FINE = "too_fine"
    """Less than a fen is named."""


def parse_amount(text: str) -> int | AmountProblem:
    """The one amount in ``text`` in fen, from 1 to MAX_FEN, or why it cannot be taken.

    A number without a unit is yuan. Numbers of other things (months, people, dates) are no amounts; where a number
    has a unit of money, those without are none either.
    """
    rules = _rules()
    cleaned = _cleaned(text, rules)
    for pattern, problem in rules.refused:
        if pattern.search(cleaned):
            return problem
    amounts = set(_amounts(cleaned, rules))
    if len(amounts) != 1:
        return AmountProblem.SEVERAL if amounts else AmountProblem.NONE
    return _checked(amounts.pop())


def _checked(yuan: Decimal) -> int | AmountProblem:
    fen = yuan * 100
    if fen == 0:
        return AmountProblem.ZERO
    if fen > MAX_FEN:
        return AmountProblem.TOO_LARGE
    return int(fen) if fen == int(fen) else AmountProblem.TOO_FINE


@dataclass(frozen=True, slots=True)
class _Rules:
    words: dict[str, Any]
    amount: re.Pattern[str]
    coins: re.Pattern[str]
    scaled: re.Pattern[str]
    other: re.Pattern[str]
    refused: tuple[tuple[re.Pattern[str], AmountProblem], ...]


@cache
def _rules() -> _Rules:
    read = words("amounts")["read"]
    digit, places = f"[\\d{read['digits']}]", "".join(read["places"])
    number = _number(read, places)
    units, jiao, fen, others = (read[name] for name in ("units", "jiao", "fen", "other_units"))
    coins = f"(?:(?P<jiao>{digit})(?:{jiao}))?(?:{read['zero']}?(?P<fen>{digit}){fen}(?!\\w))?"
    tail = f"(?<={read['colloquial']})(?P<tail>{digit})(?!{digit}|[{places}]|{jiao}|{fen}|{others})"
    two_words = f"(?<![{read['digits']}])[{read['counting']}]{{2}}[{places}]"
    vague = f"[{read['vague_before']}][{places}]|{two_words}|{number}(?:{read['vague_after']})"
    return _Rules(
        words=read,
        amount=re.compile(
            f"(?<![\\d.a-z{read['not_after']}])(?P<sign>{read['sign']})?(?P<number>{number})"
            f"(?:(?P<unit>{units})(?:{tail}|{coins})|(?!{others}|[a-z]))"
        ),
        coins=re.compile(coins),
        scaled=re.compile(f"(\\d+(?:\\.\\d+)?)([{places}]{{0,2}})"),
        other=re.compile(f"{read['date']}|{number}(?:{read['range']}){number}(?={others})"),
        refused=(
            (re.compile(f"{number}(?:{units})?(?:{read['range']}){number}(?!{others})"), AmountProblem.SEVERAL),
            (re.compile(f"{read['minus']}(?:{read['sign']})?{number}"), AmountProblem.NEGATIVE),
            (re.compile(vague), AmountProblem.VAGUE),
        ),
    )


def _number(read: dict[str, Any], places: str) -> str:
    """A number in digits, words or both. Atomic: a match never gives a digit back, so that no text is slow to read."""
    arabic = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?"
    return f"(?>(?:{arabic}|[{read['digits']}{read['ten']}])(?:{arabic}|[{read['digits']}{places}])*)"


def _cleaned(text: str, rules: _Rules) -> str:
    """One width, no blanks, no dates and spans; a comma between clauses does not look like one between thousands."""
    text = re.sub(rules.words["full_comma"], rules.words["comma"], text)
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).lower())
    return rules.other.sub(rules.words["comma"] * 2, text)


def _amounts(text: str, rules: _Rules) -> Iterator[Decimal]:
    """In yuan: those with a unit of money, or all where none has one."""
    if text and (alone := rules.coins.fullmatch(text)):
        yield _coins(alone)
        return
    found = list(rules.amount.finditer(text))
    with_unit = [each for each in found if each["unit"] or each["sign"]]
    for each in with_unit or found:
        value = _value(each["number"], rules)
        if value is not None and (each in with_unit or _is_amount(each["number"], text)):
            yield value + (Decimal(_digit(each["tail"])) / 10 if each["tail"] else _coins(each))


def _is_amount(number: str, text: str) -> bool:
    """Whether number words without a unit are an amount: one character alone ("one") only as the whole text."""
    return number[0].isascii() or len(number) > 1 or number == text


def _coins(found: re.Match[str]) -> Decimal:
    return Decimal(_digit(found["jiao"])) / 10 + Decimal(_digit(found["fen"])) / 100


def _digit(char: str | None) -> int:
    return 0 if char is None else int(_read(char))


def _value(number: str, rules: _Rules) -> Decimal | None:
    """What the number says, exactly, or None where it is none after all."""
    number = number.replace(",", "")
    if simple := rules.scaled.fullmatch(number):
        value = Decimal(simple[1])
        for place in simple[2]:
            value *= rules.words["places"][place]
        return value
    for letter, place in rules.words["letters"].items():
        number = number.replace(letter, place)
    try:
        return Decimal(str(_read(number)))
    except (ValueError, KeyError, IndexError):  # words that only look like a number
        return None


def _read(number: str) -> int | float:
    import cn2an

    value: int | float = cn2an.cn2an(number, "smart")
    return value
