"""The catalogue in force, as published: opened by every process, reopened when a new version is put in place."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Lock

from knowledge_base.embed import Embedder
from knowledge_base.errors import KnowledgeError, Problem
from knowledge_base.index import Index
from knowledge_base.matcher import Matcher
from knowledge_base.model import Catalogue
from knowledge_base.normalise import normalise

CURRENT = "CURRENT"
"""The file in the target folder that names the version in force."""

CHECK_EVERY_S = 1.0


class Published:
    """One published version at a time, always a whole one. Safe for concurrent use."""

    def __init__(self, target: Path, *, embedder: Embedder | None = None) -> None:
        self._target = target
        self._lock = Lock()
        self._embedder = embedder
        self._matcher: Matcher | None = None
        self._checked_at = time.monotonic()
        self._stamp = self._current_stamp()
        self._index, self._version = self._read()

    @classmethod
    def open(cls, target: Path, *, embedder: Embedder | None = None) -> Published:
        """The version that CURRENT in ``target`` names.

        Args:
            embedder: one to share between versions and objects; by default one of the index's own kind is made.

        Raises:
            KnowledgeError: nothing is published there, or it cannot be used.
        """
        return cls(target, embedder=embedder)

    @property
    def catalogue(self) -> Catalogue:
        """Everything published, figures included."""
        return self._index.catalogue

    @property
    def version(self) -> str:
        """Names what is in force."""
        return self._version

    @property
    def kind(self) -> str:
        """The embedder the version in force was built with."""
        return self._index.kind

    @property
    def metrics(self) -> dict[str, float]:
        """How good the matcher was on held-out phrasings when this version was built."""
        return self._index.metrics

    @property
    def matcher(self) -> Matcher:
        """Made on first use: it loads the models."""
        with self._lock:
            if self._matcher is None:
                self._embedder = _embedder_for(self._index, self._embedder)
                self._matcher = Matcher(self._index, self._embedder)
            return self._matcher

    def core(self, text: str) -> str:
        """What of ``text`` is worth embedding, as the matcher reads it; costs no embedding."""
        index = self._index
        return normalise(text, corrector=index.corrector, here=index.catalogue.centre.here).core

    def refresh(self) -> bool:
        """True when a new version has been taken over. Looks at most once a second; a glance costs one ``stat``.

        Raises:
            KnowledgeError: once for each new version that cannot be used; the old one stays in force.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._checked_at < CHECK_EVERY_S:
                return False
            self._checked_at = now
            stamp = self._current_stamp()
            if stamp == self._stamp:
                return False
            self._stamp = stamp
            index, version = self._read()
            if version == self._version:
                return False
            if self._matcher is not None:
                self._embedder = _embedder_for(index, self._embedder)
                self._matcher = Matcher(index, self._embedder)
            self._index, self._version = index, version
            return True

    def _current_stamp(self) -> tuple[int, int, int] | None:
        try:
            found = (self._target / CURRENT).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _read(self) -> tuple[Index, str]:
        try:
            version = (self._target / CURRENT).read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise KnowledgeError((Problem(CURRENT, 1, "-", f"names no published version: {error}"),)) from error
        return Index.open(self._target / version), version


def _embedder_for(index: Index, embedder: Embedder | None) -> Embedder:
    """``embedder`` where it fits, else a new one of the index's kind.

    Raises:
        KnowledgeError: the index needs an instruction set that this machine has not.
    """
    if embedder is not None and embedder.kind == index.kind:
        return embedder
    made = Embedder(use_only=index.kind == "use")
    if made.kind != index.kind:
        raise KnowledgeError(
            (Problem("manifest.json", 1, "embedder", f"is {index.kind}; this machine can only do {made.kind}"),)
        )
    return made
