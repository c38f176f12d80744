"""A skill on own data: what it needs to know of a message, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from hotline.domain.identity import Known, Level
from hotline.domain.messages import ChannelName, Choice, Outcome
from hotline.domain.money import spoken, yuan
from hotline.errors import HotlineError
from hotline.services.own.words import Words
from knowledge_base.model import Catalogue


class Declined(HotlineError):
    """The skill cannot go on, for a reason people are told: ``key`` of a sentence in wording/desk.yml."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something that takes several messages. It is kept in the conversation's slots, so nothing secret is in it: what
    an application collects is in the draft."""

    skill: str
    """The intent of the skill that goes on with it."""
    about: str = ""
    """What the skill is doing: a business, a calculator, an account."""
    asking: str = ""
    """The field that was asked for last; empty: nothing is asked, only offered."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    failures: int = 0
    """Answers in a row that could not be read."""

    @classmethod
    def read(cls, data: Mapping[str, Any] | None) -> Task | None:
        """From the slot; None where there is none or it is of another version."""
        try:
            return cls(**data) if data else None
        except TypeError:
            return None

    def to_slot(self) -> dict[str, Any]:
        return {
            "skill": self.skill,
            "about": self.about,
            "asking": self.asking,
            "inputs": dict(self.inputs),
            "failures": self.failures,
        }

    def asks(self, asking: str, **inputs: str) -> Task:
        """The same task, now waiting for another answer."""
        return replace(self, asking=asking, inputs={**self.inputs, **inputs}, failures=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One message to a skill. ``known`` has at least the level the skill needs on this channel."""

    text: str
    channel: ChannelName
    now: datetime
    today: date
    conversation_id: str
    catalogue: Catalogue
    known: Known | None = None
    matter: str | None = None
    """Code of the matter the message is most probably about."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the citizen has said of his case."""
    is_other: bool = False
    """Whether the message is word for word something else than an answer: a greeting, the name of another skill."""

    @property
    def person_no(self) -> str:
        """The core system's number of the proven person. Raises Declined where nobody is known."""
        if self.known is None:
            raise Declined("prove_first")
        return self.known.person_no

    @property
    def person_id(self) -> str:
        """Our number of the proven person. Raises Declined where nobody is known."""
        if self.known is None:
            raise Declined("prove_first")
        return self.known.person_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a skill says. ``task``: what the next message goes on with."""

    text: str
    choices: tuple[Choice, ...] = ()
    outcome: Outcome = Outcome.ANSWERED
    matter: str | None = None
    task: Task | None = None
    hand_over: str | None = None


class Skill(Protocol):
    """Answers one intent. Every method may raise Declined, and what the ports raise."""

    intent: str
    matter: str
    """The matter of the catalogue that is told where the data cannot be, and that the record names."""

    own_only: bool
    """True: what it tells or does is one's own; for a relative it is refused, with the lawful way."""

    def needs(self, channel: ChannelName) -> Level:
        """The level of identity without which nothing is told on this channel."""
        ...

    async def answer(self, ask: Ask) -> Told: ...


class LongSkill(Skill, Protocol):
    """A skill that asks back."""

    async def go_on(self, ask: Ask, task: Task) -> Told | None:
        """The next step; None when the message does not answer what was asked."""
        ...

    async def ask_again(self, ask: Ask, task: Task) -> Told:
        """What is waited for, said once more after something else was answered in between."""
        ...

    def leave(self, ask: Ask, task: Task) -> Told:
        """The citizen does not want to go on now."""
        ...


class OfferingSkill(LongSkill, Protocol):
    """A skill whose tasks may ask nothing and only offer to go on."""

    def takes_up(self, ask: Ask, task: Task) -> bool:
        """Whether the message takes up what was offered. Without any I/O, since most messages do not."""
        ...


def by_channel(channel: ChannelName) -> Level:
    """What reading own data needs: a bound WeChat account is the person's own telephone; a browser and a telephone
    line may be anybody's, so they prove each time."""
    return Level.BOUND if channel is ChannelName.WECHAT else Level.PROVEN


COMMON = Words("common")
"""Names of the closed lists of hotline.domain.fund."""


def named_business(ask: Ask) -> str | None:
    """The business whose words stand in the message: they say it more surely than the matcher."""
    for code, words in COMMON.find("business_words").items():
        if any(word in ask.text for word in words):
            return str(code)
    return None


def figure(ask: Ask, name: str) -> Decimal:
    """The value of a parameter in force today, in its own unit. Raises Declined where none is."""
    parameter = ask.catalogue.parameters.get(name)
    value = parameter.on(ask.today) if parameter else None
    if value is None:
        raise Declined("no_figure")
    return Decimal(value.value)


def money(channel: ChannelName, fen: int) -> str:
    """An amount in fen as this channel gives it: in words where it is read out."""
    return spoken(fen) if channel is ChannelName.VOICE else yuan(fen)


def day(when: date) -> str:
    """A date as people write it."""
    return str(COMMON.find("day")).format(when.year, when.month, when.day)


def month(when: date) -> str:
    """A month as people write it."""
    return str(COMMON.find("month")).format(when.year, when.month)
