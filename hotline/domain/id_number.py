"""Personal numbers as people type them: read, checked, brought into one form. Nothing here is stored or logged."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from hotline.domain.clock import today
from hotline.domain.fund import Sex

_BETWEEN = re.compile(r"[\s\-\u2010-\u2015]+")
_EIGHTEEN = re.compile(r"[1-9][0-9]{16}[0-9X]")
_FIFTEEN = re.compile(r"[1-9][0-9]{14}")
_CARD = re.compile(r"[0-9]{16,19}")
_SIX = re.compile(r"[0-9]{6}")
_OLDEST = date(1900, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdNumber:
    """A citizen ID number (公民身份号码): ``value`` has 18 characters and ends in a digit or a capital X."""

    value: str = field(repr=False)
    birth_on: date = field(repr=False)
    sex: Sex


def parse(text: str, *, on: date | None = None) -> IdNumber | None:
    """The ID number in ``text``, or None where it is none.

    Full-width characters, blanks, dashes and a small x are tolerated; the old form of 15 digits is completed with
    century 19 and its check character (GB 11643-1999, which replaced it). The birth date exists and is not after
    ``on`` (today).
    """
    plain = _plain(text).upper()
    if _FIFTEEN.fullmatch(plain):
        body = f"{plain[:6]}19{plain[6:]}"
        plain = body + check_character(body)
    if not _EIGHTEEN.fullmatch(plain) or plain[17] != check_character(plain[:17]):
        return None
    birth_on = _date(plain[6:14])
    if birth_on is None or not _OLDEST <= birth_on <= (on or today()):
        return None
    return IdNumber(value=plain, birth_on=birth_on, sex=Sex.MALE if int(plain[16]) % 2 else Sex.FEMALE)


def check_character(body: str) -> str:
    """The eighteenth character for 17 digits, by ISO 7064 MOD 11-2 (GB 11643-1999, 3.4): weights 2^(18-i) mod 11,
    X stands for ten."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return "0123456789X"[(12 - total % 11) % 11]


def card_number(text: str) -> str | None:
    """The bank card number in ``text``, 16 to 19 digits with a right Luhn digit (ISO/IEC 7812-1, annex B)."""
    plain = _plain(text)
    return plain if _CARD.fullmatch(plain) and _luhn(plain) else None


def six_digits(text: str) -> str | None:
    """A query password or a code sent by SMS: exactly six digits, or None."""
    plain = _plain(text)
    return plain if _SIX.fullmatch(plain) else None


def _plain(text: str) -> str:
    """Full-width characters become ASCII; blanks and dashes go. At most 64 characters are looked at."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text[:64]))


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(each - 9 if each > 9 else each for each in doubled)
    return total % 10 == 0


def _date(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
