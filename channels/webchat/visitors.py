"""Who is at the page: a random visitor id in a signed cookie. It names a browser, not a person."""

from __future__ import annotations

import re
import secrets
from http.cookies import CookieError, SimpleCookie

from itsdangerous import BadSignature, TimestampSigner
from pydantic import SecretStr

MAX_AGE_S = 30 * 24 * 3600
_VISITOR_ID = re.compile(r"[A-Za-z0-9_-]{22}")


class Visitors:
    """Issues and recognises visitor cookies. ``secure``: the page is served over https."""

    def __init__(self, secret: SecretStr, *, secure: bool) -> None:
        self._signer = TimestampSigner(secret.get_secret_value(), salt="webchat-visitor")
        self.secure = secure

    @property
    def cookie_name(self) -> str:
        """Over https the ``__Host-`` prefix makes the browser refuse a cookie set by a neighbouring host."""
        return "__Host-visitor" if self.secure else "visitor"

    def new(self) -> str:
        """A visitor id with 128 random bits."""
        return secrets.token_urlsafe(16)

    def sign(self, visitor: str) -> str:
        """The cookie's value for ``visitor``, good for `MAX_AGE_S` seconds."""
        return self._signer.sign(visitor).decode("ascii")

    def recognise(self, cookie_header: str) -> str | None:
        """The visitor whose unexpired cookie is in a Cookie header; None where there is none of ours."""
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(cookie_header)
            visitor = self._signer.unsign(jar[self.cookie_name].value, max_age=MAX_AGE_S).decode("ascii")
        except (CookieError, KeyError, BadSignature, UnicodeError):
            return None
        return visitor if _VISITOR_ID.fullmatch(visitor) else None
