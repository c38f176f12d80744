"""Fits the ranker on the catalogue's own phrasings; its second stage, and every figure, on phrasings held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from knowledge_base.fitting import ROUNDS, ROUNDS_FROM_START, Flags, Ints, Names, completed, flat, linear, second_stage
from knowledge_base.lexical import Lexical, Texts, Weighed, terms, weigh
from knowledge_base.linear import SEPARATOR, Array, Array64, Linear, Scaling, softmax
from knowledge_base.match import OVERVIEW
from knowledge_base.ranking import Habits, Ranker, Reading, Weights, aspect_class, reading

C_WITHIN = 0.1
"""Inverse penalty of the classifiers within one matter."""
LEXICAL_DIMS = 512
RAREST = 2
"""Terms of fewer phrasings than this say nothing of the language."""
HELD_OUT = 5
"""One question in so many of each entry is held out for the second stage."""
HABIT_PRIOR = 6.0
"""An entry with fewer phrasings than this is believed half to be as all others are."""
ELSEWHERE = ""
"""Class of what no entry is about. It sorts before every code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One phrasing as the matcher would see it. ``aspect`` is empty for a bare name."""

    text: str
    core: str
    code: str
    aspect: str
    is_name: bool = False
    named: Mapping[str, int]
    tokens: tuple[str, ...]
    cues: tuple[str | None, str | None]

    @property
    def entry(self) -> str:
        """The entry classifier's class: a bare name asks for the overview."""
        return f"{self.code}{SEPARATOR}{self.aspect or OVERVIEW}" if self.code != ELSEWHERE else ELSEWHERE


@dataclass(frozen=True, slots=True)
class Fitted:
    """The ranker, and how good it was on held-out questions."""

    ranker: Ranker
    report: dict[str, float]
    confusions: tuple[Confusion, ...] = ()


@dataclass(frozen=True, slots=True)
class Confusion:
    """Held-out phrasings of ``entry`` that were taken for ``taken_for``: how many, and one of them."""

    entry: str
    taken_for: str
    count: int
    example: str


def fit(
    samples: Sequence[Sample],
    vectors: Array,
    *,
    answers: Mapping[str, str],
    outside: frozenset[str],
) -> Fitted:
    """The ranker fitted on all samples.

    Args:
        vectors: embeddings of the samples' cores, one row each.
        answers: entry class → its name, title and answer in one text.
        outside: codes that are not the fund's business.
    """
    # Two BLAS threads on a busy machine wait for each other: the same fit was seen to take 100 times as long.
    with threadpool_limits(limits=1):
        workshop = Workshop.of(samples, vectors, answers=answers, outside=outside)
        held = held_out(samples)
        draft = workshop.classifiers(~held, second=flat())
        features, columns = workshop.features(draft, np.flatnonzero(held))
        second = second_stage(features, columns == workshop.truth[held][:, None])
        judged = replace(draft, second=second)
        report = workshop.report(judged, features, columns, held)
        confusions = workshop.confusions(judged, features, columns, held)
        everything = np.ones(len(samples), dtype=bool)
        return Fitted(workshop.classifiers(everything, second=second, start=draft), report, confusions)


@dataclass(frozen=True, slots=True, eq=False)
class Workshop:
    """The samples in every form the fitting needs."""

    samples: Sequence[Sample]
    scaling: Scaling
    lexical: Lexical
    weighed: list[Weighed]
    x: Array
    answers: Texts
    entries: Names
    codes: Names
    kinds: Names
    classes: tuple[str, ...]
    inside: Flags

    @classmethod
    def of(
        cls,
        samples: Sequence[Sample],
        vectors: Array,
        *,
        answers: Mapping[str, str],
        outside: frozenset[str],
        spaces: tuple[Scaling, Lexical] | None = None,
        classes: tuple[str, ...] = (),
    ) -> Workshop:
        """``spaces``: those of an earlier ranker whose classifiers are to be kept; else they are found. ``classes``:
        all entries, where the samples are not of all."""
        entries = np.array([sample.entry for sample in samples])
        classes = classes or tuple(str(name) for name in np.unique(entries))
        cores = [sample.core for sample in samples]
        if spaces is None:
            scaling, (lexical, weighed, projected) = Scaling.of(vectors), lexical_space(cores)
        else:
            scaling, lexical = spaces
            weighed = [lexical.weigh(core) for core in cores]
            projected = np.stack([lexical.project(each) for each in weighed])
        parts = [name.partition(SEPARATOR) for name in classes]
        return cls(
            samples=samples,
            scaling=scaling,
            lexical=lexical,
            weighed=weighed,
            x=np.concatenate([scaling.apply(vectors), projected], axis=1),
            answers=Texts.of([lexical.weigh(answers.get(name, "")) for name in classes]),
            entries=entries,
            codes=np.array([sample.code for sample in samples]),
            kinds=np.array([aspect_class(name.partition(SEPARATOR)[2]) for name in entries]),
            classes=classes,
            inside=np.array([code != ELSEWHERE and code not in outside for code, _, _ in parts]),
        )

    @property
    def truth(self) -> Ints:
        """Each sample's column among the classes."""
        return np.searchsorted(np.array(self.classes), self.entries)

    def classifiers(self, chosen: Flags, *, second: Weights, start: Ranker | None = None) -> Ranker:
        """Everything but the second stage, fitted on the chosen samples; ``start`` was fitted on most of them."""
        x = self.x[chosen]
        before = None if start is None else start.entries
        rounds = ROUNDS if before is None else ROUNDS_FROM_START
        entries = linear(x, self.entries[chosen], rounds=rounds, start=before)
        return Ranker(
            scaling=self.scaling,
            lexical=self.lexical,
            entries=completed(entries, self.classes),
            matters=linear(x, self.codes[chosen]),
            within=self.within(chosen),
            aspects=linear(x, self.kinds[chosen]),
            answers=self.answers,
            habits=habits_of([self.samples[at] for at in np.flatnonzero(chosen).tolist()], self.classes),
            inside=self.inside,
            second=second,
        )

    def within(self, chosen: Flags, *, start: Linear | None = None, only: frozenset[str] | None = None) -> Linear:
        """One small classifier per matter, their rows side by side in the order of all entries.

        With ``only``, all other matters keep the rows they have in ``start``.
        """
        weights = np.zeros((len(self.classes), self.x.shape[1]), dtype=np.float32)
        bias = np.zeros(len(self.classes), dtype=np.float32)
        if start is not None:
            kept = [at for at, name in enumerate(self.classes) if name in start.classes]
            before = [start.classes.index(self.classes[at]) for at in kept]
            weights[kept], bias[kept] = start.weights[before], start.bias[before]
        for code in np.unique(self.codes) if only is None else sorted(only):
            mine = chosen & (self.codes == code)
            if len(np.unique(self.entries[mine])) > 1:
                model = linear(self.x[mine], self.entries[mine], penalty=C_WITHIN)
                at = np.searchsorted(np.array(self.classes), model.classes)
                weights[at], bias[at] = model.weights, model.bias
        return Linear(self.classes, weights, bias)

    def reading(self, at: int) -> Reading:
        """One sample as the matcher would read it."""
        sample = self.samples[at]
        return reading(
            self.x[at],
            self.weighed[at],
            text=sample.text,
            named=sample.named,
            tokens=sample.tokens,
            cues=sample.cues,
        )

    def features(self, ranker: Ranker, chosen: Ints) -> tuple[Array64, Ints]:
        """``(samples, candidates, features)`` of the chosen samples, and the candidates' columns."""
        logs = ranker.logs(self.x[chosen])
        columns = ranker.candidates(logs)
        rows = [
            ranker.features(self.reading(at), {name: values[row] for name, values in logs.items()}, columns[row])
            for row, at in enumerate(chosen)
        ]
        return np.stack(rows), columns

    def confusions(self, ranker: Ranker, features: Array64, columns: Ints, held: Flags) -> tuple[Confusion, ...]:
        """Which entries take held-out phrasings from which, most first."""
        best = np.argmax(ranker.second.score(features), axis=1)
        taken = columns[np.arange(len(columns)), best]
        found: dict[tuple[str, str], list[str]] = {}
        for at, column, truth in zip(np.flatnonzero(held).tolist(), taken, self.truth[held], strict=True):
            if column != truth:
                pair = (self.classes[truth], self.classes[column])
                found.setdefault(pair, []).append(self.samples[at].text)
        ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        return tuple(Confusion(*pair, len(texts), texts[0]) for pair, texts in ranked)

    def report(self, ranker: Ranker, features: Array64, columns: Ints, held: Flags) -> dict[str, float]:
        """Shares of held-out questions about the fund that are right, how well outside is told from inside, and
        from which probability on answers are right how often."""
        p = softmax(ranker.second.score(features))
        order = np.argsort(-p, axis=1)
        ranked, best = np.take_along_axis(columns, order, axis=1), p.max(axis=1)
        truth, inside = self.truth[held], self.inside[self.truth[held]]
        right = ranked[:, 0] == truth
        matter_of = np.array([name.partition(SEPARATOR)[0] for name in self.classes])
        matters = matter_of[ranked] == matter_of[truth][:, None]
        for_fund = (p * self.inside[columns]).sum(axis=1)
        found = {
            "entry_top1": float(right[inside].mean()),
            "entry_top3": float((ranked[:, :3] == truth[:, None]).any(axis=1)[inside].mean()),
            "top1": float(matters[inside, 0].mean()),
            "top3": float(matters[inside, :3].any(axis=1).mean()),
            "outside_auroc": float(roc_auc_score(inside, for_fund)) if 0 < inside.sum() < len(inside) else 1.0,
            "calibration_error": calibration_error(best[inside], right[inside]),
        }
        for precision in (85, 90, 95):
            threshold, coverage = _threshold(best[inside], right[inside], precision / 100)
            found |= {f"p_at_{precision}": threshold, f"coverage_at_{precision}": coverage}
        return found


def habits_of(samples: Sequence[Sample], classes: tuple[str, ...]) -> Habits:
    """How usual each fact is for each entry, beside how usual it is for all."""
    tokens = tuple(sorted({token for sample in samples for token in sample.tokens}))
    column, row = {token: at for at, token in enumerate(tokens)}, {name: at for at, name in enumerate(classes)}
    said, count = np.zeros((len(classes), len(tokens))), np.zeros((len(classes), 1))
    for sample in samples:
        count[row[sample.entry]] += 1
        for token in sample.tokens:
            said[row[sample.entry], column[token]] += 1
    usual = (said.sum(axis=0) + 0.5) / (count.sum() + 1)
    own = (said + HABIT_PRIOR * usual) / (count + HABIT_PRIOR)
    unsaid = np.log((1 - own) / (1 - usual))
    return Habits(tokens, np.log(own / usual).astype(np.float32), unsaid.astype(np.float32))


def lexical_space(cores: Sequence[str]) -> tuple[Lexical, list[Weighed], Array]:
    """The lexical space of the phrasings, the phrasings weighed in it and their coordinates."""
    frequency: dict[str, int] = {}
    for core in cores:
        for term in set(terms(core)):
            frequency[term] = frequency.get(term, 0) + 1
    kept = sorted(term for term, count in frequency.items() if count >= RAREST)
    columns = {term: at for at, term in enumerate(kept)}
    counts = np.array([frequency[term] for term in kept])
    rarity = (np.log((1 + len(cores)) / (1 + counts)) + 1).astype(np.float32)
    weighed = [weigh(core, columns, rarity) for core in cores]
    projection = _directions(weighed, len(kept))
    flat = _matrix(weighed, len(kept)) @ projection
    mean, deviation = flat.mean(axis=0).astype(np.float32), float((flat - flat.mean(axis=0)).std()) or 1.0
    lexical = Lexical(columns, rarity, projection, mean, deviation)
    return lexical, weighed, np.asarray((flat - mean) / deviation, dtype=np.float32)


def _matrix(weighed: Sequence[Weighed], width: int) -> sparse.csr_matrix:
    texts = Texts.of(list(weighed))
    return sparse.csr_matrix((texts.weights, texts.columns, texts.starts), shape=(len(weighed), width))


def _directions(weighed: Sequence[Weighed], width: int) -> Array:
    dims = min(LEXICAL_DIMS, width - 1, len(weighed) - 1)
    fitted = TruncatedSVD(dims, n_iter=2, random_state=0).fit(_matrix(weighed, width))
    return np.ascontiguousarray(fitted.components_.T, dtype=np.float32)


def held_out(samples: Sequence[Sample], *, seed: int = 20261124) -> Flags:
    """True for one question in `HELD_OUT` of each entry; names and titles are never held out."""
    rng = np.random.default_rng(seed)
    by_entry: dict[str, list[int]] = {}
    for at, sample in enumerate(samples):
        if not sample.is_name:
            by_entry.setdefault(sample.entry, []).append(at)
    held = np.zeros(len(samples), dtype=bool)
    for entry in sorted(by_entry):
        where = rng.permutation(by_entry[entry])
        held[where[: len(where) // HELD_OUT]] = True
    return held


def calibration_error(p: Array64, right: Flags, *, bins: int = 10) -> float:
    """Mean distance between what was claimed and what was right, over ten equal bins of probability."""
    at = np.minimum((p * bins).astype(int), bins - 1)
    return float(sum(abs(p[at == b].mean() - right[at == b].mean()) * (at == b).mean() for b in np.unique(at)))


def _threshold(best: Array64, right: Flags, precision: float) -> tuple[float, float]:
    """The lowest probability above which answers are right that often, and the share that is above it."""
    order = np.argsort(-best)
    running = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(running >= precision)
    if not len(enough):
        return 1.0, 0.0
    return float(best[order[enough[-1]]]), float((enough[-1] + 1) / len(order))
