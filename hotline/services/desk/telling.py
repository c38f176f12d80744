"""What citizens are told when their conversation changes hands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hotline.desk_store import Telling
from hotline.domain.conversations import DeliveryStatus
from hotline.domain.messages import ChannelName, Choice, Reply
from hotline.ports import Channel

_FILE = Path(__file__).with_name("wording.yml")
BY_NUMBER = (ChannelName.SMS, ChannelName.VOICE)
"""Channels without buttons."""


@cache
def desk_words() -> Mapping[str, Any]:
    """The parsed wording.yml; callers must not change it."""
    loaded: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded


def sentence(key: str, channel: ChannelName, **values: object) -> str:
    """The sentence ``key`` in the channel's form."""
    found = desk_words()[key]
    text = found if isinstance(found, str) else found.get(channel.value, found["default"])
    return str(text).format(**values)


def choices(key: str, channel: ChannelName) -> tuple[Choice, ...]:
    """Buttons of the list ``key``; channels without buttons have them in their sentence."""
    return () if channel in BY_NUMBER else tuple(Choice(label=each, text=each) for each in desk_words()[key])


class Tellings:
    """Sentences for every channel, with how each channel is reached."""

    def __init__(self, channels: Mapping[ChannelName, Channel]) -> None:
        self._ways = {name: _way(channel) for name, channel in channels.items()}

    def way(self, channel: ChannelName) -> DeliveryStatus:
        """How an outbox row of the channel begins."""
        return self._ways[channel]

    def tell(self, key: str, *, offering: str = "", **values: object) -> Telling:
        """The sentence ``key`` on every channel, with the buttons of the list ``offering``."""
        return Telling(
            replies={
                name: (Reply(text=sentence(key, name, **values), choices=choices(offering, name) if offering else ()),)
                for name in self._ways
            },
            ways=self._ways,
        )


def _way(channel: Channel) -> DeliveryStatus:
    capabilities = channel.capabilities
    stored = capabilities.stored_is_delivered or not capabilities.can_push
    return DeliveryStatus.STORED if stored else DeliveryStatus.PENDING
