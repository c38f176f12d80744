"""The platform between phones and the account's server: takes what citizens do and pushes it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.config import SandboxConfig
from sandbox.wechat_account import account
from sandbox.wechat_chats import Chat
from sandbox.wechat_push import Faults, Pusher, PushRecord
from sandbox.wechat_tokens import TokenDesk

TAPPED_EVENTS = frozenset({"subscribe", "SCAN", "CLICK"})


@dataclass(slots=True)
class Clock:
    """The time of day, which tests may move forward."""

    read: Callable[[], float] = time.time
    ahead_s: float = 0.0

    def __call__(self) -> float:
        return self.read() + self.ahead_s


@dataclass(slots=True)
class Platform:
    """One account, its followers' chats and its tokens."""

    config: SandboxConfig
    client: httpx.AsyncClient
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=Faults)
    pushes: deque[PushRecord] = field(default_factory=lambda: deque(maxlen=500))
    tokens: TokenDesk = field(init=False)
    chats: dict[str, Chat] = field(default_factory=dict)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Everything is as at the start; pushes under way are given up."""
        for task in self._running:
            task.cancel()
        for chat in self.chats.values():
            chat.restart()
        self.clock.ahead_s = 0.0
        self.faults = Faults()
        self.pushes.clear()
        self.tokens = TokenDesk(self.clock)
        self.chats = {one.openid: Chat(one.openid, one.name, self.clock) for one in account().citizens}

    def chat(self, openid: str) -> Chat:
        """Raises KeyError for somebody this platform does not know."""
        return self.chats[openid]

    def say(self, openid: str, text: str, *, menu_id: str = "") -> asyncio.Task[None]:
        """The citizen typed ``text``, or tapped a link that says it (``menu_id``)."""
        chat = self.chat(openid)
        chat.add("citizen", text)
        # The interface's page counts a tapped link as a menu key, not as a message.
        chat.open_window("event" if menu_id else "message")
        tapped = {"bizmsgmenuid": menu_id} if menu_id else {}
        return self._push_message(chat, {"MsgType": "text", "Content": text, **tapped})

    def speak(self, openid: str, recognised: str) -> asyncio.Task[None]:
        """A voice message; ``recognised`` may be empty, as where recognition is switched off."""
        chat = self.chat(openid)
        chat.add("citizen", recognised, kind="voice")
        chat.open_window("message")
        media = {"MsgType": "voice", "MediaId": secrets.token_urlsafe(24), "Format": "amr"}
        # The real recognition ends every sentence so.
        words = {"Recognition": recognised + "\u3002"} if recognised else {}
        return self._push_message(chat, media | words)

    def show_picture(self, openid: str) -> asyncio.Task[None]:
        chat = self.chat(openid)
        chat.add("citizen", account().blank_picture, kind="picture")
        chat.open_window("message")
        picture = {"PicUrl": "http://mmbiz.qpic.cn/sandbox/0", "MediaId": secrets.token_urlsafe(24)}
        return self._push_message(chat, {"MsgType": "image", **picture})

    def event(self, openid: str, event: str, **fields: str) -> asyncio.Task[None]:
        """Anything that is not a message: subscribe, unsubscribe, CLICK, SCAN, VIEW, LOCATION …"""
        chat = self.chat(openid)
        if event in {"subscribe", "unsubscribe"}:
            self._set_follows(chat, event == "subscribe")
        if event in TAPPED_EVENTS:
            chat.open_window("event")
        return self._push(chat, {"MsgType": "event", "Event": event, **fields})

    async def idle(self) -> None:
        """Returns when no push is under way."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    def _set_follows(self, chat: Chat, follows: bool) -> None:
        if not follows:
            chat.windows.clear()
        chat.set_follows(follows)
        chat.add("system", account().followed if follows else account().unfollowed)

    def _push_message(self, chat: Chat, fields: Mapping[str, str]) -> asyncio.Task[None]:
        msg_id = str(secrets.randbelow(9 * 10**16) + 24 * 10**17)
        return self._push(chat, {**fields, "MsgId": msg_id})

    def _push(self, chat: Chat, fields: Mapping[str, str]) -> asyncio.Task[None]:
        head: dict[str, Any] = {"ToUserName": self.config.original_id, "FromUserName": chat.openid}
        message = {**head, "CreateTime": str(int(self.clock())), **fields}
        pusher = Pusher(self.config, self.client, self.clock, self.faults, self.pushes)
        task = asyncio.get_running_loop().create_task(pusher.deliver(chat, message))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
