"""Headers of the staff's pages: what a citizen's page has, recordings, and where the browser phone may go."""

from __future__ import annotations

import re
from typing import Final

from hotline.errors import ConfigError
from web.citizen.guard import PAGE_HEADERS

_POLICY: Final = "Content-Security-Policy"
_PERMISSIONS: Final = "Permissions-Policy"
_LOOPBACK: Final = r"127\.0\.0\.1|localhost"
_PHONE_URL: Final = re.compile(rf"(?:wss://[A-Za-z0-9.-]+|ws://(?:{_LOOPBACK}))(?::\d{{1,5}})?(?:/[\w./-]*)?", re.ASCII)


def page_headers(phone_url: str = "") -> dict[str, str]:
    """``phone_url``: the one address besides ours the page may connect to, and then it may ask for the microphone."""
    headers = dict(PAGE_HEADERS)
    headers[_POLICY] += "; media-src 'self' blob:"
    if phone_url:
        headers[_POLICY] = headers[_POLICY].replace("connect-src 'self'", f"connect-src 'self' {phone_url}")
        headers[_PERMISSIONS] = headers[_PERMISSIONS].replace("microphone=()", "microphone=(self)")
    return headers


def checked_phone_url(url: str) -> str:
    """``url`` as it may stand in a policy. Raises ConfigError."""
    if url and not _PHONE_URL.fullmatch(url):
        raise ConfigError("GJJ_TELEPHONE__BROWSER_PHONE_URL is no address of the form wss://host:port/path")
    return url
