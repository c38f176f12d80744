"""The published knowledge of a process is loaded once, for everybody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from hotline.dialogue.fallback import KnowledgeDialogue
from hotline.services.knowledge import Knowledge
from knowledge_base.errors import KnowledgeError, Problem
from knowledge_base.model import Catalogue
from tests.unit.answering.content import CATALOGUE


@dataclass
class FakePublished:
    catalogue: Catalogue = CATALOGUE
    refreshed: int = 0
    broken: bool = False

    def refresh(self) -> bool:
        self.refreshed += 1
        if self.broken:
            raise KnowledgeError((Problem("CURRENT", 1, "-", "is not readable"),))
        return False


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[FakePublished]:
    """What has been opened from disk."""
    found: list[FakePublished] = []

    def opens(target: Path) -> FakePublished:
        found.append(FakePublished())
        return found[-1]

    monkeypatch.setattr("knowledge_base.published.Published.open", opens)
    return found


def test_many_who_ask_at_once_share_one_object(tmp_path: Path, opened: list[FakePublished]) -> None:
    knowledge = Knowledge(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: knowledge.now(), range(16)))
    assert len(opened) == 1
    assert {id(each) for each in seen} == {id(opened[0])}
    assert opened[0].refreshed == 15


def test_a_publication_that_cannot_be_used_leaves_the_one_before_in_force(
    tmp_path: Path, opened: list[FakePublished]
) -> None:
    knowledge = Knowledge(tmp_path)
    before = knowledge.now()
    opened[0].broken = True
    assert knowledge.now() is before


def test_the_catalogue_is_told_without_loading_anything(tmp_path: Path, opened: list[FakePublished]) -> None:
    knowledge = Knowledge(tmp_path)
    assert (knowledge.catalogue, opened) == (None, [])
    knowledge.now()
    assert knowledge.catalogue is CATALOGUE


def test_the_dialogue_lends_what_it_has_loaded(tmp_path: Path, opened: list[FakePublished]) -> None:
    dialogue = KnowledgeDialogue(tmp_path)
    assert dialogue.knowledge.now() is dialogue.knowledge.now()
    assert len(opened) == 1


def test_nothing_published_is_said_to_who_asks(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError):
        Knowledge(tmp_path).now()
