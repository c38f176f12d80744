"""What protects the page from other pages: same-origin requests only, and headers browsers act on."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers

PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
DATA_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def is_same_origin(headers: Headers, *, public_url: str) -> bool:
    """True when a browser says the request comes from our own page.

    ``Sec-Fetch-Site`` decides where it is sent, as no page can forge it; older browsers send ``Origin``
    with every POST. A request with neither is not from a page of ours.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    if not origin.scheme or not origin.netloc:
        return False
    public = urlsplit(public_url)
    is_public = (origin.scheme, origin.netloc) == (public.scheme, public.netloc)
    return is_public or origin.netloc == headers.get("host", "")
