"""The core with all channels, as each process of ours that talks to citizens has it."""

from __future__ import annotations

from collections.abc import Callable

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
