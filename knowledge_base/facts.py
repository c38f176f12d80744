"""What a message says of the person and the case: places and their roles, household, house, amounts, dates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from threading import Lock
from typing import Any

from knowledge_base import wording
from knowledge_base.model import Centre

MARKS = ("relation", "house", "audience")
_AMOUNT, _DATE = "amount", "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """``known``: values of `model.FACTS` that were said. ``marks``: relation, house and audience words, as
    ``kind=value``. ``fund_place``, ``house_place``: another place, said to be where the fund is paid or the house
    stands. ``denied`` and ``meant``: the two halves of "not this but that" (``denied``
    is empty where it is only taken back). Amounts are in yuan, as digits."""

    known: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    fund_place: str | None = None
    house_place: str | None = None
    denied: str | None = None
    meant: str | None = None
    amounts: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Facts:
        """What ``dataclasses.asdict`` made, lists read as tuples."""
        lists = ("marks", "places", "amounts", "dates")
        return cls(**{**data, **{name: tuple(data[name]) for name in lists}})

    def tokens(self) -> Iterator[str]:
        """Features for the classifiers: the same fact is the same token, whatever words said it."""
        yield from (f"f:{name}={value}" for name, value in self.known.items())
        yield from (f"f:{mark}" for mark in self.marks)
        roles = {"place": self.places, "fund": self.fund_place, "house": self.house_place}
        yield from (f"f:other-{name}" for name, there in roles.items() if there)
        yield from (f"f:{name}" for name, there in ((_AMOUNT, self.amounts), (_DATE, self.dates)) if there)


class FactFinder:
    """spaCy's EntityRuler over single characters for phrases; regular expressions for amounts, dates and roles.

    Safe for concurrent use. ``centre`` says which city is "here".
    """

    def __init__(self, centre: Centre) -> None:
        import spacy

        self._language = spacy.blank("zh")
        ruler: Any = self._language.add_pipe("entity_ruler")
        ruler.add_patterns([{"label": label, "pattern": phrase} for label, phrase in _phrases(centre)])
        self._lock = Lock()  # spaCy's string store grows as it reads

    def find(self, text: str, places: tuple[str, ...] = ()) -> Facts:
        """The facts in normalised ``text``; ``places`` are the other places named in it."""
        with self._lock:
            found = [(entity.label_, entity.start_char) for entity in self._language(text).ents]
        said = [label.split("=") for label in dict.fromkeys(label for label, at in found if not _in_doubt(text, at))]
        kinds = [kind for kind, _ in said]
        known = {kind: value for kind, value in said if kind not in MARKS and kinds.count(kind) == 1}
        roles = {role: _with_role(role, text, places) for role in ("fund", "house", "hukou")}
        if roles["hukou"] and "hukou" not in known:
            known["hukou"] = "outside"
        if roles["house"]:
            known["house_place"] = "elsewhere"
        denied, meant = _correction(text)
        return Facts(
            known=known,
            marks=tuple(f"{kind}={value}" for kind, value in said if kind in MARKS),
            places=places,
            fund_place=roles["fund"],
            house_place=roles["house"],
            denied=denied,
            meant=meant,
            amounts=tuple(_yuan(found) for found in _pattern(_AMOUNT).finditer(text)),
            dates=tuple(found.group() for found in _pattern(_DATE).finditer(text)),
        )


def _phrases(centre: Centre) -> Iterator[tuple[str, str]]:
    words = wording.read("facts")
    kinds: dict[str, Mapping[str, Iterable[str]]] = {**words["facts"], **{mark: words[mark] for mark in MARKS}}
    for kind, values in kinds.items():
        for value, phrases in values.items():
            for phrase in phrases:
                yield f"{kind}={value}", phrase.format(city=centre.city)


def _correction(text: str) -> tuple[str | None, str | None]:
    """What is taken back (empty where it is not named) and what is meant instead."""
    if denial := _pattern("negation").search(text):
        return denial.group("denied"), denial.group("meant")
    if mistaken := _pattern("mistaken").search(text):
        return "", mistaken.group("meant")
    return None, None


def _in_doubt(text: str, at: int) -> bool:
    """Whether what begins at ``at`` is asked about, not said."""
    words = wording.read("facts")
    if text.startswith(tuple(words["in_doubt_across"]), max(0, at - 1)):
        return True
    return text[:at].endswith(tuple(words["in_doubt_after"]))


def _with_role(role: str, text: str, places: tuple[str, ...]) -> str | None:
    for place in places:
        if _role_pattern(role, place).search(text):
            return place
    return None


@lru_cache(maxsize=4096)
def _role_pattern(role: str, place: str) -> re.Pattern[str]:
    return re.compile(wording.read("facts")["place_roles"][role].replace("{place}", re.escape(place)))


def _yuan(found: re.Match[str]) -> str:
    number, ten_thousands, unit = found.groups()
    times = 10_000 if ten_thousands or unit == wording.read("answers")["money"]["ten_thousand"] else 1
    return f"{float(number) * times:.10g}"


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(wording.read("facts")[name])
