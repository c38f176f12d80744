"""Who opens a page in WeChat: OAuth with snsapi_base, which asks the citizen nothing and tells his openid alone.

Code for openid: https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
"""

from __future__ import annotations

import asyncio
import logging
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

import httpx
import structlog

from hotline.settings import Settings

CALLBACK_PATH = "/id/wechat/callback"
TIME_LIMIT_S = 3.0
_BAD_CODE: Final = frozenset({40029, 40163, 41008, 42003})
"""Not a code, a used one, none, or one older than five minutes."""

log = structlog.get_logger()


class OAuthProblem(StrEnum):
    """Why it is not known who is there; each is a page of that name."""

    AWAY = "wechat_away"
    """WeChat is slow, away, or does not take our account's words."""
    BAD_CODE = "wechat_again"
    SNAPSHOT = "wechat_snapshot"
    """WeChat's preview of the page, opened by a passing account that is nobody's."""


class OAuthFailed(Exception):
    """Carries neither the code nor the account's secret."""

    def __init__(self, problem: OAuthProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class _WithoutQuery(logging.Filter):
    """httpx logs whole addresses; here the query holds the account's secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.copy_with(query=None) if isinstance(arg, httpx.URL) and arg.query else arg for arg in record.args
            )
        return True


_WITHOUT_QUERY: Final = _WithoutQuery()


class WeChatOAuth:
    """The two steps of OAuth for one account. ``transport`` leads to WeChat's interface, for tests."""

    def __init__(self, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._account = settings.wechat
        self._authorize_url = settings.identity.wechat_oauth_url
        self._callback = settings.gateway.public_url.rstrip("/") + CALLBACK_PATH
        self._transport = transport
        logging.getLogger("httpx").addFilter(_WITHOUT_QUERY)

    def address(self, state: str) -> str:
        """Where the browser is sent; it comes back to `CALLBACK_PATH` with a code and ``state``.

        WeChat wants the parameters in this order, and the fragment."""
        query = {
            "appid": self._account.app_id,
            "redirect_uri": self._callback,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
        }
        return f"{self._authorize_url}?{urlencode(query)}#wechat_redirect"

    async def openid(self, code: str) -> str:
        """The openid a code stands for; a code is good once. Raises OAuthFailed, within 3 s."""
        answer = await self._exchange(code)
        errcode = answer.get("errcode", 0)
        if errcode in _BAD_CODE:
            raise OAuthFailed(OAuthProblem.BAD_CODE)
        if answer.get("is_snapshotuser") == 1:
            raise OAuthFailed(OAuthProblem.SNAPSHOT)
        openid = answer.get("openid")
        if errcode or not isinstance(openid, str) or not openid:
            log.error("identity.wechat.refused", status=errcode)
            raise OAuthFailed(OAuthProblem.AWAY)
        return openid

    async def _exchange(self, code: str) -> dict[str, object]:
        query = {
            "appid": self._account.app_id,
            "secret": self._account.app_secret.get_secret_value(),
            "code": code,
            "grant_type": "authorization_code",
        }
        url = self._account.api_base.rstrip("/") + "/sns/oauth2/access_token"
        try:
            async with (
                asyncio.timeout(TIME_LIMIT_S),
                httpx.AsyncClient(transport=self._transport, trust_env=False, timeout=TIME_LIMIT_S) as client,
            ):
                answer = (await client.get(url, params=query)).json()
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            log.warning("identity.wechat.away", reason=type(error).__name__)
            # The cause is left out: what went wrong with a request may quote its address.
            raise OAuthFailed(OAuthProblem.AWAY) from None
        return answer if isinstance(answer, dict) else {}
