"""The published knowledge of this process: one loaded object for everybody who matches or renders."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import structlog

from knowledge_base.errors import KnowledgeError
from knowledge_base.model import Catalogue
from knowledge_base.published import Published

log = structlog.get_logger(__name__)


class Knowledge:
    """Nothing is loaded before the first use. Safe for use by several threads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = Lock()
        self._opened: Published | None = None

    def now(self) -> Published:
        """What is in force; reading it, and its models at their first use, blocks for seconds.

        Raises:
            OSError, KnowledgeError: nothing is published, or it cannot be used.
        """
        with self._lock:
            if self._opened is None:
                self._opened = Published.open(self._directory)
            else:
                _refresh(self._opened)
            return self._opened

    @property
    def catalogue(self) -> Catalogue | None:
        """What this process has loaded so far, without loading anything; None: nothing yet."""
        return self._opened.catalogue if self._opened else None


def _refresh(published: Published) -> None:
    try:
        published.refresh()
    except KnowledgeError as error:
        log.error("knowledge.unusable", problems=len(error.problems))  # the version before stays in force
