"""WeChat's safe mode from the platform's side, written from its description alone.

https://developers.weixin.qq.com/doc/service/guide/dev/push/encryption.html
"""

from __future__ import annotations

import base64
import hashlib
import secrets

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK_BITS = 256
"""The platform pads to 32 bytes, twice the cipher's own block."""


class UnreadableReplyError(Exception):
    """What came back cannot be opened with this account's secrets."""


def sign(*parts: str) -> str:
    """SHA-1 in hex over the parts in dictionary order."""
    joined = b"".join(sorted(part.encode() for part in parts))
    return hashlib.sha1(joined).hexdigest()  # noqa: S324 - the platform's algorithm


def encrypt(xml: str, *, aes_key: str, app_id: str) -> str:
    """Base64 of AES-256-CBC over 16 random bytes, the length, the message and the app id."""
    message = xml.encode()
    plain = secrets.token_bytes(16) + len(message).to_bytes(4, "big") + message + app_id.encode()
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    encryptor = _cipher(aes_key).encryptor()
    sealed = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    return base64.b64encode(sealed).decode()


def decrypt(encrypted: str, *, aes_key: str, app_id: str) -> str:
    """The message inside. Raises UnreadableReplyError."""
    try:
        decryptor = _cipher(aes_key).decryptor()
        padded = decryptor.update(base64.b64decode(encrypted, validate=True)) + decryptor.finalize()
        unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
        plain = unpadder.update(padded) + unpadder.finalize()
        end = 20 + int.from_bytes(plain[16:20], "big")
        message, owner = plain[20:end].decode(), plain[end:].decode()
    except ValueError as error:
        raise UnreadableReplyError("reply cannot be decrypted") from error
    if owner != app_id:
        raise UnreadableReplyError("reply is for another app id")
    return message


def _cipher(aes_key: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(aes_key + "=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
