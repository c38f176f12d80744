"""How long understanding takes on one core: run in a process of its own, which answers with JSON.

`python -m tests.measure.timed` reads `{"knowledge", "texts", "warm_up", "sizes"}` from standard input.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
GROWTH_TEXTS = 40


def main() -> None:
    """Pinned before anything that starts threads is imported."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    job = json.load(sys.stdin)
    json.dump(_measured(job), sys.stdout)


def _measured(job: dict[str, Any]) -> dict[str, Any]:
    from knowledge_base.embed import Embedder
    from knowledge_base.matcher import Matcher
    from tests.measure import growth

    index = growth.opened(Path(job["knowledge"]))
    embedder = Embedder(use_only=index.kind == "use")
    if embedder.kind != index.kind:
        raise SystemExit(f"the index needs {index.kind}; this machine can only do {embedder.kind}")
    matcher = Matcher(index, embedder)
    for text in job["warm_up"]:
        matcher.match(text)
    new, embedding = [], []
    for text in job["texts"]:  # in turn, so that whatever else the machine does falls on both
        new.append(_ms(matcher.match, text))
        embedding.append(_ms(embedder.embed_many, [matcher.match(text).normalised.core]))
    again = [_ms(matcher.match, text) for text in job["texts"][-growth.REMEMBERED_TEXTS :]]
    grown = growth.grown(index, embedder, job["texts"][:GROWTH_TEXTS], job["sizes"])
    return {"kind": index.kind, "new": new, "again": again, "embedding": embedding, "growth": grown}


def _ms(work: Callable[[T], Any], given: T) -> float:
    began = time.perf_counter()
    work(given)
    return (time.perf_counter() - began) * 1000


def timed_each(work: Callable[[T], Any], things: Sequence[T]) -> list[float]:
    """Milliseconds for each thing, after one that warms up."""
    work(things[0])
    return [_ms(work, each) for each in things]


if __name__ == "__main__":
    main()
