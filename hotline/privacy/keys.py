"""The keys in settings, read and checked."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from pydantic import SecretStr

from hotline.errors import ConfigError

KEY_BYTES = 32


def read_keys(setting: SecretStr) -> Mapping[int, bytes]:
    """Keys by number, in the order of the setting: the first one encrypts.

    Raises:
        ConfigError: without a key, with one that has not 32 bytes, or with a number used twice.
    """
    found: dict[int, bytes] = {}
    for part in setting.get_secret_value().split(","):
        number, _, encoded = part.strip().partition(":")
        if not number.isdecimal() or int(number) in found:
            raise ConfigError("GJJ_PRIVACY__KEYS must be number:base64, each number once, separated by commas")
        found[int(number)] = _key(int(number), encoded)
    return found


def _key(number: int, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"key {number} in GJJ_PRIVACY__KEYS must be {KEY_BYTES} bytes in base64")
    return key
