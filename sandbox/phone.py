"""A phone with the account's chat in it, for trying things by hand and for browser tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Request
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from sandbox.wechat_account import account
from sandbox.wechat_chats import Chat
from sandbox.wechat_platform import Platform

STATIC = Path(__file__).with_name("static")
_MEDIA = {".css": "text/css", ".js": "text/javascript", ".html": "text/html", ".svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
HEARTBEAT_S = 15.0


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")
    openid: str


class SayForm(_Form):
    """Typed text, or what a tapped link says (``menu_id``)."""

    text: str = Field(min_length=1, max_length=2000)
    menu_id: str = Field(default="", max_length=64)


class SpeakForm(_Form):
    """A voice message and what recognition makes of it."""

    text: str = Field(default="", max_length=2000)


class MenuForm(_Form):
    """A tapped menu entry."""

    key: str = Field(min_length=1, max_length=128)


router = APIRouter(prefix="/phone")


def _platform(request: Request) -> Platform:
    found: Platform = request.app.state.platform
    return found


OnPlatform = Annotated[Platform, Depends(_platform)]


def _chat(platform: Platform, openid: str) -> Chat:
    if openid not in platform.chats:
        raise HTTPException(404, "nobody of that openid here")
    return platform.chat(openid)


@router.get("")
async def page() -> FileResponse:
    return _static("phone.html")


@router.get("/static/{name}")
async def static(name: str) -> FileResponse:
    return _static(name)


@router.get("/account")
async def show_account() -> dict[str, Any]:
    return asdict(account())


@router.get("/events")
async def events(
    platform: OnPlatform, openid: str, after: int = 0, last_event_id: Annotated[int | None, Header()] = None
) -> StreamingResponse:
    """Server-sent events; a reconnecting browser gets what it missed."""
    stream = as_sse(_chat(platform, openid), after=after if last_event_id is None else last_event_id)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.post("/say", status_code=202)
async def say(platform: OnPlatform, form: SayForm) -> None:
    _chat(platform, form.openid)
    platform.say(form.openid, form.text, menu_id=form.menu_id)


@router.post("/speak", status_code=202)
async def speak(platform: OnPlatform, form: SpeakForm) -> None:
    _chat(platform, form.openid)
    platform.speak(form.openid, form.text)


@router.post("/picture", status_code=202)
async def picture(platform: OnPlatform, form: _Form) -> None:
    _chat(platform, form.openid)
    platform.show_picture(form.openid)


@router.post("/menu", status_code=202)
async def menu(platform: OnPlatform, form: MenuForm) -> None:
    _chat(platform, form.openid)
    platform.event(form.openid, "CLICK", EventKey=form.key)


@router.post("/follow", status_code=202)
async def follow(platform: OnPlatform, form: _Form) -> None:
    if not _chat(platform, form.openid).follows:
        platform.event(form.openid, "subscribe", EventKey="")


@router.post("/unfollow", status_code=202)
async def unfollow(platform: OnPlatform, form: _Form) -> None:
    if _chat(platform, form.openid).follows:
        platform.event(form.openid, "unsubscribe", EventKey="")


async def as_sse(chat: Chat, *, after: int) -> AsyncIterator[str]:
    """The chat's events in their form on the wire, with a sign of life in long pauses."""
    with chat.watching(after=after) as events:
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    event = await events.get()
            except TimeoutError:
                yield ": still here\n\n"
                continue
            seq = f"id: {event['seq']}\n" if "seq" in event else ""
            yield f"{seq}event: {event['event']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"
            if event["event"] == "restart":
                return


def _static(name: str) -> FileResponse:
    path = STATIC / name
    if path.parent != STATIC or path.suffix not in _MEDIA or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type=_MEDIA[path.suffix], headers=_HEADERS)
