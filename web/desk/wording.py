"""Texts of the desk's pages, read from wording.yml beside this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hotline.agent_desk import DeskRefused, Refusal
from hotline.call_store import CallMark, Marked
from hotline.errors import ConfigError

WORDING_FILE = Path(__file__).with_name("wording.yml")


@dataclass(frozen=True, slots=True)
class DeskWording:
    """Names of codes, refusals as sentences, and what the scripts say."""

    words: Mapping[str, Any]

    def name(self, kind: str, code: object) -> str:
        """What people call ``code`` of a ``kind`` (channels, groups, states, reasons …); the code where it has no
        name."""
        names: Mapping[object, str] = self.words[kind]
        return str(names.get(code, code))

    def refusal(self, refused: DeskRefused) -> str:
        """Why the desk did not do it, and what to do now."""
        sentence = str(self.words["refusals"][refused.refusal.value])
        return sentence.replace("{found}", "、".join(self.found(refused.found)))

    def found(self, found: Sequence[str]) -> list[str]:
        """Names of what was found in a text: kinds of personal numbers by name, words as they are."""
        return [self.name("found", each) for each in found]

    def problem(self, code: str) -> str:
        return str(self.words["problems"][code])

    def call_mark(self, marked: Marked) -> str:
        """What happened in a call, such as that the caller heard 23 characters of an answer."""
        detail = {key: self.name("call_whys", value) if key == "why" else value for key, value in marked.detail.items()}
        sentence = str(self.words["call_marks"][marked.mark.value])
        for key in ("heard", "why", "extension"):
            sentence = sentence.replace(f"{{{key}}}", str(detail.get(key, "")))
        return sentence

    def fact(self, key: str, value: str) -> tuple[str, str]:
        """Label and value of what the citizen has said of his case."""
        known = self.words["facts"].get(key, {})
        return str(known.get("label", key)), str(known.get(value, value))


@cache
def desk_wording(path: Path = WORDING_FILE) -> DeskWording:
    """The texts. Raises: ConfigError."""
    try:
        words = yaml.safe_load(path.read_text(encoding="utf-8"))
        missing = [each.value for each in Refusal if each.value not in words["refusals"]]
        missing += [each.value for each in CallMark if each.value not in words.get("call_marks", {})]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigError(f"{path.name} of the desk's pages cannot be read: {error}") from error
    if missing:
        raise ConfigError(f"{path.name} of the desk's pages has no words for {', '.join(missing)}")
    return DeskWording(words)
