"""The words of the staff's own pages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def staff_words() -> Mapping[str, Any]:
    """The parsed wording.yml; callers must not change it."""
    loaded: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("wording.yml").read_text(encoding="utf-8"))
    return loaded
