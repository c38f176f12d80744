"""A verdict in words: the answer first, then condition by condition; on the telephone and by SMS only what matters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from hotline.domain import money
from hotline.domain.days import add_months, whole_months
from hotline.domain.messages import ChannelName
from hotline.services.eligibility.check import ConditionResult, Outcome, Verdict
from hotline.services.eligibility.predicates import Status
from hotline.services.eligibility.words import wording
from knowledge_base.model import Catalogue, Source
from knowledge_base.render import sources_line

FULL: Final = (ChannelName.WEB, ChannelName.WECHAT)
"""Channels with room for every condition."""

ROOM: Final = {ChannelName.VOICE: 60, ChannelName.SMS: 120}
"""Characters of a turn elsewhere."""

_ORDER: Final = (Status.NOT_MET, Status.UNKNOWN, Status.MET)
_LEAST: Final = {"years": 3, "months": 2, "days": 0}
"""From so many on the unit is used."""


def say(verdict: Verdict, channel: ChannelName, catalogue: Catalogue, today: date) -> str:
    """The verdict as ``channel`` says it. What is still to be asked is not in it: see `ask`."""
    sayer = _Sayer(verdict, channel, catalogue, today)
    return sayer.full() if channel in FULL else sayer.short(ROOM[channel])


def ask(question: str, catalogue: Catalogue) -> str:
    """The question, one of `knowledge_base.eligibility.QUESTIONS`, as it is put."""
    return str(wording()["ask"][question]).format(city=catalogue.centre.city)


def answer_label(value: str) -> str:
    """What a citizen may choose for the answer ``value``."""
    return str(wording()["answers"][value])


class _Sayer:
    def __init__(self, verdict: Verdict, channel: ChannelName, catalogue: Catalogue, today: date) -> None:
        self._verdict, self._channel, self._centre, self._today = verdict, channel, catalogue.centre, today
        self._words = wording()

    def full(self) -> str:
        lines = [self.head(), *(self._line(result) for result in self._ordered())]
        if any(result.weak for result in self._verdict.results):
            lines.append(self._words["weak"].format(hotline=self._centre.hotline))
        lines.append(sources_line(_distinct(self._ordered())))
        return str(self._words["lines"]).join([*lines, self._words["reviewed"]])

    def short(self, room: int) -> str:
        """The answer, then as much of the first thing to do as there is room for."""
        head, first = self.head(), next(iter(self._ordered()), None)
        tries = [head]
        if first is None or first.status is Status.MET:
            tries.insert(0, head + self._words["reviewed"])
        elif first.advice and not first.ask:
            tries.insert(0, head + first.advice)
            if first.why and not self._until():
                tries.insert(0, head + self._found(first) + self._words["stop"] + first.advice)
        return next((text for text in tries if len(text) <= room), head)

    def _until(self) -> date | None:
        """The day from which it can be done, where nothing else is open."""
        unknown = self._verdict.with_status(Status.UNKNOWN)
        return None if unknown else self._verdict.open_on

    def head(self) -> str:
        verdict, heads = self._verdict, self._words["head"]
        values: dict[str, object] = {"name": verdict.name, "city": self._centre.city, "hotline": self._centre.hotline}
        unmet, unknown = verdict.with_status(Status.NOT_MET), verdict.with_status(Status.UNKNOWN)
        match verdict.outcome:
            case Outcome.CAN:
                return str(heads["can"]).format(**values)
            case Outcome.CANNOT if until := self._until():
                return str(heads["cannot_until"]).format(day=self._day(until), **values)
            case Outcome.CANNOT:
                key = "cannot_one" if len(unmet) == 1 else "cannot"
                return str(heads[key]).format(text=unmet[0].text, count=len(unmet), **values)
            case _ if unknown and not verdict.with_status(Status.MET):
                return str(heads["unsure"]).format(count=len(unknown), **values)
            case _ if unknown:
                key = "confirm_one" if len(unknown) == 1 else "confirm"
                return str(heads[key]).format(text=unknown[0].text, count=len(unknown), **values)
            case _:
                return str(heads["which" if verdict.questions else "national"]).format(**values)

    def _ordered(self) -> list[ConditionResult]:
        return sorted(self._verdict.results, key=lambda result: _ORDER.index(result.status))

    def _line(self, result: ConditionResult) -> str:
        sentence = self._found(result) if result.why else ""
        why = self._words["why"].format(sentence=sentence) if sentence else ""
        text = result.text + (self._words["weak_mark"] if result.weak else "")
        return str(self._words["line"][result.status]).format(text=text, why=why, advice=result.advice)

    def _found(self, result: ConditionResult) -> str:
        """The sentence about what was found, its days and amounts written out."""
        values: dict[str, Any] = dict(result.values)
        if result.open_on is not None:
            values |= {"left": self._left(result.open_on), "day": result.open_on}
        if isinstance(values.get("last"), date):
            values["last_month"] = self._words["month"].format(year=values["last"].year, month=values["last"].month)
        if "fen" in values:
            written = money.spoken if self._channel is ChannelName.VOICE else money.yuan
            values["fen"] = written(values["fen"])
        written_out = {name: self._day(value) if isinstance(value, date) else value for name, value in values.items()}
        return str(self._words["found"][result.why]).format(**written_out)

    def _left(self, until: date) -> str:
        """How long it still takes; months are rounded up."""
        days, months = (until - self._today).days, whole_months(self._today, until)
        months += add_months(self._today, months) < until
        for unit, count in (("years", months // 12), ("months", months), ("days", days)):
            if count >= _LEAST[unit]:
                return str(self._words["left"][unit]).format(count=count)
        return ""

    def _day(self, on: date) -> str:
        return str(self._words["day"]).format(year=on.year, month=on.month, day=on.day)


def _distinct(results: Sequence[ConditionResult]) -> tuple[Source, ...]:
    """Each source once, official ones first; those of the core system's own rules only where there is no other."""
    named = [result for result in results if not result.own_rule] or results
    found = {(result.source.title, result.source.issued_on): result.source for result in named}
    return tuple(sorted(found.values(), key=lambda source: source.strength != "official"))
