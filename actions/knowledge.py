"""The catalogue the actions answer from: opened once, looked at again every few seconds."""

from __future__ import annotations

from threading import Lock

import structlog

from hotline.services.answering import Answering
from hotline.settings import get_settings
from knowledge_base.errors import KnowledgeError
from knowledge_base.published import Published

log = structlog.get_logger(__name__)


class Knowledge:
    """Holds the newest published catalogue. Safe for concurrent use."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._published: Published | None = None
        self._answering: Answering | None = None

    def answering(self) -> Answering:
        """The answers as published now (a new version is taken over within a second)."""
        with self._lock:
            if self._published is None:
                self._published = Published.open(get_settings().knowledge_dir)
            self._refresh(self._published)
            if self._answering is None or self._answering.catalogue is not self._published.catalogue:
                self._answering = Answering(self._published.catalogue)
            return self._answering

    @staticmethod
    def _refresh(published: Published) -> None:
        try:
            published.refresh()
        except KnowledgeError as error:
            log.error("actions.knowledge.unusable", problems=len(error.problems))  # the version before stays in force


_KNOWLEDGE = Knowledge()


def answering() -> Answering:
    """The process's answers."""
    return _KNOWLEDGE.answering()
