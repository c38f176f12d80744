"""Spoken Chinese numerals to digits, only where a unit says that it is a number."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from knowledge_base import wording


@dataclass(frozen=True, slots=True)
class _Rules:
    percent: re.Pattern[str]
    phone: re.Pattern[str]
    with_unit: re.Pattern[str]
    digits: dict[str, str]
    one_on_the_phone: tuple[str, str]
    half: str
    ten_thousand: str


@cache
def _rules() -> _Rules:
    words = wording.read("normalise")["numerals"]
    big = words["ten_thousand"] + words["hundred_million"]
    digit, tens, half = words["digits"], words["tens"], words["half"]
    start = f"[{digit}{tens[0]}]"
    number = f"{start}[{digit}{tens}{big}]*(?:{words['decimal_point']}[{digit}]+)?"
    units = "|".join(sorted(words["units"], key=len, reverse=True))
    vague = words["vague"] + words["ordinal"] + digit + tens + big
    # Either a unit follows, or the number itself holds a place word after a digit (two ten-thousand three).
    own_unit = (
        f"[{digit}{tens[0]}][{tens}]*[{words['ten_thousand']}][{digit}{tens}]*{half}?"
        f"|[{digit}][{tens[1:]}][{digit}{tens}]*"
    )
    not_before = "|".join(words["not_before"])
    return _Rules(
        percent=re.compile(f"{words['percent']}({number})"),
        phone=re.compile(f"[{digit}]{{4,}}"),
        with_unit=re.compile(
            f"(?<![{vague}\\d])(?:({number}{half}?)(?!{not_before})(?={units})|({own_unit}))(?![{words['vague']}])"
        ),
        digits={char: str(value) for char, value in zip(digit, (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 1), strict=True)},
        one_on_the_phone=(words["phone_one"], words["phone_one_plain"]),
        half=half,
        ten_thousand=words["ten_thousand"],
    )


def spoken_to_digits(text: str) -> str:
    """Numbers next to a unit, percentages and spelled telephone numbers as digits; all else unchanged."""
    rules = _rules()
    text = rules.phone.sub(lambda found: "".join(rules.digits[char] for char in found.group()), text)
    text = rules.percent.sub(_replacement(lambda value: f"{_plain(value)}%"), text)
    return rules.with_unit.sub(_replacement(_amount), text)


def _replacement(written: Callable[[float], str]) -> Callable[[re.Match[str]], str]:
    def replace(found: re.Match[str]) -> str:
        spoken = next(group for group in found.groups() if group)
        value = _value(spoken)
        return found.group() if value is None else written(value)

    return replace


def _value(spoken: str) -> float | None:
    """What the number word says, or None when it is none after all."""
    import cn2an

    rules = _rules()
    if len(spoken) == 2 and all(char in rules.digits for char in spoken):
        return None  # "one or two", "three or five": two digits side by side are a guess, not a number
    spoken = spoken.replace(*rules.one_on_the_phone)
    half = 0.0
    if spoken.endswith(rules.half):  # "one ten-thousand and a half"
        spoken = spoken[:-1]
        half = 5000.0 if spoken.endswith(rules.ten_thousand) else 0.0
        if not half:
            return None
    try:
        return float(cn2an.cn2an(spoken, "smart")) + half
    except (ValueError, KeyError, IndexError):  # words that only look like numbers
        return None


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6g}"


def _amount(value: float) -> str:
    """Round ten thousands keep their word, as people type them."""
    ten_thousands = value / 10_000
    if value >= 10_000 and round(ten_thousands, 2) == ten_thousands:
        return _plain(ten_thousands) + _rules().ten_thousand
    return _plain(value)
