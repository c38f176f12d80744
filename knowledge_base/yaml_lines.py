"""YAML read so that every value still knows the line it was written on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from knowledge_base.errors import Problem

Path_ = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where PyYAML was built with its C library."""

_INT = "tag:yaml.org,2002:int"
_BOOL = "tag:yaml.org,2002:bool"
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its data, and the line of every path into it. Dates and decimals stay text, as written."""

    file: str
    data: Any
    lines: Mapping[Path_, int]

    def at(self, path: Path_) -> Any:
        """The value at ``path``."""
        value = self.data
        for part in path:
            value = value[part]
        return value

    def line(self, path: Path_) -> int:
        """The line of ``path``, or of the nearest thing around it that has one."""
        for size in range(len(path), -1, -1):
            if path[:size] in self.lines:
                return self.lines[path[:size]]
        return 1

    def problem(self, path: Path_, message: str) -> Problem:
        """A `Problem` at ``path``; its field is written as dots and brackets."""
        return Problem(self.file, self.line(path), field_name(path), message)


def field_name(path: Path_) -> str:
    """``("aspects", "fee", 0)`` as ``aspects.fee[0]``; the whole file is ``-``."""
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{part}"
    return name.lstrip(".") or "-"


def read(root: Path, file: Path) -> tuple[Document | None, list[Problem]]:
    """The document, or None with the problem that makes it unreadable. Doubled keys are problems too."""
    name = str(file.relative_to(root))
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=_LOADER)
    except yaml.YAMLError as error:
        return None, [_broken(name, error)]
    except UnicodeDecodeError as error:
        return None, [Problem(name, 1, "-", f"is not UTF-8 text (byte {error.start})")]
    if node is None:
        return None, [Problem(name, 1, "-", "is empty")]
    builder = _Builder(name)
    data = builder.value(node, ())
    return Document(name, data, builder.lines), builder.problems


def _broken(name: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "cannot be read"
    return Problem(name, mark.line + 1 if mark else 1, "-", f"is not YAML: {what}")


class _Builder:
    """Turns nodes into data and notes the lines on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path_, int] = {}
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, path: Path_) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*path, at)) for at, child in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in out:
                self.problems.append(Problem(self.file, line, field_name((*path, key)), "is given twice"))
            self.lines[(*path, key)] = line
            out[key] = self.value(value_node, (*path, key))
        return out


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if node.tag == _NULL:
        return None
    if node.tag == _BOOL:
        return text.lower() in ("true", "yes", "on")
    if node.tag == _INT and text.lstrip("-").isdigit():
        return int(text)
    return text
