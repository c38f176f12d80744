"""Asterisk's REST interface (ARI): commands over HTTP, events over a WebSocket.

https://docs.asterisk.org/Latest_API/API_Documentation/Asterisk_REST_Interface/
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from channels.voice.asterisk.events import WANTED
from hotline.settings import AsteriskSettings

_LIMITS: Final = httpx.Timeout(connect=1.0, read=3.0, write=2.0, pool=2.0)
_MOST_CONNECTIONS: Final = 32
_OPEN_S: Final = 3.0
_PING_S: Final = 5.0
_LONGEST_EVENT: Final = 256 * 1024


class AriAway(Exception):
    """Asterisk cannot be reached, is too slow or at fault."""


class AriRefused(Exception):
    """Asterisk has understood and refuses: no such channel, not in the application any more, no such telephone."""

    def __init__(self, status: int) -> None:
        super().__init__(f"http {status}")
        self.status = status


class Ari:
    """Safe for concurrent calls. Every command raises AriAway or AriRefused."""

    def __init__(self, settings: AsteriskSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._app = settings.app
        self._url = settings.ari_url.rstrip("/")
        self._login = (settings.ari_user, settings.ari_password.get_secret_value())
        self._http = httpx.AsyncClient(
            base_url=self._url,
            auth=self._login,
            timeout=_LIMITS,
            limits=httpx.Limits(max_connections=_MOST_CONNECTIONS),
            trust_env=False,
            transport=transport,
        )

    async def close(self) -> None:
        """Connections are closed."""
        await self._http.aclose()

    @asynccontextmanager
    async def events(self) -> AsyncIterator[ClientConnection]:
        """The application is registered and its events come as text, for as long as the context lasts. Raises AriAway,
        also where they end."""
        address = urlsplit(self._url)
        scheme = "wss" if address.scheme == "https" else "ws"
        uri = f"{scheme}://{address.netloc}{address.path}/events?app={quote(self._app)}"
        login = base64.b64encode(":".join(self._login).encode()).decode()
        try:
            async with connect(
                uri,
                additional_headers={"Authorization": f"Basic {login}"},
                open_timeout=_OPEN_S,
                close_timeout=_OPEN_S,
                ping_interval=_PING_S,
                ping_timeout=_PING_S,
                max_size=_LONGEST_EVENT,
                proxy=None,
            ) as socket:
                yield socket
        except (OSError, TimeoutError, WebSocketException) as error:
            raise AriAway(type(error).__name__) from error

    async def want_only_calls(self) -> None:
        """Asterisk sends the events we read, and no others."""
        allowed = [{"type": name} for name in WANTED]
        await self._ask("PUT", f"/applications/{quote(self._app)}/eventFilter", body={"allowed": allowed})

    async def subscribe(self, channel: str) -> None:
        """The channel's events come to the application, once each however often this is asked."""
        await self._ask("POST", f"/applications/{quote(self._app)}/subscription", {"eventSource": f"channel:{channel}"})

    async def channels(self) -> Mapping[str, Mapping[str, Any]]:
        """Every channel there is, by its id."""
        return _by_id(await self._ask("GET", "/channels"))

    async def bridges(self) -> Mapping[str, Mapping[str, Any]]:
        """Every bridge there is, by its id."""
        return _by_id(await self._ask("GET", "/bridges"))

    async def answer(self, channel: str) -> None:
        await self._ask("POST", f"/channels/{quote(channel)}/answer")

    async def hang_up(self, channel: str, *, reason: str = "normal") -> None:
        await self._ask("DELETE", f"/channels/{quote(channel)}", {"reason": reason})

    async def go_on(self, channel: str, *, context: str) -> None:
        """The channel leaves the application for the first step of ``s`` in a context of the dialplan."""
        where = {"context": context, "extension": "s", "priority": "1"}
        await self._ask("POST", f"/channels/{quote(channel)}/continue", where)

    async def make_bridge(self, bridge: str) -> None:
        await self._ask("POST", f"/bridges/{quote(bridge)}", {"type": "mixing", "name": bridge})

    async def end_bridge(self, bridge: str) -> None:
        await self._ask("DELETE", f"/bridges/{quote(bridge)}")

    async def join(self, bridge: str, *channels: str) -> None:
        await self._ask("POST", f"/bridges/{quote(bridge)}/addChannel", {"channel": ",".join(channels)})

    async def media(self, channel: str, parameters: Mapping[str, str]) -> None:
        """A channel of that id which carries sound to and from us."""
        await self._ask("POST", "/channels/externalMedia", {"channelId": channel, "app": self._app, **parameters})

    async def ring(self, channel: str, parameters: Mapping[str, str], variables: Mapping[str, str]) -> None:
        """A telephone is rung on a channel of that id, which comes to the application when it is answered."""
        query = {"channelId": channel, "app": self._app, **parameters}
        await self._ask("POST", "/channels", query, body={"variables": dict(variables)})

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Mapping[str, object] | None = None,
    ) -> object:
        try:
            answer = await self._http.request(method, path, params=query, json=body)
        except httpx.HTTPError as error:
            raise AriAway(type(error).__name__) from error
        if answer.status_code in (401, 403) or answer.status_code >= 500:
            raise AriAway(f"http {answer.status_code}")
        if answer.status_code >= 300:
            raise AriRefused(answer.status_code)
        try:
            return answer.json() if answer.content else None
        except ValueError as error:
            raise AriAway("no JSON") from error


def _by_id(answer: object) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(answer, list):
        raise AriAway("no list")
    return {row["id"]: row for row in answer if isinstance(row, dict) and isinstance(row.get("id"), str)}
