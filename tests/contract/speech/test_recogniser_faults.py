"""The recogniser is away, hangs, dies, is slow or sends nonsense: the caller's side is told in time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection

from channels.voice.hearing.port import Recognised, RecogniserAway
from channels.voice.hearing.remote import RemoteRecogniser, RemoteRecognition
from tests.contract.speech.kit import FakeModel, begun, free_port, peer, recogniser_server, said

pytestmark = pytest.mark.anyio


def quick(url: str) -> RemoteRecogniser:
    return RemoteRecogniser(url, connect_s=0.3, send_s=0.3, finish_s=0.3)


async def refused(recogniser: RemoteRecogniser, why: str) -> None:
    """Within a second."""
    began = time.monotonic()
    with pytest.raises(RecogniserAway, match=why):
        await said(await recogniser.begin(hints=()))
    assert time.monotonic() - began < 2
    await recogniser.close()


async def test_nobody_listens() -> None:
    await refused(quick(f"ws://127.0.0.1:{free_port()}"), "cannot be reached")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense"])
async def test_an_address_that_is_none(url: str) -> None:
    await refused(quick(url), "cannot be reached")


@pytest.fixture
async def speechless() -> AsyncIterator[str]:
    """Takes connections and says nothing."""
    writers: list[asyncio.StreamWriter] = []

    async def ignore(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    async with await asyncio.start_server(ignore, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for writer in writers:
            writer.close()
            await writer.wait_closed()


async def test_somebody_listens_who_never_answers(speechless: str) -> None:
    await refused(quick(speechless), "does not answer")


async def test_something_else_listens_there() -> None:
    async def html(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(html, "127.0.0.1", 0) as server:
        await refused(quick(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"), "cannot be reached")


async def test_it_hangs_after_the_end_of_the_words() -> None:
    async def hang(connection: ServerConnection) -> None:
        await begun(connection)
        await connection.wait_closed()

    async with peer(hang) as url:
        await refused(quick(url), "too slow")


async def speak_on(recognition: RemoteRecognition) -> None:
    for _ in range(200):
        await recognition.feed(bytes(320))
        await asyncio.sleep(0.01)


async def test_it_dies_while_somebody_speaks() -> None:
    async def die(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.abort()

    async with peer(die) as url:
        recogniser = quick(url)
        recognition = await recogniser.begin(hints=())
        with pytest.raises(RecogniserAway, match="broke"):
            await speak_on(recognition)
        with pytest.raises(RecogniserAway, match="broke"):
            await anext(aiter(recognition.results()))
        await recognition.cancel()
        await recogniser.close()


async def test_it_dies_instead_of_answering() -> None:
    async def die(connection: ServerConnection) -> None:
        await begun(connection)
        connection.transport.abort()

    async with peer(die) as url:
        await refused(quick(url), "broke")


def answering(make: Callable[[int], str | bytes]) -> Callable[[ServerConnection], Awaitable[None]]:
    async def answer(connection: ServerConnection) -> None:
        await connection.send(make(await begun(connection)))
        await connection.wait_closed()

    return answer


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda _: "nonsense", "cannot be read"),
        (lambda _: '{"type": "result"}', "cannot be read"),
        (lambda _: bytes(100), "sent sound"),
        (lambda _: "x" * 100_000, "broke"),
        (lambda n: json.dumps({"type": "error", "utterance": n, "reason": "busy"}), "gave up: busy"),
        (lambda n: json.dumps({"type": "result", "utterance": n + 1, "text": "别人的", "final": True}), "too slow"),
    ],
)
async def test_it_sends_what_is_no_result_of_this_utterance(make: Callable[[int], str | bytes], why: str) -> None:
    async with peer(answering(make)) as url:
        await refused(quick(url), why)


async def test_it_takes_no_sound() -> None:
    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await asyncio.sleep(0.8)

    async with peer(deaf) as url:
        recogniser = quick(url)
        recognition = await recogniser.begin(hints=())
        with pytest.raises(RecogniserAway, match="takes no sound"):
            await recognition.feed(bytes(64_000_000))
        await recognition.cancel()
        await recogniser.close()


async def test_partial_results_come_before_the_final_one() -> None:
    async def partial(connection: ServerConnection) -> None:
        number = await begun(connection)
        for text, final in (("公积金", False), ("公积金提取", True)):
            frame = {"type": "result", "utterance": number, "text": text, "final": final, "more": "ignored"}
            await connection.send(json.dumps(frame))
        await connection.wait_closed()

    async with peer(partial) as url:
        recogniser = quick(url)
        assert await said(await recogniser.begin(hints=())) == [
            Recognised(text="公积金", final=False),
            Recognised(text="公积金提取", final=True),
        ]
        await recogniser.close()


async def test_a_recogniser_that_was_started_again_is_used_again() -> None:
    port = free_port()
    recogniser: RemoteRecogniser | None = None
    for _ in range(2):
        async with recogniser_server(FakeModel(), port=port) as url:
            recogniser = recogniser or RemoteRecogniser(url)
            assert await said(await recogniser.begin(hints=()))
    assert recogniser is not None
    with pytest.raises(RecogniserAway):
        await recogniser.begin(hints=())
    await recogniser.close()


async def first_of(recognition: RemoteRecognition) -> Recognised:
    return await anext(aiter(recognition.results()))


async def test_cancelling_while_a_result_is_waited_for_leaves_nothing_behind() -> None:
    model = FakeModel()
    model.gate.clear()
    async with recogniser_server(model) as url:
        recogniser = RemoteRecogniser(url)
        recognition = await recogniser.begin(hints=())
        await recognition.finish()
        reading = asyncio.create_task(first_of(recognition))
        await asyncio.sleep(0.05)
        await recognition.cancel()
        with pytest.raises((RecogniserAway, StopAsyncIteration)):
            await reading
        assert (len(recogniser._idle), len(recogniser._used)) == (0, 0)
        await recogniser.close()


async def test_a_closed_recogniser_begins_nothing() -> None:
    async with recogniser_server(FakeModel()) as url:
        recogniser = RemoteRecogniser(url)
        recognition = await recogniser.begin(hints=())
        await recogniser.close()
        with pytest.raises(RecogniserAway):
            await said(recognition)
        with pytest.raises(RecogniserAway, match="closed"):
            await recogniser.begin(hints=())
