"""Attempts at recognising an utterance, each in a task of its own, so that a slow recogniser holds up nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeAlias

import structlog

from channels.voice.hearing.port import Recognised, Recogniser, RecogniserAway, Recognition

log = structlog.get_logger(__name__)

OnPartial: TypeAlias = Callable[[str], None]
OnDone: TypeAlias = Callable[[], None]

_LIMIT_S: Final = 6.0
"""For beginning, for each piece of sound and, from `Attempt.finish` on, for the result."""
_CANCEL_S: Final = 1.0


class Recognising:
    """The attempts of one call: begins them and ends what is left of them."""

    def __init__(self, recogniser: Recogniser, hints: Sequence[str]) -> None:
        self._recogniser = recogniser
        self._hints = tuple(hints)
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, *, on_partial: OnPartial, on_done: OnDone) -> Attempt:
        attempt = Attempt(self._recogniser, hints=self._hints, on_partial=on_partial, on_done=on_done)
        self._tasks.add(attempt.task)
        attempt.task.add_done_callback(self._tasks.discard)
        return attempt

    async def close(self) -> None:
        for task in (left := tuple(self._tasks)):
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class Attempt:
    """``on_done`` is called once, unless it was cancelled; ``found`` is None then where the recogniser is away."""

    def __init__(
        self,
        recogniser: Recogniser,
        *,
        hints: Sequence[str],
        on_partial: OnPartial,
        on_done: OnDone,
    ) -> None:
        self._recogniser = recogniser
        self._hints = hints
        self._on_partial = on_partial
        self._on_done = on_done
        self._sound: asyncio.Queue[bytes | None] = asyncio.Queue()  # no longer than the utterance, which is bounded
        self._due: float | None = None
        self._limit: asyncio.Timeout | None = None
        self.finishing = False
        self.done = False
        self.found: Recognised | None = None
        self.task = asyncio.create_task(self._run(), name="voice-recognition")

    def feed(self, pcm: bytes) -> None:
        self._sound.put_nowait(pcm)

    def finish(self) -> None:
        """The result is wanted within 6 s. Safe to repeat."""
        if self.finishing:
            return
        self.finishing = True
        self._due = asyncio.get_running_loop().time() + _LIMIT_S
        if self._limit is not None:
            self._limit.reschedule(self._due)
        self._sound.put_nowait(None)

    def cancel(self) -> None:
        self.task.cancel()

    async def _run(self) -> None:
        try:
            self.found = await self._recognise()
        except RecogniserAway:
            log.info("voice.recogniser.failed")
        except TimeoutError:
            log.info("voice.recogniser.late")
        except Exception:
            log.exception("voice.recogniser.fault")
        self.done = True
        self._on_done()

    async def _recognise(self) -> Recognised:
        try:
            async with asyncio.timeout_at(self._due) as self._limit:
                async with asyncio.timeout(_LIMIT_S):
                    recognition = await self._recogniser.begin(hints=self._hints)
                return await self._follow(recognition)
        finally:
            self._limit = None

    async def _follow(self, recognition: Recognition) -> Recognised:
        feeder = asyncio.create_task(self._feed(recognition), name="voice-feed")
        reader = asyncio.create_task(self._read(recognition), name="voice-read")
        try:
            await asyncio.wait((feeder, reader), return_when=asyncio.FIRST_COMPLETED)
            if feeder.done() and not reader.done():
                feeder.result()  # raises what broke it
            return await reader
        finally:
            await _end(recognition, feeder, reader)

    async def _feed(self, recognition: Recognition) -> None:
        while (pcm := await self._sound.get()) is not None:
            async with asyncio.timeout(_LIMIT_S):
                await recognition.feed(pcm)
        async with asyncio.timeout(_LIMIT_S):
            await recognition.finish()

    async def _read(self, recognition: Recognition) -> Recognised:
        async for result in recognition.results():
            if result.final:
                return result
            self._on_partial(result.text)
        raise RecogniserAway("no final result")


async def _end(recognition: Recognition, *tasks: asyncio.Task[None] | asyncio.Task[Recognised]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with suppress(RecogniserAway, TimeoutError):
        async with asyncio.timeout(_CANCEL_S):
            await recognition.cancel()
