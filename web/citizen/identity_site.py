"""What the identity routes share: the pages, the cookies, and the pages that only show."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import Request
from starlette.responses import Response

from channels.webchat.visitors import Visitors
from hotline.settings import Settings
from knowledge_base.model import Centre
from web.citizen.identity_pages import END_STATUS, IdentityPages
from web.citizen.identity_session import IdentityCookies
from web.citizen.limits import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityLimits:
    """What one sign-in and one address may ask of the pages. Wrong attempts are counted by the core, not here."""

    posts_of_session: Rate = field(default=Rate(burst=10, per_s=0.2))
    posts_of_address: Rate = field(default=Rate(burst=60, per_s=5))
    opens_of_address: Rate = field(default=Rate(burst=60, per_s=5))


class IdentitySite:
    """What all pages share, and those that only show."""

    def __init__(self, settings: Settings, centre: Centre) -> None:
        self.public_url = settings.gateway.public_url
        secure = self.public_url.lower().startswith("https://")
        secret = settings.gateway.session_secret
        self.cookies = IdentityCookies(secret, secure=secure)
        self.pages = IdentityPages(centre, settings.identity, self.cookies)
        self._visitors = Visitors(secret, secure=secure)

    async def page(self, request: Request) -> Response:
        """The step the browser's sign-in has come to."""
        page = self.cookies.read(request)
        return self.pages.show(page) if page else self.end("expired", request)

    async def back(self) -> Response:
        """A form's address without its form."""
        return self.pages.to()

    async def notice(self) -> Response:
        return self.pages.notice()

    async def ended(self, key: str, request: Request) -> Response:
        wait = request.query_params.get("wait", "")
        wait_s = int(wait) if wait.isascii() and wait.isdecimal() and len(wait) < 7 else 0
        return self.end(key if key in END_STATUS else "expired", request, wait_s=wait_s)

    def end(self, key: str, request: Request, *, wait_s: int = 0) -> Response:
        return self.pages.end(key, is_web=self.visitor(request) is not None, wait_s=wait_s)

    def visitor(self, request: Request) -> str | None:
        """The visitor of the chat page in this browser."""
        return self._visitors.recognise(request.headers.get("cookie", ""))


def address_of(request: Request) -> str:
    """The network address that asks."""
    return request.client.host if request.client else ""
