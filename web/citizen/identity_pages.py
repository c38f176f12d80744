"""The identity pages as responses: which template, which words, which headers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hotline.domain.identity import Refusal
from hotline.domain.messages import ChannelName
from hotline.settings import IdentitySettings
from knowledge_base.model import Centre
from web.citizen.guard import PAGE_HEADERS
from web.citizen.identity_session import IdentityCookies, PageSession, Step
from web.citizen.identity_wording import load_identity_wording

PAGE = "/id"
HEADERS: Mapping[str, str] = {
    **PAGE_HEADERS,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
END_STATUS: Mapping[str, int] = {
    "expired": 410,
    "link_expired": 410,
    "link_used": 410,
    "other_browser": 403,
    "locked": 429,
    "stale": 409,
    "foreign": 403,
    "unreadable": 400,
    "too_large": 413,
    "too_fast": 429,
    "busy": 503,
    "wechat_away": 503,
    "wechat_again": 403,
    "wechat_snapshot": 403,
}
"""Every page without a form and the status it is served with."""
_TRY_AGAIN = frozenset({"stale", "unreadable", "too_large", "too_fast"})
"""The sign-in goes on behind these."""
_FIELD_OF: Mapping[Refusal, str] = {
    Refusal.MALFORMED_ID: "id_number",
    Refusal.MALFORMED_FACTOR: "factor",
    Refusal.NO_CONSENT: "consent",
    Refusal.WRONG_CODE: "code",
    Refusal.CODE_EXPIRED: "code",
}
"""The field a refusal is about. A mismatch is about none: which one is wrong is never said."""
_ZONE = ZoneInfo("Asia/Shanghai")


class IdentityPages:
    """Renders. Knows no request, so that nothing typed can get into a page."""

    def __init__(self, centre: Centre, settings: IdentitySettings, cookies: IdentityCookies) -> None:
        self._settings = settings
        self._cookies = cookies
        self._wording = load_identity_wording(centre)
        self._everywhere = {"centre": centre, "t": self._wording.pages}

    def show(self, page: PageSession) -> Response:
        """The page a sign-in has come to."""
        if page.step is Step.ENDED and page.problem is not None:
            return self.end(page.problem.reason.value, is_web=page.channel is ChannelName.WEB)
        if page.step is not Step.DONE and page.expires <= time.time():
            return self.end("expired", is_web=page.channel is ChannelName.WEB)
        words = {
            "page": page,
            "is_web": page.channel is ChannelName.WEB,
            "contact": self._wording.pages["prove"]["contacts"][page.channel.value],
            "error": self._problem(page),
            "field": _FIELD_OF.get(page.problem.reason, "") if page.problem else "",
            "form_token": self._cookies.form_token(page),
            "turn": secrets.token_urlsafe(12),
        }
        return self._render(f"identity_{page.step}.html", words | self._times(page))

    def end(self, key: str, *, is_web: bool, wait_s: int = 0) -> Response:
        """A page without a form. ``is_web``: this browser has the chat page to go back to."""
        end = self._wording.ends[key]
        text = end["text"].replace("{wait}", self._wording.wait(wait_s))
        response = self._render(
            "identity_end.html",
            {"title": end["title"], "text": text, "is_web": is_web, "try_again": key in _TRY_AGAIN},
            status=END_STATUS[key],
        )
        if wait_s:
            response.headers["Retry-After"] = str(wait_s)
        return response

    def notice(self) -> Response:
        """What is done with what is typed in; for everybody."""
        return self._render("identity_notice.html", {})

    @staticmethod
    def to(path: str = PAGE) -> Response:
        """The way to another of these pages, after which going back and loading again repeat nothing."""
        return RedirectResponse(path, status_code=303, headers=dict(HEADERS))

    def ended(self, key: str, *, wait_s: int = 0) -> Response:
        """The way to `end`, so that a used address does not stay in the history."""
        return self.to(f"{PAGE}/ended/{key}" + (f"?wait={wait_s}" if wait_s else ""))

    def _problem(self, page: PageSession) -> str:
        problem = page.problem
        if problem is None:
            return ""
        left = problem.until - int(time.time()) if problem.until else 0
        return self._wording.refusal(problem.reason, wait_s=left, tries=problem.tries)

    def _times(self, page: PageSession) -> dict[str, Any]:
        now = time.time()
        return {
            "until": _clock(page.expires),
            "expires_in": max(0, int(page.expires - now)),
            "again_in": max(0, int(page.again_at - now)),
            "code_minutes": max(1, round((page.code_until - now) / 60)),
            "proven_minutes": self._settings.proven_minutes,
            "proven_until": _clock(page.proven_until) if page.proven_until else "",
            "asks_consent": page.asks_consent
            or (page.problem is not None and page.problem.reason is Refusal.NO_CONSENT),
        }

    def _render(self, template: str, words: dict[str, Any], *, status: int = 200) -> Response:
        html = _templates().get_template(template).render(self._everywhere | words)
        return HTMLResponse(html, status, headers=dict(HEADERS))


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _clock(moment: int) -> str:
    return datetime.fromtimestamp(moment, _ZONE).strftime("%H:%M")
