"""Both directions of the signature, written from its description alone."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping

LIFETIME_S = 300
_NONCE = re.compile(r"[A-Za-z0-9-]{16,64}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


class NotSigned(Exception):
    """The request is not our client's, is old, or came before."""


def signed(method: str, target: str, body: bytes, *, client: str, secret: str) -> dict[str, str]:
    """The four headers of a request to ``target`` (path and query)."""
    timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
    return {
        "X-City-Client": client,
        "X-City-Timestamp": timestamp,
        "X-City-Nonce": nonce,
        "X-City-Signature": _signature(secret, method, target, timestamp, nonce, body=body),
    }


class Signatures:
    """Checks one client's signatures. Nonces are remembered in this process."""

    def __init__(self, client_id: str, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._client_id, self._secret, self._now = client_id, secret, now
        self._seen: dict[str, float] = {}

    def check(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """Raises NotSigned."""
        timestamp, nonce = headers.get("x-city-timestamp", ""), headers.get("x-city-nonce", "")
        if not (_TIMESTAMP.fullmatch(timestamp) and _NONCE.fullmatch(nonce)):
            raise NotSigned("signature headers")
        expected = _signature(self._secret, method, target, timestamp, nonce, body=body)
        is_client = _same(headers.get("x-city-client", ""), self._client_id)
        if not _same(headers.get("x-city-signature", ""), expected) or not is_client:
            raise NotSigned("signature")
        if abs(self._now() - int(timestamp)) > LIFETIME_S:
            raise NotSigned("timestamp")
        self._remember(nonce)

    def _remember(self, nonce: str) -> None:
        now = self._now()
        while self._seen and next(iter(self._seen.values())) <= now:
            del self._seen[next(iter(self._seen))]
        if nonce in self._seen:
            raise NotSigned("nonce")
        self._seen[nonce] = now + 2 * LIFETIME_S


def _signature(secret: str, *lines: str, body: bytes) -> str:
    text = "\n".join([*lines, hashlib.sha256(body).hexdigest()])
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
