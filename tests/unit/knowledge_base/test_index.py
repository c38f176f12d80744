"""A ranker written and read again, and what an index is made of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge_base import index, normalise, snapshot, wording
from knowledge_base.errors import KnowledgeError
from knowledge_base.index import Index, answers_of, version_of
from knowledge_base.loader import load
from knowledge_base.model import Aspect, Branch, Catalogue
from knowledge_base.published import Published
from knowledge_base.ranking import Ranker
from tests.unit.knowledge_base.conftest import CONTENT
from tests.unit.knowledge_base.test_ranking import RANKER, asked


@pytest.fixture
def reread(tmp_path: Path) -> Ranker:
    index._write_ranker(tmp_path, RANKER)
    return index._read_ranker(tmp_path)


def test_a_ranker_ranks_the_same_after_it_was_written_and_read(reread: Ranker) -> None:
    for text in ("租", "贷", "别"):
        before, after = RANKER.rank(asked(text)), reread.rank(asked(text))
        assert after.columns.tolist() == before.columns.tolist()
        assert after.p == pytest.approx(before.p, abs=1e-3)


def test_everything_of_a_ranker_comes_back(reread: Ranker) -> None:
    for name in ("entries", "matters", "within", "aspects"):
        was, now = getattr(RANKER, name), getattr(reread, name)
        assert now.classes == was.classes
        assert np.array_equal(now.weights, was.weights)
        assert np.array_equal(now.bias, was.bias)
    assert reread.lexical.columns == RANKER.lexical.columns
    assert np.allclose(reread.lexical.projection, RANKER.lexical.projection, atol=1e-3)
    assert np.array_equal(reread.answers.starts, RANKER.answers.starts)
    assert reread.habits.tokens == RANKER.habits.tokens
    assert reread.inside.tolist() == RANKER.inside.tolist()
    assert np.array_equal(reread.second.weights, RANKER.second.weights)


def test_a_built_index_is_opened_as_it_was_built(target: Path, published: Published) -> None:
    opened = Index.open(target / published.version)
    assert opened.kind == "use"
    assert opened.catalogue == published.catalogue
    assert opened.metrics == published.metrics
    ranker = opened.ranker
    assert "withdraw-rent amount" in ranker.entries.classes
    assert ranker.entries.classes[0] == ""
    assert ranker.entries.weights.shape == (len(ranker.entries.classes), 512 + ranker.lexical.dims)
    assert len(ranker.answers.starts) == len(ranker.entries.classes) + 1
    outside = ranker.entries.classes.index("outside-social-insurance overview")
    assert not ranker.inside[outside]
    assert isinstance(ranker.entries.weights, np.memmap)


def test_an_index_of_another_format_is_refused(target: Path, published: Published, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    for file in (target / published.version).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": index.FORMAT - 1}), encoding="utf-8")
    with pytest.raises(KnowledgeError, match="format"):
        Index.open(folder)


def test_answers_are_name_title_and_text_without_figures(catalogue: Catalogue) -> None:
    answers = dict(answers_of(catalogue))
    assert set(answers) == {f"{code} {key}" for code, matter in catalogue.matters.items() for key in matter.aspects}
    text = answers["withdraw-rent overview"]
    assert text.startswith("租房提取租房能不能提取公积金")
    assert "在租房住的" in text
    assert not any("{" in answer for answer in answers.values())


def test_whatever_the_index_depends_on_makes_another_version(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {version_of(catalogue, kind="use"), version_of(catalogue, kind="e5+use")}
    assert len(seen) == 2
    rent = catalogue.matters["withdraw-rent"]
    edited = replace(catalogue, matters={**catalogue.matters, "withdraw-rent": replace(rent, popularity=1)})
    seen.add(version_of(edited, kind="use"))
    seen.add(version_of(replace(catalogue, centre=replace(catalogue.centre, here=("佛山",))), kind="use"))
    monkeypatch.setattr(normalise, "VERSION", "another")
    seen.add(version_of(catalogue, kind="use"))
    monkeypatch.setattr(wording, "fingerprint", lambda: "another")
    seen.add(version_of(catalogue, kind="use"))
    assert len(seen) == 6


def test_the_version_is_not_part_of_what_it_names(catalogue: Catalogue) -> None:
    assert version_of(replace(catalogue, version="x"), kind="use") == version_of(catalogue, kind="use")


def test_a_catalogue_travels_as_json_with_all_it_holds() -> None:
    catalogue = load(CONTENT, centre="guangzhou")
    rent = catalogue.matters["withdraw-rent"]
    asking = Aspect(
        key="conditions",
        title="租房提取要什么条件",
        text="要有。",
        short="要有。",
        plain="得符合条件。",
        branch=Branch(fact="payer", to={"employer": "overview", "flexible": "materials"}),
    )
    unanswered = Aspect(key="fee", title="租房提取收费吗")
    rent = replace(rent, kind="guide", aspects={**rent.aspects, "conditions": asking, "fee": unanswered})
    full = replace(catalogue, matters={**catalogue.matters, "withdraw-rent": rent})
    back = snapshot.catalogue(json.loads(json.dumps(snapshot.to_json(full), ensure_ascii=False)))
    assert back == full
    assert back.centre.here == ("广州", "天河")
    assert not back.matters["withdraw-rent"].aspects["fee"].answered
