"""What the structure alone cannot show: names that must be known, things that must be unique, lengths once rendered."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from knowledge_base import figures
from knowledge_base.eligibility import (
    CITIES,
    FIGURE,
    PREDICATES,
    QUESTION,
    QUESTIONS,
    STATE,
    STATES,
    Condition,
    Eligibility,
)
from knowledge_base.errors import Problem
from knowledge_base.model import ASPECTS, FACTS, TOPICS, Aspect, Catalogue, Matter, Parameter
from knowledge_base.yaml_lines import Document, Path_, field_name

MAX_SHORT_CHARS = 60
"""One turn on the telephone."""

MAX_SMS_UNITS = 134
"""Two parts of a long SMS, 67 UTF-16 units each, signature included."""

_IGNORED = re.compile(r"[\W_]+")

Origins = Mapping[Path_, tuple[Document, Path_]]


def problems(catalogue: Catalogue, origins: Origins) -> list[Problem]:
    """Everything wrong with a catalogue whose files are well formed."""
    checker = _Checker(catalogue, origins)
    found = [problem for parameter in catalogue.parameters.values() for problem in checker.parameter(parameter)]
    for matter in catalogue.matters.values():
        found += checker.matter(matter)
    for rules in catalogue.eligibility.values():
        found += checker.eligibility(rules)
    return found + list(checker.doubles())


def place(origins: Origins, path: Path_, message: str) -> Problem:
    """A problem at ``path``, or at the nearest thing around it that has a line.

    Paths begin with "matters", "parameters" or "eligibility" and a name.
    """
    for size in range(len(path), 1, -1):
        if path[:size] in origins:
            document, inside = origins[path[:size]]
            inside = (*inside, *path[size:])
            return Problem(document.file, document.line(inside), field_name(inside), message)
    return Problem("-", 1, field_name(path), message)


def comparable(text: str) -> str:
    """Without punctuation, width and case: two texts that differ only there are the same."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", text)).lower()


def _reached(matter: Matter, start: str) -> set[str]:
    """Aspects that branches lead to from ``start``, itself left out unless something leads back to it."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        branch = matter.aspects[waiting.pop()].branch
        ahead = {key for key in branch.to.values() if key in matter.aspects} - reached if branch else set()
        reached |= ahead
        waiting += ahead
    return reached


@dataclass(slots=True)
class _Checker:
    catalogue: Catalogue
    origins: Origins

    def at(self, path: Path_, message: str) -> Problem:
        return place(self.origins, path, message)

    def parameter(self, parameter: Parameter) -> Iterator[Problem]:
        if parameter.name == figures.CENTRE:
            yield self.at(("parameters", parameter.name), "is a reserved name")
        before: date | None = None
        for at, value in enumerate(parameter.values):
            path: Path_ = ("parameters", parameter.name, "values", at)
            if value.effective_to and value.effective_to < value.effective_from:
                yield self.at((*path, "to"), f"ends before it begins ({value.effective_from})")
            if at and (before is None or value.effective_from <= before):
                yield self.at((*path, "from"), "overlaps the value before it")
            before = value.effective_to

    def matter(self, matter: Matter) -> Iterator[Problem]:
        base: Path_ = ("matters", matter.code)
        if matter.topic not in TOPICS:
            yield self.at((*base, "topic"), f"{matter.topic} is not one of the topics")
        if matter.effective_from and matter.effective_to and matter.effective_to < matter.effective_from:
            yield self.at((*base, "effective_to"), f"is before effective_from ({matter.effective_from})")
        if "overview" not in matter.aspects:
            yield self.at((*base, "aspects"), "has no overview")
        if not matter.sources:
            yield self.at((*base, "sources"), "is missing")
        for key, aspect in matter.aspects.items():
            yield from self.aspect(matter, aspect, (*base, "aspects", key))
            yield from self.branches(matter, aspect, (*base, "aspects", key, "branch"))

    def aspect(self, matter: Matter, aspect: Aspect, base: Path_) -> Iterator[Problem]:
        if aspect.key not in ASPECTS and not aspect.key.startswith("q_"):
            yield self.at(base, "is not a known aspect (a question of its own starts with q_)")
        for at, source in enumerate(aspect.source_ids):
            if source not in matter.sources:
                yield self.at((*base, "sources", at), f"{source} is not a source of this matter")
        for at, related in enumerate(aspect.related):
            if not self._known(matter, related):
                yield self.at((*base, "related", at), f"{related} is neither a matter nor an aspect of this one")
        broken = not aspect.answered
        texts = {"text": aspect.text, "short": aspect.short, "sms": aspect.sms or "", "plain": aspect.plain or ""}
        for name, text in texts.items():
            for problem in self.placeholders(text, (*base, name)):
                broken = True
                yield problem
        if not broken:
            yield from self.lengths(aspect, base)

    def branches(self, matter: Matter, aspect: Aspect, base: Path_) -> Iterator[Problem]:
        """Values and aspects must exist, and no chain of branches may come back to where it began."""
        if aspect.branch is None:
            return
        for value, key in aspect.branch.to.items():
            if value not in FACTS[aspect.branch.fact]:
                yield self.at((*base, "to", value), f"is no value of {aspect.branch.fact}")
            if key not in matter.aspects:
                yield self.at((*base, "to", value), f"{key} is not an aspect of this matter")
            elif key != aspect.key and aspect.key in _reached(matter, key):
                yield self.at((*base, "to", value), f"{key} leads back to {aspect.key}")

    def eligibility(self, rules: Eligibility) -> Iterator[Problem]:
        """Matter, checks, arguments, questions, sources and figures that a file of conditions names must exist."""
        base: Path_ = ("eligibility", rules.code)
        matter = self.catalogue.matters.get(rules.code)
        if matter is None:
            yield self.at((*base, "code"), f"{rules.code} is not a matter of this centre")
        yield from self._dated(rules, base)
        for condition in rules.conditions:
            here = (*base, "conditions", condition.id)
            yield from self._dated(condition, here)
            yield from self._arguments(condition, here)
            for name, text in (("text", condition.text), ("unmet", condition.unmet), ("unknown", condition.unknown)):
                yield from self.placeholders(text, (*here, name))
            for question, value in condition.only_if.items():
                if value not in QUESTIONS.get(question, ()):
                    yield self.at((*here, "only_if", question), f"{question}={value} is no answer that is asked for")
            if matter is not None and condition.source_id not in matter.sources:
                yield self.at((*here, "source"), f"{condition.source_id} is not a source of this matter")

    def _dated(self, rules: Eligibility | Condition, base: Path_) -> Iterator[Problem]:
        if rules.effective_from and rules.effective_to and rules.effective_to < rules.effective_from:
            yield self.at((*base, "effective_to"), f"is before effective_from ({rules.effective_from})")

    def _arguments(self, condition: Condition, base: Path_) -> Iterator[Problem]:
        wanted = PREDICATES.get(condition.check)
        if wanted is None:
            yield self.at((*base, "check"), f"{condition.check} is not a known check")
            return
        for name in sorted(wanted.keys() ^ condition.arguments.keys()):
            said = "is missing" if name in wanted else f"is no argument of {condition.check}"
            yield self.at((*base, "with", name), said)
        for name in wanted.keys() & condition.arguments.keys():
            value = condition.arguments[name]
            fits = {
                FIGURE: value in self.catalogue.parameters,
                QUESTION: value in QUESTIONS,
                STATE: value in STATES,
                CITIES: isinstance(value, tuple),
            }
            if not fits[wanted[name]]:
                yield self.at((*base, "with", name), f"{value} is not a known {wanted[name]}")

    def _known(self, matter: Matter, related: str) -> bool:
        code, _, key = related.partition("/")
        if related in matter.aspects:
            return True
        other = self.catalogue.matters.get(code)
        return other is not None and (not key or key in other.aspects)

    def placeholders(self, text: str, path: Path_) -> Iterator[Problem]:
        for found in figures.PLACEHOLDER.finditer(text):
            name, part = found.group(1), found.group(2)
            if name == figures.CENTRE:
                known = part in figures.CENTRE_PARTS
            else:
                known = name in self.catalogue.parameters and part in figures.FIGURE_PARTS
            if not known:
                yield self.at(path, f"{found.group()} is not a known figure")
        if figures.BRACE.search(figures.PLACEHOLDER.sub("", text)):
            yield self.at(path, "has a brace that belongs to no figure")

    def lengths(self, aspect: Aspect, base: Path_) -> Iterator[Problem]:
        short = len(self.longest(aspect.short))
        if short > MAX_SHORT_CHARS:
            yield self.at((*base, "short"), f"has {short} characters once rendered, {MAX_SHORT_CHARS} at most")
        sms = self.catalogue.centre.sms_signature + self.longest(aspect.sms or aspect.short)
        units = len(sms.encode("utf-16-le")) // 2
        if units > MAX_SMS_UNITS:
            yield self.at((*base, "sms"), f"has {units} units with the signature, {MAX_SMS_UNITS} at most")

    def longest(self, text: str) -> str:
        """``text`` with each figure at its longest, so that no later day makes it too long."""

        def written(found: re.Match[str]) -> str:
            name, part = found.group(1), found.group(2)
            if name == figures.CENTRE:
                return figures.centre_part(self.catalogue.centre, part)
            parameter = self.catalogue.parameters[name]
            forms = {
                None: [figures.amount(value.value, parameter.unit) for value in parameter.values],
                "value": [figures.number(value.value) for value in parameter.values],
                "from": [figures.day(value.effective_from) for value in parameter.values],
            }[part]
            return max(forms, key=len)

        return figures.PLACEHOLDER.sub(written, text)

    def doubles(self) -> Iterator[Problem]:
        """Names, titles and questions that stand twice: the second place is reported, with the first."""
        yield from self._twice(self._names())
        yield from self._twice(self._titles())
        yield from self._twice(self._questions())

    def _twice(self, entries: Iterator[tuple[str, Path_]]) -> Iterator[Problem]:
        seen: dict[str, Path_] = {}
        for text, path in entries:
            key = comparable(text)
            if not key:
                yield self.at(path, "has no letter in it")
            elif key in seen:
                first = self.at(seen[key], "")
                yield self.at(path, f"{text} stands already at {first.file}:{first.line}")
            else:
                seen[key] = path

    def _names(self) -> Iterator[tuple[str, Path_]]:
        for code, matter in self.catalogue.matters.items():
            yield matter.name, ("matters", code, "name")
            for alias in matter.aliases:
                if comparable(alias) != comparable(matter.name):
                    yield alias, ("matters", code, "aliases", alias)

    def _titles(self) -> Iterator[tuple[str, Path_]]:
        for code, matter in self.catalogue.matters.items():
            for key, aspect in matter.aspects.items():
                yield aspect.title, ("matters", code, "aspects", key, "title")

    def _questions(self) -> Iterator[tuple[str, Path_]]:
        for code, matter in self.catalogue.matters.items():
            for key, aspect in matter.aspects.items():
                for question in aspect.questions:
                    yield question, ("matters", code, "aspects", key, "questions", question)
