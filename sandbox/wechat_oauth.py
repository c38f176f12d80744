"""WeChat's web authorisation: a page opened on the phone learns whose phone it is.

https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import yaml
from fastapi import APIRouter, Cookie
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from sandbox.wechat_platform import Platform

CODE_LIFE_S = 300.0
NOT_A_CODE, USED_CODE = 40029, 40163
_MESSAGES = {
    40002: "invalid grant_type",
    40013: "invalid appid",
    40125: "invalid appsecret",
    41008: "missing code",
    NOT_A_CODE: "invalid code",
    USED_CODE: "code been used",
}
_SCOPES = frozenset({"snsapi_base", "snsapi_userinfo"})


@dataclass(slots=True)
class CodeDesk:
    """Codes as they are given out: good once and for five minutes."""

    clock: Callable[[], float]
    _given: dict[str, tuple[str, float]] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    def give(self, openid: str) -> str:
        code = secrets.token_hex(16)
        self._given[code] = (openid, self.clock())
        return code

    def redeem(self, code: str) -> str | int:
        """The openid, or the errcode."""
        if code in self._used:
            return USED_CODE
        openid, at = self._given.pop(code, ("", 0.0))
        if not openid or self.clock() - at >= CODE_LIFE_S:
            return NOT_A_CODE
        self._used.add(code)
        return openid


@cache
def _words() -> Mapping[str, str]:
    words: dict[str, str] = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8"))
    return words


def router(platform: Platform) -> APIRouter:
    """The authorisation page, and the interface that tells the openid of a code."""
    routes = APIRouter()
    desk = CodeDesk(platform.clock)

    @routes.get("/connect/oauth2/authorize")
    async def authorize(
        appid: str = "",
        redirect_uri: str = "",
        response_type: str = "",
        scope: str = "",
        state: str = "",
        sandbox_openid: Annotated[str, Cookie()] = "",
    ) -> Response:
        """Sends the browser back at once, as snsapi_base does. The phone's page says by a cookie whose it is."""
        refusal = _refusal(platform, appid=appid, redirect_uri=redirect_uri, kind=(response_type, scope))
        if refusal or sandbox_openid not in platform.chats:
            return HTMLResponse(f"<!doctype html><meta charset=utf-8><p>{_words()[refusal or 'outside']}", 403)
        back = urlencode({"code": desk.give(sandbox_openid), "state": state})
        return RedirectResponse(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{back}", status_code=302)

    @routes.get("/wechat/sns/oauth2/access_token")
    async def access_token(appid: str = "", secret: str = "", code: str = "", grant_type: str = "") -> JSONResponse:
        await asyncio.sleep(platform.faults.api_delay_s)
        config = platform.config
        for given, right, errcode in (
            (appid, config.app_id, 40013),
            (secret, config.app_secret, 40125),
            (grant_type, "authorization_code", 40002),
        ):
            if given != right:
                return _answer({"errcode": errcode, "errmsg": _MESSAGES[errcode]})
        found = desk.redeem(code) if code else 41008
        if isinstance(found, int):
            return _answer({"errcode": found, "errmsg": _MESSAGES[found]})
        tokens = {"access_token": secrets.token_urlsafe(64), "refresh_token": secrets.token_urlsafe(64)}
        return _answer({**tokens, "expires_in": 7200, "openid": found, "scope": "snsapi_base"})

    return routes


def _refusal(platform: Platform, *, appid: str, redirect_uri: str, kind: tuple[str, str]) -> str:
    """Which parameter is wrong, empty for none. The account's one web domain is the gateway's."""
    if appid != platform.config.app_id:
        return "app_id"
    if urlsplit(redirect_uri)[:2] != urlsplit(platform.config.gateway_url)[:2]:
        return "redirect_uri"
    response_type, scope = kind
    return "" if response_type == "code" and scope in _SCOPES else "scope"


def _answer(fields: dict[str, Any]) -> JSONResponse:
    """JSON that calls itself text, as WeChat's does."""
    return JSONResponse(fields, media_type="text/plain")
