"""Troubles on demand: slow, broken, untrue and lost answers."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Json = Any
Mode = Literal["slow", "error", "wrong", "drop_after_write", "hang", "none"]
Untruth = Literal["person", "type", "missing", "word"]
_WRITES = re.compile(r"/v1/persons/[^/]+/(applications|certificates)")
_NOBODY = {"person_no": "199999999999", "id_number": "110101190001010007"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """``times`` 0: until it is lifted."""

    mode: Mode
    seconds: float
    paths: re.Pattern[str]
    times: int
    untruth: Untruth | None = None
    """What a wrong answer is wrong in; None: each kind in turn."""


class Faults:
    """At most one fault at a time."""

    def __init__(self) -> None:
        self._fault: Fault | None = None
        self._left = 0
        self._told = 0

    def plan(self, fault: Fault) -> None:
        self._fault = None if fault.mode == "none" else fault
        self._left = fault.times

    def take(self, method: str, path: str) -> Fault | None:
        """The fault this request meets, counted as one of its times."""
        fault = self._fault
        if fault is None or not fault.paths.search(path):
            return None
        if fault.mode == "drop_after_write" and not (method == "POST" and _WRITES.match(path)):
            return None
        if fault.times:
            self._left -= 1
            if not self._left:
                self._fault = None
        return fault

    def untrue(self, answer: Json, kind: Untruth | None) -> Json:
        """The answer with one thing in it that cannot be; unchanged where the kind does not apply to it."""
        self._told += 1
        turn = list(_UNTRUTHS)[self._told % len(_UNTRUTHS) :] + list(_UNTRUTHS)
        for name in [kind] if kind else turn:
            told = copy.deepcopy(answer)
            if _UNTRUTHS[name](told):
                return told
        return answer


def _another_person(answer: Json) -> bool:
    """Somebody else is spoken of."""
    found = False
    for holder in (answer, answer.get("person"), answer.get("certificate")):
        if isinstance(holder, dict):
            for name in _NOBODY.keys() & holder.keys():
                holder[name] = _NOBODY[name]
                found = True
    return found


def _number_as_text(answer: Json) -> bool:
    for holder, name in _leaves(answer):
        if type(holder[name]) is int:
            holder[name] = str(holder[name])
            return True
    return False


def _without_a_field(answer: Json) -> bool:
    for holder, name in _leaves(answer):
        if isinstance(holder, dict) and holder is not answer:
            del holder[name]
            return True
    return False


def _unheard_of_word(answer: Json) -> bool:
    for holder, name in _leaves(answer):
        if name in ("state", "kind", "sex", "method"):
            holder[name] = "unheard-of"
            return True
    return False


def _leaves(node: Json) -> Iterator[tuple[Json, Any]]:
    """Every value that is no list or object, by what holds it and its name."""
    for name, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        if isinstance(value, dict | list):
            yield from _leaves(value)
        else:
            yield node, name


_UNTRUTHS: dict[Untruth, Callable[[Json], bool]] = {
    "person": _another_person,
    "type": _number_as_text,
    "missing": _without_a_field,
    "word": _unheard_of_word,
}
