"""The core with all channels, as each process of ours that talks to citizens has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from hotline.bootstrap import Core, build_core, build_dialogue, read_catalogue
from hotline.settings import Settings
from hotline.storage_bootstrap import build_storage
from web.registry import build_channels, build_codes


def build_process(settings: Settings) -> tuple[Core, Callable[[], None]]:
    """The core, and what loads beforehand the part of it that is needed only in an outage. Raises ConfigError."""
    storage = build_storage(settings)
    catalogue = read_catalogue(settings)
    talk = build_dialogue(settings)
    core = build_core(
        settings,
        storage,
        catalogue=catalogue,
        channels=build_channels(settings, storage.channel_store, catalogue.centre),
        dialogue=talk.dialogue,
        codes=build_codes(settings, catalogue.centre),
        knowledge=talk.knowledge,
    )
    return core, talk.prepare


IDLE_S: Final = 5.0
"""Turns under way at the end have so long to be stored."""


@asynccontextmanager
async def running(
    core: Core, *work: Coroutine[Any, Any, None], prepare: Callable[[], None] | None = None
) -> AsyncIterator[None]:
    """Housekeeping and ``work`` go on until the end of the block; ``prepare`` runs once, in a thread."""
    background = [asyncio.create_task(each) for each in (core.housekeeping.run(), *work)]
    if prepare:
        background.append(asyncio.create_task(asyncio.to_thread(prepare)))
    try:
        yield
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S):
                await core.turns.idle()
