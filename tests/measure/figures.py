"""What is counted: shares right at first and among three, rejections, how far stated probabilities hold, confusions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from knowledge_base.model import Catalogue
from tests.measure.questions import Golden, Topical
from tests.measure.systems import Ranking

BINS = 10
AMONG = 3
UNKNOWN = "-"
"""The topic of a label that the published catalogue does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Shares of ``n`` golden questions (0 to 1). ``top1`` and ``top3``: the first entry, one of the first three, is
    one that answers; None where a system knows no entries. ``matter1``, ``topic1``: the first matter, or its topic,
    is that of one that answers. ``rejected``: taken for not the fund's business."""

    n: int
    top1: float | None
    top3: float | None
    matter1: float
    topic1: float
    rejected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Questions whose first entry was claimed with a probability from ``low`` up to ``high``: mean claim and share
    right, None where there is no question."""

    low: float
    high: float
    n: int
    claimed: float | None
    right: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """``error``: expected calibration error, the bins' |claimed - right| weighted by their questions."""

    bins: tuple[Bin, ...]
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """``taken`` came first ``count`` times where ``wanted`` is what answers best."""

    wanted: str
    taken: str
    count: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicScore:
    """Shares of ``n`` citizens' questions: the topic of the first matter, of one of the first three, is right."""

    n: int
    top1: float
    top3: float


Pairs = Sequence[tuple[Golden, Ranking]]


def right(question: Golden, ranking: Ranking, *, among: int = 1) -> bool:
    """Whether one of the first ``among`` entries answers."""
    return any(entry in question.entries for entry in ranking.entries[:among])


def right_matter(question: Golden, ranking: Ranking) -> bool:
    """Whether the first matter is that of an entry that answers."""
    return bool(ranking.matters) and ranking.matters[0] in question.matters


def score(pairs: Pairs, catalogue: Catalogue, *, entries: bool = True) -> Score:
    """The figures of one system; ``entries``: whether it ranks entries at all."""

    def on_topic(question: Golden, ranking: Ranking) -> bool:
        wanted = {topic_of(code, catalogue) for code in question.matters} - {UNKNOWN}
        return bool(ranking.matters) and topic_of(ranking.matters[0], catalogue) in wanted

    return Score(
        n=len(pairs),
        top1=share([right(*pair) for pair in pairs]) if entries else None,
        top3=share([right(*pair, among=AMONG) for pair in pairs]) if entries else None,
        matter1=share([right_matter(*pair) for pair in pairs]),
        topic1=share([on_topic(*pair) for pair in pairs]),
        rejected=share([ranking.rejected for _, ranking in pairs]),
    )


def grouped(
    pairs: Pairs, catalogue: Catalogue, key: Callable[[Golden], str], *, entries: bool = True
) -> dict[str, Score]:
    """The figures of every group, the largest first."""
    groups: dict[str, list[tuple[Golden, Ranking]]] = defaultdict(list)
    for pair in pairs:
        groups[key(pair[0])].append(pair)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return {name: score(members, catalogue, entries=entries) for name, members in ordered}


def topic_of(code: str, catalogue: Catalogue) -> str:
    """The topic of a matter; UNKNOWN for one that is not published."""
    return catalogue.matters[code].topic if code in catalogue.matters else UNKNOWN


def reliability(pairs: Pairs) -> Reliability:
    """How far the stated probability of the first entry is the share that is right, in BINS bins."""
    told: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for question, ranking in pairs:
        if ranking.p is not None:
            told[min(int(ranking.p * BINS), BINS - 1)].append((ranking.p, right(question, ranking)))
    bins = tuple(_bin(at, told[at]) for at in range(BINS))
    n = sum(each.n for each in bins)
    apart = sum(each.n * abs((each.claimed or 0.0) - (each.right or 0.0)) for each in bins)
    return Reliability(bins=bins, error=round(apart / n, 4) if n else 0.0)


def _bin(at: int, told: Sequence[tuple[float, bool]]) -> Bin:
    return Bin(
        low=at / BINS,
        high=(at + 1) / BINS,
        n=len(told),
        claimed=round(sum(p for p, _ in told) / len(told), 4) if told else None,
        right=share([hit for _, hit in told]) if told else None,
    )


def confusions(pairs: Pairs, count: int) -> list[Confusion]:
    """The ``count`` most frequent pairs of what was wanted and what came first instead, with one example each."""
    taken: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    for question, ranking in pairs:
        if not right(question, ranking):
            pair = (question.entries[0], ranking.entries[0] if ranking.entries else UNKNOWN)
            taken[pair] += 1
            examples.setdefault(pair, question.q)
    ordered = sorted(taken.items(), key=lambda item: (-item[1], item[0]))[:count]
    return [
        Confusion(wanted=wanted, taken=got, count=times, example=examples[wanted, got])
        for (wanted, got), times in ordered
    ]


def topics(questions: Sequence[Topical], rankings: Sequence[Ranking], catalogue: Catalogue) -> TopicScore:
    """By the topics of the first matters."""

    def hit(question: Topical, ranking: Ranking, among: int) -> bool:
        return any(topic_of(code, catalogue) in question.topics for code in ranking.matters[:among])

    asked = list(zip(questions, rankings, strict=True))
    return TopicScore(
        n=len(asked), top1=share([hit(*pair, 1) for pair in asked]), top3=share([hit(*pair, AMONG) for pair in asked])
    )


def unknown_labels(questions: Sequence[Golden], catalogue: Catalogue) -> list[str]:
    """Labels that name no entry of the catalogue, in order, each once."""
    known = {f"{code}/{key}" for code, matter in catalogue.matters.items() for key in matter.aspects}
    return sorted({entry for question in questions for entry in question.entries} - known)


def share(hits: Sequence[bool]) -> float:
    """The part that is true; 0 of nothing."""
    return round(sum(hits) / len(hits), 4) if hits else 0.0


def percentiles(values: Sequence[float], *percents: float) -> Mapping[str, float]:
    """``p50`` and so on, each a value that was measured (the nearest rank); 0 for no values."""
    ordered = sorted(values)
    return {
        f"p{percent:g}": round(ordered[max(0, ceil(len(ordered) * percent / 100) - 1)], 3) if ordered else 0.0
        for percent in percents
    }
