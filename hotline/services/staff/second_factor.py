"""The second factor: a time-based code (RFC 6238, 30 s, 6 digits) of an authenticator, or a recovery code."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

import pyotp

STEP_S: Final = 30
DRIFT: Final = 1
"""Steps a clock may be off either way."""
RECOVERY_CODES: Final = 8
_RECOVERY_CHARS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    return pyotp.random_base32()


def address(secret: str, *, name: str, issuer: str) -> str:
    """What an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def step_of(secret: str, code: str, *, now: datetime) -> int | None:
    """The time step ``code`` belongs to, of now and one beside it; None where it is no code of these."""
    digits = "".join(code.split())
    if len(digits) != 6 or not digits.isascii() or not digits.isdecimal():
        return None
    totp, present = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    for step in sorted(range(present - DRIFT, present + DRIFT + 1), key=lambda each: abs(each - present)):
        if secrets.compare_digest(totp.generate_otp(step), digits):
            return step
    return None


def new_recovery_codes() -> list[str]:
    """To be written down once; each is good once."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def plain_recovery_code(typed: str) -> str:
    """As it was made, however it was typed."""
    return "".join(each for each in typed.lower() if each in _RECOVERY_CHARS)


def _recovery_code() -> str:
    made = "".join(secrets.choice(_RECOVERY_CHARS) for _ in range(10))
    return f"{made[:5]}-{made[5:]}"
