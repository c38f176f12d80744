"""Check digits, and the numbers things are called by."""

from __future__ import annotations

from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_check_digit(first_17: str) -> str:
    """The eighteenth character of an ID number (GB 11643-1999)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def id_number(region: str, born: date, serial: int) -> str:
    """An ID number with its check digit; an odd serial is a man's."""
    body = f"{region}{born:%Y%m%d}{serial:03d}"
    return body + id_check_digit(body)


def modern_id(number: str) -> str:
    """The 18-character form; a number of the old form (15 digits, born 19..) is converted."""
    if len(number) != 15:
        return number
    body = f"{number[:6]}19{number[6:]}"
    return body + id_check_digit(body)


def luhn_digit(body: str) -> str:
    """The last digit of a bank card number (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def card_number(serial: int) -> str:
    """A bank card number of 19 digits with its check digit."""
    body = f"62170000{serial:010d}"
    return body + luhn_digit(body)


def person_no(index: int) -> str:
    return f"1{index:011d}"


def account_no(index: int, place: int) -> str:
    return f"2{index * 10 + place:011d}"


def loan_no(index: int, place: int) -> str:
    return f"DK{index * 10 + place:010d}"


def application_no(on: date, serial: int) -> str:
    return f"YW{on:%y%m%d}{serial:06d}"


def certificate_no(on: date, serial: int) -> str:
    return f"ZM{on:%y%m%d}{serial:06d}"
