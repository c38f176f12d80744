"""Texts of the identity pages, read from identity_wording.yml beside this file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hotline.domain.identity import Refusal
from hotline.errors import ConfigError
from hotline.services.identity_wording import notice
from knowledge_base.model import Centre

WORDING_FILE = Path(__file__).with_name("identity_wording.yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityWording:
    """The texts of each page by name, and the sentences for what went wrong."""

    pages: Mapping[str, Any]
    ends: Mapping[str, Mapping[str, str]]
    """``title`` and ``text`` of each page without a form."""
    _refusals: Mapping[str, str]
    _more: Mapping[str, str]
    """What is added to a refusal's sentence."""

    def refusal(self, reason: Refusal, *, wait_s: int = 0, tries: int | None = None) -> str:
        """What is wrong and what to do next. ``wait_s``: 0 where it is not known; ``tries`` is said when some are
        left."""
        sentence = self._refusals[reason]
        if wait_s and "{wait}" not in sentence:
            sentence += self._more["wait"]
        elif tries:
            sentence += self._more["tries"].replace("{tries}", str(tries))
        return sentence.replace("{wait}", self.wait(wait_s))

    def wait(self, seconds: int) -> str:
        """How long to wait, in the largest unit that fits and rounded up."""
        units = self.pages["common"]["wait_units"]
        if seconds <= 0:
            return str(units["unknown"])
        for name, size, limit in (("seconds", 1, 60), ("minutes", 60, 3600), ("hours", 3600, 86400)):
            if seconds < limit:
                return str(units[name]).replace("{n}", str(math.ceil(seconds / size)))
        return str(units["days"]).replace("{n}", str(math.ceil(seconds / 86400)))


def load_identity_wording(centre: Centre, path: Path = WORDING_FILE) -> IdentityWording:
    """The texts with the centre's name and number in them.

    Raises:
        ConfigError: a text is missing, or the notice is not of the version the core writes down as agreed to.
    """
    try:
        raw = _read(path)
        if raw["notice"]["version"] != notice().version:
            raise ConfigError(f"{path.name} and the core name two versions of the notice")
        said = {"{notice}": raw["notice"]["title"], "{edition}": raw["notice"]["edition"]}
        filled = _filled(raw, {"{hotline}": centre.hotline, "{centre}": centre.name, **said})
        refusals = {reason.value: str(filled["refusals"][reason]) for reason in Refusal}
        ends = {key: {"text": refusals.get(key, ""), **end} for key, end in filled["ends"].items() if key != "reopen"}
        return IdentityWording(pages=filled, ends=ends, _refusals=refusals, _more=filled["more"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigError(f"{path.name} of the identity pages cannot be read: {error}") from error


@cache
def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(name, text)
        return value
    if isinstance(value, list):
        return [_filled(item, names) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, names) for key, item in value.items()}
    return value
