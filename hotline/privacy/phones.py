"""Passwords of agents' telephones: made from one secret, so that nothing has to be kept or handed around."""

from __future__ import annotations

import base64
import hmac
from typing import Final

from pydantic import SecretStr

BYTES: Final = 20
"""160 bits, which are 32 letters and digits without padding."""


def phone_password(secret: SecretStr, extension: str) -> str:
    """What the telephone of ``extension`` registers with: HMAC-SHA256 in base32, lower case."""
    digest = hmac.digest(secret.get_secret_value().encode(), f"phone\x1f{extension}".encode(), "sha256")
    return base64.b32encode(digest[:BYTES]).decode("ascii").lower()
