"""Puts edited content in force: checked, built beside the old version, swapped in one step."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from knowledge_base import index, loader
from knowledge_base.embed import Embedder
from knowledge_base.model import Catalogue
from knowledge_base.published import CURRENT, Published

VERSIONS_KEPT = 3
Report = Callable[[str], None]
"""Told what is being done, one short line at a time."""
CACHE = "cache"


def publish(
    root: Path,
    *,
    centre: str,
    target: Path,
    use_only: bool = False,
    embedder: Embedder | None = None,
    report: Report = lambda _: None,
) -> Published:
    """The content under ``root`` is in force in ``target``; the last three versions are kept.

    A version that was built before is only put in force again. Phrasings are embedded once and remembered
    in ``target/cache``. Until the last step nothing that a reader sees changes.

    Raises:
        KnowledgeError: with all problems of the content; what was in force stays.
    """
    catalogue = loader.load(root, centre=centre)
    return put_in_force(catalogue, target=target, use_only=use_only, embedder=embedder, report=report)


def put_in_force(
    catalogue: Catalogue,
    *,
    target: Path,
    use_only: bool = False,
    embedder: Embedder | None = None,
    report: Report = lambda _: None,
) -> Published:
    """As `publish`, for a catalogue already loaded (the console's drafts come from storage)."""
    embedder = embedder or Embedder(use_only=use_only, threads=2)
    version = index.version_of(catalogue, kind=embedder.kind)
    target.mkdir(parents=True, exist_ok=True)
    if not (target / version / "manifest.json").is_file():
        _build(catalogue, embedder, target=target, version=version, report=report)
    os.utime(target / version)
    _swap(target, version)
    _forget_old(target, version)
    return Published.open(target, embedder=embedder)


def _build(catalogue: Catalogue, embedder: Embedder, *, target: Path, version: str, report: Report) -> None:
    draft = Path(mkdtemp(prefix=".building-", dir=target))
    try:
        index.build(catalogue, embedder, draft, cache=target / CACHE, report=report)
        draft.chmod(0o755)
        if (target / version).exists():  # half a version from a build that was cut off
            shutil.rmtree(target / version)
        draft.rename(target / version)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _swap(target: Path, version: str) -> None:
    draft = target / f".{CURRENT}-{os.getpid()}"
    draft.write_text(version, encoding="ascii")
    draft.replace(target / CURRENT)


def _forget_old(target: Path, version: str) -> None:
    """Readers that still hold an older version have its arrays mapped: removing the files does not disturb them."""
    built = [folder for folder in target.iterdir() if (folder / "manifest.json").is_file()]
    others = sorted((folder for folder in built if folder.name != version), key=lambda folder: -folder.stat().st_mtime)
    for folder in others[VERSIONS_KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)
