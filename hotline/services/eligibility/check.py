"""Whether a citizen may do something: each condition of the matter checked, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from hotline.services.eligibility.predicates import OWN_RULES, REGISTRY, Case, Finding, Status
from hotline.services.eligibility.situation import Situation
from hotline.services.eligibility.words import wording
from hotline.services.reckoning.figures import Figures, Used
from knowledge_base.eligibility import Condition
from knowledge_base.errors import NotInForce
from knowledge_base.model import Catalogue, Source
from knowledge_base.render import fill


class Outcome(StrEnum):
    CAN = "can"
    CANNOT = "cannot"
    CONFIRM = "confirm"
    """Nothing speaks against it, but something is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionResult:
    """One condition with its figures in place. ``advice``: what to do where it is not met or not known."""

    id: str
    text: str
    status: Status
    why: str
    values: Mapping[str, object] = field(default_factory=dict)
    advice: str
    ask: str | None
    """The question of `knowledge_base.eligibility.QUESTIONS` whose answer would tell."""
    open_on: date | None
    source: Source
    own_rule: bool
    """Whether the core system makes this check by itself, whatever page says so."""

    @property
    def weak(self) -> bool:
        """Whether the condition is known from an unofficial page alone."""
        return self.source.strength == "weak" and not self.own_rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``questions``: what to ask next, in order, first what decides which conditions count. ``open_on``: the day from
    which it can be done if nothing changes, where only time is missing. ``national_only``: the centre has published no
    conditions of its own, so that there is no plain yes."""

    matter: str
    name: str
    outcome: Outcome
    results: tuple[ConditionResult, ...]
    questions: tuple[str, ...]
    open_on: date | None
    national_only: bool
    used: tuple[Used, ...]

    def with_status(self, status: Status) -> tuple[ConditionResult, ...]:
        return tuple(result for result in self.results if result.status is status)


def check(catalogue: Catalogue, matter: str, situation: Situation, today: date) -> Verdict | None:
    """The verdict as of ``today``; None where the matter has no conditions in force.

    A condition whose figure has no value on the day is left out, and then there is no plain yes.
    """
    rules = catalogue.eligibility.get(matter)
    conditions = rules.on(today) if rules else ()
    if rules is None or not conditions:
        return None
    figures = Figures(catalogue, today)
    case = Case(
        situation=situation,
        matter=matter,
        figures=figures,
        city_suffix=str(wording()["city_suffix"]),
        names_of_here=catalogue.centre.here,
    )
    results, complete = _results(catalogue, [each for each in conditions if _counts(each, situation)], case)
    national_only = rules.centre == "national"
    outcome = _outcome(results, certain=complete and not national_only)
    unsettled = list(_undecided(conditions, situation))
    if unsettled and outcome is Outcome.CAN:
        outcome = Outcome.CONFIRM
    asked = [result.ask for result in results if result.status is Status.UNKNOWN and result.ask]
    return Verdict(
        matter=matter,
        name=rules.name or catalogue.matters[matter].name,
        outcome=outcome,
        results=results,
        questions=tuple(dict.fromkeys([*unsettled, *asked])),
        open_on=_open_on(results),
        national_only=national_only,
        used=figures.used,
    )


def _counts(condition: Condition, situation: Situation) -> bool:
    return all(situation.said.get(question) == value for question, value in condition.only_if.items())


def _undecided(conditions: tuple[Condition, ...], situation: Situation) -> Iterator[str]:
    """Questions that decide whether a condition counts, and are not answered."""
    for condition in conditions:
        yield from (question for question in condition.only_if if question not in situation.said)


def _results(
    catalogue: Catalogue, conditions: Sequence[Condition], case: Case
) -> tuple[tuple[ConditionResult, ...], bool]:
    """What each condition comes to, and whether every one could be judged."""
    results: list[ConditionResult] = []
    complete = bool(conditions)
    for condition in conditions:
        try:
            found = REGISTRY[condition.check](replace(case, arguments=condition.arguments))
            if found is not None:
                results.append(_result(catalogue, case, condition, found))
        except NotInForce:
            complete = False
    return tuple(results), complete


def _result(catalogue: Catalogue, case: Case, condition: Condition, found: Finding) -> ConditionResult:
    """The finding with the condition's texts. Raises: NotInForce."""
    advice = {Status.NOT_MET: condition.unmet, Status.UNKNOWN: condition.unknown}.get(found.status, "")
    return ConditionResult(
        id=condition.id,
        text=_filled(catalogue, condition.text, case.today),
        status=found.status,
        why=found.why,
        values=found.values,
        advice=_filled(catalogue, advice, case.today),
        ask=found.ask,
        open_on=found.open_on,
        source=catalogue.matters[case.matter].sources[condition.source_id],
        own_rule=condition.check in OWN_RULES,
    )


def _filled(catalogue: Catalogue, text: str, on: date) -> str:
    return fill(catalogue, text, on=on).text


def _outcome(results: tuple[ConditionResult, ...], *, certain: bool) -> Outcome:
    statuses = {result.status for result in results}
    if Status.NOT_MET in statuses:
        return Outcome.CANNOT
    return Outcome.CAN if certain and Status.UNKNOWN not in statuses else Outcome.CONFIRM


def _open_on(results: tuple[ConditionResult, ...]) -> date | None:
    """The latest of the days, where every condition that is not met has one and none is unknown."""
    days = [result.open_on for result in results if result.status is Status.NOT_MET]
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None
