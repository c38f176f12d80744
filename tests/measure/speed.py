"""Speed on one core: matching new and repeated texts, embedding them, and ranking among far more entries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hotline.errors import ConfigError
from hotline.settings import ROOT
from knowledge_base.model import Catalogue
from tests.load.questions import ranked
from tests.measure.figures import percentiles
from tests.measure.growth import SIZES, Grown

WARM_UP = 20
LIMIT_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Milliseconds at the median and at 95 of 100, over ``n`` texts."""

    what: str
    n: int
    p50: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """``embedding``: of the same texts, in the index's own kind. ``growth``: ranking alone, synthetic rankers."""

    times: tuple[Times, ...]
    embedding: Times
    growth: tuple[Grown, ...]


def measured(
    knowledge: Path, catalogue: Catalogue, texts: Sequence[str], *, use_only: Path | None, say: Callable[[str], None]
) -> Speed:
    """Each index in a process of its own, one after the other. Raises ConfigError when one cannot be measured."""
    job = {"texts": list(texts), "warm_up": ranked(catalogue)[:WARM_UP], "sizes": SIZES}
    own = _run(job | {"knowledge": str(knowledge)})
    embedding = times(f"embedding ({own['kind']})", own["embedding"])
    found = [*_matching(own), embedding]
    if use_only is None:
        say("speed: USE alone is left out: no index was given by --use-only-index")
    else:
        other = _run(job | {"knowledge": str(use_only), "sizes": []})
        if other["kind"] != "use":
            raise ConfigError(f"{use_only} is no index of USE alone: it holds {other['kind']} vectors")
        found += [*_matching(other), times("embedding (use)", other["embedding"])]
    growth = tuple(
        Grown(entries=line["entries"], mib=line["mib"], rank_ms=tuple(line["rank_ms"])) for line in own["growth"]
    )
    return Speed(times=tuple(found), embedding=embedding, growth=growth)


def times(what: str, spent: Sequence[float]) -> Times:
    """The figures of measured milliseconds."""
    return Times(what=what, n=len(spent), **percentiles(spent, 50, 95))


def _matching(found: Mapping[str, Any]) -> list[Times]:
    kind = found["kind"]
    return [times(f"match, new texts ({kind})", found["new"]), times(f"match, seen before ({kind})", found["again"])]


def _run(job: Mapping[str, Any]) -> dict[str, Any]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.measure.timed"],
            cwd=ROOT,
            env=env,
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"speed could not be measured within {LIMIT_S} s") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise ConfigError(f"speed could not be measured: {lines[-1] if lines else f'exit code {done.returncode}'}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
