"""An editor shows a field's title and description where the mouse rests on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import knowledge_base
from knowledge_base.model import FACTS, KINDS

SCHEMAS = sorted((Path(knowledge_base.__file__).parent / "schema").glob("*.json"))


def schema(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def properties(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, list):
        for inner in node:
            yield from properties(inner, path)
    elif isinstance(node, dict):
        for name, inner in node.get("properties", {}).items():
            yield f"{path}.{name}", inner
        for name, inner in node.items():
            yield from properties(inner, f"{path}.{name}")


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.stem)
def test_every_field_has_a_title_and_a_description(file: Path) -> None:
    Draft202012Validator.check_schema(schema(file))
    fields = list(properties(schema(file)))
    assert fields
    assert [path for path, field in fields if not field.get("title") or not field.get("description")] == []


def test_the_schema_knows_the_facts_and_kinds_of_the_model() -> None:
    entry = schema(next(file for file in SCHEMAS if file.stem == "entry.schema"))
    branch = entry["$defs"]["aspect"]["properties"]["branch"]["properties"]
    assert branch["fact"]["enum"] == list(FACTS)
    assert [
        f"{fact} {'|'.join(values)}"
        for fact, values in FACTS.items()
        if f"{fact} {'|'.join(values)}" not in branch["fact"]["description"]
    ] == []
    assert entry["properties"]["kind"]["enum"] == list(KINDS)
