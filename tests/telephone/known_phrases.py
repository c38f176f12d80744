"""A recogniser that knows a few sentences by their sound, as espeak-ng reads them.

What the local one makes of a formant voice is no measure of the line that the voice comes by.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from channels.voice.hearing.local.server import RecogniserServer
from channels.voice.hearing.local.whisper import Heard
from tests.telephone.sounds import sounds_like, speech

LIKE = 0.5


class KnownPhrases:
    """Stands for `channels.voice.hearing.local.work.Work`."""

    under_way = 0

    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = {phrase: speech(phrase) for phrase in phrases}

    async def recognise(self, sound: bytes, hints: Sequence[str]) -> Heard:
        likeness = {phrase: sounds_like(sound, known) for phrase, known in self._phrases.items()}
        best = max(likeness, key=lambda phrase: likeness[phrase])
        known = likeness[best] >= LIKE
        return Heard(text=best if known else "", confidence=round(min(1.0, likeness[best]), 3))


@contextmanager
def known_phrases(phrases: Sequence[str]) -> Iterator[str]:
    """The address of a server, in a thread of its own."""
    started = threading.Event()
    found: dict[str, Any] = {}

    async def serve() -> None:
        work: Any = KnownPhrases(phrases)
        async with RecogniserServer(work).listening("127.0.0.1", 0) as server:
            found["port"] = next(iter(server.sockets)).getsockname()[1]
            found["stop"], found["loop"] = asyncio.Event(), asyncio.get_running_loop()
            started.set()
            await found["stop"].wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        yield f"ws://127.0.0.1:{found['port']}"
    finally:
        found["loop"].call_soon_threadsafe(found["stop"].set)
        thread.join(10)
