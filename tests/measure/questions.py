"""The questions that are asked: golden sets, what is not the fund's business, citizens' questions with a topic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hotline.errors import ConfigError
from hotline.evaluation import read_questions
from hotline.settings import ROOT

GOLDEN = ROOT / "tests" / "golden"
IN_SCOPE = tuple(GOLDEN / f"{name}.jsonl" for name in ("withdraw", "loan", "contribute_service"))
OUT_OF_SCOPE = GOLDEN / "out_of_scope.jsonl"

TOPIC_CHARS = 60
"""Longer citizens' letters ask several things: one topic says little about them."""
NO_TOPIC = "其他"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """A question with the entries (``code/aspect``) that answer it, the best first."""

    q: str
    entries: tuple[str, ...]
    style: str

    @property
    def matters(self) -> tuple[str, ...]:
        """The codes of the entries, each once."""
        return tuple(dict.fromkeys(map(code_of, self.entries)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A question that is not the fund's business, and what it is about instead."""

    q: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topical:
    """A citizen's question with the topics that would be right."""

    q: str
    topics: tuple[str, ...]


def code_of(entry: str) -> str:
    """The matter of ``code/aspect``."""
    return entry.partition("/")[0]


def golden(files: Iterable[Path] = IN_SCOPE) -> list[Golden]:
    """The questions of all ``files``. Raises ConfigError for a line that is none, or that stands there twice."""
    return _distinct(files, _golden)


def outside(file: Path = OUT_OF_SCOPE) -> list[Outside]:
    """The questions of ``file``. Raises ConfigError for a line that is none, or that stands there twice."""
    return _distinct([file], lambda line: Outside(q=line["q"], kind=_text(line, "kind")))


def topical(file: Path) -> list[Topical]:
    """The lines of at most TOPIC_CHARS characters that have a topic. Raises ConfigError for a line that is none."""
    found = [_topical(line, file) for line in read_questions(file)]
    return [each for each in found if len(each.q) <= TOPIC_CHARS and each.topics[0] not in ("", NO_TOPIC)]


def _golden(line: dict[str, Any]) -> Golden:
    entries = line.get("entries")
    if not entries or not isinstance(entries, list) or not all(_is_entry(each) for each in entries):
        raise ValueError('needs "entries", a list of "code/aspect"')
    return Golden(q=line["q"], entries=tuple(entries), style=_text(line, "style"))


def _is_entry(value: object) -> bool:
    return isinstance(value, str) and value.count("/") == 1 and all(value.split("/"))


def _text(line: dict[str, Any], name: str) -> str:
    if not isinstance(line.get(name), str) or not line[name]:
        raise ValueError(f'needs a text "{name}"')
    return str(line[name])


def _topical(line: dict[str, Any], file: Path) -> Topical:
    topic, also = line.get("topic") or "", line.get("also") or []
    if not isinstance(topic, str) or not isinstance(also, list):
        raise ConfigError(f'{file}: "{line["q"][:20]}" needs a text "topic" and a list "also"')
    return Topical(q=line["q"], topics=(topic, *map(str, also)))


def _distinct(files: Iterable[Path], made: Callable[[dict[str, Any]], T]) -> list[T]:
    found: dict[str, T] = {}
    for file in files:
        for line in read_questions(file):
            text = line["q"].strip()
            try:
                if not text or text in found:
                    raise ValueError("stands there twice" if text else "is empty")
                found[text] = made(line)
            except ValueError as error:
                raise ConfigError(f'{file}: "{text[:20]}" {error}') from error
    if not found:
        raise ConfigError(f"{_named(files)}: no question is in it")
    return list(found.values())


def _named(files: Iterable[Path]) -> str:
    return ", ".join(str(file) for file in files)


def texts(questions: Sequence[Golden | Outside | Topical]) -> list[str]:
    """What is asked, in order."""
    return [each.q for each in questions]
