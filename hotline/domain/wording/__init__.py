"""Chinese that the domain reads and writes: number words, money, days and periods. In YAML, read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def words(name: str) -> dict[str, Any]:
    """The content of ``<name>.yml`` in this folder. Callers must not change it."""
    loaded: dict[str, Any] = yaml.safe_load((files(__name__) / f"{name}.yml").read_text(encoding="utf-8"))
    return loaded
