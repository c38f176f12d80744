from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hotline.errors import ConfigError
from knowledge_base.embed import Embedder
from knowledge_base.linear import SEPARATOR
from knowledge_base.model import Catalogue
from tests.measure import growth, speed

ASKED = ["租房一个月能取多少钱", "退休的钱几天到卡", "首套利率现在多少"]


def test_classes_are_in_the_order_the_ranker_needs_and_begin_with_none_of_them() -> None:
    found = growth.entry_classes(100, ["overview", "q", "amount"])
    assert len(found) == len(set(found)) == 100
    assert found[0] == ""
    assert list(found) == sorted(found)
    assert found[1:4] == tuple(f"matter-0000000{SEPARATOR}{aspect}" for aspect in ("amount", "overview", "q_1"))


def test_synthetic_rankers_of_every_size_rank_as_the_published_one_does(target: Path, embedder: Embedder) -> None:
    index = growth.opened(target)
    lines = growth.grown(index, embedder, ASKED, [30, 300])
    assert [line["entries"] for line in lines] == [30, 300]
    assert all(len(line["rank_ms"]) == len(ASKED) for line in lines)
    assert 0 < lines[0]["mib"] < lines[1]["mib"]
    ranker = growth.synthetic(index.ranker, 300)
    assert ranker.entries.weights.shape == (300, index.ranker.entries.weights.shape[1])
    assert ranker.entries.weights.dtype == index.ranker.entries.weights.dtype
    (reading, *_) = growth.readings_of(index, embedder, ASKED)
    assert np.isclose(ranker.rank(reading).p.sum(), 1.0)


def test_a_ranker_that_would_not_fit_is_not_made(
    target: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "MEMORY_PART", 0.0)
    (line,) = growth.grown(growth.opened(target), embedder, ASKED, [30])
    assert line["rank_ms"] == []


def test_speed_is_measured_in_a_process_of_its_own(
    target: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "SIZES", (30,))
    told: list[str] = []
    found = speed.measured(target, catalogue, ASKED, use_only=target, say=told.append)
    assert [(times.what, times.n) for times in found.times] == [
        ("match, new texts (use)", 3),
        ("match, seen before (use)", 3),
        ("embedding (use)", 3),
    ] * 2
    assert found.times[0].p50 > found.times[1].p50
    assert [line.entries for line in found.growth] == [30]
    assert told == []


def test_without_an_index_of_the_small_embedding_alone_that_is_said(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(speed, "_run", lambda job: answer("e5+use"))
    found = speed.measured(Path("a"), catalogue, ASKED, use_only=None, say=told.append)
    assert len(found.times) == 3
    assert "--use-only-index" in told[0]


def test_an_index_with_both_embeddings_is_not_taken_for_the_small_one(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "_run", lambda job: answer("e5+use"))
    with pytest.raises(ConfigError, match="b is no index of USE alone"):
        speed.measured(Path("a"), catalogue, ASKED, use_only=Path("b"), say=lambda _: None)


def test_a_process_that_fails_or_hangs_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"speed could not be measured: .*CURRENT"):
        speed._run({"knowledge": str(tmp_path), "texts": [], "warm_up": [], "sizes": []})

    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("x", 1)

    monkeypatch.setattr(speed.subprocess, "run", hang)
    with pytest.raises(ConfigError, match="within 900 s"):
        speed._run({})


def answer(kind: str) -> dict[str, Any]:
    growth_line = {"entries": 30, "mib": 1.0, "rank_ms": [0.5]}
    return {"kind": kind, "new": [2.0], "again": [0.1], "embedding": [1.0], "growth": [growth_line]}
