"""Who is signed in: for every page and every change of the staff's."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from hotline.domain.clock import SHANGHAI
from hotline.domain.staff import Role, Stage
from hotline.services.staff.sign_in import Here, SignIn
from knowledge_base.model import Centre
from web.citizen.guard import DATA_HEADERS, PAGE_HEADERS, is_same_origin
from web.desk.icons import icon
from web.staff.browsers import browser_words
from web.staff.cookies import StaffCookies
from web.staff.wording import staff_words

SIGN_IN: Final = "/staff/sign-in"
CSRF_HEADER: Final = "X-CSRF-Token"
CSRF_FIELD: Final = "csrf"
HOME: Final = {Role.AGENT: "/desk", Role.SUPERVISOR: "/supervisor", Role.AUDITOR: "/desk/recordings"}
LONGEST_NEXT: Final = 1000
HEADERS: Final = {
    **PAGE_HEADERS,
    "Content-Security-Policy": PAGE_HEADERS["Content-Security-Policy"]
    .replace("form-action 'none'", "form-action 'self'")
    .replace("frame-ancestors 'self'", "frame-ancestors 'none'"),
    "X-Frame-Options": "DENY",
}


class StaffSite:
    """One for all pages of staff."""

    def __init__(
        self, sign_in: SignIn, *, centre: Centre, public_url: str, clock: Callable[[], datetime], oidc: bool = False
    ) -> None:
        self.sign_in = sign_in
        self.public_url = public_url
        self.clock = clock
        self.cookies = StaffCookies(secure=public_url.lower().startswith("https://"))
        self._everywhere = {"centre": centre, "t": staff_words(), "oidc": oidc}
        self._templates = _environment()

    async def here(self, request: Request, *, stage: Stage = Stage.FULL) -> Here | None:
        """Who is signed in, as far as ``stage``. It counts as use: what stays open, such as a stream, asks from time to
        time, and ends with None."""
        return await self.sign_in.here(self.cookies.read(request), stage=stage)

    async def admit(self, request: Request, *roles: Role) -> Here | Response:
        """Somebody with one of ``roles`` who may do this, or what he gets instead: the sign-in for a page (303), 401
        for anything else, 403 for a wrong role or a change that another site may have sent."""
        here = await self.here(request)
        if here is None:
            return self.away(request)
        if request.method not in ("GET", "HEAD") and not self.is_ours(request, here):
            return self.problem("foreign", 403, request)
        if roles and not here.staff.roles & set(roles):
            return self.problem("not_allowed", 403, request)
        return here

    def is_ours(self, request: Request, here: Here, sent: str = "") -> bool:
        """Whether a page of ours sends it: same origin, and the session's own token in a header or as ``sent``."""
        given = request.headers.get(CSRF_HEADER, "") or sent
        right = hmac.compare_digest(given.encode("utf-8", "replace"), here.csrf.encode())
        return self.is_same_origin(request) and right

    def is_same_origin(self, request: Request) -> bool:
        return is_same_origin(request.headers, public_url=self.public_url)

    def page(self, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        template = self._templates.get_template(f"staff/{name}.html")
        return HTMLResponse(template.render(**self._everywhere, **values), status, headers=HEADERS)

    def problem(self, code: str, status: int, request: Request) -> Response:
        """As a page where a page was asked for, else as data."""
        if _wants_page(request):
            return self.page("problem", status=status, problem=code)
        message = staff_words()["problems"][code]
        return JSONResponse({"code": code, "message": message}, status, headers=dict(DATA_HEADERS))

    def to(self, path: str, *, wanted: str = "") -> RedirectResponse:
        """The way to a page, which goes on to ``wanted`` afterwards."""
        onward = f"?next={quote(wanted, safe='')}" if wanted else ""
        return RedirectResponse(f"{path}{onward}", status_code=303, headers={"Cache-Control": "no-store"})

    def away(self, request: Request) -> Response:
        """For who is not signed in."""
        if _wants_page(request):
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return self.to(SIGN_IN, wanted=local_path(asked) if request.method == "GET" else "")
        response = self.problem("signed_out", 401, request)
        response.headers["HX-Redirect"] = SIGN_IN
        return response


def local_path(given: str) -> str:
    """``given`` where it is a path of this site, else empty: nobody is sent to another host after signing in."""
    if not given.startswith("/") or given.startswith("//") or len(given) > LONGEST_NEXT:
        return ""
    if "\\" in given or any(ord(each) < 33 or ord(each) == 127 for each in given):
        return ""  # browsers leave these out, or take one for a slash
    parts = urlsplit(given)
    return "" if parts.scheme or parts.netloc else given


def home_of(here_roles: frozenset[Role]) -> str:
    """Where somebody begins."""
    return next((path for role, path in HOME.items() if role in here_roles), "/staff/account")


def _wants_page(request: Request) -> bool:
    return request.headers.get("hx-request") != "true" and "text/html" in request.headers.get("accept", "")


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "local": lambda moment: moment.astimezone(SHANGHAI).strftime("%m-%d %H:%M"),
        "browser": browser_words,
    }
    made.globals["icon"] = icon
    return made
