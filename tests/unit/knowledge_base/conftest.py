from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from knowledge_base.embed import Embedder
from knowledge_base.loader import load
from knowledge_base.model import Catalogue
from knowledge_base.publish import publish
from knowledge_base.published import Published

CONTENT = Path(__file__).resolve().parents[2] / "fixtures" / "knowledge"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A copy of the fixture content that a test may edit."""
    return Path(shutil.copytree(CONTENT, tmp_path / "content"))


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load(CONTENT, centre="guangzhou")


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The small model alone: quick to load and to run."""
    return Embedder(use_only=True)


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Path:
    """The fixture content, published once for all tests that only read."""
    folder = tmp_path_factory.mktemp("published")
    publish(CONTENT, centre="guangzhou", target=folder, embedder=embedder)
    return folder


@pytest.fixture(scope="session")
def published(target: Path, embedder: Embedder) -> Published:
    return Published.open(target, embedder=embedder)


def edit(file: Path, before: str, after: str) -> None:
    """Replaces text in a content file; a test that edits nothing would prove nothing."""
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
