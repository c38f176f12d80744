"""Every request is signed, so that the core system knows who asks and that nothing was changed on the way."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Generator

import httpx

from hotline.settings import FundSettings


class Signature(httpx.Auth):
    """Adds the four signing headers to each request, with a fresh time and nonce each time it is sent."""

    requires_request_body = True

    def __init__(self, settings: FundSettings) -> None:
        self._client_id = settings.client_id
        self._secret = settings.secret

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
        request.headers["X-Fund-Client"] = self._client_id
        request.headers["X-Fund-Timestamp"] = timestamp
        request.headers["X-Fund-Nonce"] = nonce
        request.headers["X-Fund-Signature"] = sign(
            request, self._secret.get_secret_value(), timestamp=timestamp, nonce=nonce
        )
        yield request


def sign(request: httpx.Request, secret: str, *, timestamp: str, nonce: str) -> str:
    """HMAC-SHA256 in lower-case hex over method, path with query as sent, seconds since 1970, nonce, and the SHA-256 of
    the body, one a line (docs/fund-core-api.yaml)."""
    body = hashlib.sha256(request.content).hexdigest()
    lines = (request.method, request.url.raw_path.decode("ascii"), timestamp, nonce, body)
    return hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()
