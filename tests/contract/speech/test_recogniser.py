"""The recogniser's server and its client over loopback: all is well."""

from __future__ import annotations

import asyncio
import time

import pytest
from websockets.asyncio.client import connect

from channels.voice.hearing.local.server import MOST_BYTES
from channels.voice.hearing.port import Recognised, RecogniserAway
from channels.voice.hearing.remote import RemoteRecogniser
from tests.contract.speech.kit import HINTS, FakeModel, health, recogniser_server, said, under_way

pytestmark = pytest.mark.anyio


async def test_an_utterance_is_recognised_with_its_hints() -> None:
    model = FakeModel()
    async with recogniser_server(model) as url:
        recogniser = RemoteRecogniser(url)
        found = await said(await recogniser.begin(hints=HINTS))
        assert found == [Recognised(text="听到3200", final=True, confidence=0.75)]
        assert model.worked == [(3200, HINTS)]
        await recogniser.close()


async def test_one_connection_serves_one_utterance_after_the_other_and_several_serve_several_at_once() -> None:
    async with recogniser_server(FakeModel()) as url:
        recogniser = RemoteRecogniser(url)
        for _ in range(5):
            await said(await recogniser.begin(hints=()))
        assert (len(recogniser._idle), len(recogniser._used)) == (1, 0)
        many = [await recogniser.begin(hints=()) for _ in range(5)]
        heard = await asyncio.gather(*(said(each, pcm=bytes(320 * n)) for n, each in enumerate(many, 1)))
        assert [found[-1].text for found in heard] == [f"听到{320 * n}" for n in range(1, 6)]
        assert (len(recogniser._idle), len(recogniser._used)) == (5, 0)
        await recogniser.close()


async def test_finishing_twice_and_going_on_after_the_end_do_no_harm() -> None:
    model = FakeModel()
    async with recogniser_server(model) as url:
        recogniser = RemoteRecogniser(url)
        recognition = await recogniser.begin(hints=())
        await recognition.feed(bytes(320))
        await recognition.finish()
        found = await said(recognition)
        await recognition.feed(bytes(320))
        await recognition.finish()
        await recognition.cancel()
        assert len(found) == len(model.worked) == 1
        await recogniser.close()


async def test_a_cancelled_utterance_is_not_worked_and_its_connection_is_used_again() -> None:
    model = FakeModel()
    async with recogniser_server(model) as url:
        recogniser = RemoteRecogniser(url)
        dropped = await recogniser.begin(hints=())
        await dropped.feed(bytes(640))
        await dropped.cancel()
        await dropped.cancel()
        assert [each.text for each in await said(await recogniser.begin(hints=()))] == ["听到3200"]
        assert [size for size, _ in model.worked] == [3200]
        assert len(recogniser._idle) == 1
        await recogniser.close()


async def test_an_utterance_cancelled_while_it_waits_is_skipped_and_its_late_result_is_nobodys() -> None:
    model = FakeModel()
    model.gate.clear()
    async with recogniser_server(model) as url:
        recogniser = RemoteRecogniser(url)
        first, waiting = [await recogniser.begin(hints=()) for _ in range(2)]
        for count, (recognition, size) in enumerate(((first, 320), (waiting, 640)), 1):
            await recognition.feed(bytes(size))
            await recognition.finish()
            await under_way(url, count)
        await waiting.cancel()
        await first.cancel()
        await under_way(url, 0)
        again = await recogniser.begin(hints=())
        await again.feed(bytes(960))
        await again.finish()
        model.gate.set()
        assert [each.text async for each in again.results()] == ["听到960"]
        assert [size for size, _ in model.worked] == [320, 960]
        await recogniser.close()


async def test_a_client_that_leaves_is_not_worked_for() -> None:
    model = FakeModel()
    model.gate.clear()
    async with recogniser_server(model) as url:
        staying, leaving = RemoteRecogniser(url), RemoteRecogniser(url)
        first = await staying.begin(hints=())
        await first.finish()
        await under_way(url, 1)
        second = await leaving.begin(hints=())
        await second.feed(bytes(640))
        await second.finish()
        await under_way(url, 2)
        await leaving.close()
        await under_way(url, 1)
        model.gate.set()
        assert len([each async for each in first.results()]) == 1
        assert len(model.worked) == 1
        await staying.close()


async def test_more_sound_than_an_utterance_can_have_is_left_out() -> None:
    model = FakeModel()
    async with recogniser_server(model) as url:
        recogniser = RemoteRecogniser(url)
        await said(await recogniser.begin(hints=()), pcm=bytes(MOST_BYTES + 100_000))
        assert model.worked == [(MOST_BYTES, ())]
        await recogniser.close()


async def test_a_full_queue_is_said_at_once() -> None:
    model = FakeModel()
    model.gate.clear()
    async with recogniser_server(model, most_waiting=1) as url:
        recogniser = RemoteRecogniser(url)
        waiting = [await recogniser.begin(hints=()) for _ in range(2)]
        for count, each in enumerate(waiting, 1):
            await each.finish()
            await under_way(url, count)
        with pytest.raises(RecogniserAway, match="busy"):
            await said(await recogniser.begin(hints=()))
        model.gate.set()
        for each in waiting:
            assert [result.final async for result in each.results()] == [True]
        await recogniser.close()


async def test_a_fault_of_the_model_is_told_and_the_next_utterance_is_recognised() -> None:
    model = FakeModel()
    async with recogniser_server(model) as url:
        recogniser = RemoteRecogniser(url)
        model.failing = True
        with pytest.raises(RecogniserAway, match="failed"):
            await said(await recogniser.begin(hints=()))
        model.failing = False
        assert await said(await recogniser.begin(hints=()))
        await recogniser.close()


async def test_without_the_token_nobody_is_let_in() -> None:
    async with recogniser_server(FakeModel(), token="s3cret") as url:
        for token in ("", "s3cre", "s3cret1"):
            with pytest.raises(RecogniserAway):
                await RemoteRecogniser(url, token).begin(hints=())
        recogniser = RemoteRecogniser(url, "s3cret")
        assert await said(await recogniser.begin(hints=()))
        await recogniser.close()


async def test_health_is_told_without_a_token() -> None:
    async with recogniser_server(FakeModel(), token="s3cret") as url:
        assert await health(url) == "0"


@pytest.mark.parametrize("message", ["nonsense", '{"type": "begin"}', '{"type": "begin", "utterance": 1, "rate": 1}'])
async def test_the_server_answers_what_it_cannot_read_and_goes_on(message: str) -> None:
    async with recogniser_server(FakeModel()) as url, connect(url, proxy=None) as client:
        await client.send(bytes(320))
        await client.send(message)
        assert '"protocol"' in str(await client.recv())
        await client.send('{"type": "begin", "utterance": 2}')
        await client.send('{"type": "finish", "utterance": 9}')
        await client.send('{"type": "finish", "utterance": 2}')
        assert '"听到0"' in str(await client.recv())


async def test_the_protocol_costs_a_few_milliseconds() -> None:
    async with recogniser_server(FakeModel()) as url:
        recogniser = RemoteRecogniser(url)
        await said(await recogniser.begin(hints=HINTS))
        began = time.perf_counter()
        for _ in range(20):
            await said(await recogniser.begin(hints=HINTS), pcm=bytes(48_000))
        assert (time.perf_counter() - began) / 20 < 0.1  # 2 ms on an idle machine
        await recogniser.close()
