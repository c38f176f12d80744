"""The knowledge this process answers from: opened once, looked at again every few seconds."""

from __future__ import annotations

import logging
import os
from functools import cache
from pathlib import Path
from threading import Lock

from knowledge_base.embed import Embedder
from knowledge_base.errors import KnowledgeError
from knowledge_base.match import Match
from knowledge_base.published import Published

logger = logging.getLogger(__name__)

_opening = Lock()


def knowledge_dir() -> Path:
    """``GJJ_KNOWLEDGE_DIR``, else ``knowledge`` in ``GJJ_STATE_DIR``, else ``var/knowledge``."""
    return Path(os.environ.get("GJJ_KNOWLEDGE_DIR") or Path(os.environ.get("GJJ_STATE_DIR") or "var") / "knowledge")


@cache
def embedder() -> Embedder:
    """The one embedder of the process: training, matcher and intent classifier share its memory of vectors."""
    return Embedder(use_only=os.environ.get("GJJ_USE_ONLY", "").lower() in ("1", "true", "yes", "on"))


def published() -> Published:
    """The one opened publication of the process."""
    with _opening:
        return _opened()


@cache
def _opened() -> Published:
    return Published.open(knowledge_dir(), embedder=embedder())


def warm(text: str) -> None:
    """Takes over a newer publication if there is one and matches ``text``, which the matcher then remembers.

    Blocks for as long as embedding takes: run it in a thread.
    """
    knowledge = published()
    try:
        knowledge.refresh()
    except KnowledgeError as error:
        logger.error("bot.knowledge.unusable: %s", error)  # the version before stays in force
    knowledge.matcher.match(text)
    knowledge.matcher.parts(text)


def about(text: str, code: str) -> Match | None:
    """``text`` matched as said of the matter ``code``; None where it names a matter itself, is long, or where a newer
    publication has no such matter. Blocks as `warm` does."""
    knowledge = published()
    if code not in knowledge.catalogue.matters or not knowledge.matcher.match(text).may_follow_up:
        return None
    return knowledge.matcher.about(text, code)
