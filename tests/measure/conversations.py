"""Golden conversations, played turn by turn through anything that answers one message."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from hotline.domain.messages import Outcome
from hotline.errors import ConfigError
from knowledge_base.errors import NotInForce
from tests.measure.questions import GOLDEN

FILE: Final = GOLDEN / "multi_turn.yml"
CHECKS: Final = ("entries", "all", "offers", "outcome", "says")
TELLING_CHARS: Final = 8
"""A first sentence that is shorter ("it can be done") stands in many answers: the whole first line is looked for."""
_SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the citizen says, and what must hold of the answer where it is given.

    ``entries``: the answer is one of these entries; ``groups``: it holds one entry of each; ``offers``: one of these
    matters is answered or offered; ``outcome``; ``says``: a regular expression found in answer and choices.
    """

    user: str
    entries: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    offers: tuple[str, ...] = ()
    outcome: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """``name`` is unique; what comes before its colon is the kind of trouble."""

    name: str
    turns: tuple[Turn, ...]

    @property
    def kind(self) -> str:
        return self.name.partition(":")[0].strip()

    @property
    def entries(self) -> set[str]:
        """Every entry named anywhere in it."""
        return {entry for turn in self.turns for group in (turn.entries, *turn.groups) for entry in group}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer. ``entry`` is ``code/aspect`` or empty; ``choices`` are the labels shown below it; ``degraded``: it
    should have come from Rasa and did not."""

    text: str
    entry: str
    outcome: str
    candidates: tuple[str, ...]
    choices: tuple[str, ...]
    degraded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A turn that went otherwise, numbered from one, and in what."""

    conversation: str
    turn: int
    user: str
    problems: tuple[str, ...]


Ask = Callable[[str, str], Awaitable[Said]]
"""(conversation, text) → what is answered."""
Openings = Callable[[str], str]
"""Entry → how its answer begins; empty where it has none."""


def conversations(file: Path = FILE) -> list[Conversation]:
    """All conversations of ``file``. Raises ConfigError for the first thing that is not as it must be."""
    try:
        written = yaml.safe_load(file.read_text(encoding="utf-8"))["conversations"]
        found = [Conversation(name=each["name"], turns=tuple(map(_turn, each["turns"]))) for each in written]
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, re.error) as error:
        raise ConfigError(f"{file}: {error}") from error
    names = [each.name for each in found]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled or not found:
        raise ConfigError(f"{file}: {f'{doubled[0]!r} stands there twice' if doubled else 'no conversation is in it'}")
    return found


def _turn(written: Mapping[str, Any]) -> Turn:
    user = str(written["user"])
    if unknown := set(written) - {"user", *CHECKS}:
        raise ValueError(f'"{user[:20]}" has unknown keys {sorted(unknown)}')
    turn = Turn(
        user=user,
        entries=tuple(written.get("entries", ())),
        groups=tuple(tuple(group) for group in written.get("all", ())),
        offers=tuple(written.get("offers", ())),
        outcome=str(written.get("outcome", "")),
        says=str(written.get("says", "")),
    )
    if not any((turn.entries, turn.groups, turn.offers, turn.outcome, turn.says)):
        raise ValueError(f'"{user[:20]}" says nothing of the answer')
    if turn.outcome and turn.outcome not in {outcome.value for outcome in Outcome}:
        raise ValueError(f'"{user[:20]}" has no such outcome as {turn.outcome}')
    re.compile(turn.says)
    return turn


async def play(conversation: Conversation, ask: Ask, opening: Openings) -> list[Failure]:
    """Every turn that goes otherwise than written; a wrong one does not end the conversation."""
    found = []
    for number, turn in enumerate(conversation.turns, 1):
        problems = tuple(_problems(turn, await ask(conversation.name, turn.user), opening))
        if problems:
            found.append(Failure(conversation=conversation.name, turn=number, user=turn.user, problems=problems))
    return found


def _problems(turn: Turn, said: Said, opening: Openings) -> Iterator[str]:
    seen = "\n".join([said.text, *said.choices])
    if said.degraded:
        yield "Rasa did not answer"
    if turn.entries and said.entry not in turn.entries:
        yield f"answered {said.entry or said.outcome}, not {' or '.join(turn.entries)}"
    for group in turn.groups:
        if not any((start := opening(entry)) and _bare(start) in _bare(said.text) for entry in group):
            yield f"nothing of {' or '.join(group)} is said"
    if turn.offers and not set(turn.offers) & set(said.candidates):
        yield f"offered {', '.join(said.candidates) or 'nothing'}, not {' or '.join(turn.offers)}"
    if turn.outcome and said.outcome != turn.outcome:
        yield f"outcome {said.outcome}, not {turn.outcome}"
    if turn.says and not re.search(turn.says, seen):
        yield f"{turn.says} is not in: {said.text[:60]}"


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def first_words(text: str) -> str:
    """The first sentence of an answer, or its first line where that sentence says next to nothing."""
    line = text.strip().partition("\n")[0]
    found = _SENTENCE.match(line)
    sentence = found.group() if found else line
    return sentence if len(sentence) >= TELLING_CHARS else line


def openings(rendered: Callable[[str], str]) -> Openings:
    """How entries begin, by what renders them; an entry that is unknown or not in force begins with nothing."""

    def opening(entry: str) -> str:
        try:
            return first_words(rendered(entry))
        except (KeyError, NotInForce):
            return ""

    return opening


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """``right`` of ``n`` conversations had no failing turn; ``kinds``: kind → conversations, right ones."""

    n: int
    right: int
    turns: int
    turns_right: int
    kinds: Mapping[str, tuple[int, int]]
    failures: tuple[Failure, ...]

    @property
    def share(self) -> float:
        return round(self.right / self.n, 4) if self.n else 0.0


def counted(written: Sequence[Conversation], failures: Sequence[Failure]) -> Played:
    """The figures over all conversations."""
    failed = {failure.conversation for failure in failures}
    kinds: dict[str, tuple[int, int]] = {}
    known = {each.kind for each in written}
    for each in written:
        kind = min(
            (kind for kind in known if each.kind.startswith(kind)), key=len
        )  # "wrong answer twice" is of its kind
        n, right = kinds.get(kind, (0, 0))
        kinds[kind] = (n + 1, right + (each.name not in failed))
    turns = sum(len(each.turns) for each in written)
    return Played(
        n=len(written),
        right=len(written) - len(failed),
        turns=turns,
        turns_right=turns - len(failures),
        kinds=dict(sorted(kinds.items(), key=lambda item: (-item[1][0], item[0]))),
        failures=tuple(failures),
    )
