"""A recogniser's server with a model that does as it is told, and servers that misbehave, on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.server import Server, ServerConnection, serve

from channels.voice.hearing.local.server import RecogniserServer
from channels.voice.hearing.local.whisper import Heard
from channels.voice.hearing.local.work import Work
from channels.voice.hearing.port import Recognised
from channels.voice.hearing.remote import RemoteRecognition

HINTS = ("公积金", "租房提取")


class FakeModel:
    """Says how much sound it was given. ``gate`` holds it up; ``failing`` makes it raise."""

    def __init__(self) -> None:
        self.worked: list[tuple[int, tuple[str, ...]]] = []
        self.failing = False
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, pcm: bytes, hints: Sequence[str]) -> Heard:
        self.worked.append((len(pcm), tuple(hints)))
        if not self.gate.wait(10):
            raise TimeoutError
        if self.failing:
            raise RuntimeError("the model broke")
        return Heard(text=f"听到{len(pcm)}", confidence=0.75)


def url_of(server: Server, *, scheme: str = "ws") -> str:
    return f"{scheme}://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@asynccontextmanager
async def recogniser_server(
    model: FakeModel, *, token: str = "", most_waiting: int = 8, port: int = 0
) -> AsyncIterator[str]:
    """Its address."""
    work = Work(model, most_waiting=most_waiting)
    try:
        async with RecogniserServer(work, token=token).listening("127.0.0.1", port) as server:
            yield url_of(server)
    finally:
        model.gate.set()
        work.close()


@asynccontextmanager
async def peer(handler: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    """A server that is not ours."""
    async with serve(handler, "127.0.0.1", 0, close_timeout=0.2) as server:
        yield url_of(server)


async def begun(connection: ServerConnection) -> int:
    """The number of the utterance, once all of its sound has come."""
    number = 0
    async for message in connection:
        if isinstance(message, str):
            frame: dict[str, Any] = json.loads(message)
            number = frame["utterance"]
            if frame["type"] == "finish":
                break
    return number


async def said(recognition: RemoteRecognition, *, pcm: bytes = bytes(3200)) -> list[Recognised]:
    """The results of an utterance of this sound."""
    await recognition.feed(pcm)
    await recognition.finish()
    return [result async for result in recognition.results()]


async def health(url: str) -> str:
    """What the server says of itself."""
    async with httpx.AsyncClient() as client:
        response = await client.get(url.replace("ws", "http", 1) + "/health")
    assert response.status_code == 200
    return response.text.strip()


async def under_way(url: str, count: int) -> None:
    """Waits until the server works at so many utterances."""
    for _ in range(500):
        if await health(url) == str(count):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never {count} under way")
