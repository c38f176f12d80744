from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from knowledge_base import published as published_module
from knowledge_base.embed import Embedder
from knowledge_base.errors import KnowledgeError
from knowledge_base.index import Index
from knowledge_base.loader import load
from knowledge_base.publish import publish
from knowledge_base.published import Published
from tests.unit.knowledge_base.conftest import CONTENT, edit

RATE = "catalogue/national/loan-rate.yml"


@pytest.fixture(autouse=True)
def _look_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_module, "CHECK_EVERY_S", 0.0)


@pytest.fixture
def folder(target: Path, tmp_path: Path) -> Path:
    """A published folder that a test may spoil."""
    return Path(shutil.copytree(target, tmp_path / "target"))


def put(content: Path, folder: Path, embedder: Embedder) -> Published:
    return publish(content, centre="guangzhou", target=folder, embedder=embedder)


def versions(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir() if (each / "manifest.json").is_file()}


def test_what_is_published_is_what_was_written(published: Published) -> None:
    loaded = load(CONTENT, centre="guangzhou")
    assert published.catalogue.version == published.version
    assert published.catalogue.matters == loaded.matters
    assert published.catalogue.parameters == loaded.parameters
    assert published.catalogue.centre == loaded.centre


def test_an_index_is_arrays_and_json_and_never_a_pickle(target: Path, published: Published) -> None:
    files = list((target / published.version).iterdir())
    assert {file.suffix for file in files} == {".npy", ".json"}
    for file in files:
        if file.suffix == ".npy":
            array = np.load(file, allow_pickle=False)
            assert array.dtype in (np.float32, np.float16, np.int32)
            assert np.isfinite(array).all()
    manifest = json.loads((target / published.version / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["version"] == published.version
    assert manifest["matters"] == 4
    assert manifest["embedder"] == "use"
    assert 0 < manifest["metrics"]["top1"] <= 1


def test_the_same_content_is_not_built_twice(folder: Path, embedder: Embedder) -> None:
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*.npy")}
    put(CONTENT, folder, embedder)
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*.npy")} == before


def test_an_edit_is_in_force_in_every_reader_without_restart(content: Path, folder: Path, embedder: Embedder) -> None:
    reader = Published.open(folder, embedder=embedder)
    assert not reader.refresh()
    assert reader.matcher.match("换个说法问利率").exact is None
    edit(content / RATE, "aliases: [", "aliases: [换个说法问利率, ")
    version = put(content, folder, embedder).version
    assert reader.refresh()
    assert reader.version == version
    assert reader.matcher.match("换个说法问利率").exact == "loan-rate"
    assert not reader.refresh()


def test_an_edit_embeds_only_what_it_changed(content: Path, folder: Path, embedder: Embedder) -> None:
    asked: list[str] = []

    class Counting(Embedder):
        def embed_many(self, texts):  # type: ignore[no-untyped-def]
            asked.extend(texts)
            return embedder.embed_many(texts)

    edit(content / RATE, "aliases: [", "aliases: [全新的别名, ")
    put(content, folder, Counting(use_only=True))
    assert asked == ["全新的别名"]


def test_broken_content_changes_nothing(content: Path, folder: Path, embedder: Embedder) -> None:
    before, current = versions(folder), (folder / "CURRENT").read_text(encoding="ascii")
    edit(content / RATE, "topic: 贷款-利率", "topic: 利率")
    with pytest.raises(KnowledgeError, match=r"loan-rate\.yml:3: topic"):
        put(content, folder, embedder)
    assert versions(folder) == before
    assert (folder / "CURRENT").read_text(encoding="ascii") == current
    assert not list(folder.glob(".building-*"))


def test_a_build_that_fails_leaves_nothing_behind(content: Path, folder: Path, embedder: Embedder) -> None:
    class Failing(Embedder):
        def embed_many(self, texts):  # type: ignore[no-untyped-def]
            raise MemoryError

    before = versions(folder)
    edit(content / RATE, "aliases: [", "aliases: [又一个别名, ")
    with pytest.raises(MemoryError):
        put(content, folder, Failing(use_only=True))
    assert versions(folder) == before
    assert not list(folder.glob(".building-*"))
    assert Published.open(folder).version in before


def test_a_broken_new_version_is_reported_once_and_the_old_one_stays(folder: Path, embedder: Embedder) -> None:
    reader = Published.open(folder, embedder=embedder)
    version = reader.version
    shutil.copytree(folder / version, folder / "spoilt")
    (folder / "spoilt" / "entries-weights.npy").write_bytes(b"no array")
    (folder / "CURRENT").write_text("spoilt", encoding="ascii")
    with pytest.raises(KnowledgeError, match="spoilt"):
        reader.refresh()
    assert not reader.refresh()
    assert reader.version == version
    assert reader.matcher.match("租房提取").exact == "withdraw-rent"


@pytest.mark.parametrize(
    "name", ["manifest.json", "model.json", "catalogue.json", "lexicon.json", "mean.npy", "aspects-bias.npy"]
)
def test_an_index_with_a_file_missing_is_refused(folder: Path, name: str) -> None:
    version = (folder / "CURRENT").read_text(encoding="ascii")
    (folder / version / name).unlink()
    with pytest.raises(KnowledgeError, match=version):
        Index.open(folder / version)


def test_nothing_published_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="CURRENT"):
        Published.open(tmp_path)


def test_the_last_three_versions_are_kept(content: Path, folder: Path, embedder: Embedder) -> None:
    first = Published.open(folder).version
    newest = [first]
    for number in range(3):
        edit(content / RATE, "popularity: 50", f"popularity: {number + 51}")
        newest.append(put(content, folder, embedder).version)
        edit(content / RATE, f"popularity: {number + 51}", "popularity: 50")
    assert versions(folder) == set(newest[1:])


def test_going_back_to_an_older_version_takes_no_build(content: Path, folder: Path, embedder: Embedder) -> None:
    first = Published.open(folder).version
    edit(content / RATE, "popularity: 50", "popularity: 51")
    assert put(content, folder, embedder).version != first
    begun = time.perf_counter()
    assert put(CONTENT, folder, embedder).version == first
    assert time.perf_counter() - begun < 2.0


def test_a_glance_costs_one_look_a_second(folder: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_module, "CHECK_EVERY_S", 3600.0)
    reader = Published.open(folder, embedder=embedder)
    (folder / "CURRENT").write_text("spoilt", encoding="ascii")
    assert not reader.refresh()
