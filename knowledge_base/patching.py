"""A ranker brought up to date after a small edit, in a second instead of minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from knowledge_base.fitting import completed, with_rows_refitted
from knowledge_base.lexical import Texts
from knowledge_base.linear import SEPARATOR, Array
from knowledge_base.ranking import Ranker, aspect_class
from knowledge_base.training import ELSEWHERE, Sample, Workshop, habits_of

OTHERS = 1500
"""Phrasings of other matters that the refitted rows must go on leaving alone."""


def patched(
    before: Ranker,
    samples: Sequence[Sample],
    vectors: Array,
    *,
    changed: frozenset[str],
    answers: Mapping[str, str],
    outside: frozenset[str],
) -> Ranker:
    """``before`` with the matters of ``changed`` (entry classes) fitted on the samples as they are now.

    What was learnt of all other matters stays, and so do the lexical space, the second stage and its calibration.

    Args:
        answers: those that are new or no longer the same; all others stay.
    """
    with threadpool_limits(limits=1):
        codes = frozenset(name.partition(SEPARATOR)[0] for name in changed)
        classes = tuple(sorted({sample.entry for sample in samples}))
        near = _near(samples, codes)
        workshop = Workshop.of(
            [samples[at] for at in near],
            vectors[near],
            answers=answers,
            outside=outside,
            spaces=(before.scaling, before.lexical),
            classes=classes,
        )
        texts = _answers(before, workshop, frozenset(answers))
        kept = replace(before, answers=texts, inside=workshop.inside, habits=habits_of(samples, classes))
        return _refitted(kept, workshop, changed, codes) if codes else kept


def _refitted(before: Ranker, workshop: Workshop, changed: frozenset[str], codes: frozenset[str]) -> Ranker:
    """The rows of the changed entries, and of their matters, fitted anew on the workshop's samples."""
    rows = [name for name in workshop.classes if name in changed]
    matters = tuple(sorted({name.partition(SEPARATOR)[0] for name in workshop.classes}))
    entries, by_matter = completed(before.entries, workshop.classes), completed(before.matters, matters)
    everything = np.ones(len(workshop.samples), dtype=bool)
    kinds = tuple(sorted({aspect_class(name.partition(SEPARATOR)[2]) for name in workshop.classes}))
    new = [name for name in kinds if name not in before.aspects.classes]
    aspects = completed(before.aspects, kinds)
    return replace(
        before,
        entries=with_rows_refitted(entries, workshop.x, workshop.entries, rows=rows),
        matters=with_rows_refitted(by_matter, workshop.x, workshop.codes, rows=sorted(codes & set(matters))),
        aspects=with_rows_refitted(aspects, workshop.x, workshop.kinds, rows=new),
        within=workshop.within(everything, start=before.within, only=codes - {ELSEWHERE}),
    )


def _answers(before: Ranker, workshop: Workshop, new: frozenset[str]) -> Texts:
    """The weighed answers of the workshop's classes: weighing all of them again would take most of the time."""
    at_before = {name: at for at, name in enumerate(before.entries.classes) if name not in new}
    pairs = enumerate(workshop.classes)
    return Texts.of(
        [before.answers[at_before[name]] if name in at_before else workshop.answers[at] for at, name in pairs]
    )


def _near(samples: Sequence[Sample], codes: frozenset[str]) -> list[int]:
    """All samples of the changed matters, and some of the others."""
    mine = [at for at, sample in enumerate(samples) if sample.code in codes]
    others = [at for at, sample in enumerate(samples) if sample.code not in codes]
    chosen = np.random.default_rng(0).permutation(len(others))[:OTHERS]
    return sorted([*mine, *(others[at] for at in chosen.tolist())])
