"""Reads the content files of one centre into a `Catalogue`, or says everything that is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from knowledge_base import checks, eligibility, yaml_lines
from knowledge_base.errors import KnowledgeError, Problem
from knowledge_base.model import Aspect, Branch, Catalogue, Centre, Matter, Parameter, ParameterValue, Source
from knowledge_base.yaml_lines import Document, Path_

_SCHEMAS = Path(__file__).resolve().parent / "schema"
_ASPECT_TEXTS = ("text", "short")
"""Given together or, where a centre has not answered yet, not at all."""


def load(root: Path, *, centre: str) -> Catalogue:
    """The centre's own entries laid over the national ones, with every figure, checked.

    Raises:
        KnowledgeError: with all problems found, each with its file and line.
    """
    return load_placed(root, centre=centre)[0]


def load_placed(root: Path, *, centre: str) -> tuple[Catalogue, checks.Origins]:
    """What `load` returns, and where each thing of it was last written.

    Raises:
        KnowledgeError: as `load` does.
    """
    reader = _Reader(root)
    who = reader.centre(centre)
    parameters = reader.parameters(centre)
    matters = reader.matters(centre)
    conditions = reader.eligibility(centre)
    if not reader.problems:
        catalogue = Catalogue(centre=who, matters=matters, parameters=parameters, eligibility=conditions)
        reader.problems += checks.problems(catalogue, reader.origins)
    if reader.problems:
        raise KnowledgeError(tuple(sorted(set(reader.problems))))
    return catalogue, reader.origins


@dataclass(slots=True)
class _Reader:
    root: Path
    problems: list[Problem] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    """Codes of which a file could not be read: what they lack may stand there."""
    origins: dict[Path_, tuple[Document, Path_]] = field(default_factory=dict)
    """Where each thing was last written: ("matters", code, field, …) → its document and the path in it."""

    def centre(self, code: str) -> Centre:
        document = self._document(self.root / "centres" / f"{code}.yml", schema="centre")
        if document is None:
            return Centre(code=code, name="", city="", sms_signature="")
        self._named_after(document, code)
        return Centre(**{**document.data, "here": tuple(document.data.get("here", ()))})

    def parameters(self, centre: str) -> dict[str, Parameter]:
        """National figures; a figure of the centre's own replaces the national one of its name."""
        return self._figures("national") | self._figures(centre)

    def _figures(self, folder: str) -> dict[str, Parameter]:
        found: dict[str, Parameter] = {}
        for file in sorted((self.root / "parameters" / folder).glob("*.yml")):
            document = self._document(file, schema="parameters")
            if document is None:
                continue
            for name, data in document.data.items():
                if name in found:
                    first = self.origins["parameters", name][0].file
                    self.problems.append(document.problem((name,), f"stands in {first} already"))
                    continue
                self.origins["parameters", name] = (document, (name,))
                with self._dates(document, name):
                    found[name] = _parameter(name, data)
        return found

    def matters(self, centre: str) -> dict[str, Matter]:
        merged: dict[str, dict[str, Any]] = {}
        for folder in ("national", centre):
            for file in sorted((self.root / "catalogue" / folder).glob("*.yml")):
                document = self._document(file, schema="entry")
                if document is None:
                    self.unread.add(file.stem)
                elif self._named_after(document, file.stem):
                    self._note("matters", document)
                    merged[file.stem] = _laid_over(merged.get(file.stem, {}), {**document.data, "centre": folder})
        built = {code: self._matter(code, data) for code, data in merged.items() if code not in self.unread}
        if not merged and not self.problems:
            self.problems.append(Problem("catalogue", 1, "-", f"holds no matter for {centre}"))
        return {code: matter for code, matter in built.items() if matter}

    def eligibility(self, centre: str) -> dict[str, eligibility.Eligibility]:
        """The centre's conditions laid over the national ones; both folders may be missing."""
        merged: dict[str, dict[str, Any]] = {}
        for folder in ("national", centre):
            for file in sorted((self.root / "eligibility" / folder).glob("*.yml")):
                document = self._document(file, schema="eligibility")
                if document is not None and self._named_after(document, file.stem):
                    self._note("eligibility", document)
                    above = {**document.data, "centre": folder}
                    merged[file.stem] = eligibility.laid_over(merged.get(file.stem, {}), above)
        built: dict[str, eligibility.Eligibility] = {}
        for code, data in merged.items():
            missing = eligibility.missing(data)
            self.problems += [self._at("eligibility", code, name.split("."), "is missing") for name in missing]
            with self._dates(self.origins["eligibility", code][0], "code"):
                if not missing:
                    built[code] = eligibility.built(data)
        return built

    def _document(self, file: Path, *, schema: str) -> Document | None:
        if not file.is_file():
            self.problems.append(Problem(str(file.relative_to(self.root)), 1, "-", "does not exist"))
            return None
        document, problems = yaml_lines.read(self.root, file)
        if document:
            problems += _against(document, schema)
        self.problems += problems
        return None if problems else document

    def _named_after(self, document: Document, name: str) -> bool:
        if document.data["code"] != name:
            self.problems.append(document.problem(("code",), f"differs from the file's name, {name}"))
            return False
        return True

    def _note(self, kind: str, document: Document) -> None:
        for path in document.lines:
            self.origins[kind, document.data["code"], *path] = (document, path)
            if path and isinstance(path[-1], int) and isinstance(text := document.at(path), str):
                self.origins[kind, document.data["code"], *path[:-1], text] = (document, path)

    def _dates(self, document: Document, *path: str | int) -> _DateErrors:
        return _DateErrors(self.problems, document, path)

    def _matter(self, code: str, data: dict[str, Any]) -> Matter | None:
        document = self.origins["matters", code][0]
        missing = [name for name in ("name", "topic") if name not in data]
        missing += [] if "aspects" in data else ["aspects"]
        for key, aspect in data.get("aspects", {}).items():
            missing += [f"aspects.{key}.{name}" for name in _missing(aspect)]
        for name in missing:
            self.problems.append(self._at("matters", code, name.split("."), "is missing"))
        if missing:
            return None
        with self._dates(document, "code"):
            return _matter(data)
        return None

    def _at(self, kind: str, code: str, path: list[str], message: str) -> Problem:
        for size in range(len(path), -1, -1):
            if found := self.origins.get((kind, code, *path[:size])):
                return Problem(found[0].file, found[0].line(found[1]), ".".join(path), message)
        raise KeyError(code)


class _DateErrors:
    """Turns a date that does not exist (31 February) into a problem of its document."""

    def __init__(self, problems: list[Problem], document: Document, path: Path_) -> None:
        self._problems, self._document, self._path = problems, document, path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, ValueError):
            return False
        self._problems.append(self._document.problem(self._path, f"has a date that does not exist ({error})"))
        return True


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((_SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(_inlined(schema, schema.get("$defs", {})))


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with every reference replaced by what it names: looking them up costs half of the whole check."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" not in schema:
        return {key: _inlined(value, definitions) for key, value in schema.items() if key != "$defs"}
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    return _inlined({**definitions[schema["$ref"].removeprefix("#/$defs/")], **beside}, definitions)


def _against(document: Document, schema: str) -> list[Problem]:
    errors = _validator(schema).iter_errors(document.data)
    return [problem for error in errors for problem in _problem(document, error)]


def _problem(document: Document, error: ValidationError) -> Iterator[Problem]:
    path: Path_ = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        for key in error.instance.keys() - schema.get("properties", {}).keys():
            yield document.problem((*path, key), "is not a known field")
    elif error.validator == "required" and isinstance(error.instance, dict):
        for key in set(schema["required"]) - error.instance.keys():
            yield document.problem((*path, key), "is missing")
    else:
        yield document.problem(path, error.message if len(error.message) < 200 else f"breaks {error.validator}")


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """``above`` replaces fields, adds to aliases and questions, and merges aspects and sources by key."""
    out = {**below, **above}
    out["aliases"] = _added(below, above, "aliases")
    out["sources"] = {**below.get("sources", {}), **above.get("sources", {})}
    aspects = dict(below.get("aspects", {}))
    for key, aspect in above.get("aspects", {}).items():
        under = aspects.get(key, {})
        aspects[key] = {**under, **aspect, "questions": _added(under, aspect, "questions")}
    return {**out, "aspects": aspects} if aspects else out


def _missing(aspect: dict[str, Any]) -> list[str]:
    given = [name for name in _ASPECT_TEXTS if name in aspect]
    wanted = ("title", *_ASPECT_TEXTS) if given else ("title",)
    return [name for name in wanted if name not in aspect]


def _added(below: dict[str, Any], above: dict[str, Any], name: str) -> list[str]:
    return [*below.get(name, []), *above.get(name, [])]


def _day(data: dict[str, Any], name: str) -> date | None:
    return date.fromisoformat(data[name]) if data.get(name) else None


def _source(identity: str, data: dict[str, Any]) -> Source:
    return Source(
        id=identity,
        title=data["title"],
        issued_on=_day(data, "issued_on"),
        url=data.get("url"),
        strength=data.get("strength", "official"),
    )


def _parameter(name: str, data: dict[str, Any]) -> Parameter:
    values = tuple(
        ParameterValue(
            value=str(value["value"]),
            effective_from=date.fromisoformat(value["from"]),
            effective_to=_day(value, "to"),
            source=_source(f"{name}-{value['from']}", value["source"]),
        )
        for value in data["values"]
    )
    return Parameter(
        name=name, title=data["title"], unit=data["unit"], values=values, review_on=_day(data, "review_on")
    )


def _matter(data: dict[str, Any]) -> Matter:
    return Matter(
        code=data["code"],
        name=data["name"],
        topic=data["topic"],
        scope=data.get("scope", "fund"),
        kind=data.get("kind", "service"),
        audience=tuple(data.get("audience", ("person",))),
        aliases=tuple(data["aliases"]),
        aspects={key: _aspect(key, aspect) for key, aspect in data["aspects"].items()},
        sources={identity: _source(identity, source) for identity, source in data["sources"].items()},
        effective_from=_day(data, "effective_from"),
        effective_to=_day(data, "effective_to"),
        review_on=_day(data, "review_on"),
        centre=data["centre"],
        popularity=data.get("popularity", 0),
    )


def _aspect(key: str, data: dict[str, Any]) -> Aspect:
    return Aspect(
        key=key,
        title=data["title"],
        text=data.get("text", "").strip(),
        short=data.get("short", ""),
        sms=data.get("sms"),
        plain=data.get("plain"),
        branch=Branch(**data["branch"]) if "branch" in data else None,
        questions=tuple(data["questions"]),
        source_ids=tuple(data.get("sources", ())),
        related=tuple(data.get("related", ())),
    )
