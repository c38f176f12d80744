"""One run: every system asked the same questions, and everything counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from hotline.errors import ConfigError
from hotline.settings import Settings
from knowledge_base.published import Published
from tests.measure import asking, baselines, conversations, diet, figures, noise, questions, speed
from tests.measure.figures import Confusion, Reliability, Score, TopicScore
from tests.measure.questions import Golden, Outside, Topical
from tests.measure.systems import Ours, Ranking, System, labelled

BASELINES: tuple[type[baselines.Nearest], ...] = (baselines.Bm25, baselines.Characters, baselines.Edits)
PARTS = ("golden", "baselines", "noise", "conversations")
"""What a run does unless it is told to skip it."""

Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the operator asked for. ``topics``: a file of citizens' questions; ``diet``: None where it is not wanted."""

    knowledge: Path
    golden: tuple[Path, ...]
    topics: Path | None
    skipped: frozenset[str]
    seed: int
    confusions: int
    live: bool
    diet: diet.Wish | None
    speed: bool
    use_only: Path | None
    on: date

    def wants(self, part: str) -> bool:
        return part not in self.skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """How the operator is told what goes on. ``progress``: what, how many → called once for each that is done."""

    say: Callable[[str], None]
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenScores:
    """Of one system, None or empty where it was not asked. ``outside_rejected``: the share of questions that are not
    the fund's business which it saw as such."""

    all: Score | None = None
    outside_rejected: float | None = None
    styles: Mapping[str, Score] = field(default_factory=dict)
    topics: Mapping[str, Score] = field(default_factory=dict)
    citizens: TopicScore | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """Golden questions after one kind of noise, of which ``changed`` are no longer the same."""

    changed: int
    n: int
    top1: Mapping[str, float]
    lost: Mapping[str, float]
    """By system; shares, so 0.01 is a point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was measured; what was not is None or empty, and ``left_out`` says why."""

    knowledge: Mapping[str, Any]
    outside_n: int
    systems: Mapping[str, GoldenScores]
    reliability: Reliability | None
    confusions: Sequence[Confusion]
    unknown_labels: Sequence[str]
    noise: Mapping[str, Spoiled]
    conversations: Mapping[str, conversations.Played]
    speed: speed.Speed | None
    left_out: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The questions of a run."""

    golden: Sequence[Golden]
    outside: Sequence[Outside]
    citizens: Sequence[Topical]

    @property
    def texts(self) -> list[str]:
        return questions.texts([*self.golden, *self.outside, *self.citizens])


def read(wishes: Wishes) -> Asked:
    """All questions, before anything is loaded. Raises ConfigError for a file that cannot be used."""
    golden = wishes.wants("golden")
    return Asked(
        golden=questions.golden(wishes.golden) if golden else [],
        outside=questions.outside() if golden else [],
        citizens=questions.topical(wishes.topics) if wishes.topics else [],
    )


def measure(settings: Settings, wishes: Wishes, tools: Tools) -> Report:
    """The whole run. Raises HotlineError and KnowledgeError where it cannot be made."""
    asked = read(wishes)
    written = conversations.conversations() if wishes.wants("conversations") else []
    published = Published.open(wishes.knowledge)
    left_out: list[str] = []
    played = _played(settings, wishes, published, tools, written=written) if written else {}
    ours = Ours(published.matcher)
    systems = [ours, *_baselines(settings, wishes, published, tools, asked=asked, left_out=left_out)]
    rankings = {system.name: _rank(system, asked.texts, tools) for system in systems}
    pairs = list(zip(asked.golden, rankings[ours.name], strict=False))
    return Report(
        knowledge=_knowledge(published, wishes),
        outside_n=len(asked.outside),
        systems={each.name: _scores(each, asked, rankings[each.name], published, wishes) for each in systems},
        reliability=figures.reliability(pairs) if pairs else None,
        confusions=figures.confusions(pairs, wishes.confusions),
        unknown_labels=figures.unknown_labels(asked.golden, published.catalogue),
        noise=_noise(systems, asked.golden, rankings, published, tools, seed=wishes.seed)
        if wishes.wants("noise")
        else {},
        conversations=played,
        speed=_speed(wishes, published, asked, tools) if wishes.speed else None,
        left_out=[*left_out, *_unasked(wishes)],
    )


def _unasked(wishes: Wishes) -> list[str]:
    """What a reader may miss, and how to get it."""
    found = [f"{part} (skipped)" for part in PARTS if not wishes.wants(part)]
    if wishes.diet is None:
        found.append(f"{diet.Diet.name}: ask for it by --diet (it is trained first, which takes minutes)")
    return found


def _knowledge(published: Published, wishes: Wishes) -> dict[str, Any]:
    matters = published.catalogue.matters.values()
    aspects = [aspect for matter in matters for aspect in matter.aspects.values()]
    return {
        "folder": str(wishes.knowledge),
        "version": published.version,
        "embedder": published.kind,
        "matters": len(matters),
        "entries": len(aspects),
        "phrasings": sum(len(aspect.questions) for aspect in aspects),
        "answers_on": wishes.on.isoformat(),
        "noise_seed": wishes.seed,
    }


def _baselines(
    settings: Settings,
    wishes: Wishes,
    published: Published,
    tools: Tools,
    *,
    asked: Asked,
    left_out: list[str],
) -> list[System]:
    """Those that were asked for and can be had; why others cannot is added to ``left_out``."""
    if not asked.texts:
        return []
    found: list[System] = []
    phrasings = labelled(published.catalogue)
    for kind in BASELINES if wishes.wants("baselines") else ():
        try:
            found.append(kind(phrasings, published.catalogue))
        except ConfigError as error:
            left_out.append(f"{kind.name}: {error}")
    if wishes.diet is not None:
        tools.say(f"DIET: training, unless it was before ({wishes.diet.note}) …")
        found.append(
            diet.asked(settings, published.catalogue, wishes.diet, texts=asked.texts, on=wishes.on, say=tools.say)
        )
    return found


def _rank(system: System, texts: Sequence[str], tools: Tools, *, what: str = "") -> list[Ranking]:
    """In parts, so that something moves."""
    found: list[Ranking] = []
    size = 32 if system.name == Ours.name else max(1, len(texts))
    with tools.progress(f"{system.name}{what}", len(texts)) as done:
        for at in range(0, len(texts), size):
            found += system.rank(texts[at : at + size])
            for _ in texts[at : at + size]:
                done()
    return found


def _scores(
    system: System, asked: Asked, rankings: Sequence[Ranking], published: Published, wishes: Wishes
) -> GoldenScores:
    catalogue, entries = published.catalogue, system.ranks_entries
    n, m = len(asked.golden), len(asked.outside)
    pairs = list(zip(asked.golden, rankings[:n], strict=True))
    citizens = rankings[n + m :]

    def topic(question: Golden) -> str:
        return figures.topic_of(question.matters[0], catalogue)

    return GoldenScores(
        all=figures.score(pairs, catalogue, entries=entries) if pairs else None,
        outside_rejected=figures.share([each.rejected for each in rankings[n : n + m]]) if m else None,
        styles=figures.grouped(pairs, catalogue, lambda question: question.style, entries=entries),
        topics=figures.grouped(pairs, catalogue, topic, entries=entries),
        citizens=figures.topics(asked.citizens, citizens, catalogue) if citizens else None,
        note=wishes.diet.note if wishes.diet and isinstance(system, diet.Diet) else "",
    )


def _noise(
    systems: Sequence[System],
    golden: Sequence[Golden],
    rankings: Mapping[str, Sequence[Ranking]],
    published: Published,
    tools: Tools,
    *,
    seed: int,
) -> dict[str, Spoiled]:
    """Every kind of noise on all golden questions, for every system that ranks entries."""
    asked = [system for system in systems if system.ranks_entries] if golden else []
    found = {}
    for name, spoil in noise.kinds(published.catalogue, seed=seed).items() if asked else ():
        texts = [spoil(question.q) for question in golden]
        top1 = {each.name: _top1(golden, _rank(each, texts, tools, what=f", {name}")) for each in asked}
        clean = {each.name: _top1(golden, rankings[each.name]) for each in asked}
        found[name] = Spoiled(
            changed=sum(text != question.q for text, question in zip(texts, golden, strict=True)),
            n=len(texts),
            top1=top1,
            lost={key: round(clean[key] - value, 4) for key, value in top1.items()},
        )
    return found


def _top1(golden: Sequence[Golden], rankings: Sequence[Ranking]) -> float:
    return figures.share([figures.right(*pair) for pair in zip(golden, rankings[: len(golden)], strict=True)])


def _played(
    settings: Settings,
    wishes: Wishes,
    published: Published,
    tools: Tools,
    *,
    written: Sequence[conversations.Conversation],
) -> dict[str, conversations.Played]:
    """In process, and live where that was asked for; the live ones first, which may not be there at all."""
    found = {}
    if wishes.live:
        with tools.progress("conversations, live", len(written)) as done:
            failures = asking.play_live(written, settings, published.catalogue, on=wishes.on, done=done)
        found["live"] = conversations.counted(written, failures)
    with tools.progress("conversations, in process", len(written)) as done:
        failures = asking.play_in_process(written, wishes.knowledge, published.catalogue, on=wishes.on, done=done)
    found["in_process"] = conversations.counted(written, failures)
    return found


def _speed(wishes: Wishes, published: Published, asked: Asked, tools: Tools) -> speed.Speed:
    texts = questions.texts(asked.golden) or questions.texts(questions.golden(wishes.golden))
    tools.say("speed: measuring on one core …")
    return speed.measured(wishes.knowledge, published.catalogue, texts, use_only=wishes.use_only, say=tools.say)
