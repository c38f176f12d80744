"""Utterances wait for the model in a queue that is short, and are recognised off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from channels.voice.hearing.local.whisper import Heard, Transcriber

_MOST_WAITING: Final = 12
"""More would wait longer than a caller does: it is about eight seconds on two cores."""


class Busy(Exception):
    """Too many utterances wait."""


class Work:
    """One model, ``workers`` threads. Cancelling who waits takes the utterance out of the queue, unless it is being
    worked."""

    def __init__(self, transcriber: Transcriber, *, workers: int = 1, most_waiting: int = _MOST_WAITING) -> None:
        self._transcriber = transcriber
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="whisper")
        self._most = most_waiting + workers
        self.under_way = 0
        """Utterances waiting and being recognised for somebody."""

    async def recognise(self, pcm: bytes, hints: Sequence[str]) -> Heard:
        """Raises Busy, and whatever the model raises."""
        if self.under_way >= self._most:
            raise Busy
        self.under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._transcriber, pcm, hints)
        finally:
            self.under_way -= 1

    def close(self) -> None:
        """What waits is dropped; what is being recognised comes to its end unheard."""
        self._threads.shutdown(wait=False, cancel_futures=True)
