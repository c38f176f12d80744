"""Personal values as they may be shown: to the person himself, and to agents."""

from __future__ import annotations

STAR = "*"
TAIL = 4


def mask_name(name: str) -> str:
    """The surname's first character and a star for each further one; a single character is a star alone."""
    plain = name.strip()
    return plain[:1] + STAR * (len(plain) - 1) if len(plain) > 1 else STAR * len(plain)


def mask_mobile(mobile: str) -> str:
    """138****5678; what is not a mobile number of 11 digits keeps two digits at the most."""
    if len(mobile) == 11 and mobile.isdecimal():
        return f"{mobile[:3]}{STAR * 4}{mobile[-4:]}"
    return STAR * 4 + (mobile[-2:] if len(mobile) > 6 else "")


def tail(number: str) -> str:
    """The last four characters of an account, card or ID number; empty where that would be half of it or more."""
    return number[-TAIL:] if len(number) > 2 * TAIL else ""


def mask_number(number: str) -> str:
    """Four stars and the tail: never more than the last four characters of an ID, card or account number."""
    return STAR * 4 + tail(number)
