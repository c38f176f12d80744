"""Sentences in YAML, read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from hotline.domain.redaction import Mask


@cache
def core_wording() -> dict[str, Any]:
    """The parsed core.yml."""
    loaded: dict[str, Any] = yaml.safe_load((files(__name__) / "core.yml").read_text(encoding="utf-8"))
    return loaded


def say(key: str, **values: object) -> str:
    """The sentence ``key`` with its values filled in."""
    return str(core_wording()["say"][key]).format(**values)


@cache
def mask() -> Mask:
    """What stands for personal numbers."""
    masks = core_wording()["mask"]
    return Mask(**{**masks, "pin_words": tuple(masks["pin_words"])})
