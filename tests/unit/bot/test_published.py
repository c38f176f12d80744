"""The knowledge the Rasa process answers from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import published as module
from knowledge_base.errors import KnowledgeError, Problem
from knowledge_base.match import Match
from tests.unit.answering.content import CATALOGUE, match


class FakePublished:
    """Remembers what it was asked."""

    catalogue = CATALOGUE
    broken = False

    def __init__(self) -> None:
        self.heard: list[tuple[str, ...]] = []

    @property
    def matcher(self) -> FakePublished:
        return self

    def refresh(self) -> bool:
        self.heard.append(("refresh",))
        if self.broken:
            raise KnowledgeError((Problem("x", 1, "-", "is spoilt"),))
        return False

    def match(self, text: str) -> Match:
        self.heard.append(("match", text))
        return match(text, {"rent": 0.3}, named="租房" in text)

    def about(self, text: str, code: str) -> Match:
        self.heard.append(("about", text, code))
        return match(text, {code: 0.9}, aspect="materials")

    def parts(self, text: str) -> list[Match]:
        self.heard.append(("parts", text))
        return []


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> FakePublished:
    made = FakePublished()
    monkeypatch.setattr(module, "published", lambda: made)
    return made


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    module._opened.cache_clear()
    module.embedder.cache_clear()


def test_warming_computes_all_that_the_pipeline_will_ask_for(opened: FakePublished) -> None:
    module.warm("几天到账？")
    assert opened.heard == [("refresh",), ("match", "几天到账？"), ("parts", "几天到账？")]


def test_a_spoilt_new_publication_does_not_stop_a_turn(opened: FakePublished) -> None:
    opened.broken = True
    module.warm("几天到账？")
    assert ("match", "几天到账？") in opened.heard


def test_a_short_message_is_matched_as_one_about_the_matter(opened: FakePublished) -> None:
    found = module.about("要什么材料", "rent")
    assert found is not None
    assert found.aspect_for("rent") == "materials"


@pytest.mark.parametrize(
    ("text", "code"),
    [("租房要什么材料", "rent"), ("要" * 30, "rent"), ("要什么材料", "gone")],
    ids=["names a matter", "long", "no longer published"],
)
def test_what_cannot_be_a_follow_up_is_not_matched_again(opened: FakePublished, text: str, code: str) -> None:
    assert module.about(text, code) is None
    assert not [each for each in opened.heard if each[0] == "about"]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, Path("var/knowledge")),
        ({"GJJ_STATE_DIR": "/srv/state"}, Path("/srv/state/knowledge")),
        ({"GJJ_STATE_DIR": "/srv/state", "GJJ_KNOWLEDGE_DIR": "/srv/known"}, Path("/srv/known")),
        ({"GJJ_STATE_DIR": "", "GJJ_KNOWLEDGE_DIR": ""}, Path("var/knowledge")),
    ],
)
def test_the_folder_is_named_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: Path
) -> None:
    for name in ("GJJ_STATE_DIR", "GJJ_KNOWLEDGE_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert module.knowledge_dir() == expected


@pytest.mark.parametrize(("value", "small"), [("1", True), ("TRUE", True), ("on", True), ("", False), ("0", False)])
def test_the_small_model_alone_is_asked_for_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str, small: bool
) -> None:
    monkeypatch.setattr("knowledge_base.embed.has_avx2", lambda: True)
    monkeypatch.setenv("GJJ_USE_ONLY", value)
    assert module.embedder().use_only is small


def test_without_a_publication_it_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GJJ_KNOWLEDGE_DIR", str(tmp_path))
    with pytest.raises(KnowledgeError, match="CURRENT"):
        module.published()
