"""Fields at rest: authenticated encryption that is bound to the place where a value stands.

AES-256-GCM, or SM4-GCM (GB/T 32907-2016) for centres that must use the national algorithms. Nonces are 96 random
bits (NIST SP 800-38D, 8.2.2: at most 2^32 values a key, far more than a centre has).
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hotline.errors import HotlineError
from hotline.privacy.keys import read_keys
from hotline.settings import PrivacySettings

NONCE_BYTES = 12
TAG_BYTES = 16
_MARKS = {"aes-256-gcm": "a", "sm4-gcm": "s"}
_KEY_BYTES = {"a": 32, "s": 16}
_BLOCKS: Mapping[str, type[algorithms.AES] | type[algorithms.SM4]] = {"a": algorithms.AES, "s": algorithms.SM4}


class Unreadable(HotlineError):
    """A stored value cannot be read: its key is not in the settings, or it was changed or moved."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands. A value read from any other place is Unreadable."""

    table: str
    column: str
    row: str


class FieldCipher:
    """Seals text for one place and opens it there. Safe for concurrent use.

    The stored form is ``<cipher><key number>.<base64 of nonce, ciphertext and tag>``, such as ``a1.k3J…``: values
    under older keys and under the other cipher stay readable as long as their key is in the settings.
    """

    def __init__(self, keys: Mapping[int, bytes], *, cipher: str) -> None:
        self._keys = {
            f"{mark}{number}": _derived(key, mark) for number, key in keys.items() for mark in _MARKS.values()
        }
        self.label = f"{_MARKS[cipher]}{next(iter(keys))}"
        """What new values begin with, before the dot."""

    @classmethod
    def from_settings(cls, settings: PrivacySettings) -> FieldCipher:
        """Raises ConfigError where the keys cannot be used."""
        return cls(read_keys(settings.keys), cipher=settings.cipher)

    def seal(self, plain: str, place: Place) -> str:
        nonce = secrets.token_bytes(NONCE_BYTES)
        encryptor = Cipher(self._block(self.label), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(_bound_to(self.label, place))
        sealed = nonce + encryptor.update(plain.encode()) + encryptor.finalize() + encryptor.tag
        return f"{self.label}.{base64.b64encode(sealed).decode('ascii')}"

    def open(self, stored: str, place: Place) -> str:
        """Raises Unreadable, with the place's table and column and without the value."""
        label, _, encoded = stored.partition(".")
        try:
            sealed = base64.b64decode(encoded, validate=True)
            nonce, body, tag = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:-TAG_BYTES], sealed[-TAG_BYTES:]
            decryptor = Cipher(self._block(label), modes.GCM(nonce, tag)).decryptor()
            decryptor.authenticate_additional_data(_bound_to(label, place))
            return (decryptor.update(body) + decryptor.finalize()).decode()
        except (LookupError, ValueError, InvalidTag, binascii.Error) as error:
            raise Unreadable(f"{place.table}.{place.column} cannot be read: {type(error).__name__}") from None

    def is_current(self, stored: str) -> bool:
        """True where the value stands under the first key and the chosen cipher."""
        return stored.partition(".")[0] == self.label

    def _block(self, label: str) -> algorithms.AES | algorithms.SM4:
        return _BLOCKS[label[0]](self._keys[label])


def _derived(key: bytes, mark: str) -> bytes:
    """A key of its own for each cipher (HKDF, RFC 5869), so that no key serves two algorithms."""
    made = HKDF(algorithm=hashes.SHA256(), length=_KEY_BYTES[mark], salt=None, info=f"field {mark}".encode())
    return made.derive(key)


def _bound_to(label: str, place: Place) -> bytes:
    return "\x1f".join((label, place.table, place.column, place.row)).encode()
