"""An entry as YAML in the one style of the catalogue, so that a written file differs only where its content does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

_PLAIN = ("code", "name", "topic", "scope", "kind")
_LISTS = ("audience", "aliases")
_BARE = ("popularity", "effective_from", "effective_to", "review_on")
_LINES = ("short", "sms", "plain")


def entry(data: Mapping[str, Any]) -> str:
    """The text of one catalogue file: texts as blocks, sources and lists on one line, questions one a line.

    ``data`` is what `yaml_lines.read` gives: dates are text. Reading the result gives ``data`` back.
    """
    return "\n".join(_entry(data)) + "\n"


def _entry(data: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{name}: {_scalar(data[name])}" for name in _PLAIN if name in data)
    yield from (f"{name}: {_list(data[name])}" for name in _LISTS if name in data)
    yield from (f"{name}: {data[name]}" for name in _BARE if name in data)
    if data.get("sources"):
        yield "sources:"
        yield from (f"  {name}: {_map(source)}" for name, source in data["sources"].items())
    if data.get("aspects"):
        yield "aspects:"
        for key, aspect in data["aspects"].items():
            yield f"  {key}:"
            yield from (f"    {line}" if line else "" for line in _aspect(aspect))


def _aspect(aspect: Mapping[str, Any]) -> Iterator[str]:
    if "title" in aspect:
        yield f"title: {_scalar(aspect['title'])}"
    if "text" in aspect:
        yield from _block("text", aspect["text"].rstrip("\n"))
    yield from (f"{name}: {_scalar(aspect[name])}" for name in _LINES if name in aspect)
    if "branch" in aspect:
        yield f"branch: {_map(aspect['branch'])}"
    yield from (f"{name}: {_list(aspect[name])}" for name in ("sources", "related") if aspect.get(name))
    if aspect.get("questions"):
        yield "questions:"
        yield from (f"  - {_scalar(question)}" for question in aspect["questions"])


def _block(name: str, text: str) -> Iterator[str]:
    """One line of YAML a line of text; a text a block cannot hold (it begins with a blank) is quoted."""
    if not text or text[0].isspace():
        yield f"{name}: {_quoted(text)}"
        return
    yield f"{name}: |-"
    yield from (f"  {line}" if line else "" for line in text.split("\n"))


def _list(items: Iterable[str]) -> str:
    return "[" + ", ".join(_flow(item) for item in items) + "]"


def _map(data: Mapping[str, Any]) -> str:
    written = {
        name: _map(value) if isinstance(value, Mapping) else _quoted(value) if name == "url" else _flow(value)
        for name, value in data.items()
    }
    return "{" + ", ".join(f"{name}: {value}" for name, value in written.items()) + "}"


def _scalar(text: str) -> str:
    """``text`` as it is where YAML reads it back the same, else in quotes."""
    return text if _reads(f"- {text}") == [text] and _reads(f"a: {text}") == {"a": text} else _quoted(text)


def _flow(text: str) -> str:
    return text if _reads(f"[{text}]") == [text] and _reads(f"{{a: {text}}}") == {"a": text} else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _reads(text: str) -> Any:
    if "\n" in text:
        return None
    try:
        return yaml.load(text, Loader=_Texts)  # noqa: S506 - a safe loader that leaves dates as they are written
    except yaml.YAMLError:
        return None


class _Texts(yaml.SafeLoader):
    """Dates stay text, as they do for `yaml_lines`."""


_Texts.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
