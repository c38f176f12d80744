"""A whole catalogue as JSON and back, so that a published index needs no YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from knowledge_base import eligibility
from knowledge_base.model import Aspect, Branch, Catalogue, Centre, Matter, Parameter, ParameterValue, Source


def to_json(value: Any) -> Any:
    """Dataclasses, mappings, tuples and dates as what ``json.dumps`` takes."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: to_json(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_json(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_json(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def catalogue(data: Mapping[str, Any]) -> Catalogue:
    """The `Catalogue` that ``to_json`` wrote; equal to the one it was given."""
    return Catalogue(
        centre=Centre(**{**data["centre"], "here": tuple(data["centre"]["here"])}),
        matters={code: _matter(matter) for code, matter in data["matters"].items()},
        parameters={name: _parameter(parameter) for name, parameter in data["parameters"].items()},
        eligibility={code: eligibility.from_json(each) for code, each in data.get("eligibility", {}).items()},
        version=data["version"],
    )


def _matter(data: Mapping[str, Any]) -> Matter:
    return Matter(
        **{
            **data,
            **_days(data, "effective_from", "effective_to", "review_on"),
            "audience": tuple(data["audience"]),
            "aliases": tuple(data["aliases"]),
            "aspects": {key: _aspect(aspect) for key, aspect in data["aspects"].items()},
            "sources": {key: _source(source) for key, source in data["sources"].items()},
        }
    )


def _aspect(data: Mapping[str, Any]) -> Aspect:
    lists = {name: tuple(data[name]) for name in ("questions", "source_ids", "related")}
    return Aspect(**{**data, **lists, "branch": Branch(**data["branch"]) if data["branch"] else None})


def _source(data: Mapping[str, Any]) -> Source:
    return Source(**{**data, **_days(data, "issued_on")})


def _parameter(data: Mapping[str, Any]) -> Parameter:
    values = tuple(
        ParameterValue(
            **{**value, **_days(value, "effective_from", "effective_to"), "source": _source(value["source"])}
        )
        for value in data["values"]
    )
    return Parameter(**{**data, **_days(data, "review_on"), "values": values})


def _days(data: Mapping[str, Any], *names: str) -> dict[str, date | None]:
    return {name: date.fromisoformat(data[name]) if data[name] else None for name in names}
