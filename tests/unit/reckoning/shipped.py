"""The content that ships, loaded once for all tests that reckon with it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import knowledge_base
from knowledge_base.loader import load
from knowledge_base.model import Catalogue


@cache
def shipped(centre: str) -> Catalogue:
    """The catalogue of ``centre`` as it stands in the repository."""
    return load(Path(knowledge_base.__file__).parent, centre=centre)
