"""Twilio's REST API through its own library, over an HTTP client whose address and time limits are ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
from twilio.http import HttpClient
from twilio.http.response import Response

_TIMEOUT = httpx.Timeout(connect=3.0, read=8.0, write=5.0, pool=3.0)


class HttpxForTwilio(HttpClient):  # type: ignore[misc]
    """Carries the library's calls to ``api_base`` (or Twilio itself where that is empty) with time limits."""

    def __init__(self, api_base: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._base = api_base.rstrip("/")
        # A stand-in on a closed network is reached directly; Twilio itself perhaps through a proxy.
        self._http = httpx.Client(timeout=_TIMEOUT, trust_env=not self._base, transport=transport)

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Twilio's signature, positional order included; redirects are never followed."""
        answer = self._http.request(
            method, self._address(uri), params=_plain(params), data=data, headers=headers, auth=auth
        )
        return Response(answer.status_code, answer.text, answer.headers)

    def close(self) -> None:
        """Connections are closed."""
        self._http.close()

    def _address(self, uri: str) -> str:
        if not self._base:
            return uri
        parts = urlsplit(uri)
        return self._base + parts.path + (f"?{parts.query}" if parts.query else "")


def _plain(params: dict[str, object] | None) -> dict[str, Any] | None:
    return {key: value for key, value in params.items() if value is not None} if params else None
