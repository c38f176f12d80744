"""Numbers of work orders: GD20261125-000018 is the day in China, five digits that count within it and a check
digit.

The check digit is Damm's (H. M. Damm, Total anti-symmetrische Quasigruppen, Marburg 2004): it notices every single
wrong digit and every two neighbours in the wrong order, and needs no eleventh character.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

PREFIX: Final = "GD"
MOST_A_DAY: Final = 99_999
DIGITS: Final = 14
"""Of the day, the count and the check digit together."""
_TABLE = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)
_NUMBER = re.compile(rf"{PREFIX}(\d{{8}})-(\d{{6}})", re.ASCII)


def number_of(day: date, serial: int) -> str:
    """The number of the ``serial``-th order of ``day``.

    Raises:
        ValueError: ``serial`` is not between 1 and `MOST_A_DAY`.
    """
    if not 1 <= serial <= MOST_A_DAY:
        raise ValueError("a day has numbers from 1 to 99999")
    digits = f"{day:%Y%m%d}{serial:05d}"
    return f"{PREFIX}{digits[:8]}-{digits[8:]}{check_digit(digits)}"


def is_number(text: str) -> bool:
    """Whether ``text`` is a number as we write it, with a day that exists and the right check digit."""
    found = _NUMBER.fullmatch(text)
    return found is not None and is_right(found[1] + found[2])


def is_right(digits: str) -> bool:
    """Whether ``digits`` (14 of them) begin with a day and end in the right check digit."""
    if len(digits) != DIGITS or not digits.isdecimal() or check_digit(digits) != "0":
        return False
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True


def written(digits: str) -> str:
    """The number whose 14 digits are ``digits``."""
    return f"{PREFIX}{digits[:8]}-{digits[8:]}"


def check_digit(digits: str) -> str:
    """What has to follow ``digits``; ``"0"`` where they end in it already."""
    interim = 0
    for digit in digits:
        interim = int(_TABLE[interim][int(digit)])
    return str(interim)
