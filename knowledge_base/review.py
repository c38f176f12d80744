"""What of well-formed content wants an editor's attention: gaps, ageing figures, weak sources, entries too alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from knowledge_base import alike, figures
from knowledge_base.checks import Origins, place
from knowledge_base.errors import Problem
from knowledge_base.model import SERVICE_ASPECTS, Aspect, Catalogue, Matter, Parameter
from knowledge_base.yaml_lines import Path_

MIN_QUESTIONS = 8
"""Fewer phrasings than this and the matcher hardly knows the aspect."""

KINDS: Mapping[str, str] = {
    "missing-aspect": "services that do not answer what every service must",
    "unanswered": "questions this centre has not answered",
    "no-questions": "entries no question reaches",
    "few-questions": f"entries with fewer than {MIN_QUESTIONS} questions",
    "same-answer": "entries that give nearly the same answer",
    "same-question": "entries that claim nearly the same question",
    "matter-review": "matters past their review date",
    "figure-review": "figures past their review date",
    "figure-ended": "figures whose last value has ended",
    "figure-not-in-force": "figures without a value on this day",
    "figure-unused": "figures no answer uses",
    "figure-weak": "figures that rest on a weak source",
    "weak-source": "answers that rest on a weak source",
    "no-source": "answers that name no source of their own",
}
"""Every kind of finding, in the order they are listed, with its heading."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One matter for attention; its kind is one of KINDS. Content with findings can be published."""

    kind: str
    place: Problem


def findings(catalogue: Catalogue, *, on: date, origins: Origins | None = None) -> list[Finding]:
    """All findings as of the day ``on``, by kind in the order of KINDS, then by place.

    ``origins`` (from `loader.load_placed`) gives each its file and line; without it files are ``-``.
    """
    reviewer = _Reviewer(catalogue, on, origins or {})
    order = list(KINDS)
    return sorted(reviewer.all(), key=lambda finding: (order.index(finding.kind), finding.place))


@dataclass(frozen=True, slots=True)
class _Reviewer:
    catalogue: Catalogue
    on: date
    origins: Origins

    def all(self) -> Iterator[Finding]:
        for matter in self.catalogue.matters.values():
            yield from self.matter(matter)
            for aspect in matter.aspects.values():
                yield from self.reach(matter, aspect)
                yield from self.support(matter, aspect)
        used = {name for matter in self.catalogue.matters.values() for name in _figures_of(matter)}
        used |= {name for rules in self.catalogue.eligibility.values() for name in rules.figures()}
        for parameter in self.catalogue.parameters.values():
            yield from self.figure(parameter, used)
        yield from self.same_answers()
        yield from self.same_questions()

    def at(self, kind: str, path: Path_, message: str) -> Finding:
        return Finding(kind, place(self.origins, path, message))

    def matter(self, matter: Matter) -> Iterator[Finding]:
        base: Path_ = ("matters", matter.code)
        if matter.kind == "service" and matter.scope == "fund":
            for key in SERVICE_ASPECTS:
                if key not in matter.aspects:
                    yield self.at("missing-aspect", (*base, "aspects"), f"{matter.name} has no {key}")
        if matter.review_on and matter.review_on < self.on:
            yield self.at("matter-review", (*base, "review_on"), f"{matter.name} was due on {matter.review_on}")

    def reach(self, matter: Matter, aspect: Aspect) -> Iterator[Finding]:
        base: Path_ = ("matters", matter.code, "aspects", aspect.key)
        if not aspect.answered:
            yield self.at("unanswered", base, f"{aspect.title} has no answer of {self.catalogue.centre.name}")
        if not aspect.questions:
            yield self.at("no-questions", base, f"{aspect.title} has no question")
        elif len(aspect.questions) < MIN_QUESTIONS:
            yield self.at("few-questions", base, f"{aspect.title} has {len(aspect.questions)}")

    def support(self, matter: Matter, aspect: Aspect) -> Iterator[Finding]:
        """Sources of an answer; what is not the fund's business cites none and needs none."""
        if not aspect.answered or matter.scope != "fund":
            return
        base: Path_ = ("matters", matter.code, "aspects", aspect.key)
        own = [matter.sources[name] for name in aspect.source_ids] or list(matter.sources.values())
        weak = [source.id for source in own if source.strength == "weak"]
        if weak:
            yield self.at("weak-source", (*base, "sources"), f"{aspect.title} rests on {', '.join(weak)}")
        if not aspect.source_ids:
            yield self.at("no-source", base, f"{aspect.title} names none, so all {len(own)} of the matter are cited")

    def figure(self, parameter: Parameter, used: set[str]) -> Iterator[Finding]:
        base: Path_ = ("parameters", parameter.name)
        if parameter.review_on and parameter.review_on < self.on:
            yield self.at("figure-review", (*base, "review_on"), f"{parameter.title} was due on {parameter.review_on}")
        value, last = parameter.on(self.on), parameter.values[-1]
        if value is not None and value.source.strength == "weak":
            yield self.at("figure-weak", base, f"{parameter.title} rests on {value.source.title}")
        if last.effective_to is not None and last.effective_to < self.on:
            yield self.at("figure-ended", base, f"{parameter.title} ended on {last.effective_to}")
        elif value is None:
            begins = min(each.effective_from for each in parameter.values if each.effective_from > self.on)
            yield self.at("figure-not-in-force", base, f"{parameter.title} has no value until {begins}")
        if parameter.name not in used:
            yield self.at("figure-unused", base, f"{parameter.title} stands in no answer")

    def same_answers(self) -> Iterator[Finding]:
        """Pairs of entries whose texts differ by no more than a few characters."""
        entries: dict[Path_, str] = {
            ("matters", code, "aspects", key): aspect.text
            for code, matter in self.catalogue.matters.items()
            for key, aspect in matter.aspects.items()
            if aspect.answered
        }
        yield from self._pairs("same-answer", entries, ("text",))

    def same_questions(self) -> Iterator[Finding]:
        """Pairs of phrasings of different entries that differ by no more than a few characters."""
        questions: dict[Path_, str] = {
            ("matters", code, "aspects", key, "questions", question): question
            for code, matter in self.catalogue.matters.items()
            for key, aspect in matter.aspects.items()
            for question in aspect.questions
        }
        yield from self._pairs("same-question", questions, ())

    def _pairs(self, kind: str, texts: Mapping[Path_, str], field: Path_) -> Iterator[Finding]:
        paths = list(texts)
        for first, second, ratio in alike.pairs(list(texts.values())):
            one, other = paths[first], paths[second]
            if one[:4] == other[:4]:
                continue
            there = place(self.origins, (*one, *field), "")
            said = f"{other[1]}/{other[3]} is {ratio} % like {one[1]}/{one[3]} at {there.file}:{there.line}"
            if kind == "same-question":
                said = f"{texts[other]} ({said}: {texts[one]})"
            yield self.at(kind, (*other, *field), said)


def _figures_of(matter: Matter) -> Iterator[str]:
    for aspect in matter.aspects.values():
        for text in (aspect.title, aspect.text, aspect.short, aspect.sms or "", aspect.plain or ""):
            for found in figures.PLACEHOLDER.finditer(text):
                yield found.group(1)
