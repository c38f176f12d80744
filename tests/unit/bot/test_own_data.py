"""What wishes for own data are told apart from: published phrasings whose vectors are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bot.components import own_data
from knowledge_base.linear import Array
from knowledge_base.model import Aspect
from knowledge_base.remembered import Remembered

DIMS = 4


class FakeEmbedder:
    """The length of a text is its vector."""

    kind = "fake"
    dims = DIMS

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed_many(self, cores: Sequence[str]) -> Array:
        self.embedded += cores
        return np.array([[len(core)] * DIMS for core in cores], dtype=np.float32)


def _read(text: str) -> object:
    """The core of a text is the text without its last mark."""
    return SimpleNamespace(normalised=SimpleNamespace(core=text.rstrip("?")))


def _publish(monkeypatch: pytest.MonkeyPatch, folder: Path, questions: dict[str, Sequence[str]]) -> FakeEmbedder:
    aspects = {
        key: Aspect(key=key, title=key, text="x", short="x", source_ids=(), questions=tuple(asked))
        for key, asked in questions.items()
    }
    catalogue = SimpleNamespace(matters={"rent": SimpleNamespace(aspects=aspects)})
    made = SimpleNamespace(catalogue=catalogue, matcher=SimpleNamespace(reader=SimpleNamespace(read=_read)))
    embedder = FakeEmbedder()
    monkeypatch.setattr(own_data, "published", lambda: made)
    monkeypatch.setattr(own_data, "embedder", lambda: embedder)
    monkeypatch.setattr(own_data, "knowledge_dir", lambda: folder)
    return embedder


def _remember(folder: Path, embedder: FakeEmbedder, cores: Sequence[str]) -> None:
    Remembered(folder / own_data.CACHE, embedder).embed(cores)  # type: ignore[arg-type]  # kind, dims, embed_many
    embedder.embedded.clear()


def test_kept_vectors_of_phrasings_are_taken_and_none_is_embedded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = _publish(monkeypatch, tmp_path, {"overview": ["ab?", "abc?", "new?"]})
    _remember(tmp_path, embedder, ["ab", "abc"])
    found = own_data.policy_vectors([])
    assert sorted(found[:, 0].tolist()) == [2.0, 3.0]
    assert embedder.embedded == []


def test_a_phrasing_that_is_a_wish_too_is_not_held_against_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = _publish(monkeypatch, tmp_path, {"overview": ["ab?", "abc?"]})
    _remember(tmp_path, embedder, ["ab", "abc"])
    assert own_data.policy_vectors(["abc?"])[:, 0].tolist() == [2.0]


def test_of_every_entry_so_many_are_taken_spread_over_all_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = ["x" * length for length in range(1, 10 * own_data.AN_ENTRY + 1)]
    embedder = _publish(monkeypatch, tmp_path, {"overview": many, "materials": ["short?"]})
    _remember(tmp_path, embedder, [*many, "short"])
    lengths = own_data.policy_vectors([])[:, 0].tolist()
    assert len(lengths) == own_data.AN_ENTRY + 1
    assert max(lengths) > 0.8 * len(many)


def test_without_remembered_vectors_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(monkeypatch, tmp_path, {"overview": ["ab?"]})
    assert own_data.policy_vectors([]).shape == (0, DIMS)


def test_examples_are_embedded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = _publish(monkeypatch, tmp_path, {})
    first = own_data.example_vectors(["ab", "abc"])
    again = own_data.example_vectors(["ab", "abc", "d"])
    assert embedder.embedded == ["ab", "abc", "d"]
    assert again[:2].tolist() == first.tolist()
