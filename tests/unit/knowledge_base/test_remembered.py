"""What one build leaves for the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge_base import remembered as module
from knowledge_base.embed import Embedder
from knowledge_base.model import Catalogue
from knowledge_base.pinyin import Corrector
from knowledge_base.reader import Reader
from knowledge_base.remembered import Remembered, Said

SAID = [Said(f"问{n}", f"m{n % 4}", "fee") for n in range(100)]
BASIS = "names and wording"


class Counting(Embedder):
    """Says what it was given; vectors are ones."""

    def __init__(self) -> None:
        super().__init__(use_only=True)
        self.asked: list[str] = []

    def embed_many(self, texts):  # type: ignore[no-untyped-def]
        self.asked += texts
        return np.ones((len(texts), self.dims), dtype=np.float32)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A folder that looks like an index."""
    folder = tmp_path / "index"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}", encoding="ascii")
    (folder / "lexicon.json").write_text('{"words": []}', encoding="ascii")
    (folder / "catalogue.json").write_text("{}", encoding="ascii")
    return folder


def test_a_text_is_embedded_once_over_all_builds(tmp_path: Path) -> None:
    first, second = Counting(), Counting()
    assert Remembered(tmp_path, first).embed(["租房", "退休", "租房"]).shape == (3, first.dims)
    assert first.asked == ["租房", "退休"]
    Remembered(tmp_path, second).embed(["退休", "贷款"])
    assert second.asked == ["贷款"]


def test_much_to_embed_is_reported_and_kept_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first publication that is cut off goes on where it was."""

    class Tiring(Counting):
        def embed_many(self, texts):  # type: ignore[no-untyped-def]
            if len(self.asked) == 4:
                raise MemoryError
            return super().embed_many(texts)

    monkeypatch.setattr(module, "CHUNK", 2)
    texts, lines = ["一", "二", "三", "四", "五"], list[str]()
    with pytest.raises(MemoryError):
        Remembered(tmp_path, Tiring(), lines.append).embed(texts)
    assert lines == ["embedded 2 of 5 phrasings", "embedded 4 of 5 phrasings"]
    again = Counting()
    assert Remembered(tmp_path, again, lines.append).embed(texts).shape == (5, again.dims)
    assert again.asked == ["五"]
    assert len(lines) == 2


def test_few_new_texts_are_kept_beside_the_others(tmp_path: Path) -> None:
    Remembered(tmp_path, Counting()).embed(["租房", "退休"])
    whole = next(tmp_path.glob("*.npz")).read_bytes()
    Remembered(tmp_path, Counting()).embed(["退休", "贷款"])
    Remembered(tmp_path, Counting()).embed(["退休", "贷款", "离职"])
    again = Counting()
    Remembered(tmp_path, again).embed(["租房", "退休", "贷款", "离职"])
    assert again.asked == []
    assert whole in [file.read_bytes() for file in tmp_path.glob("*.npz")]


def test_texts_no_longer_used_are_forgotten_when_all_are_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEW", 0)
    Remembered(tmp_path, Counting()).embed(["租房", "退休"])
    Remembered(tmp_path, Counting()).embed(["退休", "贷款"])
    again = Counting()
    Remembered(tmp_path, again).embed(["租房"])
    assert again.asked == ["租房"]


class Noting(Reader):
    """Says what it was given to read."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue, Corrector())
        self.asked: list[str] = []

    def read(self, text):  # type: ignore[no-untyped-def]
        self.asked.append(text)
        return super().read(text)


def test_a_text_is_read_once_while_the_words_are_the_same(tmp_path: Path, catalogue: Catalogue) -> None:
    reader, remembered = Noting(catalogue), Remembered(tmp_path, Counting())
    texts = ["我自己交的，租房提取要什么材料", "退休", "退休"]
    first = remembered.read(texts, lambda: reader, "words")
    assert reader.asked == texts[:2]
    assert first[0]["named"] == {"withdraw-rent": 4}
    assert first[0]["tokens"] == ["f:payer=flexible"]
    assert first[0]["cues"] == ["materials", None]
    assert remembered.read(texts, lambda: reader, "words") == first
    assert len(reader.asked) == 2
    assert remembered.read(texts, lambda: reader, "other words") == first
    assert len(reader.asked) == 4


@pytest.mark.parametrize("spoilt", [b"", b"[]", b"{}", b"[1]", b'["words", []]', b"\xff\x00"])
def test_spoilt_readings_are_none(tmp_path: Path, catalogue: Catalogue, spoilt: bytes) -> None:
    (tmp_path / "readings.json").write_bytes(spoilt)
    reader = Noting(catalogue)
    assert Remembered(tmp_path, Counting()).read(["退休"], lambda: reader, "words")[0]["text"] == "退休"
    assert reader.asked == ["退休"]


def test_without_a_folder_nothing_is_remembered(index: Path) -> None:
    embedder = Counting()
    remembered = Remembered(None, embedder)
    remembered.embed(["租房"])
    remembered.embed(["租房"])
    remembered.keep_fit(index, SAID, BASIS, "guangzhou")
    assert embedder.asked == ["租房", "租房"]
    assert remembered.last_fit(SAID, BASIS, "guangzhou") is None


@pytest.mark.parametrize("spoilt", [b"", b"{}", b"[1]", b"[[1]]", b"\xff\x00"])
def test_a_spoilt_cache_is_no_cache(tmp_path: Path, embedder: Embedder, index: Path, spoilt: bytes) -> None:
    remembered = Remembered(tmp_path, embedder)
    remembered.keep_fit(index, SAID, BASIS, "guangzhou")
    (tmp_path / "use.npz").write_bytes(spoilt)
    (tmp_path / "fit" / "use" / "guangzhou" / "said.json").write_bytes(spoilt)
    assert remembered.last_fit(SAID, BASIS, "guangzhou") is None
    assert np.allclose(remembered.embed(["租房"])[0], embedder.embed("租房"), atol=1e-5)


def test_the_last_fit_is_offered_for_almost_the_same_samples_only(tmp_path: Path, index: Path) -> None:
    remembered = Remembered(tmp_path, Counting())
    assert remembered.last_fit(SAID, BASIS, "guangzhou") is None
    remembered.keep_fit(index, SAID, BASIS, "guangzhou")
    kept = remembered.last_fit(SAID, BASIS, "guangzhou")
    assert kept is not None
    assert kept.changed == frozenset()
    assert (kept.folder / "catalogue.json").read_text(encoding="ascii") == "{}"
    fewer = remembered.last_fit(SAID[1:], BASIS, "guangzhou")
    assert fewer is not None
    assert fewer.changed == {"m0 fee"}
    assert remembered.last_fit(SAID[4:], BASIS, "guangzhou") is None
    assert remembered.last_fit(SAID, BASIS, "foshan") is None


def test_a_phrasing_moved_to_another_entry_changes_both(tmp_path: Path, index: Path) -> None:
    remembered = Remembered(tmp_path, Counting())
    remembered.keep_fit(index, SAID, BASIS, "guangzhou")
    kept = remembered.last_fit([replace(SAID[0], code="m1"), *SAID[1:]], BASIS, "guangzhou")
    assert kept is not None
    assert kept.changed == {"m0 fee", "m1 fee"}


def test_what_was_read_otherwise_was_not_the_same(tmp_path: Path, index: Path) -> None:
    remembered = Remembered(tmp_path, Counting())
    remembered.keep_fit(index, SAID, BASIS, "guangzhou")
    assert remembered.last_fit(SAID, "other names", "guangzhou") is None


def test_a_later_whole_fit_takes_the_place_of_the_earlier(tmp_path: Path, index: Path) -> None:
    remembered = Remembered(tmp_path, Counting())
    remembered.keep_fit(index, SAID, BASIS, "guangzhou")
    remembered.keep_fit(index, SAID[50:], BASIS, "guangzhou")
    assert remembered.last_fit(SAID, BASIS, "guangzhou") is None
    kept = remembered.last_fit(SAID[50:], BASIS, "guangzhou")
    assert kept is not None
    assert kept.lexicon == {"words": []}


def test_a_bare_name_teaches_the_overview_and_no_code_no_entry() -> None:
    assert [Said("x", "a", key).entry for key in ("", "fee")] == ["a overview", "a fee"]
    assert Said("x", "", "").entry == ""
