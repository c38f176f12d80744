"""The page's texts, read from wording.yaml beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hotline.errors import ConfigError

WORDING_FILE = Path(__file__).with_name("wording.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """``page`` fills the template, ``script`` goes to the page's scripts, ``problems`` words refusals by code."""

    page: Mapping[str, Any]
    script: Mapping[str, Any]
    problems: Mapping[str, str]

    def problem(self, code: str) -> str:
        """The sentence for ``code``; a general one where the code has none of its own."""
        return self.problems.get(code) or self.problems["other"]


def load_wording(path: Path = WORDING_FILE, *, hotline: str) -> Wording:
    """The texts, with ``{hotline}`` replaced by the centre's telephone number. Raises: ConfigError."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        filled = _filled(raw, hotline)
        return Wording(page=filled["page"], script=filled["script"], problems=filled["problems"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigError(f"{path.name} of the chat page cannot be read: {error}") from error


def _filled(value: Any, hotline: str) -> Any:
    if isinstance(value, str):
        return value.replace("{hotline}", hotline)
    if isinstance(value, list):
        return [_filled(item, hotline) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, hotline) for key, item in value.items()}
    return value
