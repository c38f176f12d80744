"""WeChat's server interface, as far as the channel uses it: one token, two calls.

Token: https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from channels.wechat.errcodes import ALREADY_SO, TOKEN_REJECTED, send_error
from hotline.ports import SendError, SendReason
from hotline.settings import WeChatSettings

TIMEOUT: Final = httpx.Timeout(5.0, connect=2.0)
_RENEW_EARLY_S: Final = 300.0
"""The platform keeps the old token alive that long beside the new one."""
_NEVER_LEFT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    renew_at: float


class _WithoutQuery(logging.Filter):
    """httpx logs whole addresses; here the query holds the access token."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.copy_with(query=None) if isinstance(arg, httpx.URL) and arg.query else arg for arg in record.args
            )
        return True


_WITHOUT_QUERY: Final = _WithoutQuery()


class WeChatApi:
    """Calls WeChat with one shared token. Safe for concurrent use within one event loop.

    Processes need not share the token: the stable-token interface gives all of them the same one."""

    def __init__(self, settings: WeChatSettings, client: httpx.AsyncClient, *, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._token: _Token | None = None
        self._lock = asyncio.Lock()
        logging.getLogger("httpx").addFilter(_WITHOUT_QUERY)

    async def send_text(self, openid: str, text: str) -> str:
        """WeChat took it; its name for the message, empty where it gives none. Raises SendError."""
        sent = await self._call(
            "/cgi-bin/message/custom/send", {"touser": openid, "msgtype": "text", "text": {"content": text}}
        )
        return str(sent.get("msgid", ""))

    async def show_typing(self, openid: str, *, on: bool) -> None:
        """The citizen sees, for at most 15 s, that an answer is being written. Raises SendError."""
        command = "Typing" if on else "CancelTyping"
        await self._call("/cgi-bin/message/custom/typing", {"touser": openid, "command": command}, allowed=ALREADY_SO)

    async def _call(
        self, path: str, payload: Mapping[str, Any], *, allowed: frozenset[int] = frozenset()
    ) -> dict[str, Any]:
        token = await self._current_token()
        answer = await self._post(path, payload, token=token.value)
        if _errcode(answer) in TOKEN_REJECTED:
            # Refused before it was acted on, so the second try cannot double anything. There is no third.
            token = await self._current_token(rejected=token)
            answer = await self._post(path, payload, token=token.value)
        errcode = _errcode(answer)
        if errcode and errcode not in allowed:
            raise send_error(errcode)
        return answer

    async def _current_token(self, *, rejected: _Token | None = None) -> _Token:
        """The token in use; a new one when there is none, it is old, or it is the ``rejected`` one.

        Many may ask at once: the first fetches, the others find what it fetched."""
        async with self._lock:
            token = self._token
            if token is None or token is rejected or self._clock() >= token.renew_at:
                token = self._token = await self._fetch_token()
            return token

    async def _fetch_token(self) -> _Token:
        payload = {
            "grant_type": "client_credential",
            "appid": self._settings.app_id,
            "secret": self._settings.app_secret.get_secret_value(),
            "force_refresh": False,
        }
        answer = await self._post("/cgi-bin/stable_token", payload)
        if errcode := _errcode(answer):
            raise send_error(errcode)
        try:
            value, expires_in = str(answer["access_token"]), float(answer["expires_in"])
        except (KeyError, TypeError, ValueError) as error:
            raise SendError(SendReason.CONNECTION, "no token in WeChat's answer", retryable=True) from error
        return _Token(value, self._clock() + max(expires_in - _RENEW_EARLY_S, expires_in / 2))

    async def _post(self, path: str, payload: Mapping[str, Any], *, token: str | None = None) -> dict[str, Any]:
        """The JSON answer. A call with a token may have been acted on as soon as it has left."""
        acted = token is not None
        # Escaped characters would be shown to the citizen as they are.
        body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")
        try:
            response = await self._client.post(
                self._settings.api_base.rstrip("/") + path,
                params={"access_token": token} if token else None,
                content=body,
                headers={"content-type": "application/json; charset=utf-8"},
                timeout=TIMEOUT,
                follow_redirects=False,
            )
        except _NEVER_LEFT as error:
            raise _connection_error(error) from None
        except httpx.HTTPError as error:
            raise _connection_error(error, unknown=acted) from None
        return _read(response, acted=acted)


def _connection_error(error: Exception, *, unknown: bool = False) -> SendError:
    # Neither the text nor the cause of httpx's error is kept: both can hold the address with the token.
    name = type(error).__name__
    return SendError(SendReason.CONNECTION, name, retryable=not unknown, unknown=unknown, retry_after_s=1.0)


def _read(response: httpx.Response, *, acted: bool) -> dict[str, Any]:
    if response.status_code in {429, 503}:
        raise SendError(SendReason.THROTTLED, f"HTTP {response.status_code}", retryable=True, retry_after_s=5.0)
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if response.status_code != 200 or not isinstance(answer, dict):
        detail = f"HTTP {response.status_code} without a readable answer"
        raise SendError(SendReason.CONNECTION, detail, retryable=not acted, unknown=acted, retry_after_s=1.0)
    return answer


def _errcode(answer: Mapping[str, Any]) -> int:
    try:
        return int(answer.get("errcode", 0))
    except (TypeError, ValueError):
        return 0
