"""Keyed hashes: rows are found by them, codes and link tokens are compared by them, nothing is read back from them."""

from __future__ import annotations

import hashlib
import hmac

from hotline.errors import ConfigError
from hotline.settings import PrivacySettings


class LookupHash:
    """HMAC with SHA-256, or with SM3 (GB/T 32905-2016) where the machine's OpenSSL has it."""

    def __init__(self, key: bytes, *, algorithm: str) -> None:
        if algorithm not in hashlib.algorithms_available:
            raise ConfigError(f"this machine's OpenSSL has no {algorithm}: set GJJ_PRIVACY__LOOKUP_HASH to sha256")
        self._key = key
        self._algorithm = algorithm

    @classmethod
    def from_settings(cls, settings: PrivacySettings) -> LookupHash:
        """Raises ConfigError where the hash cannot be had or the key is empty."""
        key = settings.lookup_key.get_secret_value().encode()
        if not key:
            raise ConfigError("GJJ_PRIVACY__LOOKUP_KEY must not be empty")
        return cls(key, algorithm=settings.lookup_hash)

    def of(self, kind: str, *values: str) -> str:
        """64 hexadecimal digits. ``kind`` keeps equal values of different kinds apart."""
        message = "\x1f".join((kind, *values)).encode()
        return hmac.new(self._key, message, self._algorithm).hexdigest()

    def matches(self, expected: str, kind: str, *values: str) -> bool:
        """Compared in constant time."""
        return hmac.compare_digest(expected, self.of(kind, *values))
