"""Asterisk's side of ARI and of chan_websocket over loopback, as far as the switch uses them, with its faults."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

APP = "hotline"
ASTERISK = "02:00:00:00:00:01"
_METHODS = ["GET", "POST", "PUT", "DELETE"]


class FakeAri:
    """``agent``: what becomes of a telephone that is rung: ``answers``, ``busy``, ``rings``, ``unknown``.
    ``media``: what becomes of a media channel: ``json``, ``plain`` (as 22.6 speaks), ``never`` (does not connect)."""

    def __init__(self) -> None:
        self.channels: dict[str, dict[str, Any]] = {}
        self.bridges: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str, Mapping[str, str], Any]] = []
        self.agent = "answers"
        self.media = "json"
        self.media_after_s = 0.0
        self.media_port = 0
        self.away = False
        self.legs: dict[str, ClientConnection] = {}
        self.heard: dict[str, bytes] = {}
        self.commands: dict[str, list[str]] = {}
        self._sockets: set[WebSocket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeAri]:
        routes = [
            WebSocketRoute("/ari/events", self._events),
            Route("/ari/{path:path}", self._answer, methods=_METHODS),
        ]
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
            config = uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off", ws="websockets-sansio")
            server = uvicorn.Server(config)
            server.config.load()
            serving = asyncio.create_task(server._serve([listener]))
            try:
                yield self
            finally:
                for task in list(self._tasks):
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                for leg in self.legs.values():
                    await leg.close()
                server.should_exit = True
                await serving

    # --- what a test does ------------------------------------------------------------------------------------------

    async def come(self, channel: str = "test-1.0", number: str = "13800138000", *, times: int = 1) -> None:
        """A call is handed to the application; its event comes so many times."""
        self.channels[channel] = self._row(channel, number, f"{APP},12329")
        for _ in range(times):
            await self.tell("StasisStart", channel, args=["12329"])

    async def leave(self, channel: str = "test-1.0", *, told: bool = True) -> None:
        """The caller hangs up."""
        self.channels.pop(channel, None)
        for inside in self.bridges.values():
            with contextlib.suppress(ValueError):
                inside.remove(channel)
        if told:
            await self.tell("StasisEnd", channel)
            await self.tell("ChannelDestroyed", channel, cause=16)

    async def press(self, key: str, channel: str = "test-1.0") -> None:
        await self.tell("ChannelDtmfReceived", channel, digit=key, duration_ms=100)

    async def tell(self, type: str, channel: str, **fields: Any) -> None:
        row = self.channels.get(channel) or self._row(channel, "", "")
        event = {"type": type, "application": APP, "asterisk_id": ASTERISK, "channel": row, **fields}
        await self.send(json.dumps(event))

    async def send(self, text: str) -> None:
        for one in list(self._sockets):
            await one.send_text(text)

    async def go_away(self) -> None:
        """Every connection for control breaks and no new one is to be had; sound goes on."""
        self.away = True
        for one in list(self._sockets):
            await one.close(1011)

    def come_back(self) -> None:
        self.away = False

    @property
    def connections(self) -> int:
        return len(self._sockets)

    def of(self, method: str, ending: str) -> list[tuple[Mapping[str, str], Any]]:
        """What was asked for by requests whose path ends so."""
        return [(query, body) for how, path, query, body in self.asked if how == method and path.endswith(ending)]

    @property
    def sent_to_people(self) -> list[str]:
        return [path.split("/")[1] for how, path, _, _ in self.asked if how == "POST" and path.endswith("/continue")]

    def the_leg(self) -> ClientConnection:
        """The call's own media connection, the first there was."""
        return next(iter(self.legs.values()))

    # --- Asterisk's side -------------------------------------------------------------------------------------------

    @staticmethod
    def _row(channel: str, number: str, app_data: str) -> dict[str, Any]:
        return {
            "id": channel,
            "name": f"PJSIP/trunk-{channel}",
            "state": "Up",
            "caller": {"name": "", "number": number},
            "dialplan": {"context": "hotline", "exten": "12329", "app_name": "Stasis", "app_data": app_data},
        }

    async def _events(self, websocket: WebSocket) -> None:
        if self.away or "authorization" not in websocket.headers:
            await websocket.close(1011)
            return
        await websocket.accept()
        self._sockets.add(websocket)
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            pass
        finally:
            self._sockets.discard(websocket)

    async def _answer(self, request: Request) -> Response:
        if self.away:
            return Response(status_code=503)
        path, query = request.path_params["path"], dict(request.query_params)
        text = await request.body()
        self.asked.append((request.method, path, query, json.loads(text) if text else None))
        match [request.method, *path.split("/")]:
            case ["GET", "channels"]:
                return JSONResponse(list(self.channels.values()))
            case ["GET", "bridges"]:
                return JSONResponse([{"id": bridge, "channels": inside} for bridge, inside in self.bridges.items()])
            case ["POST", "channels", "externalMedia"]:
                return self._open_media(query)
            case ["POST", "channels"]:
                return await self._ring(query)
            case [_, "channels", channel, *what]:
                return await self._on_channel(request.method, channel, what)
            case [_, "bridges", bridge, *what]:
                return self._on_bridge(request.method, bridge, what, query)
        return Response(status_code=204)

    async def _on_channel(self, method: str, channel: str, what: list[str]) -> Response:
        if channel not in self.channels:
            return JSONResponse({"message": "Channel not found"}, status_code=404)
        if method == "DELETE" or what == ["continue"]:
            if leg := self.legs.get(channel):
                await leg.close()
            await self.leave(channel)
        return Response(status_code=204)

    def _on_bridge(self, method: str, bridge: str, what: list[str], query: Mapping[str, str]) -> Response:
        if method == "DELETE":
            return Response(status_code=204 if self.bridges.pop(bridge, None) is not None else 404)
        if what == ["addChannel"]:
            wanted = query["channel"].split(",")
            if any(channel not in self.channels for channel in wanted):
                return Response(status_code=400)
            for inside in self.bridges.values():
                inside[:] = [channel for channel in inside if channel not in wanted]
            self.bridges[bridge] += wanted
            return Response(status_code=204)
        self.bridges[bridge] = []
        return JSONResponse({"id": bridge, "channels": []})

    def _open_media(self, query: Mapping[str, str]) -> Response:
        channel = query["channelId"]
        self.channels[channel] = self._row(channel, "", APP)
        if self.media != "never":
            self._later(self._connect(channel, query))
        return JSONResponse(self.channels[channel])

    async def _connect(self, channel: str, query: Mapping[str, str]) -> None:
        await asyncio.sleep(self.media_after_s)
        leg = query["transport_data"].partition("v(")[2].rstrip(")")
        uri = f"ws://127.0.0.1:{self.media_port}/media" + (f"?{leg}" if self.media == "json" else "")
        async with connect(uri, subprotocols=[Subprotocol("media")], proxy=None) as media:
            self.legs[channel], self.heard[channel], self.commands[channel] = media, b"", []
            if self.media == "json":
                await media.send(json.dumps({"event": "MEDIA_START", "channel_id": channel, "format": "alaw"}))
            else:
                await media.send(f"MEDIA_START connection_id:x channel:WebSocket/x channel_id:{channel} format:alaw")
            await self.tell("StasisStart", channel, args=[])
            with contextlib.suppress(ConnectionClosed):
                async for message in media:
                    if isinstance(message, bytes):
                        self.heard[channel] += message
                    else:
                        self.commands[channel].append(message)
        if self.channels.pop(channel, None):
            await self.tell("ChannelDestroyed", channel, cause=16)

    async def _ring(self, query: Mapping[str, str]) -> Response:
        if self.agent == "unknown":
            return JSONResponse({"error": "Allocation failed"}, status_code=500)
        channel = query["channelId"]
        self.channels[channel] = self._row(channel, "", APP)
        self._later(self._agent_does(channel))
        return JSONResponse(self.channels[channel])

    async def _agent_does(self, channel: str) -> None:
        await asyncio.sleep(0.05)
        if self.agent == "answers":
            await self.tell("StasisStart", channel, args=["agent"])
        elif self.agent == "busy":
            self.channels.pop(channel, None)
            await self.tell("ChannelDestroyed", channel, cause=17)

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
