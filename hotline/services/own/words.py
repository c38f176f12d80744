"""What own-data skills say, per channel: wording/*.yml beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hotline.domain.messages import ChannelName

_FOLDER = Path(__file__).resolve().parent / "wording"


@cache
def words(stem: str) -> Mapping[str, Any]:
    """The parsed wording/<stem>.yml; callers must not change it."""
    loaded: dict[str, Any] = yaml.safe_load((_FOLDER / f"{stem}.yml").read_text(encoding="utf-8"))
    return loaded


class Words:
    """The sentences of one file, with the centre's own names filled in."""

    def __init__(self, stem: str) -> None:
        self._stem = stem

    def say(self, key: str, channel: ChannelName, **values: object) -> str:
        """The sentence ``key`` (dotted) in the channel's form."""
        found = self.find(key)
        text = found if isinstance(found, str) else found.get(channel.value, found["default"])
        return str(text).format(**values)

    def name(self, group: str, value: str) -> str:
        """What people call the ``value`` of a closed list."""
        return str(self.find(f"{group}.{value}"))

    def find(self, key: str) -> Any:
        found: Any = words(self._stem)
        for part in key.split("."):
            found = found[part]
        return found
