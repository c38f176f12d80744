"""Whether the citizen fulfils the conditions of a business: each one checked on his own data and explained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Choice, Outcome
from hotline.fund_system import FundSystem
from hotline.services import eligibility
from hotline.services.eligibility.saying import answer_label
from hotline.services.offers import bare
from hotline.services.own.businesses.business import read_record
from hotline.services.own.eligible import QUESTION_FACTS, situation
from hotline.services.own.fields import WORDS, Field, FieldKind, Unread, read
from hotline.services.own.skill import Ask, Task, Told, by_channel, named_business
from hotline.services.own.words import Words
from hotline.services.understanding import BY_NUMBER
from knowledge_base.eligibility import QUESTIONS, YES_NO

_WORDS = Words("may_i")
WHICH: Final = "which"
ASKED_AT_MOST: Final = 5
"""Questions put before the verdict is told with what is still open: no business has more that decide."""
UNKNOWN: Final = "unknown"
"""The answer of who does not know. It is no answer to the check, but the question is not put again."""


class MayI:
    """Runs for the intent ``may_i``."""

    intent = "may_i"
    matter = "withdraw-overview"
    own_only = False

    def __init__(self, fund: FundSystem) -> None:
        self._fund = fund

    def needs(self, channel: ChannelName) -> Level:
        return by_channel(channel)

    async def answer(self, ask: Ask) -> Told:
        code = self._matter(ask)
        if code is None:
            return self._which(ask)
        return await self._checked(ask, code, answers={})

    async def go_on(self, ask: Ask, task: Task) -> Told | None:
        if task.asking == WHICH:
            return await self.answer(ask) if self._matter(ask) else None
        value = read(_field(task.asking), ask)
        if isinstance(value, Unread):
            if not any(bare(ask.text).startswith(word) for word in WORDS.find("unsure")):
                return None
            value = UNKNOWN
        return await self._checked(ask, task.about, answers={**task.inputs, task.asking: value})

    async def ask_again(self, ask: Ask, task: Task) -> Told:
        if task.asking == WHICH:
            return self._which(ask)
        return self._asked(ask, task.about, task.asking, task.inputs)

    def leave(self, ask: Ask, task: Task) -> Told:
        return Told(text=_WORDS.say("left", ask.channel))

    def _matter(self, ask: Ask) -> str | None:
        """The business: named in the message, else the one just discussed."""
        found = (code for code in (named_business(ask), ask.matter) if code in ask.catalogue.eligibility)
        return next(found, None)

    def _which(self, ask: Ask) -> Told:
        names = [ask.catalogue.matters[code].name for code in ask.catalogue.eligibility]
        choices = tuple(Choice(label=name, text=name) for name in names) if ask.channel not in BY_NUMBER else ()
        task = Task(skill=self.intent, asking=WHICH)
        text = _WORDS.say("which", ask.channel, listed=str(_WORDS.find("joiner")).join(names))
        return Told(text=text, choices=choices, task=task, outcome=Outcome.CLARIFIED)

    async def _checked(self, ask: Ask, code: str, *, answers: Mapping[str, str]) -> Told:
        """The next question, or the verdict. ``answers``: to the questions put so far."""
        record = await read_record(self._fund, ask.person_no)
        said = {**_said_before(ask), **{name: value for name, value in answers.items() if value != UNKNOWN}}
        verdict = eligibility.check(ask.catalogue, code, situation(record, ask, said=said), ask.today)
        if verdict is None:
            return Told(text=_WORDS.say("no_conditions", ask.channel), outcome=Outcome.CLARIFIED, matter=code)
        left = [question for question in verdict.questions if question not in answers]
        if left and len(answers) < ASKED_AT_MOST and verdict.outcome is eligibility.Outcome.CONFIRM:
            return self._asked(ask, code, left[0], answers)
        choices = _next(code, ask) if verdict.outcome is not eligibility.Outcome.CANNOT else ()
        return Told(text=eligibility.say(verdict, ask.channel, ask.catalogue, ask.today), matter=code, choices=choices)

    def _asked(self, ask: Ask, code: str, question: str, answers: Mapping[str, str]) -> Told:
        labels = (_field(question).choices or {}).values() if ask.channel not in BY_NUMBER else ()
        choices = tuple(Choice(label=label, text=label) for label in labels)
        task = Task(skill=self.intent, about=code, asking=question, inputs=answers)
        text = eligibility.ask(question, ask.catalogue)
        return Told(text=text, choices=choices, task=task, outcome=Outcome.CLARIFIED, matter=code)


def _said_before(ask: Ask) -> dict[str, str]:
    """Answers that stand in the conversation already."""
    facts = {question: ask.facts[fact] for question, fact in QUESTION_FACTS.items() if fact in ask.facts}
    return {question: str(_WORDS.find("facts")[value]) for question, value in facts.items()}


def _field(question: str) -> Field:
    """How the answer to one of `knowledge_base.eligibility.QUESTIONS` is read."""
    values = QUESTIONS[question]
    if not values:
        return Field(name=question, kind=FieldKind.TEXT, least=2)
    kind = FieldKind.YES_NO if values == YES_NO else FieldKind.CHOICE
    return Field(name=question, kind=kind, choices={value: answer_label(value) for value in values})


def _next(code: str, ask: Ask) -> tuple[Choice, ...]:
    """Filing it, where it can be filed here."""
    label = _WORDS.find("apply").get(code)
    return (Choice(label=label, text=label),) if label and ask.channel not in BY_NUMBER else ()
