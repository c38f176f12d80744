"""Who asks: requests are signed with a shared secret, are not old, and come once."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping

from sandbox.fund.answers import Refused

LIFETIME_S = 300
_NONCE = re.compile(r"[A-Za-z0-9-]{16,64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Signatures:
    """Checks one client's signatures. Nonces are remembered in this process, for as long as their request is fresh."""

    def __init__(self, client_id: str, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._client_id, self._secret, self._now = client_id, secret.encode(), now
        self._seen: dict[str, float] = {}

    def check(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """``target`` is path and query as sent. Raises Refused ``unauthorized``."""
        client = headers.get("x-fund-client", "")
        timestamp = headers.get("x-fund-timestamp", "")
        nonce = headers.get("x-fund-nonce", "")
        if not (_TIMESTAMP.fullmatch(timestamp) and _NONCE.fullmatch(nonce)):
            raise Refused("unauthorized", "signature headers")
        text = "\n".join([method, target, timestamp, nonce, hashlib.sha256(body).hexdigest()])
        expected = hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
        given = headers.get("x-fund-signature", "")
        if not (_same(client, self._client_id) and _same(given, expected)):
            raise Refused("unauthorized", "signature")
        if abs(self._now() - int(timestamp)) > LIFETIME_S:
            raise Refused("unauthorized", "timestamp")
        self._remember(nonce)

    def _remember(self, nonce: str) -> None:
        """A request may be dated up to its lifetime ahead, and stays fresh for as long again."""
        now = self._now()
        while self._seen and next(iter(self._seen.values())) <= now:
            del self._seen[next(iter(self._seen))]
        if nonce in self._seen:
            raise Refused("unauthorized", "nonce")
        self._seen[nonce] = now + 2 * LIFETIME_S


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
