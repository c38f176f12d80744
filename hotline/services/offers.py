"""What answering knows of a conversation: what was said and offered, and how a choice among it is read."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from hotline.domain.messages import ChannelName, TurnResult
from knowledge_base.match import Match

PERSON: Final = ""
"""The matter of the offer that stands for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something the citizen may choose next: by number, by ``label`` or by ``text``."""

    label: str
    text: str
    matter: str
    aspect: str
    fact: str = ""
    """``name=value`` where choosing it says something of the citizen."""


@dataclass(frozen=True, slots=True)
class Topic:
    """An entry: the aspect ``aspect`` of the matter ``matter``."""

    matter: str
    aspect: str

    @classmethod
    def read(cls, written: str) -> Topic:
        return cls(*written.split("/", 1))

    def __str__(self) -> str:
        return f"{self.matter}/{self.aspect}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an answer needs to know of the conversation so far."""

    matter: str | None = None
    aspect: str | None = None
    offered: tuple[Offer, ...] = ()
    failures: int = 0
    """Messages in a row that were not understood."""
    last_reply: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the citizen has said of his case: values of knowledge_base.model.FACTS."""
    said: tuple[str, ...] = ()
    """Entries told about the present matter."""
    others: tuple[str, ...] = ()
    """Entries that came next when the last question was answered, best first."""
    wrong: int = 0
    """Answers in a row that the citizen called wrong."""
    asked: int = 0
    """Questions put back about the present matter."""
    task: Mapping[str, Any] | None = None
    """Something begun that waits for an answer: hotline.services.own.skill.Task."""
    pending: Mapping[str, Any] | None = None
    """What own data was asked for before it was known who asks: intent, text, matter."""

    @classmethod
    def from_slots(cls, slots: Mapping[str, Any]) -> Context:
        """Reads the slots; missing or empty ones are as at the start of a conversation."""
        return cls(
            matter=slots.get("matter") or None,
            aspect=slots.get("aspect") or None,
            offered=tuple(Offer(**offer) for offer in slots.get("offered") or ()),
            last_reply=str(slots.get("last_reply") or ""),
            facts=dict(slots.get("facts") or {}),
            said=tuple(slots.get("said") or ()),
            others=tuple(slots.get("others") or ()),
            failures=int(slots.get("failures") or 0),
            wrong=int(slots.get("wrong") or 0),
            asked=int(slots.get("asked") or 0),
            task=slots.get("task") or None,
            pending=slots.get("pending") or None,
        )

    def to_slots(self) -> dict[str, Any]:
        return {
            "matter": self.matter,
            "aspect": self.aspect,
            "offered": [asdict(offer) for offer in self.offered],
            "failures": self.failures,
            "last_reply": self.last_reply,
            "facts": dict(self.facts),
            "said": list(self.said),
            "others": list(self.others),
            "wrong": self.wrong,
            "asked": self.asked,
            "task": dict(self.task) if self.task else None,
            "pending": dict(self.pending) if self.pending else None,
        }

    @property
    def person_offered(self) -> bool:
        return any(offer.matter == PERSON for offer in self.offered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One message as it was understood.

    ``parts``: its questions matched one by one, where it has several. ``about``: the message matched as one about
    the matter just discussed, where it names none itself.
    """

    text: str
    intent: str
    channel: ChannelName
    today: date
    confidence: float = 1.0
    match: Match | None = None
    parts: tuple[Match, ...] = ()
    about: Match | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is said now, and what to remember for the next message."""

    result: TurnResult
    context: Context


@cache
def wording() -> dict[str, Any]:
    """The parsed wording/answering.yml; callers must not change it."""
    path = Path(__file__).resolve().parent / "wording" / "answering.yml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def bare(text: str) -> str:
    """The letters, digits and characters of ``text`` alone, lower-case and NFKC: what choices are compared by."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if unicodedata.category(c)[0] in "LN")


@cache
def _picks() -> dict[str, int]:
    return {bare(word): int(number) for number, words in wording()["picks"].items() for word in words}


def is_one_of(text: str, key: str) -> bool:
    return bare(text) in {bare(word) for word in wording()[key]}


def picked(text: str, offered: tuple[Offer, ...]) -> Offer | None:
    """What was chosen by number, label or text, or None."""
    offers = [offer for offer in offered if offer.matter != PERSON]
    said = bare(text)
    for offer in offers:
        if said and said in (bare(offer.label), bare(offer.text)):
            return offer
    number = _picks().get(said, 0)
    index = number - 1 if number > 0 else len(offers) - 1
    if number == 0 or index >= len(offers) or not offers:
        return None
    return offers[index]
