"""What a browser knows of its sign-in: two signed cookies, hidden from scripts and from other sites' requests."""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum

from itsdangerous import BadSignature, URLSafeTimedSerializer
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from hotline.domain.identity import Purpose, Refusal
from hotline.domain.messages import ChannelName

SESSION_COOKIE = "id_session"
SESSION_MAX_AGE_S = 3600
"""Longer than any sign-in, so that the page can still say that one has ended."""
FLOW_COOKIE = "id_wechat"
FLOW_MAX_AGE_S = 600
FLOW_PATH = "/id/wechat"


class Step(StrEnum):
    """What the page shows."""

    PROVE = "prove"
    CODE = "code"
    DONE = "done"
    ENDED = "ended"
    """Only a new link helps; the problem says why."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True)


class Problem(_Stored):
    """Why the last step was refused. ``until``: Unix time from which another try makes sense, 0 where not known."""

    reason: Refusal
    until: int = 0
    tries: int | None = None


class PageSession(_Stored):
    """A sign-in as its pages show it. Times are Unix seconds. Nothing the citizen typed is in it."""

    session: str = Field(repr=False)
    browser: str = Field(repr=False)
    channel: ChannelName
    purpose: Purpose
    expires: int
    asks_consent: bool = True
    step: Step = Step.PROVE
    mobile: str = ""
    code_until: int = 0
    again_at: int = 0
    name: str = ""
    proven_until: int = 0
    problem: Problem | None = None

    def after(self, **changes: object) -> PageSession:
        """The same sign-in later; the last problem is over unless ``changes`` name one."""
        return self.model_copy(update={"problem": None, **changes})


class WeChatFlow(_Stored):
    """A link on its way through WeChat's OAuth: ``state`` comes back in the address, the token never leaves here."""

    state: str = Field(repr=False)
    token: str = Field(repr=False)


class IdentityCookies:
    """Writes and reads both cookies. ``secure``: the pages are served over https."""

    def __init__(self, secret: SecretStr, *, secure: bool) -> None:
        key = secret.get_secret_value()
        self._session = URLSafeTimedSerializer(key, salt="identity-session")
        self._flow = URLSafeTimedSerializer(key, salt="identity-wechat")
        self._form_key = hmac.digest(key.encode(), b"identity-form", hashlib.sha256)
        self._secure = secure

    def read(self, request: Request) -> PageSession | None:
        """The sign-in of this browser; None where there is none, or its cookie is not ours."""
        value = self._loaded(self._session, request.cookies.get(SESSION_COOKIE), SESSION_MAX_AGE_S)
        try:
            return PageSession.model_validate(value)
        except ValidationError:
            return None

    def write(self, response: Response, page: PageSession) -> None:
        value = self._session.dumps(page.model_dump(mode="json", exclude_defaults=True))
        self._set(response, SESSION_COOKIE, str(value), max_age=SESSION_MAX_AGE_S, path="/id")

    def read_flow(self, request: Request) -> WeChatFlow | None:
        value = self._loaded(self._flow, request.cookies.get(FLOW_COOKIE), FLOW_MAX_AGE_S)
        try:
            return WeChatFlow.model_validate(value)
        except ValidationError:
            return None

    def write_flow(self, response: Response, flow: WeChatFlow) -> None:
        value = str(self._flow.dumps(flow.model_dump()))
        self._set(response, FLOW_COOKIE, value, max_age=FLOW_MAX_AGE_S, path=FLOW_PATH)

    def clear_flow(self, response: Response) -> None:
        response.delete_cookie(FLOW_COOKIE, path=FLOW_PATH, httponly=True, samesite="lax", secure=self._secure)

    def form_token(self, page: PageSession) -> str:
        """What every form of this sign-in in this browser carries, and no other page can know."""
        return hmac.new(self._form_key, f"{page.session}\n{page.browser}".encode(), hashlib.sha256).hexdigest()

    def is_form_of(self, page: PageSession, given: str) -> bool:
        return hmac.compare_digest(self.form_token(page).encode(), given.encode("utf-8", "replace"))

    def _set(self, response: Response, name: str, value: str, *, max_age: int, path: str) -> None:
        response.set_cookie(name, value, max_age=max_age, path=path, httponly=True, samesite="lax", secure=self._secure)

    @staticmethod
    def _loaded(serializer: URLSafeTimedSerializer, value: str | None, max_age: int) -> object:
        try:
            return serializer.loads(value, max_age=max_age) if value else None
        except BadSignature:
            return None
