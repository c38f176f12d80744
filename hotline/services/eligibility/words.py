"""Sentences of eligibility checks, from wording.yml beside this file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def wording() -> dict[str, Any]:
    """The parsed wording.yml. Callers must not change it."""
    loaded: dict[str, Any] = yaml.safe_load((files(__package__) / "wording.yml").read_text(encoding="utf-8"))
    return loaded
