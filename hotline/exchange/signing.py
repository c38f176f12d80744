"""Requests between the city hotline and us are signed as those to the core system are, under headers of their own."""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable, Generator, Mapping
from typing import Final

import httpx

from hotline.errors import HotlineError
from hotline.fund.signing import sign
from hotline.ports import ReplayGuard
from hotline.settings import CityHotlineSettings

CLIENT: Final = "X-City-Client"
TIMESTAMP: Final = "X-City-Timestamp"
NONCE: Final = "X-City-Nonce"
SIGNATURE: Final = "X-City-Signature"
FRESH_S: Final = 300
"""How far a request's time may be from ours."""
_NONCE = re.compile(r"[A-Za-z0-9-]{16,64}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SCOPE = "city"


class NotSigned(HotlineError):
    """The request is not the city hotline's, is old, or came before."""


class CitySignature(httpx.Auth):
    """Signs each request as it is sent, with a time and nonce of its own."""

    requires_request_body = True

    def __init__(self, settings: CityHotlineSettings) -> None:
        self._client_id = settings.client_id
        self._secret = settings.secret

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
        signature = sign(request, self._secret.get_secret_value(), timestamp=timestamp, nonce=nonce)
        request.headers[CLIENT] = self._client_id
        request.headers[TIMESTAMP] = timestamp
        request.headers[NONCE] = nonce
        request.headers[SIGNATURE] = signature
        yield request


class CityVerifier:
    """Checks the city hotline's requests. Nonces are remembered in storage, for all processes."""

    def __init__(
        self, settings: CityHotlineSettings, guard: ReplayGuard, *, now: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._guard = guard
        self._now = now

    async def check(self, method: str, target: bytes, headers: Mapping[str, str], body: bytes) -> None:
        """``target``: path and query as sent. Raises NotSigned, and TemporaryError while storage is away."""
        timestamp, nonce = headers.get(TIMESTAMP.lower(), ""), headers.get(NONCE.lower(), "")
        if not (_TIMESTAMP.fullmatch(timestamp) and _NONCE.fullmatch(nonce)):
            raise NotSigned("signature headers")
        request = _as_sent(method, target, body)
        secret = self._settings.peer_secret.get_secret_value()
        expected = sign(request, secret, timestamp=timestamp, nonce=nonce)
        is_peer = _same(headers.get(CLIENT.lower(), ""), self._settings.peer_id)
        if not _same(headers.get(SIGNATURE.lower(), ""), expected) or not is_peer:
            raise NotSigned("signature")
        if abs(self._now() - int(timestamp)) > FRESH_S:
            raise NotSigned("timestamp")
        # A request may be dated up to its lifetime ahead, and stays fresh for as long again.
        if await self._guard.uses(_SCOPE, nonce, "", ttl_s=2 * FRESH_S) != 0:
            raise NotSigned("nonce")


def _as_sent(method: str, target: bytes, body: bytes) -> httpx.Request:
    """What has to have been signed. Raises NotSigned for a target no client sends."""
    try:
        return httpx.Request(method, httpx.URL("http://city").copy_with(raw_path=target), content=body)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise NotSigned("target") from error


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
