"""The interfaces an account's server calls, and a small one of our own to make things go wrong.

https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from sandbox.wechat_platform import Platform
from sandbox.wechat_push import MAX_TEXT_BYTES, handshake

_MESSAGES = {
    -1: "system error",
    0: "ok",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40008: "invalid message type",
    40013: "invalid appid",
    40125: "invalid appsecret",
    41001: "access_token missing",
    42001: "access_token expired",
    43004: "require subscribe",
    44004: "empty content",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45072: "invalid command",
    45081: "already typing",
    47001: "data format error",
}


class FaultsForm(BaseModel):
    """What is to go wrong; what is not named goes right."""

    model_config = ConfigDict(extra="forbid")

    drop_responses: int = Field(default=0, ge=0, le=100)
    duplicate: int = Field(default=0, ge=0, le=100)
    same_stamp: bool = False
    api_delay_s: float = Field(default=0.0, ge=0, le=60)
    api_errcodes: list[int] = Field(default_factory=list)


def vendor_router(platform: Platform) -> APIRouter:
    """The part of https://api.weixin.qq.com that the application uses."""
    router = APIRouter(prefix="/wechat/cgi-bin")

    @router.api_route("/token", methods=["GET", "POST"])
    async def classic_token() -> JSONResponse:
        """Two users of the classic token invalidate each other's, so it is not offered here."""
        return JSONResponse({"errcode": 48001, "errmsg": "use /cgi-bin/stable_token"}, status_code=410)

    @router.post("/stable_token")
    async def stable_token(request: Request) -> dict[str, Any]:
        await asyncio.sleep(platform.faults.api_delay_s)
        form = await _json(request)
        config = platform.config
        expected = {"grant_type": ("client_credential", 40002), "appid": (config.app_id, 40013)}
        expected["secret"] = (config.app_secret, 40125)
        for name, (value, errcode) in expected.items():
            if form.get(name) != value:
                return _answer(errcode)
        token, expires_in = platform.tokens.give(force=form.get("force_refresh") is True)
        return {"access_token": token, "expires_in": expires_in} if token else _answer(45009)

    @router.post("/message/custom/send")
    async def custom_send(request: Request, access_token: str = "") -> dict[str, Any]:
        return _answer(await _fault(platform) or _send(platform, access_token, await _json(request)))

    @router.post("/message/custom/typing")
    async def custom_typing(request: Request, access_token: str = "") -> dict[str, Any]:
        return _answer(await _fault(platform) or _typing(platform, access_token, await _json(request)))

    return router


def control_router(platform: Platform) -> APIRouter:
    """Faults, time and a look behind the scenes, for tests."""
    router = APIRouter(prefix="/wechat/sandbox")

    @router.post("/faults")
    async def set_faults(form: FaultsForm) -> dict[str, Any]:
        for name, value in form.model_dump().items():
            setattr(platform.faults, name, value)
        return asdict(platform.faults)

    @router.post("/expire-token")
    async def expire_token(errcode: int = 42001) -> dict[str, Any]:
        platform.tokens.expire(errcode)
        return {"issued": platform.tokens.issued}

    @router.post("/advance")
    async def advance(seconds: float) -> dict[str, Any]:
        """Windows and tokens age by so many seconds."""
        platform.clock.ahead_s += seconds
        return {"now": platform.clock()}

    @router.post("/handshake")
    async def check_server() -> dict[str, Any]:
        return {"ok": await handshake(platform.config, platform.client, platform.clock)}

    @router.post("/event")
    async def event(openid: str, event: str, event_key: str = "") -> dict[str, Any]:
        platform.event(openid, event, EventKey=event_key)
        return {"ok": True}

    @router.post("/reset")
    async def reset() -> dict[str, Any]:
        platform.reset()
        return {"ok": True}

    @router.get("/pushes")
    async def pushes() -> dict[str, Any]:
        tokens = {"asked": platform.tokens.asked, "issued": platform.tokens.issued}
        return {"pushes": [asdict(record) for record in platform.pushes], "tokens": tokens}

    return router


def _send(platform: Platform, token: str, form: dict[str, Any]) -> int:
    if errcode := platform.tokens.check(token):
        return errcode
    chat = platform.chats.get(str(form.get("touser", "")))
    if chat is None:
        return 40003 if form else 47001
    if not chat.follows:
        return 43004
    if form.get("msgtype") != "text":
        return 40008
    text = form.get("text", {}).get("content", "") if isinstance(form.get("text"), dict) else ""
    if not isinstance(text, str) or not text:
        return 44004
    if len(text.encode()) > MAX_TEXT_BYTES:
        return 45002
    if errcode := chat.take():
        return errcode
    chat.add("account", text, via="pushed")
    return 0


def _typing(platform: Platform, token: str, form: dict[str, Any]) -> int:
    if errcode := platform.tokens.check(token):
        return errcode
    chat = platform.chats.get(str(form.get("touser", "")))
    if chat is None:
        return 40003 if form else 47001
    command = form.get("command")
    if command not in {"Typing", "CancelTyping"}:
        return 45072
    if command == "Typing" and platform.clock() < chat.typing_until:
        return 45081
    chat.show_typing(on=command == "Typing")
    return 0


async def _fault(platform: Platform) -> int:
    await asyncio.sleep(platform.faults.api_delay_s)
    return platform.faults.api_errcodes.pop(0) if platform.faults.api_errcodes else 0


async def _json(request: Request) -> dict[str, Any]:
    try:
        form = await request.json()
    except ValueError:
        return {}
    return form if isinstance(form, dict) else {}


def _answer(errcode: int) -> dict[str, Any]:
    return {"errcode": errcode, "errmsg": _MESSAGES.get(errcode, "refused")}
